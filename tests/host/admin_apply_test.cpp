// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-admin diff, apply, login and clean: the machine becomes what the policy says, twice is
// once, pins are not lost, and what is in the way is neither followed nor changed.
#include "admin/carry_over.hpp"
#include "admin_scene.hpp"
#include "common/failure.hpp"
#include "kill_everywhere.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <bpffs/bpffs.hpp>

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "admin/user_mount.hpp"
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void write_policy(const std::string& text, const std::string& name = "10.conf") {
    ::mkdir("/run/bpffs.d", 0755);
    std::ofstream("/run/bpffs.d/" + name) << text;
}

constexpr const char* for_alice = "[[grant]]\nusers = [\"alice\"]\n";

int pin_map(const std::string& at) {
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
    return map.good() ? pin(map.get(), at) : map.error();
}

// On any kernel

TEST_F(admin_test, diff_shows_what_would_be_given) {
    write_policy(for_alice);
    const answer got = run_admin("diff");
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_EQ(got.out, "+ alice '/run/bpffs/alice' by /run/bpffs.d/10.conf:1\n");
    EXPECT_EQ(run_admin("-j diff").out,
              R"([{"change":"give","user":"alice","directory":"/run/bpffs/alice",)"
              R"("policy":"/run/bpffs.d/10.conf:1","words":""}])"
              "\n");
    expect_nothing_left();
}

TEST_F(admin_test, diff_works_for_everybody) {
    write_policy(for_alice);
    const outcome o = as_user(bob, [] {
        const answer got = run_admin("diff");
        return done("", got.status == 0 ? 0 : -EINVAL, contains(got.out, "+ alice"));
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_TRUE(o.seen);
}

TEST_F(admin_test, apply_without_fmode_is_refused_with_a_clear_word) {
    BPFFS_NEEDS("kernel_without_fmode", probe("fmode") ? "this one has it" : "");
    write_policy(for_alice);
    expect_error("apply", 1,
                 {"alice", "does not know the mount option fmode", "nothing is mounted",
                  "refused alice '/run/bpffs/alice' by /run/bpffs.d/10.conf:1"});
    EXPECT_EQ(mounts_on(place), 0);
    EXPECT_FALSE(exists(place));
    EXPECT_FALSE(exists(link));
    write_policy("[system]\nfmode = true\n");
    expect_error("apply", 1, {"/sys/fs/bpf"});
}

TEST_F(admin_test, apply_is_for_root_and_login_says_nothing_to_strangers) {
    write_policy(for_alice);
    const outcome o = as_user(alice, [] {
        const answer got = run_admin("apply");
        return done("", got.status == 1 ? 0 : -EINVAL, contains(got.err, "only root"));
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_TRUE(o.seen);
    expect_error("apply nobodyknown", 2, {"no user 'nobodyknown'"});
    expect_ok("login nobodyknown");
    expect_ok("login root");
    expect_ok("login bob"); // no file names them
    expect_nothing_left();
}

TEST_F(admin_test, a_wrong_policy_changes_nothing) {
    write_policy("[[grant]]\nusers = [\"alice\"]\n[[grant]]\nuser = \"bob\"\n");
    for (const char* line : {"apply", "login alice", "diff"}) {
        expect_error(line, 1, {"/run/bpffs.d/10.conf:4:1: unknown key 'user'"});
    }
    expect_nothing_left();
}

/// Pins, directories, links, owners and modes, in a mount of this kernel.
class carry_over_test : public admin_test {
protected:
    void SetUp() override {
        admin_test::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        spec.fmode = bpffs::fmode_option::off;
        spec.owner = alice;
        ASSERT_EQ(::mkdir("/run/m", 0755), 0);
        bpffs::mount_bpffs("/run/m", spec);
        ASSERT_EQ(pin_map("/run/m/a"), 0);
        ASSERT_EQ(::chown("/run/m/a", alice, bob), 0);
        ASSERT_EQ(::chmod("/run/m/a", 0640), 0);
        ASSERT_EQ(::mkdir("/run/m/d", 0700), 0);
        ASSERT_EQ(::chown("/run/m/d", bob, bob), 0);
        ASSERT_EQ(::chmod("/run/m/d", 02751), 0);
        ASSERT_EQ(pin_map("/run/m/d/deeper"), 0);
        ASSERT_EQ(::symlink("d/deeper", "/run/m/l"), 0);
        ASSERT_EQ(::lchown("/run/m/l", alice, alice), 0);
        first = id_of("/run/m/a");
        ASSERT_NE(first, 0U);
    }

    static std::uint32_t id_of(const std::string& pin) { return bpffs::inspect(pin).id; }

    void expect_all_there() const {
        EXPECT_EQ(id_of("/run/m/a"), first) << "the same object";
        EXPECT_EQ(status_of("/run/m/a").st_uid, alice);
        EXPECT_EQ(status_of("/run/m/a").st_gid, bob);
        EXPECT_EQ(status_of("/run/m/a").st_mode & 07777U, 0640U);
        EXPECT_EQ(status_of("/run/m/d").st_uid, bob);
        EXPECT_EQ(status_of("/run/m/d").st_mode & 07777U, 02751U);
        EXPECT_TRUE(exists("/run/m/d/deeper"));
        EXPECT_EQ(text_of_link("/run/m/l"), "d/deeper");
        EXPECT_EQ(status_of("/run/m/l").st_uid, alice);
        EXPECT_EQ(mounts_on("/run/m"), 1);
        EXPECT_EQ(pin_map("/run/m/new"), 0) << "writable";
    }

    bpffs::mount_spec spec;
    std::uint32_t first = 0;
};

TEST_F(carry_over_test, a_new_mount_takes_all_over) {
    spec.permissions = bpffs::mode(0711);
    EXPECT_EQ(fsctl::replace_mount("/run/m", spec), 2U);
    EXPECT_EQ(status_of("/run/m").st_mode & 0777U, 0711U) << "it is the new one";
    expect_all_there();
}

TEST_F(carry_over_test, nothing_changes_while_somebody_works_there) {
    spec.permissions = bpffs::mode(0711);
    {
        const handle inside = open_file("/run/m/d", O_PATH | O_DIRECTORY);
        EXPECT_THROW(fsctl::replace_mount("/run/m", spec), fsctl::failure);
    }
    EXPECT_EQ(status_of("/run/m").st_mode & 0777U, 0700U) << "it is the old one";
    expect_all_there();
}

TEST_F(carry_over_test, nothing_changes_where_the_new_one_is_too_small) {
    if (!probe("nr_inodes")) {
        GTEST_SKIP() << "this kernel does not bound a bpffs";
    }
    spec.more = {"nr_inodes=3"};
    EXPECT_THROW(fsctl::replace_mount("/run/m", spec), bpffs::error);
    expect_all_there();
}

// Where there is fmode

TEST_F(admin_fmode_test, apply_gives_what_the_policy_says) {
    write_policy("[[grant]]\nusers = [\"1000-1001\"]\nmode = \"0750\"\nmaps = \"hash\"\n"
                 "nr_inodes = 9\n[[grant]]\nusers = [\"bob\"]\nlink = false\n");
    const answer got = run_admin("apply");
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_TRUE(contains(got.out, "granted alice '/run/bpffs/alice' by /run/bpffs.d/10.conf:1"));
    EXPECT_TRUE(contains(got.err, "granted bob '/run/bpffs/bob' by /run/bpffs.d/10.conf:6"))
        << "without a journal the audit is on stderr: " << got.err;
    const std::string options = mount_options(place);
    for (const char* option : {"fmode", "uid=1000", "gid=1000", "mode=750", "delegate_maps=hash",
                               "nr_inodes=9", "delegate_caps=bpf"}) {
        EXPECT_TRUE(has_option(options, option)) << option << " in " << options;
    }
    EXPECT_EQ(text_of_link(link), place);
    EXPECT_EQ(status_of(link).st_uid, alice);
    EXPECT_FALSE(exists("/home/bob/bpf"));
}

TEST_F(admin_fmode_test, applying_twice_is_applying_once) {
    write_policy(for_alice);
    expect_ok("apply");
    ASSERT_EQ(pin_map(std::string(place) + "/m"), 0);
    ASSERT_EQ(::chmod(place, 0750), 0); // no file states a mode: the owner's to change
    const answer again = run_admin("apply");
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_EQ(again.out, "nothing to change\n");
    EXPECT_EQ(again.err, "");
    EXPECT_EQ(run_admin("diff").out, "");
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_EQ(status_of(place).st_mode & 0777U, 0750U);
    EXPECT_TRUE(exists(std::string(place) + "/m"));
}

TEST_F(admin_fmode_test, four_at_once_apply_once) {
    write_policy("[[grant]]\nusers = [\"alice\", \"bob\"]\n");
    expect_ok_four_at_once("apply");
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 1);
}

TEST_F(admin_fmode_test, a_mode_that_a_file_states_is_put_back) {
    write_policy(std::string(for_alice) + "mode = \"0700\"\n");
    expect_ok("apply");
    ASSERT_EQ(::chmod(place, 0755), 0);
    EXPECT_EQ(run_admin("diff").out, "~ alice '/run/bpffs/alice' by /run/bpffs.d/10.conf:1: mode "
                                     "0755, now 0700\n");
    expect_ok("apply");
    EXPECT_EQ(status_of(place).st_mode & 0777U, 0700U);
}

TEST_F(admin_fmode_test, other_rights_without_pins_are_given_at_once) {
    write_policy(for_alice);
    expect_ok("apply");
    write_policy(std::string(for_alice) + "maps = \"array\"\n");
    expect_ok("apply");
    EXPECT_TRUE(has_option(mount_options(place), "delegate_maps=array")) << mount_options(place);
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
}

TEST_F(admin_fmode_test, other_rights_never_lose_pins) {
    write_policy(for_alice);
    expect_ok("apply");
    ASSERT_EQ(::chmod(place, 0750), 0);
    const std::string pin = std::string(place) + "/m";
    ASSERT_EQ(pin_map(pin), 0);
    ASSERT_EQ(::chown(pin.c_str(), alice, alice), 0);
    const std::uint32_t id = bpffs::inspect(pin).id;
    write_policy(std::string(for_alice) + "maps = \"array\"\nnr_inodes = 5\n");
    expect_error("apply", 1, {"alice", "holds 1 pin", pin, "apply alice force"});
    EXPECT_FALSE(has_option(mount_options(place), "delegate_maps=array"));
    expect_ok("apply force");
    EXPECT_TRUE(has_option(mount_options(place), "delegate_maps=array"));
    EXPECT_TRUE(has_option(mount_options(place), "nr_inodes=5"));
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_EQ(bpffs::inspect(pin).id, id);
    EXPECT_EQ(status_of(pin).st_uid, alice);
    EXPECT_EQ(status_of(place).st_mode & 0777U, 0750U) << "the owner's choice";
}

TEST_F(admin_fmode_test, other_rights_wait_until_nobody_works_there) {
    write_policy(for_alice);
    expect_ok("apply");
    write_policy(std::string(for_alice) + "maps = \"array\"\n");
    {
        const handle inside = open_file(place, O_PATH | O_DIRECTORY);
        expect_error("apply", 1, {"alice", "in use"});
        EXPECT_EQ(mounts_on(place), 1);
        EXPECT_EQ(pin_map(std::string(place) + "/m"), 0) << "still writable";
    }
    expect_ok("apply force");
    EXPECT_TRUE(exists(std::string(place) + "/m"));
}

TEST_F(admin_fmode_test, what_a_killed_apply_left_is_repaired) {
    write_policy(for_alice);
    expect_ok("apply");
    // Killed before the swap: the old one is read-only.
    bpffs::protect_file_system(bpffs::directory::open(place), bpffs::write_protection::read_only);
    ASSERT_EQ(pin_map(std::string(place) + "/m"), -EROFS);
    expect_ok("apply");
    EXPECT_EQ(pin_map(std::string(place) + "/m"), 0);
    // Killed after it: the complete new one is beneath the old one.
    bpffs::mount_spec spec;
    spec.source = "bpffs.d";
    spec.owner = alice;
    spec.group = alice;
    spec.delegated = bpffs::mount_info::of(bpffs::directory::open(place).fd()).delegated;
    {
        const bpffs::directory fresh = bpffs::make_bpffs(spec);
        bpffs::make_directory({fresh, "new"}, bpffs::mode(0700));
        bpffs::protect_file_system(bpffs::directory::open(place),
                                   bpffs::write_protection::read_only);
        bpffs::attach_mount(fresh, place, bpffs::mount_place::beneath);
    }
    ASSERT_EQ(mounts_on(place), 2);
    expect_ok("apply");
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_TRUE(exists(std::string(place) + "/new"));
    EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
}

TEST_F(admin_fmode_test, what_the_policy_gives_no_more_is_taken_away) {
    write_policy("[[grant]]\nusers = [\"alice\", \"bob\"]\n");
    expect_ok("apply");
    ASSERT_EQ(pin_map(std::string(place) + "/m"), 0);
    write_policy("[[refuse]]\nusers = [\"alice\"]\n");
    EXPECT_TRUE(
        contains(run_admin("diff").out, "- alice '/run/bpffs/alice' by /run/bpffs.d/10.conf:1"));
    expect_error("apply", 1, {"alice", "1 pin"});
    EXPECT_EQ(mounts_on(place), 1) << "pins are not lost";
    EXPECT_FALSE(exists("/run/bpffs/bob"));
    EXPECT_FALSE(exists("/home/bob/bpf"));
    expect_error("apply force", 1, {"remove alice force dir /run/bpffs"});
    EXPECT_TRUE(exists(std::string(place) + "/m"));
    expect_ok("remove alice force dir /run/bpffs");
    EXPECT_FALSE(exists(place));
    EXPECT_FALSE(exists(link));
}

TEST_F(admin_fmode_test, what_was_given_by_hand_is_left_alone) {
    expect_ok("add bob");
    write_policy(for_alice);
    expect_ok("apply");
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 1);
}

TEST_F(admin_fmode_test, one_who_cannot_be_given_it_does_not_stop_the_others) {
    ASSERT_EQ(::symlink("/etc", link), 0); // planted
    write_policy("[[grant]]\nusers = [\"alice\", \"bob\", \"carol\"]\n");
    expect_error("apply", 1, {"alice", "a link to '/etc'", "nolink"});
    EXPECT_EQ(mounts_on(place), 0) << "all or nothing";
    EXPECT_EQ(text_of_link(link), "/etc");
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 1);
}

TEST_F(admin_fmode_test, without_a_home_there_is_no_link) {
    ASSERT_EQ(::rmdir("/home/alice"), 0);
    write_policy(for_alice);
    expect_ok("apply");
    EXPECT_EQ(mounts_on(place), 1);
    ASSERT_EQ(::mkdir("/home/alice", 0700), 0);
    ASSERT_EQ(::chown("/home/alice", alice, alice), 0);
    expect_ok("login alice");
    EXPECT_EQ(text_of_link(link), place);
}

TEST_F(admin_fmode_test, a_name_that_is_another_ones_now_gets_no_foreign_pins) {
    write_policy(for_alice);
    expect_ok("apply");
    set_accounts("root:x:0:0::/root:/bin/sh\nalice:x:1001:1001::/home/bob:/bin/sh\n");
    expect_error("apply", 1, {"alice", "belongs to 1000"});
    EXPECT_TRUE(has_option(mount_options(place), "uid=1000"));
}

TEST_F(admin_fmode_test, a_group_shares_a_directory) {
    write_policy("[[shared]]\nname = \"team\"\ngroup = \"daemon\"\nmaps = \"array\"\n");
    expect_ok("apply");
    const struct stat st = status_of("/run/bpffs/team");
    EXPECT_EQ(st.st_uid, 0U);
    EXPECT_EQ(st.st_gid, 1U);
    EXPECT_EQ(st.st_mode & 06777U, 02770U);
    const auto enters = [](std::vector<gid_t> groups) {
        return as({alice, alice, std::move(groups), 0}, [] {
            return done("mkdir", ::mkdir("/run/bpffs/team/x", 0755) == 0 ? 0 : -errno);
        });
    };
    EXPECT_EQ(enters({}).error, EACCES);
    EXPECT_EQ(enters({1}).error, 0);
    EXPECT_EQ(status_of("/run/bpffs/team/x").st_gid, 1U);
    write_policy("");
    expect_ok("apply");
    EXPECT_FALSE(exists("/run/bpffs/team")) << "empty directories are no pins";
}

TEST_F(admin_fmode_test, apply_turns_the_model_on_for_the_system) {
    ASSERT_EQ(::mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0755"), 0);
    write_policy("[system]\nfmode = true\n");
    EXPECT_TRUE(contains(run_admin("diff").out, "~ system '/sys/fs/bpf'"));
    expect_ok("apply");
    EXPECT_TRUE(has_option(mount_options("/sys/fs/bpf"), "fmode"));
    EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
    ::umount2("/sys/fs/bpf", MNT_DETACH);
}

TEST_F(admin_fmode_test, pam_names_the_user_who_logs_in) {
    write_policy("[[grant]]\nusers = [\"1000-1999\"]\n");
    ::setenv("PAM_USER", "alice", 1);
    ::setenv("PAM_TYPE", "close_session", 1);
    expect_ok("login");
    EXPECT_EQ(mounts_on(place), 0);
    ::setenv("PAM_TYPE", "open_session", 1);
    expect_ok("login");
    ::unsetenv("PAM_USER");
    ::unsetenv("PAM_TYPE");
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 0) << "the others' are not looked at";
}

TEST_F(admin_fmode_test, clean_takes_away_what_nobody_owns_any_more) {
    write_policy("[[grant]]\nusers = [\"alice\", \"bob\"]\n");
    expect_ok("apply");
    ASSERT_EQ(pin_map(std::string(place) + "/m"), 0);
    expect_ok("clean");
    EXPECT_EQ(mounts_on(place), 1);
    set_accounts("root:x:0:0::/root:/bin/sh\n");
    expect_ok("apply"); // which leaves them alone
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 1);
    expect_error("clean", 1, {"alice is no user any more", "1 pin", "clean force"});
    EXPECT_FALSE(exists("/run/bpffs/bob"));
    EXPECT_EQ(mounts_on(place), 1);
    expect_ok("clean force");
    EXPECT_FALSE(exists(place));
}

// Killed

TEST_F(admin_fmode_test, killed_at_any_call_apply_is_completed_by_the_next) {
    write_policy(for_alice);
    const int killed = kill_at_every_call(
        [] { (void)run_admin("apply"); },
        [&](int call) {
            if (mounts_on(place) != 0) {
                EXPECT_EQ(status_of(place).st_mode & 0777U, 0700U) << "call " << call;
                EXPECT_TRUE(has_option(mount_options(place), "fmode")) << "call " << call;
            }
            expect_ok("apply");
            EXPECT_EQ(mounts_on(place), 1) << "call " << call;
            EXPECT_EQ(text_of_link(link), place) << "call " << call;
            expect_ok("remove alice");
        });
    ASSERT_NE(killed, -1);
    EXPECT_GT(killed, 8);
}

TEST_F(admin_fmode_test, killed_at_any_call_a_change_loses_no_pin) {
    const std::string texts[] = {for_alice, std::string(for_alice) + "maps = \"array\"\n"};
    write_policy(texts[0]);
    expect_ok("apply");
    const std::string pin = std::string(place) + "/m";
    ASSERT_EQ(pin_map(pin), 0);
    ASSERT_EQ(::chown(pin.c_str(), alice, alice), 0);
    ASSERT_EQ(::chmod(pin.c_str(), 0640), 0);
    const std::uint32_t id = bpffs::inspect(pin).id;
    const auto expect_there = [&](int call) {
        EXPECT_EQ(bpffs::inspect(pin).id, id) << "call " << call;
        EXPECT_EQ(status_of(pin).st_uid, alice) << "call " << call;
        EXPECT_EQ(status_of(pin).st_mode & 07777U, 0640U) << "call " << call;
    };
    std::size_t turn = 1;
    write_policy(texts[turn]);
    const int killed = kill_at_every_call([] { (void)run_admin("apply force"); },
                                          [&](int call) {
                                              expect_there(call);
                                              expect_ok("apply force");
                                              expect_there(call);
                                              EXPECT_EQ(mounts_on(place), 1) << "call " << call;
                                              EXPECT_EQ(pin_map(pin + "2"), 0) << "writable";
                                              ::unlink((pin + "2").c_str());
                                              turn = 1 - turn;
                                              write_policy(texts[turn]);
                                          });
    ASSERT_NE(killed, -1);
    EXPECT_GT(killed, 8);
}

// What is to persist

TEST_F(admin_fmode_test, what_persists_comes_back_with_the_directory) {
    ASSERT_EQ(::mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=0755"), 0); // of this namespace
    write_policy(std::string(for_alice) + "persist = true\n");
    expect_ok("apply");
    ASSERT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
    const answer saved = run_admin("save");
    EXPECT_TRUE(contains(saved.out, "1 map of 0 entries saved")) << saved.out << saved.err;
    EXPECT_EQ(status_of("/var/lib/bpffs").st_mode & 07777U, 0700U) << "for root alone";
    expect_ok("remove alice force");
    const answer again = run_admin("apply");
    EXPECT_TRUE(contains(again.out, "1 map brought back")) << again.out << again.err;
    EXPECT_EQ(status_of(std::string(place) + "/m").st_uid, alice);
    ::umount2("/var/lib", MNT_DETACH);
}

TEST_F(admin_fmode_test, users_save_and_restore_their_own) {
    write_policy("[[grant]]\nusers = [\"alice\", \"bob\"]\n");
    expect_ok("apply");
    ASSERT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
    const auto as_alice = [](const char* line, const char* said) {
        return as_user(alice, [&] {
            ::unsetenv("XDG_STATE_HOME");
            const answer got = run_admin(line);
            return done(line, got.status == 0 ? 0 : -EINVAL, contains(got.out, said));
        });
    };
    const outcome saved = as_alice("save", "'/run/bpffs/alice': 1 map ");
    EXPECT_EQ(saved.error, 0);
    EXPECT_TRUE(saved.seen);
    EXPECT_EQ(status_of("/home/alice/.local/state/bpffs").st_uid, alice);
    expect_ok("remove alice force");
    expect_ok("apply");
    const outcome restored = as_alice("restore", "1 map ");
    EXPECT_EQ(restored.error, 0);
    EXPECT_TRUE(restored.seen);
    EXPECT_EQ(status_of(std::string(place) + "/m").st_uid, alice);
}

// Who waits for whom

/// As somebody who may not write there: has the directory open and keeps it locked.
class held_by_a_user : waiting_child {
public:
    explicit held_by_a_user(const char* directory)
        : waiting_child([directory] {
              return become({bob, bob}) &&
                     ::flock(::open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), LOCK_EX) == 0;
          }) {}
};

TEST_F(admin_test, no_user_makes_root_wait) {
    ASSERT_EQ(::mkdir("/run/bpffs", 0755), 0);
    const held_by_a_user held("/run/bpffs");
    EXPECT_EQ(status_in_time("remove alice"), 1) << "there is none, and it says so at once";
    EXPECT_EQ(status_of("/run/bpffs-admin.lock").st_mode & 07777U, 0600U);
    const outcome o = as_user(
        bob, [] { return failed("open", open_file("/run/bpffs-admin.lock", O_RDONLY).error()); });
    EXPECT_EQ(o.error, EACCES);
}

TEST_F(admin_test, a_lock_that_others_could_hold_is_not_used) {
    ASSERT_EQ(::mkdir("/run/bpffs", 0755), 0);
    ASSERT_EQ(::symlink("/run/elsewhere", "/run/bpffs-admin.lock"), 0);
    expect_error("remove alice", 1, {"/run/bpffs-admin.lock"});
    EXPECT_FALSE(exists("/run/elsewhere")) << "a link is not followed";
    ASSERT_EQ(::unlink("/run/bpffs-admin.lock"), 0);
    ASSERT_TRUE(open_file("/run/bpffs-admin.lock", O_CREAT | O_RDWR, 0666).good());
    ASSERT_EQ(::chmod("/run/bpffs-admin.lock", 0644), 0);
    expect_error("remove alice", 1, {"/run/bpffs-admin.lock", "0644"});
}

TEST_F(admin_fmode_test, a_log_in_does_not_wait_for_ever) {
    write_policy(for_alice);
    expect_ok("apply");
    const handle held = open_file("/run/bpffs-admin.lock", O_RDWR);
    ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
    const auto start = std::chrono::steady_clock::now();
    expect_error("login alice", 1, {"another bpffs-admin", "10 seconds"});
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_F(admin_fmode_test, whom_no_rule_names_waits_for_nobody_at_log_in) {
    const std::string shared = "[[shared]]\nname = \"team\"\ngroup = \"daemon\"\n";
    write_policy(for_alice + shared);
    expect_ok("apply");
    const handle held = open_file("/run/bpffs-admin.lock", O_RDWR);
    ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
    const auto start = std::chrono::steady_clock::now();
    expect_ok("login bob"); // while what is shared is there
    write_policy(for_alice);
    expect_ok("login bob"); // and while it is to go, which is for apply
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    write_policy("");
    expect_error("login alice", 1, {"another bpffs-admin"}); // who loses something
}

TEST_F(admin_fmode_test, killed_at_any_call_an_adjustment_opens_it_to_nobody) {
    const std::string texts[] = {std::string(for_alice) + "group = \"daemon\"\nmode = \"0770\"\n",
                                 std::string(for_alice) + "group = \"bin\"\nmode = \"0700\"\n"};
    write_policy(texts[0]);
    expect_ok("apply");
    write_policy(texts[1]);
    const int killed =
        kill_at_every_call([] { (void)run_admin("apply"); },
                           [&](int call) {
                               const struct stat st = status_of(place);
                               EXPECT_FALSE(st.st_gid == 2 && (st.st_mode & 0070U) != 0)
                                   << "the new group has what the old one had, call " << call;
                               expect_ok("apply");
                               EXPECT_EQ(status_of(place).st_gid, 2U);
                               EXPECT_EQ(status_of(place).st_mode & 0777U, 0700U);
                               write_policy(texts[0]);
                               expect_ok("apply");
                               write_policy(texts[1]);
                           });
    ASSERT_NE(killed, -1);
    EXPECT_GT(killed, 1);
}

TEST_F(admin_fmode_test, another_group_leaves_the_owners_mode) {
    write_policy(for_alice);
    expect_ok("apply");
    ASSERT_EQ(::chmod(place, 01750), 0);
    write_policy(std::string(for_alice) + "group = \"daemon\"\n");
    expect_ok("apply");
    EXPECT_EQ(status_of(place).st_gid, 1U);
    EXPECT_EQ(status_of(place).st_mode & 07777U, 01750U);
}

TEST_F(admin_fmode_test, a_killed_apply_force_is_completed_without_the_word) {
    write_policy(for_alice);
    expect_ok("apply");
    const std::string pin = std::string(place) + "/m";
    ASSERT_EQ(pin_map(pin), 0);
    const std::uint32_t id = bpffs::inspect(pin).id;
    write_policy(std::string(for_alice) + "maps = \"array\"\n");
    bpffs::protect_file_system(bpffs::directory::open(place), bpffs::write_protection::read_only);
    expect_ok("apply"); // which the killed one had been told to
    EXPECT_EQ(bpffs::inspect(pin).id, id);
    EXPECT_TRUE(has_option(mount_options(place), "delegate_maps=array"));
    EXPECT_EQ(pin_map(pin + "2"), 0) << "writable";
    EXPECT_EQ(mounts_on(place), 1);
}

TEST_F(admin_fmode_test, what_is_refused_is_never_left_read_only) {
    expect_ok("add alice"); // by hand, so no interrupted change of a policy's
    const std::string pin = std::string(place) + "/m";
    ASSERT_EQ(pin_map(pin), 0);
    write_policy(std::string(for_alice) + "maps = \"array\"\n");
    bpffs::protect_file_system(bpffs::directory::open(place), bpffs::write_protection::read_only);
    expect_error("apply", 1, {"1 pin", "force"});
    EXPECT_EQ(pin_map(pin + "2"), 0) << "writable";
}

TEST_F(admin_fmode_test, what_a_user_plants_in_the_home_stops_no_change) {
    write_policy(std::string(for_alice) + "mode = \"0700\"\n");
    expect_ok("apply");
    ASSERT_EQ(::unlink(link), 0);
    ASSERT_EQ(::symlink("/etc", link), 0);
    ASSERT_EQ(::chmod(place, 0755), 0);
    expect_error("apply", 1, {"changed alice", "a link to '/etc'"});
    EXPECT_EQ(status_of(place).st_mode & 0777U, 0700U);
    write_policy(std::string(for_alice) + "maps = \"array\"\n");
    ASSERT_EQ(::chown("/home/alice", 0, 0), 0); // not theirs to read
    ASSERT_EQ(::chmod("/home/alice", 0700), 0);
    expect_error("apply", 1, {"changed alice", "Permission denied"});
    EXPECT_TRUE(has_option(mount_options(place), "delegate_maps=array")) << mount_options(place);
    ASSERT_EQ(::chown("/home/alice", alice, alice), 0);
    EXPECT_EQ(text_of_link(link), "/etc") << "nor is it changed";
}

TEST_F(admin_fmode_test, a_link_that_cannot_be_made_stops_no_change) {
    write_policy(std::string(for_alice) + "mode = \"0700\"\n");
    expect_ok("apply");
    ASSERT_EQ(::unlink(link), 0);
    ASSERT_EQ(::chmod("/home/alice", 0500), 0); // can be read, not written
    ASSERT_EQ(::chmod(place, 0755), 0);
    expect_error("apply", 1, {"changed alice", "Permission denied"});
    EXPECT_EQ(status_of(place).st_mode & 0777U, 0700U);
}

TEST_F(admin_fmode_test, any_capability_is_every_one_there_is) {
    write_policy(std::string(for_alice) + "caps = \"any\"\n");
    expect_ok("apply");
    EXPECT_TRUE(has_option(mount_options(place), "delegate_caps=bpf:net_admin:perfmon"))
        << mount_options(place);
    EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
    expect_ok("add bob caps any");
    EXPECT_TRUE(has_option(mount_options("/run/bpffs/bob"), "delegate_caps=bpf:net_admin:perfmon"));
}

TEST_F(admin_fmode_test, a_mode_with_the_sticky_bit_is_applied_once) {
    write_policy(std::string(for_alice) + "mode = \"1770\"\n");
    expect_ok("apply");
    EXPECT_EQ(status_of(place).st_mode & 07777U, 01770U);
    EXPECT_EQ(run_admin("diff").out, "");
    EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
}

TEST_F(admin_test, what_cannot_be_looked_into_is_not_empty) {
    ASSERT_EQ(::mkdir("/run/m", 0755), 0);
    bpffs::mount_spec spec;
    spec.fmode = bpffs::fmode_option::off;
    spec.permissions = bpffs::mode(0755);
    bpffs::mount_bpffs("/run/m", spec);
    ASSERT_EQ(::mkdir("/run/m/d", 0755), 0);
    ASSERT_EQ(::mkdir("/run/m/d/e", 0755), 0);
    ASSERT_EQ(pin_map("/run/m/d/e/m"), 0);
    ASSERT_EQ(::chmod("/run/m/d", 0744), 0); // its names can be read, and no more
    const outcome o = as_user(alice, [] {
        try {
            return done("", 0, fsctl::count_pins(bpffs::directory::open("/run/m")) != 0);
        } catch (const bpffs::error& error) {
            return done("count", -error.code().value());
        }
    });
    EXPECT_EQ(o.error, EACCES);
    ::umount2("/run/m", MNT_DETACH);
}

TEST_F(admin_fmode_test, no_name_writes_a_line_of_the_audit) {
    const char* forged = "\nbpffs-admin: granted bob '\033[2J\177'";
    expect_ok("add alice");
    ASSERT_EQ(pin_map(std::string(place) + "/x" + forged), 0);
    for (const char* line : {"remove alice", "apply"}) { // the policy names nobody, then alice
        write_policy(std::string(for_alice) + "maps = \"array\"\nlink = false\n");
        const answer got = run_admin(line);
        EXPECT_EQ(got.status, 1) << line;
        EXPECT_FALSE(contains(got.err + got.out, "\nbpffs-admin: granted bob")) << got.err;
        EXPECT_FALSE(contains(got.err + got.out, "\033")) << got.err;
        EXPECT_FALSE(contains(got.err + got.out, "\177")) << got.err;
        EXPECT_TRUE(contains(got.err, R"(x\nbpffs-admin: granted bob '\x1b[2J\x7f')")) << got.err;
    }
    ASSERT_EQ(::unlink(link), 0);
    ASSERT_EQ(::symlink(forged, link), 0);
    write_policy(for_alice);
    const answer got = run_admin("apply");
    EXPECT_EQ(got.status, 1);
    EXPECT_FALSE(contains(got.err, "\nbpffs-admin: granted bob")) << got.err;
}

TEST_F(admin_fmode_test, an_account_without_a_home_needs_none) {
    for (const char* home : {"", "/dev/null"}) {
        set_accounts(std::string("root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::") + home +
                     ":/bin/sh\n");
        write_policy(for_alice);
        expect_ok("apply");
        EXPECT_EQ(mounts_on(place), 1) << "'" << home << "'";
        EXPECT_EQ(run_admin("diff").out, "");
        expect_ok("remove alice");
    }
}

TEST_F(admin_fmode_test, a_state_directory_is_absolute_or_the_usual_one) {
    write_policy(for_alice);
    expect_ok("apply");
    for (const char* state : {"", "here"}) {
        const outcome o = as_user(alice, [&] {
            ::setenv("XDG_STATE_HOME", state, 1);
            return done("save",
                        ::chdir("/home/alice") == 0 && run_admin("save").status == 0 ? 0 : -EINVAL);
        });
        EXPECT_EQ(o.error, 0) << "'" << state << "'";
        EXPECT_TRUE(exists("/home/alice/.local/state/bpffs/run/bpffs/alice"));
        EXPECT_FALSE(exists("/home/alice/here"));
        boost::filesystem::remove_all("/home/alice/.local");
    }
}

TEST_F(admin_fmode_test, killed_at_any_call_nothing_empty_takes_the_place_of_what_persists) {
    ASSERT_EQ(::mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=0755"), 0); // of this namespace
    write_policy(std::string(for_alice) + "persist = true\n");
    expect_ok("apply");
    ASSERT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
    expect_ok("save");
    expect_ok("remove alice force");
    const std::string map = std::string(place) + "/m";
    const int killed = kill_at_every_call([] { (void)run_admin("apply"); },
                                          [&](int call) {
                                              EXPECT_EQ(mounts_on(place) == 1, exists(map))
                                                  << "all is there, or nothing, call " << call;
                                              expect_ok("save");
                                              expect_ok("apply");
                                              EXPECT_TRUE(exists(map)) << "call " << call;
                                              EXPECT_EQ(status_of(map).st_uid, alice);
                                              expect_ok("remove alice force");
                                          });
    EXPECT_GT(killed, 8);
    ::umount2("/var/lib", MNT_DETACH);
}

} // namespace

} // namespace bpffs_test
