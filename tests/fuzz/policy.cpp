// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Policy files, and what they give somebody.
#include "input.hpp"

#include "admin/policy_file.hpp"
#include "common/failure.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input given(data, size);
    fsctl::policy rules;
    fsctl::failures wrong;
    fsctl::read_policy_text(given.text(), "f", rules, wrong);
    if (!wrong.list().empty()) {
        return 0;
    }
    fsctl::account somebody;
    somebody.name = "alice";
    somebody.user = 1000;
    somebody.group = 1000;
    somebody.groups = {1000, 50};
    try {
        const fsctl::verdict judged = fsctl::judge(rules, somebody);
        fuzz::demand(!judged.gets || judged.decided, "what is given is given by a line");
    } catch (const fsctl::policy_failure& why) {
        fuzz::demand(why.from().line > 0, "a contradiction has its line");
    }
    return 0;
}
