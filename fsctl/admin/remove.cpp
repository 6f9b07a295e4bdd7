// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// remove: takes a user's bpffs away again, and the link that leads to it. Never
// with pins inside, unless told to: they would be gone with it.
#include "account.hpp"
#include "grant.hpp"
#include "home_link.hpp"
#include "trusted.hpp"
#include "user_mount.hpp"
#include "verbs.hpp"

#include <bpffs/mount.hpp>
#include <bpffs/pin.hpp>

namespace fsctl {

namespace {

enum class with_pins { refuse, drop };

// "'/run/bpffs/alice/a', '/run/bpffs/alice/b' and 3 more"
std::string name_some(const bpffs::directory& top, std::uint64_t all) {
    constexpr std::uint64_t some = 3;
    std::string names;
    std::uint64_t shown = 0;
    for_each_pin(top, [&](const bpffs::path& pin) {
        names += fmt::format("{}'{}'", names.empty() ? "" : ", ", pin.native());
        return ++shown < some;
    });
    return all > shown ? fmt::format("{} and {} more", names, all - shown) : names;
}

void check_pins(const bpffs::directory& top, const std::string& user) {
    const std::uint64_t pins = count_pins(top);
    if (pins != 0) {
        throw failure(
            fmt::format("'{}' holds {} pin{}: {}", top.name().native(), pins, pins == 1 ? "" : "s",
                        name_some(top, pins)),
            fmt::format("'bpffs-admin remove {} force' removes them with it; objects that "
                        "are in use elsewhere stay.",
                        user));
    }
}

void take_down(const bpffs::location& place, const bpffs::path& shown) {
    bpffs::error_code code;
    bpffs::unmount(place, code);
    if (code == boost::system::errc::device_or_resource_busy) {
        throw failure(
            fmt::format("'{}' is in use: somebody works in it or has it open", shown.native()),
            fmt::format("'fuser -vm {}' says who.", shown.native()));
    }
    if (code) {
        throw bpffs::error(code, "unmount", shown);
    }
}

struct removed {
    bool mount = false;
    bool link = false;
    bool directory = false;
};

void report(context& with, const std::string& user, const bpffs::path& shown, const removed& what) {
    if (with.chosen.json) {
        with.json.start_object();
        with.json.member("user", user);
        with.json.member("directory", shown.native());
        with.json.name("link_removed");
        with.json.boolean(what.link);
        with.json.end_object();
        return;
    }
    with.out.print("'{}' removed{}\n", shown.native(), what.link ? ", and the link to it" : "");
}

removed remove_from(const bpffs::directory& base, const std::string& user, const bpffs::path& shown,
                    with_pins pins) {
    removed what;
    const bpffs::location place(base, user);
    if (const auto there = mount_on(base, user)) {
        if (there->type != "bpf") {
            throw failure(
                fmt::format("'{}' is {}, not a user's bpffs", shown.native(), describe(*there)));
        }
        if (pins == with_pins::refuse) {
            // Closed again at once: an open directory would keep the mount busy.
            check_pins(bpffs::directory::open(place, bpffs::symlinks::refuse), user);
        }
        take_down(place, shown);
        what.mount = true;
    }
    bpffs::error_code code;
    bpffs::remove_directory(place, code);
    what.directory = !code;
    if (code && code != boost::system::errc::no_such_file_or_directory) {
        throw bpffs::error(code, "remove directory", shown);
    }
    return what;
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
    const bpffs::path shown = where / user;
    const trusted_directory base = open_trusted(where, if_absent::fail);
    const bpffs::owned_fd alone = bpffs::lock(base.handle);
    removed what = remove_from(base.handle, user, shown, pins);
    what.link = who && home_link(*who, shown).remove();
    if (!what.mount && !what.directory && !what.link) {
        throw failure(fmt::format("{} has no directory '{}'", user, shown.native()),
                      "'bpffs-admin list' shows who has one.");
    }
    report(with, user, shown, what);
}

} // namespace fsctl
