// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Directories that only their owners see, with pam_bpffs as a program that lets people log in has
// it: who sees what, that a change shows in the sessions there are, that nothing is lost as a
// directory goes from one kind to the other, whoever is killed, and that all verbs know of them.
#include "admin_scene.hpp"
#include "kill_everywhere.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <bpffs/bpffs.hpp>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <security/pam_appl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

constexpr const char* base = "/run/bpffs-private";
constexpr const char* hidden = "/run/bpffs-private/alice";
constexpr const char* for_alice = "[[grant]]\nusers = [\"alice\"]\n";
constexpr const char* hidden_for_alice = "[[grant]]\nusers = [\"alice\"]\nvisible = \"owner\"\n";

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void write_policy(const std::string& text) {
    ::mkdir("/run/bpffs.d", 0755);
    std::ofstream("/run/bpffs.d/10.conf") << text;
}

std::string text_of(const std::string& file) {
    std::ifstream from(file);
    return {std::istreambuf_iterator<char>(from), {}};
}

int pin_map(const std::string& at) {
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
    return map.good() ? pin(map.get(), at) : map.error();
}

int no_conversation(int /*count*/, const struct pam_message** /*messages*/,
                    struct pam_response** /*responses*/, void* /*data*/) {
    return PAM_CONV_ERR;
}

/// Whatever this process is from here on is a session of that user. The result of PAM.
int begin_session(const char* user) {
    const pam_conv silent = {no_conversation, nullptr};
    pam_handle_t* handle = nullptr;
    const int started = ::pam_start_confdir("bpffs-test", user, &silent, "/run/pam.d", &handle);
    return started == PAM_SUCCESS ? ::pam_open_session(handle, PAM_SILENT) : started;
}

/// `body` as a user, in a session of theirs.
outcome in_session(const char* user, uid_t uid, const std::function<outcome()>& body) {
    return as({0, 0, {}, all_capabilities}, [&] {
        const int begun = begin_session(user);
        return begun == PAM_SUCCESS ? as_user(uid, body) : done("session", -EPROTO);
    });
}

/// Whether that session has a directory of alice's.
outcome sees_it() {
    return done("", 0,
                contains(text_of("/proc/self/mountinfo"), "/run/bpffs-private/alice") ||
                    ::access("/run/bpffs-private/alice", F_OK) == 0);
}

outcome makes_a_map() {
    outcome o = make_map_in("/home/alice/bpf", BPF_MAP_TYPE_ARRAY);
    o.seen = true;
    return o;
}

/// A session of alice's that goes on, with its working directory there where one is stated.
class session : private waiting_child {
public:
    explicit session(const char* directory = "/")
        : waiting_child([&] {
              return begin_session("alice") == PAM_SUCCESS && become({alice, alice}) &&
                     ::chdir(directory) == 0;
          }) {}

    /// As seen from there.
    [[nodiscard]] std::string operator/(const std::string& file) const {
        return fmt::format("/proc/{}/root{}", pid(), file);
    }
    [[nodiscard]] std::string mounts() const {
        return text_of(fmt::format("/proc/{}/mountinfo", pid()));
    }
};

class admin_private_test : public admin_fmode_test {
protected:
    void SetUp() override {
        admin_fmode_test::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        ASSERT_EQ(::mkdir("/run/pam.d", 0755), 0);
        std::ofstream("/run/pam.d/bpffs-test") << "session required " BPFFS_PAM_MODULE "\n";
        std::ofstream("/run/pam.d/other") << "session required pam_permit.so\n";
    }

    /// None, as it was when the machine came up.
    static void forget_all() {
        const std::string space = std::string(base) + "/.admin/namespace";
        ::umount2(space.c_str(), MNT_DETACH);
        ::umount2(base, MNT_DETACH);
        ::rmdir(base);
    }

    static void expect_it_in_sessions_only(const char* when) {
        EXPECT_FALSE(exists(hidden)) << when;
        EXPECT_FALSE(contains(text_of("/proc/self/mountinfo"), hidden)) << when;
        const outcome mine = in_session("alice", alice, sees_it);
        EXPECT_EQ(mine.error, 0) << when << ", " << mine.step;
        EXPECT_TRUE(mine.seen) << when;
    }
};

// Who sees it

TEST_F(admin_private_test, it_is_in_its_owners_sessions_and_nowhere_else) {
    write_policy(hidden_for_alice);
    expect_ok("apply");
    expect_it_in_sessions_only("after apply");
    EXPECT_FALSE(exists(place));
    EXPECT_FALSE(exists("/run/bpffs")) << "nothing is to be seen there";
    EXPECT_EQ(text_of_link(link), hidden);
    const outcome made = in_session("alice", alice, makes_a_map);
    EXPECT_EQ(made.error, 0) << made.step;
    const outcome again = in_session("alice", alice, [] {
        return done("", 0, ::access("/run/bpffs-private/alice/m", F_OK) == 0);
    });
    EXPECT_TRUE(again.seen) << "each of the sessions has the same one";
    for (const char* who : {"bob", "daemon"}) {
        const outcome others = in_session(who, bob, sees_it);
        EXPECT_FALSE(others.seen) << who;
        EXPECT_EQ(others.error, who == std::string("bob") ? 0 : EPROTO) << "no account";
    }
}

TEST_F(admin_private_test, whoever_has_none_stays_where_they_are) {
    write_policy(std::string(hidden_for_alice) + "[[grant]]\nusers = [\"bob\"]\n");
    const auto same = [](const char* user) {
        return as({0, 0, {}, all_capabilities}, [&] {
            struct stat before = {};
            struct stat after = {};
            const bool good = ::stat("/proc/self/ns/mnt", &before) == 0;
            const int begun = begin_session(user);
            return done("session", begun == PAM_SUCCESS ? 0 : -EPROTO,
                        good && ::stat("/proc/self/ns/mnt", &after) == 0 &&
                            before.st_ino == after.st_ino);
        });
    };
    EXPECT_TRUE(same("alice").seen) << "before there is any";
    expect_ok("apply");
    EXPECT_FALSE(same("alice").seen);
    EXPECT_TRUE(same("bob").seen);
    EXPECT_TRUE(same("root").seen);
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 1);
}

TEST_F(admin_private_test, another_users_session_from_within_does_not_have_it) {
    write_policy(std::string(hidden_for_alice) +
                 "[[grant]]\nusers = [\"bob\"]\nvisible = \"owner\"\n");
    expect_ok("apply");
    for (const bool has_one : {true, false}) {
        const outcome o = as({0, 0, {}, all_capabilities}, [&] {
            // As su does: it is alice who calls it.
            if (begin_session("alice") != PAM_SUCCESS || ::setreuid(alice, 0) != 0 ||
                begin_session("bob") != PAM_SUCCESS) {
                return done("session", -EPROTO);
            }
            const bool own = ::access("/run/bpffs-private/bob", F_OK) == 0;
            return done("", own == has_one ? 0 : -EINVAL, sees_it().seen);
        });
        // The namespace is found by the first process of the machine only where that has this /run.
        EXPECT_FALSE(o.seen) << has_one;
        if (!has_one) {
            EXPECT_EQ(o.error, 0) << o.step;
        }
        write_policy(hidden_for_alice);
        expect_ok("apply");
    }
}

TEST_F(admin_private_test, where_it_is_kept_is_for_root_alone) {
    write_policy(hidden_for_alice);
    expect_ok("apply");
    const outcome o = as_user(bob, [] {
        return failed("open", open_file("/run/bpffs-private/.admin/namespace", O_RDONLY).error());
    });
    EXPECT_EQ(o.error, EACCES);
    EXPECT_EQ(status_of(base).st_uid, 0U);
    EXPECT_EQ(status_of(base).st_mode & 07777U, 0755U);
    const outcome list = as_user(bob, [] {
        const answer got = run_admin("list");
        return done("", got.status == 0 ? 0 : -EINVAL, contains(got.out, "alice"));
    });
    EXPECT_EQ(list.error, 0);
    EXPECT_FALSE(list.seen);
    const outcome diff = as_user(bob, [] {
        const answer got = run_admin("diff");
        return done("", got.status == 0 && !contains(got.out, "+ alice") ? 0 : -EINVAL,
                    contains(got.out + got.err, "only root can look at private directories"));
    });
    EXPECT_EQ(diff.error, 0);
    EXPECT_TRUE(diff.seen);
}

TEST_F(admin_private_test, what_a_session_mounts_there_stays_in_it) {
    write_policy(hidden_for_alice);
    expect_ok("apply");
    const outcome o = as({0, 0, {}, all_capabilities}, [&] {
        return done("mount",
                    begin_session("alice") == PAM_SUCCESS &&
                            ::mount("tmpfs", hidden, "tmpfs", 0, nullptr) == 0
                        ? 0
                        : -EPROTO,
                    in_session("alice", alice, makes_a_map).error == 0);
    });
    EXPECT_EQ(o.error, 0);
    expect_it_in_sessions_only("after a mount in a session");
    EXPECT_EQ(run_admin("diff").out, "");
}

TEST_F(admin_private_test, a_machine_whose_mounts_are_all_made_shared_shows_nothing) {
    write_policy(hidden_for_alice);
    expect_ok("apply");
    ASSERT_EQ(::mount(nullptr, base, nullptr, MS_SHARED, nullptr), 0); // mount --make-rshared /
    const session open;
    EXPECT_TRUE(exists(open / hidden));
    EXPECT_FALSE(exists(hidden));
    EXPECT_FALSE(contains(text_of("/proc/self/mountinfo"), hidden));
}

// What changes while sessions are there

TEST_F(admin_private_test, changes_show_in_the_sessions_there_are) {
    write_policy(hidden_for_alice);
    expect_ok("apply");
    ASSERT_EQ(in_session("alice", alice, makes_a_map).error, 0);
    const session open;
    const std::string map = open / "/run/bpffs-private/alice/m";
    const std::uint32_t id = bpffs::inspect(map).id;
    write_policy(std::string(hidden_for_alice) + "maps = \"array\"\n");
    expect_error("apply", 1, {hidden, "1 pin", "apply alice force"});
    EXPECT_FALSE(contains(open.mounts(), "delegate_maps=array,"));
    expect_ok("apply force");
    EXPECT_TRUE(contains(open.mounts(), "delegate_maps=array,")) << open.mounts();
    EXPECT_EQ(bpffs::inspect(map).id, id);
    EXPECT_EQ(status_of(map).st_uid, alice);
    EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
    expect_ok("remove alice force");
    EXPECT_FALSE(exists(map));
    EXPECT_FALSE(exists(open / hidden)) << "nor its name";
    expect_ok("apply");
    EXPECT_TRUE(contains(open.mounts(), hidden)) << "given again, and at once";
}

TEST_F(admin_private_test, it_is_not_pulled_from_under_a_session) {
    write_policy(hidden_for_alice);
    expect_ok("apply");
    {
        const session inside(hidden);
        expect_error("remove alice", 1, {hidden, "in use", "session"});
        write_policy(for_alice);
        expect_error("apply", 1, {hidden, "in use", "session"});
        EXPECT_FALSE(exists(place)) << "all or nothing";
        EXPECT_EQ(pin_map(inside / "/run/bpffs-private/alice/m"), 0) << "writable";
        EXPECT_EQ(::unlink((inside / "/run/bpffs-private/alice/m").c_str()), 0);
        write_policy("");
        expect_error("apply", 1, {hidden, "in use", "session"});
    }
    expect_ok("apply");
    EXPECT_EQ(run_admin("list").out, "");
}

// From one kind to the other

TEST_F(admin_private_test, who_is_to_see_it_is_changed_without_losing_pins) {
    const char* texts[] = {for_alice, hidden_for_alice};
    const char* places[] = {place, hidden};
    write_policy(texts[0]);
    expect_ok("apply");
    ASSERT_EQ(as_user(alice, makes_a_map).error, 0);
    const std::uint32_t id = bpffs::inspect(std::string(place) + "/m").id;
    for (const int now : {1, 0}) {
        write_policy(texts[now]);
        const std::string words = now == 1 ? "visible all, now owner" : "visible owner, now all";
        EXPECT_EQ(run_admin("diff").out,
                  fmt::format("~ alice '{}' by /run/bpffs.d/10.conf:1: {}\n", places[now], words));
        expect_error("apply", 1, {places[1 - now], "1 pin", "apply alice force"});
        EXPECT_EQ(exists(place), now == 1) << "as it was";
        const answer got = run_admin("apply force");
        EXPECT_EQ(got.status, 0) << got.err;
        EXPECT_TRUE(contains(got.out, words)) << got.out;
        EXPECT_EQ(exists(place), now == 0);
        EXPECT_EQ(text_of_link(link), places[now]) << "the link leads there";
        EXPECT_EQ(status_of(link).st_uid, alice);
        EXPECT_EQ(run_admin("diff").out, "");
        EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
        const session open;
        EXPECT_EQ(bpffs::inspect(open / (std::string(places[now]) + "/m")).id, id);
        EXPECT_EQ(pin_map(open / (std::string(places[now]) + "/n")), 0) << "writable";
        EXPECT_EQ(::unlink((open / (std::string(places[now]) + "/n")).c_str()), 0);
        EXPECT_EQ(exists(open / hidden), now == 1);
    }
}

TEST_F(admin_private_test, an_empty_one_goes_over_without_a_word_and_keeps_its_mode) {
    write_policy(for_alice);
    expect_ok("apply");
    ASSERT_EQ(::chmod(place, 01750), 0);
    write_policy(hidden_for_alice);
    expect_ok("login alice");
    EXPECT_FALSE(exists(place));
    const session open;
    EXPECT_EQ(status_of(open / hidden).st_mode & 07777U, 01750U);
}

TEST_F(admin_private_test, one_given_by_hand_is_left_alone) {
    expect_ok("add alice");
    ASSERT_EQ(::unlink(link), 0);
    write_policy(hidden_for_alice);
    expect_ok("apply");
    EXPECT_EQ(mounts_on(place), 1);
    expect_it_in_sessions_only("beside one that was given by hand");
    expect_error("save /run/saves", 1, {"place among the saves"});
    expect_ok("remove alice"); // what all see, first
    EXPECT_FALSE(exists(place));
    expect_ok("remove alice");
    EXPECT_EQ(run_admin("list").out, "");
}

TEST_F(admin_private_test, killed_at_any_call_it_is_hidden_or_not_there) {
    write_policy(hidden_for_alice);
    const int killed = kill_at_every_call([] { (void)run_admin("apply"); },
                                          [&](int call) {
                                              const std::string when = fmt::format("call {}", call);
                                              EXPECT_FALSE(exists(hidden)) << when;
                                              expect_ok("apply");
                                              expect_it_in_sessions_only(when.c_str());
                                              expect_ok("remove alice");
                                              forget_all();
                                          });
    ASSERT_NE(killed, -1);
    EXPECT_GT(killed, 10);
}

TEST_F(admin_private_test, killed_at_any_call_no_pin_is_lost_on_the_way) {
    const char* texts[] = {for_alice, hidden_for_alice};
    write_policy(hidden_for_alice);
    expect_ok("apply");
    const session open; // which has what there is to be of hers
    for (const int turn : {1, 0}) {
        write_policy(texts[1 - turn]);
        expect_ok("apply force");
        const auto map = [&](const char* name) {
            const std::string own = std::string(place) + name;
            return exists(own) ? own : open / (std::string(hidden) + name);
        };
        if (turn == 1) {
            ASSERT_EQ(pin_map(std::string(place) + "/m"), 0);
        }
        const std::uint32_t id = bpffs::inspect(map("/m")).id;
        write_policy(texts[turn]);
        const int killed = kill_at_every_call(
            [] { (void)run_admin("apply force"); },
            [&](int call) {
                EXPECT_EQ(bpffs::inspect(map("/m")).id, id) << "call " << call;
                expect_ok("apply force");
                EXPECT_EQ(bpffs::inspect(map("/m")).id, id) << "call " << call;
                EXPECT_EQ(exists(place), turn == 0) << "call " << call;
                EXPECT_EQ(contains(open.mounts(), hidden), turn == 1) << "call " << call;
                EXPECT_EQ(pin_map(map("/m") + "2"), 0) << "writable, call " << call;
                ::unlink((map("/m") + "2").c_str());
                EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
                write_policy(texts[1 - turn]);
                expect_ok("apply force");
                write_policy(texts[turn]);
            });
        ASSERT_NE(killed, -1);
        EXPECT_GT(killed, 8);
        expect_ok("apply force");
    }
}

TEST_F(admin_private_test, killed_at_any_call_a_replacement_shows_in_the_sessions) {
    const std::string texts[] = {std::string(hidden_for_alice) + "maps = \"hash\"\n",
                                 std::string(hidden_for_alice) + "maps = \"array\"\n"};
    write_policy(texts[0]);
    expect_ok("apply");
    const session open;
    const std::string map = open / "/run/bpffs-private/alice/m";
    ASSERT_EQ(pin_map(map), 0);
    const std::uint32_t id = bpffs::inspect(map).id;
    int turn = 1;
    write_policy(texts[turn]);
    const int killed = kill_at_every_call(
        [] { (void)run_admin("apply force"); },
        [&](int call) {
            EXPECT_EQ(bpffs::inspect(map).id, id) << "call " << call;
            expect_ok("apply force");
            EXPECT_EQ(bpffs::inspect(map).id, id) << "call " << call;
            EXPECT_TRUE(
                contains(open.mounts(), turn == 1 ? "delegate_maps=array," : "delegate_maps=hash,"))
                << "call " << call;
            EXPECT_FALSE(
                contains(open.mounts(), turn == 0 ? "delegate_maps=array," : "delegate_maps=hash,"))
                << "the old one is gone, call " << call;
            EXPECT_EQ(pin_map(map + "2"), 0) << "writable, call " << call;
            ::unlink((map + "2").c_str());
            turn = 1 - turn;
            write_policy(texts[turn]);
        });
    ASSERT_NE(killed, -1);
    EXPECT_GT(killed, 8);
}

TEST_F(admin_private_test, two_at_once_make_one) {
    write_policy(hidden_for_alice);
    expect_ok_four_at_once("apply");
    const session open;
    const std::string table = open.mounts();
    const std::size_t first = table.find(std::string(" ") + hidden + " ");
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(table.find(std::string(" ") + hidden + " ", first + 1), std::string::npos);
}

// The other verbs

TEST_F(admin_private_test, list_clean_and_remove_know_it) {
    write_policy(hidden_for_alice);
    expect_ok("apply");
    EXPECT_TRUE(contains(run_admin("list").out,
                         "alice  /run/bpffs-private/alice  owner alice  mode 0700  pins 0\n"));
    EXPECT_TRUE(
        contains(run_admin("-j list alice").out, R"("directory":"/run/bpffs-private/alice",)"));
    EXPECT_TRUE(contains(run_admin("-j list alice").out, R"("visible":"owner")"));
    EXPECT_EQ(run_admin("list dir /run/bpffs").out, "");
    const outcome own = in_session("alice", alice, [] {
        return done("", 0, contains(run_admin("list").out, "/run/bpffs-private/alice"));
    });
    EXPECT_TRUE(own.seen);
    set_accounts("root:x:0:0::/root:/bin/sh\n");
    const answer got = run_admin("clean");
    EXPECT_TRUE(contains(got.out, "'/run/bpffs-private/alice' removed")) << got.out << got.err;
    EXPECT_EQ(run_admin("list").out, "");
    expect_error("remove alice dir /run/bpffs-private", 1, {"alice has no directory", hidden});
}

TEST_F(admin_private_test, what_the_policy_gives_no_more_goes) {
    write_policy(hidden_for_alice);
    expect_ok("apply");
    write_policy("");
    EXPECT_EQ(run_admin("diff").out, "- alice '/run/bpffs-private/alice' by no policy file\n");
    const answer got = run_admin("apply");
    EXPECT_TRUE(contains(got.out, "withdrawn alice '/run/bpffs-private/alice'")) << got.out;
    EXPECT_FALSE(exists(link));
    EXPECT_EQ(run_admin("list").out, "");
}

TEST_F(admin_private_test, what_persists_comes_back_to_whoever_is_to_see_it) {
    ASSERT_EQ(::mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=0755"), 0); // of this namespace
    const std::string persist = "persist = true\n";
    write_policy(hidden_for_alice + persist);
    expect_ok("apply");
    ASSERT_EQ(in_session("alice", alice, makes_a_map).error, 0);
    write_policy(for_alice + persist); // changed, and not applied
    EXPECT_TRUE(contains(run_admin("save").out, "'/run/bpffs-private/alice': 1 map"));
    expect_ok("remove alice force");
    expect_ok("apply");
    EXPECT_EQ(status_of(std::string(place) + "/m").st_uid, alice);
    expect_ok("remove alice force");
    write_policy(hidden_for_alice + persist);
    const answer again = run_admin("apply");
    EXPECT_TRUE(contains(again.out, "1 map brought back")) << again.out << again.err;
    const session open;
    EXPECT_EQ(status_of(open / "/run/bpffs-private/alice/m").st_uid, alice);
    ::umount2("/var/lib", MNT_DETACH);
}

TEST_F(admin_private_test, users_save_and_restore_their_own) {
    write_policy(hidden_for_alice);
    expect_ok("apply");
    ASSERT_EQ(in_session("alice", alice, makes_a_map).error, 0);
    for (const char* line : {"save", "restore"}) {
        const outcome o = in_session("alice", alice, [&] {
            ::unsetenv("XDG_STATE_HOME");
            const answer got = run_admin(line);
            const bool good = contains(got.out, "'/run/bpffs-private/alice': 1 map");
            ::unlink("/run/bpffs-private/alice/m");
            return done(line, got.status == 0 ? 0 : -EINVAL, good);
        });
        EXPECT_EQ(o.error, 0) << line;
        EXPECT_TRUE(o.seen) << line;
    }
    EXPECT_TRUE(exists("/home/alice/.local/state/bpffs/run/bpffs/alice"));
}

} // namespace

} // namespace bpffs_test
