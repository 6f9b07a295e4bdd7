// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// remove: takes a user's bpffs away again, and the link that leads to it. Never
// with pins inside, unless told to: they would be gone with it.
#include "account.hpp"
#include "alone.hpp"
#include "audit.hpp"
#include "grant.hpp"
#include "home_link.hpp"
#include "memory_limits.hpp"
#include "target.hpp"
#include "trusted.hpp"
#include "verbs.hpp"
#include "withdraw.hpp"

namespace fsctl {

namespace {

void report(context& with, const std::string& user, const bpffs::path& shown, bool link) {
    if (with.chosen.json) {
        with.json.start_object();
        with.json.member("user", user);
        with.json.member("directory", shown.native());
        with.json.name("link_removed");
        with.json.boolean(link);
        with.json.end_object();
        return;
    }
    with.out.print("'{}' removed{}\n", shown.native(), link ? ", and the link to it" : "");
}

// Of somebody to whom a policy gives nothing else that is there.
void drop_bound(uid_t user) {
    memory_limits limits;
    if (limits.of(user).bytes == 0) {
        return;
    }
    for (const bpffs::mount_info& one : bpffs::list_mounts()) {
        if (one.type == "bpf" && one.source == policy_source && one.owner == user) {
            return;
        }
    }
    limits.set(user, {});
    limits.tell_systemd();
}

void remove(context& with, const std::optional<account>& who, const std::string& user,
            const bpffs::path& where, with_pins pins) {
    const bpffs::path shown = where / user;
    const trusted_directory base = open_trusted(where, if_absent::fail);
    const bpffs::owned_fd held = alone();
    const withdrawn what =
        withdraw(base.handle, user, pins, fmt::format("bpffs-admin remove {} force", user));
    homes visitor;
    const bool link = who && home_link(*who, shown, visitor).remove();
    if (!what.mount && !what.directory && !link) {
        throw failure(fmt::format("{} has no directory '{}'", user, shown.native()),
                      "'bpffs-admin list' shows who has one.");
    }
    if (who) {
        drop_bound(who->user);
    }
    audit({audited::withdrawn, user, shown, {}, ""}, with.process.err);
    report(with, user, shown, link);
}

} // namespace

void admin_remove(context& with, words& given) {
    const std::string word = given.next("a USER");
    check_user_name(word);
    bpffs::path where = grant().base;
    with_pins pins = with_pins::refuse;
    while (!given.empty()) {
        const std::string_view key = given.keyword({"force", "dir"});
        if (key == "force") {
            pins = with_pins::drop;
        } else if (key == "dir") {
            where = take_base(given);
        } else {
            given.end();
        }
    }
    require_root();

    // Somebody whose account is gone may still have a directory, under the old name.
    const std::optional<account> who = find_account(word);
    const std::string user = who ? who->name : word;
    audit_refusal(user, where / user, with.process.err,
                  [&] { remove(with, who, user, where, pins); });
}

} // namespace fsctl
