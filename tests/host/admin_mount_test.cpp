// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-admin where the kernel has fmode: what add, list and remove do, and that all of it is all
// or nothing, twice is once, and what others have planted in a home is neither followed nor
// changed.
#include "admin_scene.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <cerrno>
#include <csignal>

#include "kill_everywhere.hpp"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// add

TEST_F(admin_fmode_test, add_gives_a_directory_and_a_link_to_it) {
    expect_ok("add alice");
    const std::string options = mount_options(place);
    for (const char* option : {"fmode", "uid=1000", "gid=1000", "mode=700", "delegate_caps=bpf"}) {
        EXPECT_TRUE(has_option(options, option)) << option << " in " << options;
    }
    EXPECT_EQ(status_of(place).st_uid, alice);
    EXPECT_EQ(status_of("/run/bpffs").st_uid, 0U);
    EXPECT_EQ(status_of("/run/bpffs").st_mode & 07777U, 0755U);
    EXPECT_EQ(text_of_link(link), place);
    EXPECT_EQ(status_of(link).st_uid, alice) << "the link is the user's own";
}

TEST_F(admin_fmode_test, the_user_makes_maps_in_it_and_nobody_else_enters) {
    expect_ok("add alice");
    const auto try_as = [](uid_t uid, uint32_t type) {
        return as_user(uid, [&] { return make_map_in("/home/alice/bpf", type); });
    };
    EXPECT_EQ(try_as(alice, BPF_MAP_TYPE_LRU_HASH).error, 0) << "delegated by default";
    EXPECT_EQ(try_as(alice, BPF_MAP_TYPE_PROG_ARRAY).error, EPERM) << "not delegated";
    const outcome other = as_user(bob, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); });
    EXPECT_EQ(other.error, EACCES);
}

TEST_F(admin_fmode_test, add_does_not_depend_on_the_umask) {
    const mode_t before = ::umask(0077);
    expect_ok("add alice");
    ::umask(before);
    EXPECT_EQ(status_of("/run/bpffs").st_mode & 07777U, 0755U);
    EXPECT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
}

TEST_F(admin_fmode_test, add_takes_numbers_and_words) {
    expect_ok("add 1000 mode 0750 maps hash:array caps bpf:net_admin cmds map_create nolink");
    const std::string options = mount_options(place);
    EXPECT_TRUE(has_option(options, "mode=750")) << options;
    EXPECT_TRUE(has_option(options, "delegate_caps=bpf:net_admin")) << options;
    EXPECT_TRUE(has_option(options, "delegate_maps=hash:array")) << options;
    EXPECT_FALSE(exists(link));
}

TEST_F(admin_fmode_test, add_can_give_a_directory_without_delegation) {
    expect_ok("add alice caps none cmds none maps none mode 0777");
    const std::string options = mount_options(place);
    EXPECT_FALSE(contains(options, "delegate")) << options;
    EXPECT_TRUE(has_option(options, "fmode"));
}

TEST_F(admin_fmode_test, adding_twice_is_adding_once) {
    expect_ok("add alice");
    ASSERT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
    ASSERT_EQ(::chmod(place, 0750), 0); // the owner may
    const answer again = run_admin("-j add alice");
    EXPECT_EQ(again.status, 0) << again.err << again.out;
    EXPECT_TRUE(contains(again.out, "\"changed\":false")) << again.out;
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_TRUE(exists(std::string(place) + "/m")) << "pins stay";
    EXPECT_EQ(status_of(place).st_mode & 07777U, 0750U);
}

TEST_F(admin_fmode_test, adding_again_mends_a_lost_link) {
    expect_ok("add alice");
    ASSERT_EQ(::unlink(link), 0);
    expect_ok("add alice");
    EXPECT_EQ(text_of_link(link), place);
    EXPECT_EQ(mounts_on(place), 1);
}

TEST_F(admin_fmode_test, other_rights_are_not_changed_silently) {
    expect_ok("add alice");
    const std::string before = mount_options(place);
    expect_error("add alice caps bpf:perfmon", 1, {place, "other rights", "remove alice"});
    EXPECT_EQ(mount_options(place), before);
    EXPECT_EQ(mounts_on(place), 1);
}

TEST_F(admin_fmode_test, a_mount_of_another_kind_is_left_alone) {
    ASSERT_EQ(::mkdir("/run/bpffs", 0755), 0);
    ASSERT_EQ(::mkdir(place, 0755), 0);
    ASSERT_EQ(::mount("tmpfs", place, "tmpfs", 0, nullptr), 0);
    expect_error("add alice", 1, {place, "tmpfs"});
    expect_error("remove alice force", 1, {place, "tmpfs"});
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_FALSE(exists(link));
}

TEST_F(admin_fmode_test, files_are_not_hidden_by_a_mount) {
    ASSERT_EQ(::mkdir("/run/bpffs", 0755), 0);
    ASSERT_EQ(::mkdir(place, 0755), 0);
    ASSERT_EQ(::mkdir("/run/bpffs/alice/precious", 0755), 0);
    expect_error("add alice", 1, {place, "not empty"});
    EXPECT_EQ(mounts_on(place), 0);
    EXPECT_TRUE(exists("/run/bpffs/alice/precious"));
}

TEST_F(admin_fmode_test, two_at_once_mount_once) {
    expect_ok_four_at_once("add alice");
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_EQ(text_of_link(link), place);
}

// Obstacles in the home.

struct planted {
    const char* name;
    int (*plant)();
    const char* said;
};

int plant_link_elsewhere() {
    return ::symlink("/etc", "/home/alice/bpf");
}
int plant_dangling_link() {
    return ::symlink("/run/bpffs/bob", "/home/alice/bpf");
}
int plant_loop() {
    return ::symlink("bpf", "/home/alice/bpf");
}
int plant_directory() {
    return ::mkdir("/home/alice/bpf", 0700);
}
int plant_fifo() {
    return ::mkfifo("/home/alice/bpf", 0600);
}
int plant_file() {
    return open_file("/home/alice/bpf", O_CREAT | O_WRONLY, 0600).good() ? 0 : -1;
}
int plant_link_for_home() {
    return ::rmdir("/home/alice") == 0 ? ::symlink("/home/bob", "/home/alice") : -1;
}
int plant_dangling_home() {
    return ::rmdir("/home/alice") == 0 ? ::symlink("/nowhere", "/home/alice") : -1;
}
int plant_file_for_home() {
    return ::rmdir("/home/alice") == 0 && open_file("/home/alice", O_CREAT | O_WRONLY, 0600).good()
               ? 0
               : -1;
}
int remove_home() {
    return ::rmdir("/home/alice");
}
int close_home() {
    return ::chmod("/home/alice", 0500);
}
int give_home_to_root() {
    return ::chown("/home/alice", 0, 0);
}
int swap_homes_owner() {
    return ::chown("/home/alice", bob, bob);
}

void PrintTo(const planted& o, std::ostream* out) { // NOLINT(readability-identifier-naming)
    *out << o.name;
}

class admin_obstacle_test : public admin_fmode_test, public testing::WithParamInterface<planted> {};

TEST_P(admin_obstacle_test, is_neither_followed_nor_changed) {
    ASSERT_EQ(GetParam().plant(), 0);
    const bool was_there = exists(link);
    const struct stat before = was_there ? status_of(link) : (struct stat){};
    const std::string text = text_of_link(link);
    expect_error("add alice", 1, {"alice", GetParam().said, "nolink"});
    expect_nothing_left();
    EXPECT_EQ(exists(link), was_there);
    if (was_there) {
        EXPECT_EQ(status_of(link).st_ino, before.st_ino);
        EXPECT_EQ(status_of(link).st_mode, before.st_mode);
        EXPECT_EQ(text_of_link(link), text);
    }
    EXPECT_FALSE(exists("/home/bob/bpf")) << "nobody else's home";
    expect_ok("add alice nolink");
    EXPECT_EQ(mounts_on(place), 1);
}

INSTANTIATE_TEST_SUITE_P(
    obstacles, admin_obstacle_test,
    testing::Values(planted{"link_elsewhere", plant_link_elsewhere, "a link to '/etc'"},
                    planted{"dangling_link", plant_dangling_link, "a link to '/run/bpffs/bob'"},
                    planted{"loop", plant_loop, "a link to 'bpf'"},
                    planted{"directory", plant_directory, "something else"},
                    planted{"fifo", plant_fifo, "something else"},
                    planted{"file", plant_file, "something else"},
                    planted{"home_is_a_link", plant_link_for_home, "symbolic link"},
                    planted{"home_is_a_dangling_link", plant_dangling_home, "symbolic link"},
                    planted{"home_is_a_file", plant_file_for_home, "Not a directory"},
                    planted{"no_home", remove_home, "No such file"},
                    planted{"home_not_writable", close_home, "Permission denied"},
                    planted{"home_of_root", give_home_to_root, "Permission denied"},
                    planted{"home_of_somebody_else", swap_homes_owner, "Permission denied"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(admin_fmode_test, a_link_on_the_way_to_the_home_is_not_followed) {
    ASSERT_EQ(::symlink("/home", "/run/homes"), 0);
    set_accounts("alice:x:1000:1000::/run/homes/alice:/bin/sh\n");
    expect_error("add alice", 1, {"/run/homes/alice", "symbolic link"});
    expect_nothing_left();
    EXPECT_FALSE(exists(link));
}

/// As alice, until killed: now a link elsewhere, now a directory, now nothing.
[[noreturn]] void keep_changing(const char* name) {
    if (::setresgid(alice, alice, alice) != 0 || ::setresuid(alice, alice, alice) != 0) {
        ::_exit(1);
    }
    for (;;) {
        ::unlink(name);
        if (::symlink("/home/bob", name) == 0) {
            ::unlink(name);
        }
        if (::mkdir(name, 0700) == 0) {
            ::rmdir(name);
        }
    }
}

TEST_F(admin_fmode_test, a_user_who_keeps_changing_the_name_gains_nothing) {
    const pid_t child = ::fork();
    if (child == 0) {
        keep_changing(link);
    }
    for (int i = 0; i < 50; i++) {
        const answer got = run_admin("add alice");
        EXPECT_TRUE(got.status == 0 || got.status == 1) << got.err;
        EXPECT_EQ(mounts_on(place), got.status == 0 ? 1 : 0) << got.err;
        EXPECT_EQ(exists("/run/bpffs"), got.status == 0) << "all or nothing";
        if (got.status == 0) {
            expect_ok("remove alice");
            EXPECT_FALSE(exists(place));
            ::rmdir("/run/bpffs");
        }
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_FALSE(exists("/home/bob/bpf"));
    EXPECT_EQ(status_of("/home/bob").st_uid, bob);
}

// list

TEST_F(admin_fmode_test, list_shows_who_has_what) {
    expect_ok("add alice");
    expect_ok("add bob maps hash nolink");
    ASSERT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
    ASSERT_EQ(::mkdir("/run/bpffs/alice/sub", 0755), 0);
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
    ASSERT_EQ(pin(map.get(), "/run/bpffs/alice/sub/deeper"), 0);
    const answer plain = run_admin("list");
    EXPECT_EQ(plain.status, 0) << plain.err;
    EXPECT_TRUE(contains(plain.out, "alice  /run/bpffs/alice  owner alice  mode 0700  pins 2\n"))
        << plain.out;
    EXPECT_TRUE(contains(plain.out, "bob  /run/bpffs/bob  owner bob")) << plain.out;
    EXPECT_TRUE(contains(plain.out, "\tdelegate_maps=hash\n")) << plain.out;
    EXPECT_FALSE(contains(run_admin("list bob").out, "alice"));
}

TEST_F(admin_fmode_test, list_speaks_json) {
    expect_ok("add alice maps hash:array cmds map_create");
    EXPECT_EQ(
        run_admin("-j list alice").out,
        R"({"user":"alice","directory":"/run/bpffs/alice","uid":1000,"gid":1000,)"
        R"("mode":"0700","visible":"all","fmode":true,"cmds":["map_create"],"maps":["hash","array"],)"
        R"("progs":[],"attachs":[],"caps":["bpf"],"pins":0})"
        "\n");
    const std::string all = run_admin("-j list").out;
    EXPECT_EQ(all.front(), '[');
    EXPECT_EQ(all.substr(all.size() - 2), "]\n");
}

TEST_F(admin_fmode_test, everybody_may_list_and_sees_no_foreign_pins) {
    expect_ok("add alice");
    const outcome o = as_user(bob, [] {
        const answer got = run_admin("list");
        return done("", got.status == 0 ? 0 : -EINVAL, contains(got.out, "pins ?"));
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_TRUE(o.seen);
}

// remove

TEST_F(admin_fmode_test, add_and_remove_are_audited_once) {
    if (exists("/run/systemd/journal/socket")) {
        GTEST_SKIP() << "the lines go to the journal";
    }
    const std::string of_alice = " alice '" + std::string(place) + "' by command line\n";
    EXPECT_EQ(run_admin("add alice").err, "bpffs-admin: granted" + of_alice);
    EXPECT_EQ(run_admin("add alice").err, "");
    EXPECT_EQ(run_admin("remove alice").err, "bpffs-admin: withdrawn" + of_alice);
}

TEST_F(admin_fmode_test, what_add_remove_and_clean_refuse_is_audited_once) {
    if (exists("/run/systemd/journal/socket")) {
        GTEST_SKIP() << "the lines go to the journal";
    }
    const std::string refused =
        "bpffs-admin: refused alice '" + std::string(place) + "' by command line: ";
    const auto expect_one_line = [&](const std::string& line, const std::string& why) {
        const answer got = run_admin(line);
        EXPECT_EQ(got.status, 1) << line;
        const std::size_t at = got.err.find(refused);
        ASSERT_NE(at, std::string::npos) << line << ": " << got.err;
        EXPECT_EQ(got.err.find("bpffs-admin: ", at + 1), std::string::npos) << "once: " << got.err;
        EXPECT_NE(got.err.substr(at, got.err.find('\n', at) - at).find(why), std::string::npos)
            << got.err;
    };
    ASSERT_EQ(::symlink("/etc", link), 0);
    expect_one_line("add alice", "a link to '/etc'");
    ASSERT_EQ(::unlink(link), 0);
    expect_one_line("remove alice", "directory");
    expect_ok("add alice");
    expect_one_line("add alice caps bpf:perfmon", "other rights");
    ASSERT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
    expect_one_line("remove alice", "1 pin");
    set_accounts("root:x:0:0::/root:/bin/sh\n");
    expect_one_line("clean", "1 pin");
}

TEST_F(admin_fmode_test, remove_takes_all_of_it_away) {
    expect_ok("add alice");
    expect_ok("remove alice");
    EXPECT_EQ(mounts_on(place), 0);
    EXPECT_FALSE(exists(place));
    EXPECT_FALSE(exists(link));
    expect_error("remove alice", 1, {"alice has no directory"});
    expect_ok("add alice");
}

TEST_F(admin_fmode_test, remove_does_not_lose_pins) {
    expect_ok("add alice");
    ASSERT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
    expect_error("remove alice", 1, {place, "1 pin", "/run/bpffs/alice/m", "force"});
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_TRUE(exists(std::string(place) + "/m"));
    EXPECT_EQ(text_of_link(link), place);
    expect_ok("remove alice force");
    EXPECT_FALSE(exists(place));
    EXPECT_FALSE(exists(link));
}

TEST_F(admin_fmode_test, remove_names_a_few_of_many_pins) {
    expect_ok("add alice");
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
    for (int i = 0; i < 10; i++) {
        ASSERT_EQ(pin(map.get(), std::string(place) + "/m" + std::to_string(i)), 0);
    }
    expect_error("remove alice", 1, {"10 pins", "and 7 more"});
}

TEST_F(admin_fmode_test, remove_does_not_pull_it_from_under_somebody) {
    expect_ok("add alice");
    {
        const handle inside = open_file(place, O_PATH | O_DIRECTORY);
        expect_error("remove alice", 1, {place, "in use"});
        EXPECT_EQ(mounts_on(place), 1);
        EXPECT_EQ(text_of_link(link), place);
    }
    expect_ok("remove alice");
}

TEST_F(admin_fmode_test, remove_leaves_a_foreign_link_alone) {
    expect_ok("add alice");
    ASSERT_EQ(::unlink(link), 0);
    ASSERT_EQ(::symlink("/etc", link), 0);
    expect_ok("remove alice");
    EXPECT_EQ(text_of_link(link), "/etc");
    EXPECT_FALSE(exists(place));
}

TEST_F(admin_fmode_test, remove_works_without_the_account) {
    expect_ok("add alice");
    set_accounts("root:x:0:0::/root:/bin/sh\n");
    EXPECT_TRUE(contains(run_admin("list").out, "owner 1000"));
    expect_ok("remove alice");
    EXPECT_FALSE(exists(place));
}

TEST_F(admin_fmode_test, another_place_works_as_well) {
    ASSERT_EQ(::mkdir("/run/elsewhere", 0755), 0);
    expect_ok("add alice dir /run/elsewhere/");
    EXPECT_EQ(mounts_on("/run/elsewhere/alice"), 1);
    EXPECT_EQ(text_of_link(link), "/run/elsewhere/alice");
    EXPECT_TRUE(contains(run_admin("list dir /run/elsewhere").out, "/run/elsewhere/alice"));
    expect_error("remove alice", 1, {});
    expect_ok("remove alice dir /run/elsewhere");
    EXPECT_FALSE(exists(link));
    EXPECT_TRUE(exists("/run/elsewhere")) << "it was there before";
}

TEST_F(admin_fmode_test, a_view_of_ones_own_keeps_nothing_that_was_taken_away) {
    expect_ok("add alice");
    int ways[2][2] = {};
    ASSERT_EQ(::pipe(ways[0]), 0);
    ASSERT_EQ(::pipe(ways[1]), 0);
    char word = 'x';
    const pid_t child = ::fork();
    if (child == 0) { // in a mount namespace of its own, where it is mounted elsewhere, too
        (void)::unshare(CLONE_NEWNS);
        (void)::mount(place, "/home/alice", nullptr, MS_BIND, nullptr);
        (void)!::write(ways[0][1], &word, 1);
        (void)!::read(ways[1][0], &word, 1);
        ::_exit(as_user(alice, [] { return make_map_in("/home/alice", BPF_MAP_TYPE_HASH); }).error);
    }
    ASSERT_EQ(::read(ways[0][0], &word, 1), 1);
    expect_ok("remove alice");
    ASSERT_EQ(::write(ways[1][1], &word, 1), 1);
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), EROFS) << "neither a token nor a pin";
    for (const auto& way : ways) {
        ::close(way[0]);
        ::close(way[1]);
    }
}

TEST_F(admin_fmode_test, what_could_not_be_taken_away_stays_writable) {
    expect_ok("add alice");
    {
        const handle inside = open_file(place, O_PATH | O_DIRECTORY);
        expect_error("remove alice force", 1, {"in use"});
    }
    ASSERT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
    expect_error("remove alice", 1, {"1 pin"});
    ASSERT_EQ(::unlink((std::string(place) + "/m").c_str()), 0) << "still writable";
    EXPECT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
}

TEST_F(admin_fmode_test, killed_at_any_call_a_removal_loses_no_pin) {
    expect_ok("add alice");
    ASSERT_EQ(as_user(alice, [] { return make_map_in(place, BPF_MAP_TYPE_HASH); }).error, 0);
    const int killed = kill_at_every_call([] { (void)run_admin("remove alice"); },
                                          [&](int call) {
                                              expect_error("remove alice", 1, {"1 pin"});
                                              const std::string at = std::string(place) + "/d";
                                              EXPECT_EQ(::mkdir(at.c_str(), 0755), 0)
                                                  << "writable again, call " << call;
                                              EXPECT_EQ(::rmdir(at.c_str()), 0);
                                          });
    ASSERT_NE(killed, -1);
    EXPECT_GT(killed, 1);
}

} // namespace

} // namespace bpffs_test
