// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Taking down a user's mount; see withdraw.hpp.
#include "withdraw.hpp"

#include "common/failure.hpp"
#include "undo.hpp"
#include "user_mount.hpp"

#include <bpffs/mount.hpp>

#include <fmt/format.h>

namespace fsctl {

namespace {

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

void take_down(const bpffs::location& place, const mount_view& view) {
    bpffs::error_code code;
    {
        const mount_view::inside guard = view.enter();
        bpffs::unmount(place, code);
    }
    const bpffs::path shown = place.display();
    if (code == boost::system::errc::device_or_resource_busy) {
        throw failure(
            fmt::format("'{}' is in use: somebody works in it or has it open", shown.native()),
            view.is_own() ? fmt::format("'fuser -vm {}' says who.", shown.native())
                          : "It is a session of its owner, or what one has left running.");
    }
    if (code) {
        throw bpffs::error(code, "unmount", shown);
    }
}

} // namespace

void check_no_pins(const bpffs::directory& top, const std::string& remedy) {
    const std::uint64_t pins = count_pins(top);
    if (pins != 0) {
        throw failure(fmt::format("'{}' holds {} pin{}: {}", top.name().native(), pins,
                                  pins == 1 ? "" : "s", name_some(top, pins)),
                      remedy);
    }
}

namespace {

std::optional<bpffs::mount_info>
mount_seen_from(const mount_view& view, const bpffs::directory& base, const std::string& name) {
    const mount_view::inside guard = view.enter();
    return mount_on(base, name);
}

// Until all is well: opened again, since a descriptor that is kept would keep the
// mount busy.
void write_again_unless_kept(const bpffs::location& place, undo& back) {
    back.add([place] {
        bpffs::error_code ignored;
        const bpffs::directory top =
            bpffs::directory::open(place, bpffs::symlinks::refuse, ignored);
        bpffs::protect_file_system(top, bpffs::write_protection::writable, ignored);
    });
}

} // namespace

withdrawn withdraw(const bpffs::directory& base, const mount_view& view, const std::string& name,
                   with_pins pins, const std::string& forced) {
    withdrawn what;
    const bpffs::location place(base, name);
    if (const mounted there = what_is_mounted_on(base, name); there != mounted::nothing) {
        if (there != mounted::bpffs) {
            const auto other = mount_seen_from(view, base, name);
            throw failure(fmt::format("'{}' is {}, not a user's bpffs", place.display().native(),
                                      other ? describe(*other) : "another file system"));
        }
        undo back;
        write_again_unless_kept(place, back);
        {
            const bpffs::directory top = bpffs::directory::open(place, bpffs::symlinks::refuse);
            // No pin is made after they were counted; and a copy of the mount in
            // another namespace, which stays, gives nothing any more.
            bpffs::protect_file_system(top, bpffs::write_protection::read_only);
            if (pins == with_pins::refuse) {
                check_no_pins(top, fmt::format("'{}' removes them with it; objects that are in "
                                               "use elsewhere stay.",
                                               forced));
            }
        } // closed: an open directory would keep the mount busy
        take_down(place, view);
        back.keep();
        what.mount = true;
    }
    bpffs::error_code code;
    bpffs::remove_directory(place, code);
    what.directory = !code;
    if (code && code != boost::system::errc::no_such_file_or_directory) {
        throw bpffs::error(code, "remove directory", place.display());
    }
    return what;
}

} // namespace fsctl
