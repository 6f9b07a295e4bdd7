// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A bpffs in place of another one, with all that is in it: what a mount
// delegates cannot be changed, so a new mount takes over.
#pragma once

#include "mount_view.hpp"

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
// In a private place (the other namespace) it does not show who works in it in a
// session: they keep a read-only copy of the old one until they enter it again.
std::uint64_t replace_mount(const bpffs::location& place, const bpffs::mount_spec& spec,
                            const mount_view& view = {});

// A mount, and the namespace that it is in.
struct mounted_place {
    bpffs::location at;
    mount_view view;
};

// The same with the new one in another place, in which it is at least as long as the
// old one is not. A process that is killed leaves the old one read-only, with or
// without a complete new one. Of the old one its directory stays. Returns the number
// of pins. failure where somebody works in the old one.
std::uint64_t move_mount_to(const mounted_place& to, const mounted_place& from,
                            const bpffs::mount_spec& spec);

} // namespace fsctl
