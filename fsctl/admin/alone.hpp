// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// One at a time: whoever changes users' directories as root waits for the others
// that do. The lock is a file that only root can open: what users can open, such
// as the directories themselves, they can lock too, and keep everybody waiting.
#pragma once

#include <bpffs/fd.hpp>

#include <chrono>
#include <optional>

namespace fsctl {

// How long to wait for the others; nothing: until it is one's turn.
using patience = std::optional<std::chrono::seconds>;

// Held as long as the descriptor is open. Nothing else is to be locked
// afterwards. failure where the time is over, or where the file is not one that
// only root can open.
bpffs::owned_fd alone(patience most = std::nullopt);

} // namespace fsctl
