// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A bpffs in place of another one, with all that is in it: what a mount
// delegates cannot be changed, so a new mount takes over.
#pragma once

#include <bpffs/directory.hpp>
#include <bpffs/mount.hpp>

#include <cstdint>

namespace fsctl {

// Fills `to`, a bpffs that nobody else can reach yet, with what `from` holds:
// pins, directories and symbolic links, with owners, groups and modes. Hard
// links become pins of their own. `from` must be read-only meanwhile, or what
// is made in it then is missed. Returns the number of pins.
std::uint64_t copy_pins(const bpffs::directory& from, const bpffs::directory& to);

// Replaces the mount on `place` by a new one. The old file system becomes
// read-only; its pins are copied; the new one goes beneath it, and then the old
// one is taken off, so that at each moment one of them is there. Returns the
// number of pins. failure where somebody works in the old one, or a pin cannot
// be copied: the old one is then as it was. A process that is killed leaves the
// old one there, read-only, alone or over the complete new one.
std::uint64_t replace_mount(const bpffs::location& place, const bpffs::mount_spec& spec);

} // namespace fsctl
