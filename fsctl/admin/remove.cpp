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
#include "private_places.hpp"
#include "step.hpp"
#include "target.hpp"
#include "trusted.hpp"
#include "verbs.hpp"
#include "withdraw.hpp"

namespace fsctl {

namespace {

// Of somebody to whom a policy gives nothing else that is there.
void drop_bound(uid_t user) {
    memory_limits limits;
    if (limits.of(user).bytes == 0) {
        return;
    }
    for (const bpffs::mount_info& one : all_mounts(private_places::find())) {
        if (one.type == "bpf" && one.source == policy_source && one.owner == user) {
            return;
        }
    }
    limits.drop(user);
    memory_limits::tell_systemd();
}

struct removed {
    bpffs::owned_fd held; // the turn among those who are root
    bool link = false;
};

withdrawn withdraw_from(const bpffs::path& where, const std::string& user, with_pins pins) {
    const std::string forced = fmt::format("bpffs-admin remove {} force", user);
    if (where == private_base) {
        const std::optional<private_places> hidden = private_places::find();
        const bpffs::directory base =
            hidden ? hidden->of(user, private_places::if_none::nothing) : bpffs::directory();
        return base ? withdraw(base, hidden->view(), user, pins, forced) : withdrawn();
    }
    return withdraw(open_trusted(where, if_absent::fail).handle, {}, user, pins, forced);
}

removed remove(context& with, const std::optional<account>& who, const std::string& user,
               const bpffs::path& where, with_pins pins) {
    const bpffs::path shown = where / user;
    removed done{alone()};
    const withdrawn what = withdraw_from(where, user, pins);
    homes visitor;
    done.link = who && home_link(*who, shown, visitor).remove();
    if (!what.mount && !what.directory && !done.link) {
        throw failure(fmt::format("{} has no directory '{}'", user, shown.native()),
                      "'bpffs-admin list' shows who has one.");
    }
    audit({audited::withdrawn, user, shown, {}, ""}, with.process.err);
    return done;
}

// What is wrong with the bound of memory makes no refusal of a directory that is gone:
// it is told on its own, with -j in the object of the directory.
void finish(context& with, const std::optional<account>& who, const std::string& user,
            const bpffs::path& shown, const removed& done) {
    if (with.chosen.json) {
        with.json.start_object();
        with.json.member("user", user);
        with.json.member("directory", shown.native());
        with.json.name("link_removed");
        with.json.boolean(done.link);
    } else {
        with.out.print("'{}' removed{}\n", shown.native(), done.link ? ", and the link to it" : "");
    }
    if (who) {
        drop_bound(who->user);
    }
    if (with.chosen.json) {
        with.json.end_object();
    }
}

} // namespace

namespace {

// Where it is, if nobody says: where all see it, or else where only its owner does.
bpffs::path usual_place_of(const std::string& user) {
    const mount_table mounts(all_mounts(private_places::find()));
    const bpffs::path hidden = private_base;
    return mounts.on(grant().base / user) == nullptr && mounts.on(hidden / user) != nullptr
               ? hidden
               : grant().base;
}

} // namespace

void admin_remove(context& with, words& given) {
    const std::string word = given.next("a USER");
    check_user_name(word);
    std::optional<bpffs::path> stated;
    with_pins pins = with_pins::refuse;
    while (!given.empty()) {
        const std::string_view key = given.keyword({"force", "dir"});
        if (key == "force") {
            pins = with_pins::drop;
        } else if (key == "dir") {
            stated = take_base(given);
        } else {
            given.end();
        }
    }
    require_root();

    // Somebody whose account is gone may still have a directory, under the old name.
    const std::optional<account> who = find_account(word);
    const std::string user = who ? who->name : word;
    const bpffs::path where = stated ? *stated : usual_place_of(user);
    removed done;
    audit_refusal(user, where / user, with.process.err,
                  [&] { done = remove(with, who, user, where, pins); });
    finish(with, who, user, where / user, done);
}

} // namespace fsctl
