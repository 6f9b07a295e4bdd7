// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The bpffs of one user: looking at the place where it is mounted, at what is
// delegated there, and at the pins inside.
#pragma once

#include "mount_view.hpp"

#include <bpffs/directory.hpp>
#include <bpffs/mount.hpp>
#include <bpffs/pin.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fsctl {

class undo;

// The mount on this name in a trusted directory; nothing where the name is
// free or a plain directory. failure where it is no directory.
std::optional<bpffs::mount_info> mount_on(const bpffs::directory& base, const std::string& name);

// The same without reading the whole table of mounts, for many users.
enum class mounted { nothing, bpffs, something_else };
mounted what_is_mounted_on(const bpffs::directory& base, const std::string& name);

// What is inside: pins of all kinds, in all directories below. Nested mounts
// are not entered. `visit` is told of each until it returns false. bpffs::error
// where a directory cannot be looked into: it may hold pins.
void for_each_pin(const bpffs::directory& top,
                  const std::function<bool(const bpffs::path&)>& visit);

// The names in one directory with what is behind them. For work that can fail:
// what a visitor of the library's throws does not come through.
std::vector<bpffs::listed_pin> list_pins(const bpffs::directory& in);

std::uint64_t count_pins(const bpffs::directory& top);

// Makes the empty directory to mount on, if it is not there: only root can have
// put something there. failure where it is not empty.
void make_mount_point(const bpffs::location& place, undo& back);

// Mounts a user's bpffs, in the namespace that the place is in. failure where the
// kernel does not know fmode. The place is remembered for undoing it, so its
// directory must stay open.
void mount_user(const bpffs::location& place, const mount_view& view, const bpffs::mount_spec& spec,
                undo& back);

// The same, of a bpffs that has been filled before anybody can see it.
void mount_user(const bpffs::location& place, const mount_view& view, const bpffs::mount_spec& spec,
                const std::function<void(const bpffs::directory&)>& fill, undo& back);

// "uid 1000, delegate_cmds=...": what distinguishes one grant from another.
std::string describe(const bpffs::mount_info& mount);

} // namespace fsctl
