// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The mount option `fmode`: how it is turned on, that it never goes off, and which handles it
// binds.

#include <cerrno>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

class fmode_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "fmode"}) {
            BPFFS_NEEDS(need);
        }
    }

    static handle classifier() { return load_program(BPF_PROG_TYPE_SCHED_CLS, returns(0)); }

    /// May a read-only handle of this program do what takes both rights?
    static int run_through_reader(const std::string& path) {
        const handle reader = get(path, BPF_F_RDONLY);
        return reader.good() ? prog_test_run(reader.get(), run_input::packet) : -reader.error();
    }
};

TEST_F(fmode_test, is_shown_by_mountinfo) {
    const bpffs_mount with("fmode");
    const bpffs_mount without("");
    EXPECT_TRUE(has_option(mount_options(with.directory()), "fmode"));
    EXPECT_FALSE(has_option(mount_options(without.directory()), "fmode"));
}

TEST_F(fmode_test, is_of_one_mount_and_not_of_all) {
    const bpffs_mount with("fmode");
    const bpffs_mount without("");
    const handle program = classifier();
    ASSERT_EQ(pin(program.get(), with / "p"), 0);
    ASSERT_EQ(pin(program.get(), without / "p"), 0);
    EXPECT_EQ(run_through_reader(with / "p"), -EPERM);
    EXPECT_EQ(run_through_reader(without / "p"), 0);
}

TEST_F(fmode_test, remount_turns_it_on_for_what_is_opened_from_then_on) {
    const bpffs_mount mount("");
    const handle program = classifier();
    ASSERT_EQ(pin(program.get(), mount / "p"), 0);
    const handle before = get(mount / "p", BPF_F_RDONLY);
    ASSERT_EQ(mount.remount("fmode"), 0);
    EXPECT_TRUE(has_option(mount_options(mount.directory()), "fmode"));
    EXPECT_EQ(run_through_reader(mount / "p"), -EPERM);
    EXPECT_EQ(prog_test_run(before.get(), run_input::packet), 0)
        << "an open handle keeps its rights";
}

TEST_F(fmode_test, remount_never_turns_it_off) {
    const bpffs_mount mount("fmode,mode=0755");
    EXPECT_EQ(mount.remount("nofmode"), -EINVAL);
    EXPECT_TRUE(has_option(mount_options(mount.directory()), "fmode"));
    EXPECT_EQ(mount.remount(""), 0) << "a remount that does not mention it";
    EXPECT_TRUE(has_option(mount_options(mount.directory()), "fmode"));
    EXPECT_EQ(mount.remount("fmode"), 0) << "twice is once";
    EXPECT_TRUE(has_option(mount_options(mount.directory()), "fmode"));
    const handle program = classifier();
    ASSERT_EQ(pin(program.get(), mount / "p"), 0);
    EXPECT_EQ(run_through_reader(mount / "p"), -EPERM);
}

TEST_F(fmode_test, nofmode_means_nothing_where_it_is_off) {
    const bpffs_mount mount("nofmode");
    ASSERT_EQ(mount.error(), 0);
    EXPECT_EQ(mount.remount("nofmode"), 0);
    EXPECT_FALSE(has_option(mount_options(mount.directory()), "fmode"));
}

TEST_F(fmode_test, remount_takes_administrators) {
    const bpffs_mount mount("mode=0777");
    const outcome o = as_user(alice, [&] { return done("remount", mount.remount("fmode")); });
    EXPECT_EQ(o.error, EPERM);
    EXPECT_FALSE(has_option(mount_options(mount.directory()), "fmode"));
}

TEST_F(fmode_test, survives_a_bind_mount) {
    const bpffs_mount mount("fmode");
    const bind_mount elsewhere(mount.directory());
    ASSERT_EQ(elsewhere.error(), 0);
    const handle program = classifier();
    ASSERT_EQ(pin(program.get(), mount / "p"), 0);
    EXPECT_EQ(run_through_reader(elsewhere / "p"), -EPERM);
}

TEST_F(fmode_test, binds_what_is_opened_by_a_directory_descriptor) {
    const bpffs_mount mount("fmode");
    const handle program = classifier();
    ASSERT_EQ(pin(program.get(), mount / "p"), 0);
    const handle directory = open_file(mount.directory(), O_PATH | O_DIRECTORY);
    obj_attr attr;
    attr.file_flags = BPF_F_RDONLY | flag_path_fd;
    attr.path_fd = directory.get();
    const handle reader(obj_command(BPF_OBJ_GET, attr, "p"));
    ASSERT_TRUE(reader.good()) << reader.error();
    EXPECT_EQ(prog_test_run(reader.get(), run_input::packet), -EPERM);
}

TEST_F(fmode_test, binds_what_is_opened_through_a_symbolic_link) {
    const bpffs_mount mount("fmode");
    const bpffs_mount elsewhere("");
    const handle program = classifier();
    ASSERT_EQ(pin(program.get(), mount / "p"), 0);
    ASSERT_EQ(::symlink((mount / "p").c_str(), (elsewhere / "l").c_str()), 0);
    EXPECT_EQ(run_through_reader(elsewhere / "l"), -EPERM);
}

TEST_F(fmode_test, another_name_is_the_same_file) {
    const bpffs_mount mount("fmode");
    const handle program = classifier();
    ASSERT_EQ(pin(program.get(), mount / "p"), 0);
    ASSERT_EQ(::link((mount / "p").c_str(), (mount / "q").c_str()), 0);
    EXPECT_EQ(run_through_reader(mount / "q"), -EPERM);
    const bpffs_mount elsewhere("");
    EXPECT_NE(::link((mount / "p").c_str(), (elsewhere / "q").c_str()), 0);
    EXPECT_EQ(errno, EXDEV);
    EXPECT_NE(::rename((mount / "p").c_str(), (elsewhere / "q").c_str()), 0);
    EXPECT_EQ(errno, EXDEV);
}

TEST_F(fmode_test, the_administrator_of_another_user_namespace_cannot_change_it) {
    const bpffs_mount mount("mode=0755");
    const outcome o = as_user(alice, [&] {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
            return failed("user namespace", 0);
        }
        return failed("remount", -mount.remount("fmode"));
    });
    BPFFS_NEEDS("user_namespaces", o.error != 0 ? "" : "none for alice");
    EXPECT_EQ(o.error, EPERM);
    EXPECT_FALSE(has_option(mount_options(mount.directory()), "fmode"));
}

// Handles that are not opened from the mount are the maker's, or take a capability: unbound.

TEST_F(fmode_test, does_not_bind_the_makers_handle) {
    const bpffs_mount mount("fmode");
    const handle map = create_map(BPF_MAP_TYPE_HASH, 4, 8, 1, BPF_F_RDONLY);
    ASSERT_TRUE(map.good());
    EXPECT_EQ(pin(map.get(), mount / "m"), 0);
    EXPECT_EQ(pin(map.get(), mount / "again"), 0);
    const handle writer = load_program(BPF_PROG_TYPE_SOCKET_FILTER, writes_first_value(map.get()));
    EXPECT_TRUE(writer.good()) << writer.error();
    const uint32_t key = 0;
    const uint64_t value = 1;
    EXPECT_EQ(map_update(map.get(), &key, &value), -EPERM) << "BPF_F_RDONLY at creation";
}

TEST_F(fmode_test, does_not_bind_handles_by_id) {
    const bpffs_mount mount("fmode");
    const handle map = create_map(BPF_MAP_TYPE_HASH, 4, 8, 1);
    ASSERT_EQ(pin(map.get(), mount / "m"), 0);
    object_ids ids;
    ASSERT_EQ(map_ids(map.get(), ids), 0);
    const handle by_id = map_by_id(ids.id, BPF_F_RDONLY);
    ASSERT_TRUE(by_id.good()) << by_id.error();
    EXPECT_EQ(pin(by_id.get(), mount / "again"), 0);
}

TEST_F(fmode_test, a_bound_handle_stays_bound_when_passed_on) {
    const bpffs_mount mount("fmode");
    const handle program = classifier();
    ASSERT_EQ(pin(program.get(), mount / "p"), 0);
    const handle reader = get(mount / "p", BPF_F_RDONLY);
    const handle copy(::fcntl(reader.get(), F_DUPFD_CLOEXEC, 3)); // NOLINT
    EXPECT_EQ(prog_test_run(copy.get(), run_input::packet), -EPERM);
    EXPECT_EQ(::fcntl(copy.get(), F_SETFL, O_RDWR), 0); // NOLINT: changes no access mode
    EXPECT_EQ(prog_test_run(copy.get(), run_input::packet), -EPERM);
}

TEST_F(fmode_test, rights_are_those_of_the_opening) {
    const bpffs_mount mount("fmode");
    const handle program = classifier();
    ASSERT_EQ(pin(program.get(), mount / "p"), 0);
    const handle opened = get(mount / "p");
    ASSERT_EQ(::chmod((mount / "p").c_str(), 0), 0);
    EXPECT_EQ(prog_test_run(opened.get(), run_input::packet), 0) << "chmod revokes nothing";
    ASSERT_EQ(::unlink((mount / "p").c_str()), 0);
    EXPECT_EQ(prog_test_run(opened.get(), run_input::packet), 0) << "nor does unlink";
    EXPECT_EQ(pin(opened.get(), mount / "again"), 0);
}

} // namespace

} // namespace bpffs_test
