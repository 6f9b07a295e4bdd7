// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Descriptors: owned once, closed once, never 0 to 2, close-on-exec from birth.
#include "sys.hpp"

#include <bpffs/fd.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace {

using bpffs::owned_fd;

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

owned_fd open_null() {
    return std::move(bpffs::sys::openat(AT_FDCWD, "/dev/null", O_RDONLY).value);
}

TEST(owned_fd, closes_when_it_goes) {
    int number = -1;
    {
        const owned_fd fd = open_null();
        number = fd.get();
        EXPECT_TRUE(is_open(number));
    }
    EXPECT_FALSE(is_open(number));
}

TEST(owned_fd, moving_leaves_nothing_behind_and_closes_what_was_there) {
    owned_fd first = open_null();
    owned_fd second = open_null();
    const int old_second = second.get();
    const int number = first.get();
    second = std::move(first);
    EXPECT_EQ(second.get(), number);
    EXPECT_EQ(first.get(), -1); // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
    EXPECT_FALSE(is_open(old_second));
    EXPECT_TRUE(is_open(number));
}

TEST(owned_fd, moving_onto_itself_keeps_it) {
    owned_fd fd = open_null();
    owned_fd& same = fd;
    fd = std::move(same);
    EXPECT_TRUE(is_open(fd.get()));
}

TEST(owned_fd, release_hands_it_over) {
    owned_fd fd = open_null();
    const int number = fd.release();
    fd.reset();
    EXPECT_TRUE(is_open(number));
    EXPECT_EQ(::close(number), 0);
}

TEST(owned_fd, has_close_on_exec) {
    const owned_fd fd = open_null();
    EXPECT_EQ(::fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
}

TEST(owned_fd, is_never_a_standard_stream) {
    const int kept = ::dup(0);
    ASSERT_GE(kept, 0);
    ::close(0);
    const owned_fd fd = open_null();
    const bool standard_free = !is_open(0);
    ::dup2(kept, 0);
    ::close(kept);
    EXPECT_GT(fd.get(), 2);
    EXPECT_TRUE(standard_free) << "the low descriptor was left open";
}

} // namespace
