// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// BPF_OBJ_PIN with a mode: the file is born with it. And what pinning does without one, on any
// kernel.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

class pin_mode_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs"}) {
            BPFFS_NEEDS(need);
        }
        map_ = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
        umask_ = ::umask(022);
    }

    void TearDown() override { ::umask(umask_); }

    static struct stat status(const std::string& path) {
        struct stat st = {};
        EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
        return st;
    }

    static unsigned mode_of(const std::string& path) { return status(path).st_mode & 07777U; }

    handle map_; // NOLINT(misc-non-private-member-variables-in-classes)

private:
    mode_t umask_ = 022;
};

TEST_F(pin_mode_test, without_the_flag_it_is_0600_less_the_umask) {
    const bpffs_mount mount("");
    ASSERT_EQ(pin(map_.get(), mount / "a"), 0);
    EXPECT_EQ(mode_of(mount / "a"), 0600U);
    ::umask(0477);
    ASSERT_EQ(pin(map_.get(), mount / "b"), 0);
    EXPECT_EQ(mode_of(mount / "b"), 0200U);
}

TEST_F(pin_mode_test, is_what_was_asked_for_less_the_umask) {
    BPFFS_NEEDS("pin_mode");
    const bpffs_mount mount("");
    for (const unsigned mask : {0U, 022U, 077U, 0777U}) {
        for (const unsigned mode : {0U, 0400U, 0444U, 0640U, 0666U, 0777U}) {
            ::umask(mask);
            const std::string path =
                mount / ("m" + std::to_string(mask) + "_" + std::to_string(mode));
            ASSERT_EQ(pin_with_mode(map_.get(), path, mode), 0);
            EXPECT_EQ(mode_of(path), mode & ~mask) << std::oct << mode << " umask " << mask;
        }
    }
}

TEST_F(pin_mode_test, works_for_programs_too) {
    BPFFS_NEEDS("pin_mode");
    const bpffs_mount mount("");
    const handle program = load_program(BPF_PROG_TYPE_SCHED_CLS, returns(0));
    ASSERT_EQ(pin_with_mode(program.get(), mount / "p", 0440), 0);
    EXPECT_EQ(mode_of(mount / "p"), 0440U);
}

TEST_F(pin_mode_test, works_beside_a_directory_descriptor) {
    BPFFS_NEEDS("pin_mode");
    const bpffs_mount mount("");
    const handle directory = open_file(mount.directory(), O_PATH | O_DIRECTORY);
    obj_attr attr;
    attr.bpf_fd = static_cast<uint32_t>(map_.get());
    attr.file_flags = flag_path_fd | flag_pin_mode;
    attr.path_fd = directory.get();
    attr.pin_mode = 0604;
    ASSERT_EQ(obj_command(BPF_OBJ_PIN, attr, "m"), 0);
    EXPECT_EQ(mode_of(mount / "m"), 0604U);
}

TEST_F(pin_mode_test, refuses_bits_above_0777) {
    BPFFS_NEEDS("pin_mode");
    const bpffs_mount mount("");
    for (const unsigned mode : {01000U, 02644U, 04755U, 07777U, 0100644U, ~0U}) {
        EXPECT_EQ(pin_with_mode(map_.get(), mount / "m", mode), -EINVAL) << std::oct << mode;
        EXPECT_NE(::access((mount / "m").c_str(), F_OK), 0) << "nothing may be left";
    }
}

TEST_F(pin_mode_test, a_mode_without_the_flag_is_invalid) {
    // On every kernel: newer ones look at it, older ones refuse what they do not know.
    const bpffs_mount mount("");
    obj_attr attr;
    attr.bpf_fd = static_cast<uint32_t>(map_.get());
    attr.pin_mode = 0644;
    EXPECT_LT(obj_command(BPF_OBJ_PIN, attr, mount / "m"), 0);
    EXPECT_NE(::access((mount / "m").c_str(), F_OK), 0);
    BPFFS_NEEDS("pin_mode");
    EXPECT_EQ(obj_command(BPF_OBJ_PIN, attr, mount / "m"), -EINVAL);
}

TEST_F(pin_mode_test, opening_knows_no_mode) {
    const bpffs_mount mount("");
    ASSERT_EQ(pin(map_.get(), mount / "m"), 0);
    obj_attr attr;
    attr.file_flags = flag_pin_mode;
    EXPECT_EQ(obj_command(BPF_OBJ_GET, attr, mount / "m"), -EINVAL);
    attr.file_flags = 0;
    attr.pin_mode = 0644;
    EXPECT_LT(obj_command(BPF_OBJ_GET, attr, mount / "m"), 0);
}

TEST_F(pin_mode_test, owner_and_group_follow_the_file_systems_rules) {
    BPFFS_NEEDS("pin_mode");
    constexpr gid_t shared = 3000;
    const bpffs_mount mount("mode=0755");
    for (const auto& [name, bits] : {std::pair{"plain", 0777U}, std::pair{"setgid", 02777U}}) {
        const std::string directory = mount / name;
        ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
        ASSERT_EQ(::chown(directory.c_str(), 0, shared), 0);
        ASSERT_EQ(::chmod(directory.c_str(), bits), 0);
        const outcome o = as_user(
            alice, [&] { return done("pin", pin_with_mode(map_.get(), directory + "/m", 0640)); });
        ASSERT_EQ(o.error, 0);
        const struct stat st = status(directory + "/m");
        EXPECT_EQ(st.st_uid, alice);
        EXPECT_EQ(st.st_gid, (bits & 02000U) != 0 ? shared : alice);
        EXPECT_EQ(st.st_mode & 07777U, 0640U);
    }
}

TEST_F(pin_mode_test, an_existing_name_is_left_alone) {
    BPFFS_NEEDS("pin_mode");
    const bpffs_mount mount("");
    ASSERT_EQ(pin_with_mode(map_.get(), mount / "m", 0600), 0);
    EXPECT_EQ(pin_with_mode(map_.get(), mount / "m", 0666), -EEXIST);
    EXPECT_EQ(mode_of(mount / "m"), 0600U);
    EXPECT_EQ(pin_with_mode(map_.get(), mount / "a.b", 0666), -EPERM) << "bpffs keeps dots";
}

} // namespace

} // namespace bpffs_test
