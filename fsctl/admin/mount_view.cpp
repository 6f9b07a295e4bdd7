// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Going into another mount namespace and coming back; see mount_view.hpp.
#include "mount_view.hpp"

#include "common/failure.hpp"

#include <bpffs/error.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

namespace fsctl {

namespace {

[[noreturn]] void fail(const char* what) {
    throw failure(fmt::format(
        "{}: {}", what, bpffs::error_code(errno, boost::system::system_category()).message()));
}

bpffs::owned_fd open_or_fail(const char* file, int flags) {
    bpffs::owned_fd open = bpffs::owned_fd::adopt(::open(file, flags | O_CLOEXEC));
    if (!open) {
        fail(file);
    }
    return open;
}

} // namespace

mount_view::mount_view(bpffs::owned_fd of)
    : of_(std::make_shared<const bpffs::owned_fd>(std::move(of))) {}

mount_view::inside::inside(const bpffs::owned_fd* where) {
    if (where == nullptr) {
        return;
    }
    own_ = open_or_fail("/proc/self/ns/mnt", O_RDONLY);
    root_ = open_or_fail("/", O_PATH | O_DIRECTORY);
    // One that root may not search (another user's FUSE) is not worth a failure.
    directory_ = bpffs::owned_fd::adopt(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (::setns(where->get(), CLONE_NEWNS) != 0) {
        fail("the namespace of private directories cannot be entered");
    }
}

// What comes after would be done to the wrong mounts.
mount_view::inside::~inside() {
    if (!own_) {
        return;
    }
    // setns(2) leads to the root of the namespace, which a caller in a chroot had left.
    if (::setns(own_.get(), CLONE_NEWNS) != 0 || ::fchdir(root_.get()) != 0 || ::chroot(".") != 0) {
        std::perror("bpffs-admin: the way back from the namespace of private directories");
        std::_Exit(1);
    }
    // Where it cannot be had again the root will do.
    if (directory_ && ::fchdir(directory_.get()) != 0) {
        return;
    }
}

} // namespace fsctl
