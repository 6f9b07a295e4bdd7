// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-admin on any kernel: wrong words, wrong callers, places that are not root's alone, and a
// kernel without fmode. Nothing may be changed by any of it.
#include "admin_scene.hpp"
#include "support/probe.hpp"

#include <sys/mount.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

TEST_F(admin_test, wrong_words_change_nothing) {
    expect_error("add", 2, {"expected a USER"});
    expect_error("add nobodyknown", 2, {"no user 'nobodyknown'"});
    expect_error("add root", 2, {"root"});
    expect_error("add 0", 2, {"root"});
    expect_error("add ../alice", 2, {"'../alice'"});
    expect_error("add alice maps hash:nonsense", 2, {"nonsense"});
    expect_error("add alice caps sys_admin", 2, {"sys_admin"});
    expect_error("add alice cmds", 2, {"expected"});
    expect_error("add alice mode rwx", 2, {"'rwx' is not a mode"});
    expect_error("add alice mode 0777", 2, {"0777", "everybody", "caps none"});
    expect_error("add alice extra", 2, {"unexpected word 'extra'"});
    expect_error("remove", 2, {"expected a USER"});
    expect_error("remove alice nonsense", 2, {"nonsense"});
    expect_error("rem alice", 2, {"not written in full"});
    expect_error("nonsense", 2, {"unknown command"});
    expect_nothing_left();
    EXPECT_FALSE(exists(link));
}

TEST_F(admin_test, keywords_may_be_written_as_options) {
    expect_error("add alice --mode=0777", 2, {"0777", "everybody"});
    expect_error("add --mode 0777 alice", 2, {"usage: bpffs-admin add USER"});
    expect_error("add alice --nonsense", 2, {"unexpected word 'nonsense'"});
    expect_error("add alice -x", 2, {"unrecognized option '-x'"});
    expect_error("remove alice --force", 1, {});
    expect_nothing_left();
}

TEST_F(admin_test, only_root_may) {
    for (const char* line : {"add alice", "add alice nolink", "remove alice force"}) {
        const outcome o = as_user(alice, [&] {
            const answer got = run_admin(line);
            const bool said = got.err.find("only root") != std::string::npos &&
                              got.err.find("alice") != std::string::npos;
            return done("", got.status == 1 ? 0 : -EINVAL, said);
        });
        EXPECT_EQ(o.error, 0) << line;
        EXPECT_TRUE(o.seen) << line;
    }
    expect_nothing_left();
}

TEST_F(admin_test, root_without_the_capability_is_told_so) {
    const outcome o = as({0, 0, {}, 0}, [] {
        const answer got = run_admin("add alice");
        return done("", got.status == 1 ? 0 : -EINVAL,
                    got.err.find("without CAP_SYS_ADMIN") != std::string::npos);
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_TRUE(o.seen);
}

TEST_F(admin_test, a_kernel_without_fmode_is_refused_with_a_clear_word) {
    BPFFS_NEEDS("kernel_without_fmode", probe("fmode") ? "this one has it" : "");
    expect_error("add alice", 1, {"does not know the mount option fmode", "nothing is mounted"});
    expect_nothing_left();
    EXPECT_FALSE(exists(link));
}

TEST_F(admin_test, a_place_that_others_can_change_is_refused) {
    ASSERT_EQ(::mkdir("/run/open", 0700), 0);
    ASSERT_EQ(::chmod("/run/open", 01777), 0);
    expect_error("add alice dir /run/open/bpffs", 1, {"'/run/open'", "others than root", "1777"});
    EXPECT_FALSE(exists("/run/open/bpffs"));
    expect_error("add alice dir /home/alice", 1, {"'/home/alice'", "owner alice"});
    ASSERT_EQ(::mkdir("/run/closed", 0700), 0);
    expect_error("add alice dir /run/closed", 1, {"'/run/closed'", "searched", "0700"});
    ASSERT_EQ(::symlink("/run", "/run/elsewhere"), 0);
    expect_error("add alice dir /run/elsewhere/bpffs", 1, {"'/run/elsewhere'", "symbolic link"});
    EXPECT_EQ(::access("/run/bpffs", F_OK), -1);
    expect_error("add alice dir /etc/passwd", 1, {"'/etc/passwd'", "not a directory"});
    EXPECT_FALSE(exists(link));
}

TEST_F(admin_test, removing_what_is_not_there_is_an_error) {
    expect_error("remove alice", 1, {});
    ASSERT_EQ(::mkdir("/run/bpffs", 0755), 0);
    expect_error("remove alice", 1, {"alice has no directory"});
    EXPECT_TRUE(exists("/run/bpffs"));
}

TEST_F(admin_test, an_empty_list_is_a_list) {
    EXPECT_EQ(run_admin("list").out, "");
    EXPECT_EQ(run_admin("-j list").out, "[]\n");
    expect_error("list alice", 1, {"alice has no directory"});
}

TEST_F(admin_test, a_mount_point_left_behind_is_cleared) {
    ASSERT_EQ(::mkdir("/run/bpffs", 0755), 0);
    ASSERT_EQ(::mkdir(place, 0755), 0);
    expect_ok("remove alice");
    EXPECT_FALSE(exists(place));
}

} // namespace

} // namespace bpffs_test
