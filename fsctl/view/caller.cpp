// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The kernel passes user and group with a request; the groups come from /proc.
#include "caller.hpp"

#include "refused.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace fsctl::view {

namespace {

// Where they cannot be read (the process is in a namespace we do not see, or gone), none: that
// can only refuse more.
std::vector<gid_t> groups_of(fuse_req_t request) {
    std::vector<gid_t> groups(32);
    for (;;) {
        const int count =
            fuse_req_getgroups(request, static_cast<int>(groups.size()), groups.data());
        if (count <= static_cast<int>(groups.size())) {
            groups.resize(static_cast<std::size_t>(std::max(count, 0)));
            return groups;
        }
        groups.resize(static_cast<std::size_t>(count));
    }
}

} // namespace

working_for::working_for(fuse_req_t request, view_is how, const std::string& source) {
    if (how == view_is::shared) {
        const fuse_ctx* who = fuse_req_ctx(request);
        const std::vector<gid_t> groups = groups_of(request);
        try {
            somebody_.emplace(who->uid, who->gid, groups);
        } catch (const bpffs::error&) {
            throw refused(EPERM);
        }
        if (::faccessat(AT_FDCWD, source.c_str(), F_OK, AT_EACCESS) != 0) {
            throw refused(errno);
        }
    }
}

} // namespace fsctl::view
