// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// nr_inodes: how many files and directories a bpffs may hold. What counts, what gives room back,
// and that the limit is exact with several processes at it.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cstdio>
#include <future>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

class room_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "nr_inodes"}) {
            BPFFS_NEEDS(need);
        }
        map_ = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
        ASSERT_TRUE(map_.good());
    }

    [[nodiscard]] const handle& map() const { return map_; }
    [[nodiscard]] int pin_as(const std::string& path) const { return pin(map_.get(), path); }

    static int64_t left(const bpffs_mount& mount) {
        struct statfs room = {};
        EXPECT_EQ(::statfs(mount.directory().c_str(), &room), 0);
        return static_cast<int64_t>(room.f_ffree);
    }

private:
    handle map_;
};

int made(int result) {
    return result == 0 ? 0 : -errno;
}

TEST_F(room_test, ends_at_the_limit_which_includes_the_root) {
    const bpffs_mount mount("nr_inodes=4");
    ASSERT_EQ(mount.error(), 0);
    EXPECT_TRUE(has_option(mount_options(mount.directory()), "nr_inodes=4"));
    EXPECT_EQ(left(mount), 3);
    EXPECT_EQ(pin_as(mount / "a"), 0);
    EXPECT_EQ(made(::mkdir((mount / "d").c_str(), 0700)), 0);
    EXPECT_EQ(made(::symlink("a", (mount / "s").c_str())), 0);
    EXPECT_EQ(left(mount), 0);
    EXPECT_EQ(pin_as(mount / "b"), -ENOSPC);
    EXPECT_EQ(pin_as(mount / "d/b"), -ENOSPC);
    EXPECT_EQ(made(::mkdir((mount / "e").c_str(), 0700)), -ENOSPC);
    EXPECT_EQ(made(::symlink("a", (mount / "t").c_str())), -ENOSPC);
    EXPECT_EQ(made(::link((mount / "a").c_str(), (mount / "h").c_str())), -ENOSPC);
    EXPECT_EQ(left(mount), 0);
}

TEST_F(room_test, is_given_back_by_removal) {
    const bpffs_mount mount("nr_inodes=3");
    for (int round = 0; round < 3; ++round) {
        ASSERT_EQ(pin_as(mount / "a"), 0);
        ASSERT_EQ(made(::mkdir((mount / "d").c_str(), 0700)), 0);
        ASSERT_EQ(pin_as(mount / "b"), -ENOSPC);
        ASSERT_EQ(made(::unlink((mount / "a").c_str())), 0);
        ASSERT_EQ(made(::rmdir((mount / "d").c_str())), 0);
        ASSERT_EQ(left(mount), 2);
    }
}

TEST_F(room_test, counts_every_name) {
    const bpffs_mount mount("nr_inodes=4");
    ASSERT_EQ(pin_as(mount / "a"), 0);
    ASSERT_EQ(made(::link((mount / "a").c_str(), (mount / "b").c_str())), 0);
    EXPECT_EQ(left(mount), 1);
    ASSERT_EQ(made(::unlink((mount / "a").c_str())), 0);
    EXPECT_EQ(left(mount), 2);
    ASSERT_EQ(pin_as(mount / "c"), 0);
    ASSERT_EQ(made(::link((mount / "b").c_str(), (mount / "d").c_str())), 0);
    EXPECT_EQ(left(mount), 0);
    // What a rename replaces is a name less; an exchange is not.
    ASSERT_EQ(made(::renameat2(AT_FDCWD, (mount / "c").c_str(), AT_FDCWD, (mount / "d").c_str(),
                               RENAME_EXCHANGE)),
              0);
    EXPECT_EQ(left(mount), 0);
    ASSERT_EQ(made(::rename((mount / "d").c_str(), (mount / "b").c_str())), 0);
    EXPECT_EQ(left(mount), 1);
    ASSERT_EQ(made(::unlink((mount / "b").c_str())), 0);
    ASSERT_EQ(made(::unlink((mount / "c").c_str())), 0);
    EXPECT_EQ(left(mount), 3);
}

TEST_F(room_test, is_held_by_who_still_has_a_removed_file_open) {
    const bpffs_mount mount("nr_inodes=2");
    ASSERT_EQ(made(::mkdir((mount / "d").c_str(), 0700)), 0);
    {
        const handle directory = open_file(mount / "d", O_RDONLY | O_DIRECTORY);
        ASSERT_TRUE(directory.good());
        ASSERT_EQ(made(::rmdir((mount / "d").c_str())), 0);
        EXPECT_EQ(left(mount), 0);
    }
    EXPECT_EQ(left(mount), 1);
}

TEST_F(room_test, is_not_taken_by_tokens) {
    BPFFS_NEEDS("token");
    const bpffs_mount mount("fmode,mode=0700,nr_inodes=2,delegate_cmds=map_create,"
                            "delegate_maps=array,delegate_caps=bpf");
    ASSERT_EQ(mount.error(), 0);
    const handle directory = open_file(mount.directory(), O_PATH);
    const handle first = token_create(directory.get());
    const handle second = token_create(directory.get());
    ASSERT_TRUE(second.good()) << second.error();
    EXPECT_EQ(left(mount), 1);
}

TEST_F(room_test, is_without_bounds_unless_asked_for) {
    const bpffs_mount mount("");
    for (int i = 0; i < 200; ++i) {
        ASSERT_EQ(pin_as(mount / std::to_string(i)), 0);
    }
    const bpffs_mount zero("nr_inodes=0");
    EXPECT_EQ(pin_as(zero / "a"), 0);
}

TEST_F(room_test, is_not_changed_by_remounting) {
    const bpffs_mount mount("nr_inodes=2");
    EXPECT_EQ(mount.remount("nr_inodes=3"), -EINVAL);
    EXPECT_EQ(mount.remount("nr_inodes=2"), 0);
    EXPECT_TRUE(has_option(mount_options(mount.directory()), "nr_inodes=2"));
}

TEST_F(room_test, takes_numbers_only) {
    for (const char* bad : {"nr_inodes=", "nr_inodes=-1", "nr_inodes=x", "nr_inodes=4294967296",
                            "nr_inodes=2147483648"}) {
        EXPECT_EQ(bpffs_mount(bad).error(), EINVAL) << bad;
    }
}

TEST_F(room_test, is_exact_with_several_at_it) {
    const bpffs_mount mount("nr_inodes=101");
    const auto fill = [&](char who) {
        int good = 0;
        for (int i = 0; i < 100; ++i) {
            good += static_cast<int>(pin_as(mount / (who + std::to_string(i))) == 0);
        }
        return good;
    };
    std::future<int> others[3];
    for (int i = 0; i < 3; ++i) {
        others[i] = std::async(std::launch::async, fill, static_cast<char>('b' + i));
    }
    int all = fill('a');
    for (auto& other : others) {
        all += other.get();
    }
    EXPECT_EQ(all, 100);
    EXPECT_EQ(left(mount), 0);
}

// Whatever is done to names that others use at the same time, what is left is what is not there.

/// Makes, gives further names, renames over others and removes, all on the same few names.
void stir(const bpffs_mount& mount, const handle& map, unsigned seed) {
    const auto name = [&mount](unsigned number) { return mount / std::to_string(number % 7); };
    for (unsigned i = 0; i < 600; ++i) {
        seed = seed * 1103515245U + 12345U;
        const std::string one = name(seed >> 16U);
        const std::string other = name(seed >> 20U);
        switch ((seed >> 24U) % 6) {
        case 0:
            pin(map.get(), one);
            break;
        case 1:
            ::mkdir(one.c_str(), 0700);
            break;
        case 2:
            ::link(one.c_str(), other.c_str());
            break;
        case 3:
            ::rename(one.c_str(), other.c_str());
            break;
        case 4:
            ::symlink("nowhere", one.c_str());
            break;
        default:
            ::remove(one.c_str());
            break;
        }
    }
}

TEST_F(room_test, is_exact_whatever_is_raced_with_what) {
    const bpffs_mount mount("nr_inodes=6");
    ASSERT_EQ(mount.error(), 0);
    std::future<void> others[3];
    for (unsigned i = 0; i < 3; ++i) {
        others[i] = std::async(std::launch::async, [&, i] { stir(mount, map(), i + 1); });
    }
    stir(mount, map(), 0);
    for (auto& other : others) {
        other.get();
    }
    int64_t names = 0;
    for (unsigned i = 0; i < 7; ++i) {
        struct stat status = {};
        names += static_cast<int64_t>(::lstat((mount / std::to_string(i)).c_str(), &status) == 0);
    }
    EXPECT_EQ(left(mount), 5 - names);
    for (unsigned i = 0; i < 7; ++i) {
        ::remove((mount / std::to_string(i)).c_str());
    }
    EXPECT_EQ(left(mount), 5);
}

} // namespace

} // namespace bpffs_test
