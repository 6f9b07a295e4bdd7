// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// File descriptors: owned_fd closes what it holds, once; borrowed_fd is a parameter that does not.
// Every descriptor the library hands out has close-on-exec set from birth and is never 0, 1 or 2.
#pragma once

#include <bpffs/export.hpp>

#include <utility>

namespace bpffs {

/// Owns one descriptor, or none (-1). Move-only.
class BPFFS_API owned_fd {
public:
    constexpr owned_fd() noexcept = default;

    /// Takes over `fd`: this object closes it. -1 makes an empty one.
    [[nodiscard]] static owned_fd adopt(int fd) noexcept { return owned_fd{fd}; }

    owned_fd(owned_fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    owned_fd& operator=(owned_fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    owned_fd(const owned_fd&) = delete;
    owned_fd& operator=(const owned_fd&) = delete;
    ~owned_fd() { reset(); }

    /// The number, or -1. Stays owned by this object.
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

    /// Gives the descriptor to the caller, who must close it.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

    /// Closes what is held. Errors of close(2) are ignored and it is never retried: on Linux the
    /// descriptor is gone either way.
    void reset() noexcept {
        if (fd_ >= 0) {
            close(std::exchange(fd_, -1));
        }
    }

private:
    explicit constexpr owned_fd(int fd) noexcept : fd_{fd} {}
    static void close(int fd) noexcept;
    int fd_ = -1;
};

/// A descriptor that somebody else owns and keeps open for the duration of the call.
class borrowed_fd {
public:
    explicit constexpr borrowed_fd(int fd) noexcept : fd_{fd} {}
    borrowed_fd(const owned_fd& owner) noexcept : fd_{owner.get()} {} // NOLINT: a parameter type

    [[nodiscard]] constexpr int get() const noexcept { return fd_; }

private:
    int fd_;
};

} // namespace bpffs
