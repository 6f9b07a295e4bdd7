// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A process is killed at each of its system calls in turn.
#pragma once

#include <functional>

namespace bpffs_test {

/// Runs `work` in a child process that is killed as it enters its first system call, then again,
/// killed at its second one, and so on until it ends by itself; after each run calls `check`. Calls
/// that only allocate or end are not counted. Returns how often it was killed, or -1 where
/// processes cannot be traced.
int kill_at_every_call(const std::function<void()>& work, const std::function<void(int)>& check);

} // namespace bpffs_test
