// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// add: gives a user a bpffs of their own. All or nothing: what was done is
// undone when a later step fails. Doing it twice is doing it once.
#include "account.hpp"
#include "grant.hpp"
#include "home_link.hpp"
#include "trusted.hpp"
#include "user_mount.hpp"
#include "verbs.hpp"

#include <bpffs/identity.hpp>
#include <bpffs/mount.hpp>
#include <bpffs/pin.hpp>

#include <functional>

namespace fsctl {

namespace {

// Steps to take back, last first, unless keep() says that all went well.
class undo {
public:
    undo() = default;
    undo(const undo&) = delete;
    undo& operator=(const undo&) = delete;
    undo(undo&&) = delete;
    undo& operator=(undo&&) = delete;
    ~undo() {
        for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
            (*step)();
        }
    }

    void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
    void keep() noexcept { steps_.clear(); }

private:
    std::vector<std::function<void()>> steps_;
};

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

// The empty directory to mount on. Only root can have put something there.
void make_mount_point(const bpffs::location& place, const bpffs::path& shown, undo& back) {
    bpffs::error_code code;
    bpffs::make_directory(place, bpffs::mode(0755), code);
    if (!code) {
        back.add([place] {
            bpffs::error_code ignored;
            bpffs::remove_directory(place, ignored);
        });
        return;
    }
    if (code != boost::system::errc::file_exists) {
        throw bpffs::error(code, "make directory", shown);
    }
    bool empty = true;
    bpffs::directory::open(place, bpffs::symlinks::refuse)
        .for_each([&](const bpffs::directory_entry&) { return empty = false; });
    if (!empty) {
        throw failure(
            fmt::format("'{}' is not empty, and a mount would hide what is in it", shown.native()),
            "Move the files away, or choose another place with dir DIRECTORY.");
    }
}

[[noreturn]] void refuse_without_fmode(const bpffs::path& shown) {
    throw failure(fmt::format("this kernel does not know the mount option fmode, so '{}' would not "
                              "be protected; nothing is mounted",
                              shown.native()),
                  "A kernel with the bpffs patches is needed (kernel-patches/build makes one).");
}

void mount(const bpffs::location& place, const bpffs::path& shown, const bpffs::mount_spec& spec,
           undo& back) {
    try {
        bpffs::mount_bpffs(place, spec);
    } catch (const bpffs::error& error) {
        if (error.code() == bpffs::errc::no_fmode) {
            refuse_without_fmode(shown);
        }
        throw;
    }
    back.add([place] {
        bpffs::error_code ignored;
        bpffs::unmount(place, ignored);
    });
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
    make_mount_point(place, shown, back);
    mount(place, shown, spec_for(who, wanted), back);
    return change::made;
}

} // namespace

void admin_add(context& with, words& given) {
    const std::string user = given.next("a USER");
    const grant wanted = take_grant(given);
    const account who = take_account(user);
    require_root();

    const bpffs::path shown = wanted.base / who.name;
    const home_link link(who, shown);
    const bool linked = wanted.link == home_link_policy::make;
    // Before anything is changed.
    const bool link_missing = linked && link.look() == link_state::absent;

    const trusted_directory base = open_trusted(wanted.base, if_absent::make);
    const bpffs::owned_fd alone = bpffs::lock(base.handle);
    undo back; // while the directory is still open, and locked
    for (const bpffs::path& made : base.made) {
        back.add([made] {
            bpffs::error_code ignored;
            bpffs::remove_directory(made, ignored);
        });
    }
    const change mounted = ensure_mount(base.handle, who, wanted, back);
    if (link_missing) {
        link.make();
    }
    back.keep();
    report(with, who, shown, linked ? &link : nullptr, link_missing ? change::made : mounted);
}

} // namespace fsctl
