// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Who is asking: the identity that the file system checks (fsuid, fsgid, groups, capabilities) of
// the calling thread, and a scope in which the thread acts as somebody else.
#pragma once

#include <bpffs/error.hpp>

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace bpffs {

/// What permission checks look at.
struct BPFFS_API identity {
    uid_t user = 0;
    gid_t group = 0;
    std::vector<gid_t> groups;      ///< supplementary
    std::uint64_t capabilities = 0; ///< effective, bit N is capability N
    bool initial_user_namespace = true;

    /// The calling thread's (/proc/thread-self/status). ENOENT without /proc.
    [[nodiscard]] static identity of_caller();
    [[nodiscard]] static identity of_caller(error_code& code) noexcept;

    [[nodiscard]] bool has_group(gid_t wanted) const noexcept;
    [[nodiscard]] bool has_capability(unsigned number) const noexcept;
};

/// While it lives, the calling thread creates and opens files as another user: its fsuid, fsgid
/// and supplementary groups are theirs, and none of its capabilities is effective; for user 0 they
/// all stay. The real, effective and saved ids stay, and the permitted capabilities, so this keeps
/// a program from mistakes and no hostile code from anything. The destructor puts all of that back.
///
/// Needs effective CAP_SETUID and CAP_SETGID (EPERM, and nothing has changed), so who acts as
/// another cannot act as a third, apart from user 0.
///
/// Of the threads only the calling one changes; those and the processes that it starts meanwhile
/// begin as the other user and stay so. Destroy it in the same thread.
///
/// As with every change of identity, the kernel forgets the thread's signal for its parent's death
/// (PR_SET_PDEATHSIG), and what fs.suid_dumpable says becomes true of the whole process: by default
/// it leaves no core, and its files in /proc are root's. Neither comes back: set them again.
///
/// If the identity cannot be restored the process is ended: to go on would be a security bug.
class BPFFS_API acting_as {
public:
    acting_as(uid_t user, gid_t group, const std::vector<gid_t>& groups = {});
    acting_as(const acting_as&) = delete;
    acting_as& operator=(const acting_as&) = delete;
    acting_as(acting_as&&) = delete;
    acting_as& operator=(acting_as&&) = delete;
    ~acting_as();

private:
    BPFFS_LOCAL void restore() noexcept;
    std::vector<gid_t> groups_;
    uid_t user_;
    gid_t group_;
};

} // namespace bpffs
