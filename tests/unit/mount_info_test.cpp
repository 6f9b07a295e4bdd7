// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Lines of /proc/self/mountinfo.
#include <bpffs/mount.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace {

using namespace bpffs;

TEST(mount_info, reads_a_users_bpffs) {
    const auto mount = mount_info::parse(
        "57 30 0:41 / /run/bpffs/alice rw,nosuid,nodev,noexec,relatime shared:9 master:2 - bpf bpf "
        "rw,uid=1000,gid=1000,mode=700,fmode,delegate_cmds=map_create:btf_load,"
        "delegate_maps=hash:array,delegate_caps=bpf");
    EXPECT_EQ(mount.id, 57U);
    EXPECT_EQ(mount.parent_id, 30U);
    EXPECT_EQ(mount.mount_point, "/run/bpffs/alice");
    EXPECT_EQ(mount.type, "bpf");
    EXPECT_EQ(mount.source, "bpf");
    EXPECT_EQ(mount.fmode, fmode_option::on);
    EXPECT_EQ(mount.protection, write_protection::writable);
    EXPECT_EQ(mount.owner, 1000U);
    EXPECT_EQ(mount.group, 1000U);
    EXPECT_EQ(mount.permissions, mode{0700});
    EXPECT_TRUE(mount.delegated.allows_map(map_kind::array));
    EXPECT_FALSE(mount.delegated.allows_map(map_kind::queue));
    EXPECT_TRUE(mount.gives_tokens());
}

TEST(mount_info, reads_a_plain_bpffs) {
    const auto mount = mount_info::parse("1 0 0:1 / /sys/fs/bpf ro - bpf none rw,mode=700");
    EXPECT_EQ(mount.fmode, fmode_option::off);
    EXPECT_EQ(mount.protection, write_protection::read_only);
    EXPECT_TRUE(mount.delegated.empty());
    EXPECT_FALSE(mount.gives_tokens());
}

TEST(mount_info, tokens_need_fmode_and_capabilities) {
    EXPECT_FALSE(
        mount_info::parse("1 0 0:1 / /b rw - bpf b rw,fmode,delegate_maps=hash").gives_tokens());
    EXPECT_FALSE(mount_info::parse("1 0 0:1 / /b rw - bpf b rw,delegate_caps=bpf").gives_tokens());
    EXPECT_FALSE(
        mount_info::parse("1 0 0:1 / /b rw - tmpfs b rw,fmode,delegate_caps=bpf").gives_tokens());
    EXPECT_TRUE(
        mount_info::parse("1 0 0:1 / /b rw - bpf b rw,fmode,delegate_caps=perfmon").gives_tokens());
}

TEST(mount_info, reads_the_kernels_any_and_unknown_bits) {
    const auto mount = mount_info::parse(
        "1 0 0:1 / /b rw - bpf b rw,delegate_cmds=any,delegate_maps=hash:0x8000000000");
    EXPECT_TRUE(mount.delegated.commands.is_any());
    EXPECT_TRUE(mount.delegated.maps.contains(static_cast<map_kind>(39)));
}

TEST(mount_info, undoes_the_kernels_escapes) {
    const auto mount =
        mount_info::parse("1 0 0:1 /a\\040b /m\\011n\\012o\\134p\\043\\ rw - bpf s\\040t rw");
    EXPECT_EQ(mount.root, "/a b");
    EXPECT_EQ(mount.mount_point, "/m\tn\no\\p#\\");
    EXPECT_EQ(mount.source, "s t");
}

TEST(mount_info, refuses_what_is_no_line) {
    for (const char* bad : {"", "x", "1 2 3", "1 2 0:1 / /b rw shared:1",
                            "a 2 0:1 / /b rw - bpf b rw", "1 2 0:1 / /b rw -"}) {
        error_code code;
        (void)mount_info::parse(bad, code);
        EXPECT_EQ(code, boost::system::errc::invalid_argument) << bad;
    }
}

TEST(mount_info, finds_the_mount_of_a_descriptor) {
    const directory proc = directory::open("/proc/self");
    const auto mount = mount_info::of(proc.fd());
    EXPECT_EQ(mount.type, "proc");
    EXPECT_FALSE(proc.is_bpffs());
    bool listed = false;
    for (const auto& one : list_mounts()) {
        listed = listed || one.id == mount.id;
    }
    EXPECT_TRUE(listed);
}

} // namespace
