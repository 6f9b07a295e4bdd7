// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// clean: the directories of users whose account is gone. Reports each, and
// takes it away; with pins in it only when told to.
#include "alone.hpp"
#include "audit.hpp"
#include "grant.hpp"
#include "step.hpp"
#include "trusted.hpp"
#include "verbs.hpp"
#include "withdraw.hpp"

#include <fmt/format.h>

namespace fsctl {

namespace {

void print(context& with, const withdrawal& gone) {
    if (with.chosen.json) {
        with.json.start_object();
        with.json.member("user", gone.name);
        with.json.member("directory", gone.directory.native());
        with.json.end_object();
    } else {
        with.out.print("{} is no user any more: '{}' removed\n", gone.name,
                       gone.directory.native());
    }
}

void clean_one(context& with, const withdrawal& gone, with_pins pins) {
    const trusted_directory base = open_trusted(gone.directory.parent_path(), if_absent::fail);
    const bpffs::owned_fd held = alone();
    withdraw(base.handle, gone.name, pins, "bpffs-admin clean force");
    audit({audited::withdrawn, gone.name, gone.directory, {}, "the account is gone"},
          with.process.err);
    print(with, gone);
}

} // namespace

void admin_clean(context& with, words& given) {
    with_pins pins = with_pins::refuse;
    while (!given.empty()) {
        if (given.keyword({"force"}) == "force") {
            pins = with_pins::drop;
        } else {
            given.end();
        }
    }
    require_root();
    failures wrong;
    if (with.chosen.json) {
        with.json.start_array();
    }
    for (const withdrawal& gone : gone_users(mount_table(bpffs::list_mounts()), grant().base)) {
        try {
            clean_one(with, gone, pins);
        } catch (const std::exception& error) {
            const trouble told = describe(error);
            wrong.add(failure(fmt::format("{} is no user any more: {}", gone.name, told.message),
                              told.remedy));
        }
    }
    if (with.chosen.json) {
        with.json.end_array();
    }
    wrong.throw_any();
}

} // namespace fsctl
