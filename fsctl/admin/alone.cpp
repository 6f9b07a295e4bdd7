// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The lock among those who are root; see alone.hpp.
#include "alone.hpp"

#include "common/failure.hpp"

#include <bpffs/error.hpp>

#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace fsctl {

namespace {

// Not below /run/bpffs, where everybody may look: in a place that is root's to
// write since the system started.
constexpr const char* lock_file = "/run/bpffs-admin.lock";

[[noreturn]] void fail(const char* what) {
    const bpffs::error_code code(errno, boost::system::system_category());
    throw failure(fmt::format("{} '{}': {}", what, lock_file, code.message()));
}

bpffs::owned_fd open_lock() {
    const int fd = ::open(lock_file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail("open");
    }
    bpffs::owned_fd held = bpffs::owned_fd::adopt(fd);
    struct stat found = {};
    if (::fstat(fd, &found) != 0) {
        fail("look at");
    }
    if (!S_ISREG(found.st_mode) || found.st_uid != 0 || (found.st_mode & 0077U) != 0) {
        throw failure(fmt::format("'{}' can be locked by others than root: owner {}, mode {:04o}",
                                  lock_file, found.st_uid, found.st_mode & 07777U),
                      fmt::format("rm '{}': it is made again.", lock_file));
    }
    return held;
}

// True once it is locked; false while others hold it.
bool try_lock(const bpffs::owned_fd& held, int more) {
    while (::flock(held.get(), LOCK_EX | more) != 0) {
        if (errno == EWOULDBLOCK) {
            return false;
        }
        if (errno != EINTR) {
            fail("lock");
        }
    }
    return true;
}

} // namespace

bpffs::owned_fd alone(patience most) {
    constexpr std::chrono::milliseconds pause(50);
    bpffs::owned_fd held = open_lock();
    if (!most) {
        (void)try_lock(held, 0);
        return held;
    }
    const auto end = std::chrono::steady_clock::now() + *most;
    while (!try_lock(held, LOCK_NB)) {
        if (std::chrono::steady_clock::now() >= end) {
            throw failure(
                fmt::format("another bpffs-admin has been at work for {} seconds, and "
                            "this one has not waited any longer",
                            most->count()),
                fmt::format("'fuser -v {}' says which one. Nothing has been changed.", lock_file));
        }
        std::this_thread::sleep_for(pause);
    }
    return held;
}

} // namespace fsctl
