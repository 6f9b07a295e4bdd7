// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Who makes a request, and working as them.
#pragma once

#include <bpffs/identity.hpp>

#include <optional>
#include <vector>

#include <fuse_lowlevel.h>

namespace fsctl::view {

// A view that is not shared serves one user, as which it runs. A shared one runs as root; while
// this lives, its thread opens files as the user, group and supplementary groups of the process
// that waits for the answer.
class working_for {
public:
    enum class view_is { own, shared };

    // refused EPERM where that cannot be done.
    working_for(fuse_req_t request, view_is how);

private:
    std::optional<bpffs::acting_as> somebody_;
};

} // namespace fsctl::view
