// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What a mount that has just been made says of itself.
#pragma once

#include "failure.hpp"

#include <bpffs/mount.hpp>

namespace bpffs {

/// fmode and the delegation of the bpffs that a descriptor is on; the rest is as in
/// mount_info::of() or empty. Where the kernel can tell of one mount (Linux 6.12) it does not read
/// the whole table of mounts, which among thousands takes longer than mounting.
mount_info options_taken(borrowed_fd fd, failure& why);

} // namespace bpffs
