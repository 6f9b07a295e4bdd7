// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// check: reads the policy, says all that is wrong in it, and remarks on users
// and groups that this machine does not have.
#include "policy_file.hpp"
#include "verbs.hpp"

namespace fsctl {

namespace {

void remark_absent(context& with, const origin& from, const std::string& what) {
    with.remark(fmt::format("{}:{}:{}: there is no {}; it is passed over", *from.file, from.line,
                            from.column, what));
}

// Contradictions that show only when all the rules for somebody are together.
void judge_named(const policy& rules, const std::string& user, failures& wrong) {
    if (const std::optional<account> who = find_account(user)) {
        try {
            (void)judge(rules, *who);
        } catch (const failure& error) {
            wrong.add(failure(fmt::format("{}: {}", user, error.what()), error.remedy()));
        }
    }
}

void check_names(context& with, const policy& rules) {
    failures wrong;
    for (const rule& each : rules.rules) {
        for (const auto& [user, from] : each.who.users) {
            if (!find_account(user)) {
                remark_absent(with, from, fmt::format("user '{}'", user));
            }
            judge_named(rules, user, wrong);
        }
        for (const auto& [group, about] : each.who.groups) {
            if (!about.number) {
                remark_absent(with, about.from, fmt::format("group '{}'", group));
            }
        }
    }
    for (const shared_area& area : rules.areas) {
        if (!find_group(area.what.group.value)) {
            remark_absent(with, area.what.group.from,
                          fmt::format("group '{}'", area.what.group.value));
        }
    }
    wrong.throw_any();
}

} // namespace

void admin_check(context& with, words& given) {
    std::vector<bpffs::path> files;
    while (!given.empty()) {
        files.emplace_back(given.next("a FILE"));
    }
    const policy rules = files.empty() ? read_policy() : read_policy(files, file_owner::anybody);
    if (with.chosen.json) {
        with.json.start_object();
        with.json.name("files");
        with.json.start_array();
        for (const bpffs::path& file : rules.files) {
            with.json.string(file.native());
        }
        with.json.end_array();
        with.json.end_object();
    }
    check_names(with, rules);
    for (const bpffs::path& file : rules.files) {
        with.remark(fmt::format("{}: good", file.native()));
    }
    if (rules.files.empty()) {
        with.remark("no policy: /etc/bpffs.d, /run/bpffs.d and /usr/lib/bpffs.d have no *.conf");
    }
}

} // namespace fsctl
