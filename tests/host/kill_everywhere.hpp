// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A process is killed at each of its system calls in turn. A call that only looks or allocates is
// left out: who is killed there leaves the same as who is killed at the next one that changes
// something.
#pragma once

#include <functional>

namespace bpffs_test {

/// Runs `work` in a child process that is killed as it enters its first call that can change
/// something, then again, killed at its second one, and so on until it ends by itself; after each
/// run calls `check`. Returns how often it was killed, or -1 where processes cannot be traced.
int kill_at_every_call(const std::function<void()>& work, const std::function<void(int)>& check);

} // namespace bpffs_test
