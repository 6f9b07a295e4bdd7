// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Fault injection through the library's one system-call backend: the n-th call of an operation
// fails, for every n, and afterwards no descriptor may be left and nothing may be half made.
#pragma once

#include "sys.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <dirent.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace bpffs_test {

/// The calls go to another backend as long as this is there. One at a time in a process.
class other_backend {
public:
    other_backend(const other_backend&) = delete;
    other_backend& operator=(const other_backend&) = delete;
    other_backend(other_backend&&) = delete;
    other_backend& operator=(other_backend&&) = delete;

protected:
    explicit other_backend(bpffs::sys::backend other) : old_{bpffs::sys::replace_backend(other)} {}
    ~other_backend() { bpffs::sys::replace_backend(old_); }

private:
    bpffs::sys::backend old_;
};

/// Which call fails next, and how.
class fault : other_backend {
public:
    /// The `at`-th call from now on (0 is the first) fails with `error`.
    fault(int at, int error) : other_backend{&ask} {
        countdown = at;
        injected = error;
        hit = false;
    }

    /// False where the operation made fewer calls.
    [[nodiscard]] static bool happened() { return hit; }

private:
    static long ask(long number, long a, long b, long c, long d, long e, long f) {
        const bool fails = countdown-- == 0;
        hit = hit || fails;
        // A failing close(2) has closed all the same, and munmap(2) does not fail.
        if (!fails || number == SYS_close || number == SYS_munmap) {
            const long value = ::syscall(number, a, b, c, d, e, f);
            if (!fails) {
                return value;
            }
        }
        errno = injected;
        return -1;
    }
    static inline int countdown = 0;
    static inline int injected = 0;
    static inline bool hit = false;
};

/// What somebody else does while an operation is under way: before its `at`-th call (0 is the
/// first), which then goes on.
class interruption : other_backend {
public:
    interruption(int at, std::function<void()> deed) : other_backend{&ask} {
        countdown = at;
        doing = std::move(deed);
    }

    /// False where the operation made fewer calls.
    [[nodiscard]] static bool happened() { return countdown < 0; }

private:
    static long ask(long number, long a, long b, long c, long d, long e, long f) {
        if (countdown-- == 0) {
            doing();
        }
        return ::syscall(number, a, b, c, d, e, f);
    }
    static inline int countdown = 0;
    static inline std::function<void()> doing;
};

/// The numbers of all open descriptors.
inline std::set<int> open_descriptors() {
    std::set<int> all;
    DIR* list = ::opendir("/proc/self/fd");
    while (const dirent* one = ::readdir(list)) { // NOLINT(concurrency-mt-unsafe)
        if (one->d_name[0] != '.') {
            all.insert(static_cast<int>(std::strtol(one->d_name, nullptr, 10)));
        }
    }
    all.erase(::dirfd(list));
    ::closedir(list);
    return all;
}

/// How many pieces of this process's memory are a map's.
inline int mapped_maps() {
    std::ifstream all{"/proc/self/maps"};
    int count = 0;
    for (std::string line; std::getline(all, line);) {
        count += line.find("anon_inode:bpf-map") != std::string::npos ? 1 : 0;
    }
    return count;
}

/// Runs `operation` (true: it says that it succeeded) with each of its calls failing once with each
/// of `errors`; after each run descriptors and maps in memory must be as before and
/// `check(succeeded)` is asked.
/// Returns how many calls were made to fail.
inline int fail_every_call(const std::function<bool()>& operation,
                           const std::function<void(bool)>& check,
                           const std::set<int>& errors = {EIO, ENOMEM, EMFILE}) {
    int injected = 0;
    for (const int error : errors) {
        for (int at = 0;; ++at) {
            const auto before = open_descriptors();
            const int mapped = mapped_maps();
            bool succeeded = false;
            bool happened = false;
            {
                const fault now{at, error};
                succeeded = operation();
                happened = fault::happened();
            }
            EXPECT_EQ(open_descriptors(), before) << "call " << at << " failing with " << error;
            EXPECT_EQ(mapped_maps(), mapped) << "call " << at << " failing with " << error;
            check(succeeded);
            if (!happened || ::testing::Test::HasFailure()) {
                EXPECT_TRUE(succeeded || happened) << "fails with no fault";
                break;
            }
            ++injected;
        }
    }
    return injected;
}

} // namespace bpffs_test
