// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// How much memory a user may have. The kernel charges a map to the cgroup of whoever
// makes it, and what a user runs is in systemd's user-UID.slice: so it is the slice's
// MemoryMax, for all that the user runs and all maps that they make. It is set by a
// file beside the unit, in /run, as the mounts are: apply makes both at each boot.
#pragma once

#include "policy.hpp"

#include <bpffs/directory.hpp>

#include <vector>

#include <sys/types.h>

namespace fsctl {

class memory_limits {
public:
    // What is set here; unbounded where nothing is. failure where it cannot be read.
    [[nodiscard]] memory_size of(uid_t user) const;

    // All or nothing. It holds once systemd has been told. failure where there is no
    // systemd, unless there is nothing to do.
    void set(uid_t user, memory_size most);

    // Unbounded again, once the directory is gone: failure says that the bound alone
    // has stayed.
    void drop(uid_t user);

    // Those for whom something is set.
    [[nodiscard]] std::vector<uid_t> users() const;

    // Lets systemd read what has been set, if anything has that it has not read: by
    // this process, or by one that was killed or could not tell it. failure where it
    // will not.
    static void tell_systemd();
};

} // namespace fsctl
