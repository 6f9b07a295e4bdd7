// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Moving pins to a new mount; see carry_over.hpp.
#include "carry_over.hpp"

#include "common/failure.hpp"
#include "undo.hpp"
#include "user_mount.hpp"

#include <bpffs/by_id.hpp>
#include <bpffs/pin.hpp>

#include <fmt/format.h>

namespace fsctl {

namespace {

// Handles by id are not bound to the right that the pin was opened with, so
// they can be pinned again although the old file system is read-only.
void copy_pin(const bpffs::location& to, const bpffs::pin_info& found, const bpffs::path& shown) {
    if (!found.kind) {
        throw failure(
            fmt::format("'{}' cannot be carried over: it cannot be opened", shown.native()));
    }
    const bpffs::object held = bpffs::open_by_id(*found.kind, found.id);
    bpffs::pin_object(held.fd(), to, bpffs::mode(0600));
}

void set_owner_and_mode(const bpffs::location& to, const bpffs::pin_info& like) {
    bpffs::change_owner(to, like.owner, like.group);
    if (like.type != bpffs::file_type::symlink) {
        bpffs::permissions(to, like.permissions); // after chown, which takes set-id bits away
    }
}

std::uint64_t copy_below(const bpffs::directory& from, const bpffs::directory& to) {
    std::uint64_t pins = 0;
    for (const bpffs::listed_pin& one : list_pins(from)) {
        const bpffs::location target(to, one.name);
        if (one.info.type == bpffs::file_type::directory) {
            bpffs::make_directory(target, bpffs::mode(0700));
            pins += copy_below(bpffs::directory::open({from, one.name}, bpffs::symlinks::refuse),
                               bpffs::directory::open(target, bpffs::symlinks::refuse));
        } else if (one.info.type == bpffs::file_type::symlink) {
            bpffs::make_symlink(bpffs::read_symlink({from, one.name}), target);
        } else {
            copy_pin(target, one.info, from.name() / one.name);
            ++pins;
        }
        set_owner_and_mode(target, one.info);
    }
    return pins;
}

[[noreturn]] void refuse_in_use(const bpffs::path& shown, const mount_view& view) {
    throw failure(
        fmt::format("'{}' is in use: somebody works in it or has it open, and would go "
                    "on in the old one",
                    shown.native()),
        view.is_own()
            ? fmt::format("'fuser -vm {}' says who. Nothing has been changed.", shown.native())
            : "It is a session of its owner, or what one has left running. Nothing has been "
              "changed.");
}

} // namespace

std::uint64_t copy_pins(const bpffs::directory& from, const bpffs::directory& to) {
    return copy_below(from, to);
}

namespace {

// Fills the new one with what the old one holds, which is read-only from then on,
// unless all of it is taken back.
std::uint64_t copy_all(const bpffs::location& place, const bpffs::directory& fresh, undo& back) {
    back.add([&place] { // opened again: a descriptor kept open would keep the mount busy
        bpffs::error_code ignored;
        const bpffs::directory old =
            bpffs::directory::open(place, bpffs::symlinks::refuse, ignored);
        bpffs::protect_file_system(old, bpffs::write_protection::writable, ignored);
    });
    const bpffs::directory old = bpffs::directory::open(place, bpffs::symlinks::refuse);
    bpffs::protect_file_system(old, bpffs::write_protection::read_only);
    return copy_pins(old, fresh);
}

} // namespace

std::uint64_t replace_mount(const bpffs::location& place, const bpffs::mount_spec& spec,
                            const mount_view& view) {
    const bpffs::directory fresh = bpffs::make_bpffs(spec);
    undo back;
    const std::uint64_t pins = copy_all(place, fresh, back);
    const mount_view::inside guard = view.enter();
    if (bpffs::mount_in_use(place)) {
        refuse_in_use(place.display(), view);
    }
    bpffs::attach_mount(fresh, place, bpffs::mount_place::beneath);
    back.keep();
    // Who has come in since the question above keeps a read-only copy.
    bpffs::detach_mount(place);
    return pins;
}

std::uint64_t move_mount_to(const mounted_place& to, const mounted_place& from,
                            const bpffs::mount_spec& spec) {
    std::uint64_t pins = 0;
    undo back;
    mount_user(
        to.at, to.view, spec,
        [&](const bpffs::directory& fresh) { pins = copy_all(from.at, fresh, back); }, back);
    bpffs::error_code code;
    {
        const mount_view::inside guard = from.view.enter();
        bpffs::unmount(from.at, code);
    }
    if (code == boost::system::errc::device_or_resource_busy) {
        refuse_in_use(from.at.display(), from.view);
    }
    if (code) {
        throw bpffs::error(code, "unmount", from.at.display());
    }
    back.keep();
    return pins;
}

} // namespace fsctl
