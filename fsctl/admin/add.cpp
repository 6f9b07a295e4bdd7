// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// add: gives a user a bpffs of their own. All or nothing: what was done is
// undone when a later step fails. Doing it twice is doing it once.
#include "account.hpp"
#include "alone.hpp"
#include "audit.hpp"
#include "grant.hpp"
#include "home_link.hpp"
#include "trusted.hpp"
#include "undo.hpp"
#include "user_mount.hpp"
#include "verbs.hpp"

#include <bpffs/identity.hpp>
#include <bpffs/mount.hpp>
#include <bpffs/pin.hpp>

namespace fsctl {

namespace {

bpffs::mount_spec spec_for(const account& who, const grant& wanted) {
    bpffs::mount_spec spec;
    spec.owner = who.user;
    spec.group = who.group;
    spec.permissions = wanted.bits;
    spec.delegated = wanted.delegated;
    return spec;
}

// The mode is not compared: it is the owner's to change.
bool is_what_was_asked(const bpffs::mount_info& there, const account& who, const grant& wanted) {
    return there.type == "bpf" && there.fmode == bpffs::fmode_option::on &&
           there.owner == who.user && there.delegated == wanted.delegated;
}

enum class change { none, made };

void report(context& with, const account& who, const bpffs::path& shown, const home_link* link,
            change done) {
    if (with.chosen.json) {
        with.json.start_object();
        with.json.member("user", who.name);
        with.json.member("directory", shown.native());
        if (link != nullptr) {
            with.json.member("link", link->file().native());
        }
        with.json.name("changed");
        with.json.boolean(done == change::made);
        with.json.end_object();
        return;
    }
    with.out.print("{} {} '{}'{}\n", who.name, done == change::made ? "has" : "has already",
                   shown.native(),
                   link != nullptr ? fmt::format(", linked as '{}'", link->file().native()) : "");
}

// The mount, if it is not there yet.
change ensure_mount(const bpffs::directory& base, const account& who, const grant& wanted,
                    undo& back) {
    const bpffs::path shown = wanted.base / who.name;
    if (const auto there = mount_on(base, who.name)) {
        if (is_what_was_asked(*there, who, wanted)) {
            return change::none;
        }
        throw failure(fmt::format("'{}' is mounted already, with other rights: {}", shown.native(),
                                  describe(*there)),
                      fmt::format("It is left alone. 'bpffs-admin remove {}' takes it away first.",
                                  who.name));
    }
    const bpffs::location place(base, who.name);
    make_mount_point(place, back);
    mount_user(place, {}, spec_for(who, wanted), back);
    return change::made;
}

} // namespace

namespace {

void add(context& with, const account& who, const grant& wanted) {
    const bpffs::path shown = wanted.base / who.name;
    homes visitor;
    const home_link link(who, shown, visitor);
    const bool linked = wanted.link == home_link_policy::make;
    // Before anything is changed.
    const bool link_missing = linked && link.look_in_home() == link_state::absent;

    // First: two that make the same place would be in each other's way.
    const bpffs::owned_fd held = alone();
    const trusted_directory base = open_trusted(wanted.base, if_absent::make);
    undo back; // while the directory is still open, and locked
    for (const bpffs::path& made : base.made) {
        back.add([made] {
            bpffs::error_code ignored;
            bpffs::remove_directory(made, ignored);
        });
    }
    const change mounted = ensure_mount(base.handle, who, wanted, back);
    if (link_missing) {
        (void)link.make();
    }
    back.keep();
    if (mounted == change::made) {
        audit({audited::granted, who.name, shown, {}, ""}, with.process.err);
    }
    report(with, who, shown, linked ? &link : nullptr, link_missing ? change::made : mounted);
}

} // namespace

void admin_add(context& with, words& given) {
    const std::string user = given.next("a USER");
    const grant wanted = take_grant(given);
    const account who = take_account(user);
    require_root();
    audit_refusal(who.name, wanted.base / who.name, with.process.err,
                  [&] { add(with, who, wanted); });
}

} // namespace fsctl
