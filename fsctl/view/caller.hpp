// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Who makes a request, and working as them.
#pragma once

#include <bpffs/identity.hpp>

#include <optional>
#include <string>
#include <vector>

#include <fuse_lowlevel.h>

namespace fsctl::view {

// A view that is not shared serves one user, as which it runs. A shared one runs as root; while
// this lives, its thread opens files as the user, group and supplementary groups of the process
// that waits for the answer.
class working_for {
public:
    enum class view_is { own, shared };

    // `source` is the path of SOURCE. Of a shared view refused EPERM where that cannot be done, and
    // with what the path says where the user cannot get to SOURCE by it: the view is no way around
    // a directory above.
    working_for(fuse_req_t request, view_is how, const std::string& source);

private:
    std::optional<bpffs::acting_as> somebody_;
};

} // namespace fsctl::view
