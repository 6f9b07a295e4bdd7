// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-admin among many: one who cannot be served keeps nobody else waiting, two names of one user
// are one user, and what there is to look up is looked up once, however many there are.
#include "admin_scene.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include <boost/filesystem/operations.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

void write_policy(const std::string& text) {
    ::mkdir("/run/bpffs.d", 0755);
    std::ofstream("/run/bpffs.d/10.conf") << text;
}

constexpr const char* for_both = "[[grant]]\nusers = [\"alice\", \"bob\"]\n";

// Homes that do not answer

/// A file system whose server has taken it and never says a word.
class hanging {
public:
    explicit hanging(const char* directory)
        : directory_(directory), server_(::open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
        const std::string options =
            fmt::format("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", server_);
        good_ = server_ >= 0 &&
                ::mount("hanging", directory, "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
    }
    hanging(const hanging&) = delete;
    hanging& operator=(const hanging&) = delete;
    hanging(hanging&&) = delete;
    hanging& operator=(hanging&&) = delete;
    ~hanging() {
        ::close(server_); // whoever waits is told ENOTCONN
        if (good_) {
            ::umount2(directory_, MNT_DETACH);
        }
    }
    [[nodiscard]] bool good() const { return good_; }

private:
    const char* directory_;
    int server_;
    bool good_ = false;
};

TEST_F(admin_fmode_test, a_home_that_does_not_answer_keeps_nobody_waiting) {
    const hanging home("/home/alice");
    BPFFS_NEEDS("fuse", home.good() ? "" : "no /dev/fuse");
    write_policy(for_both);
    ASSERT_EQ(status_in_time("apply"), 1) << "alice is told of, in time";
    EXPECT_EQ(mounts_on(place), 0) << "all or nothing";
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 1);
    EXPECT_EQ(text_of_link("/home/bob/bpf"), "/run/bpffs/bob");
    expect_error("apply", 1, {"home of alice, '/home/alice'", "does not answer", "link = false"});
    EXPECT_EQ(status_in_time("add alice"), 1);
    EXPECT_EQ(mounts_on(place), 0);
    expect_ok("add alice nolink");
    EXPECT_EQ(status_in_time("diff"), 1) << "whether a link is missing cannot be told";
    EXPECT_EQ(status_in_time("remove alice"), 0) << "the link, if there is one, is alice's own";
    EXPECT_FALSE(exists(place));
}

TEST_F(admin_fmode_test, a_home_that_does_not_answer_stops_no_change) {
    write_policy(std::string(for_both) + "mode = \"0700\"\n");
    expect_ok("apply");
    ASSERT_EQ(::chmod(place, 0755), 0);
    const hanging home("/home/alice");
    BPFFS_NEEDS("fuse", home.good() ? "" : "no /dev/fuse");
    ASSERT_EQ(status_in_time("apply"), 1);
    EXPECT_EQ(status_of(place).st_mode & 0777U, 0700U);
    write_policy("[[grant]]\nusers = [\"bob\"]\n");
    ASSERT_EQ(status_in_time("apply"), 0);
    EXPECT_EQ(mounts_on(place), 0) << "taken away all the same";
}

/// The process that goes into homes; -1 where there is none that lives.
pid_t visitor() {
    for (const auto& each : boost::filesystem::directory_iterator("/proc")) {
        std::ifstream from(each.path().native() + "/stat");
        pid_t number = -1;
        std::string name;
        char state = 'Z';
        if (from >> number >> name >> state && name == "(bpffs-homes)" && state != 'Z') {
            return number;
        }
    }
    return -1;
}

/// Waits a moment for one, or for none.
bool comes_to(bool there) {
    for (int tries = 0; tries < 200; tries++) {
        if ((visitor() >= 0) == there) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

TEST_F(admin_fmode_test, who_hangs_in_a_home_ends_with_who_has_sent_it) {
    const hanging home("/home/alice");
    BPFFS_NEEDS("fuse", home.good() ? "" : "no /dev/fuse");
    ASSERT_TRUE(comes_to(false));
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(run_admin("add alice").status);
    }
    EXPECT_TRUE(comes_to(true));
    std::this_thread::sleep_for(std::chrono::milliseconds(200)); // until it is in there
    const pid_t gone = visitor();
    EXPECT_EQ(boost::filesystem::read_symlink(fmt::format("/proc/{}/cwd", gone)), "/");
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(comes_to(false));
}

TEST_F(admin_fmode_test, nobody_waits_for_a_home_with_whoever_waits_for_it) {
    expect_ok("add bob nolink"); // and there is a lock
    const hanging home("/home/alice");
    BPFFS_NEEDS("fuse", home.good() ? "" : "no /dev/fuse");
    write_policy("[[grant]]\nusers = [\"alice\"]\n");
    for (const char* line : {"apply", "login alice"}) {
        ASSERT_TRUE(comes_to(false));
        const pid_t child = ::fork();
        if (child == 0) {
            ::_exit(run_admin(line).status);
        }
        EXPECT_TRUE(comes_to(true)) << "it waits for the home: " << line;
        {
            const handle lock = open_file("/run/bpffs-admin.lock", O_RDWR);
            EXPECT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), 0) << line;
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(WEXITSTATUS(status), 1) << "alice is told of: " << line;
    }
}

TEST_F(admin_fmode_test, homes_are_visited_where_nothing_is_open) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::close_range(0, ~0U, 0);
        ::_exit(run_admin("add alice").status);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(text_of_link(link), place);
}

// Groups that nobody can be asked about

TEST_F(admin_fmode_test, a_refusal_that_cannot_be_told_gives_nothing) {
    write_policy(std::string(for_both) + "[[refuse]]\nusers = [\"@daemon\", \"bob\"]\n");
    let_groups_fail();
    for (const char* line : {"login alice", "apply alice", "show alice"}) {
        expect_error(line, 1, {"/run/bpffs.d/10.conf:3", "alice", "groups", "Input/output error"});
        EXPECT_EQ(mounts_on(place), 0) << line;
    }
    expect_ok("login bob"); // refused by name, whatever the groups are
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 0);
    let_groups_answer();
    expect_ok("login alice");
    let_groups_fail();
    expect_error("login alice", 1, {"10.conf:3"});
    EXPECT_EQ(mounts_on(place), 1) << "nor is anything taken away";
    expect_error("apply", 1, {"10.conf:3", "alice", "Input/output error"});
    EXPECT_EQ(mounts_on(place), 1);
    write_policy(for_both); // no rule names a group
    expect_ok("login alice");
    expect_ok("apply");
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 1);
}

// The policy of the moment

TEST_F(admin_fmode_test, who_has_waited_applies_the_policy_of_now) {
    write_policy("[[grant]]\nusers = [\"alice\"]\n");
    expect_ok("apply");
    expect_ok("remove alice");
    for (const char* line : {"apply", "apply alice", "login alice"}) {
        write_policy("[[grant]]\nusers = [\"alice\"]\n");
        const handle held = open_file("/run/bpffs-admin.lock", O_RDWR);
        ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(held.get()); // the lock is the parent's
            ::_exit(run_admin(line).status);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(700));
        write_policy("[[refuse]]\nusers = [\"alice\"]\n");
        ::flock(held.get(), LOCK_UN);
        int status = -1;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(WEXITSTATUS(status), 0) << line;
        EXPECT_EQ(mounts_on(place), 0) << line << ": she was refused before its turn came";
    }
}

// One user with two names

constexpr const char* with_alicia = "root:x:0:0::/root:/bin/sh\n"
                                    "alice:x:1000:1000::/home/alice:/bin/sh\n"
                                    "alicia:x:1000:1000::/home/alice:/bin/sh\n"
                                    "bob:x:1001:1001::/home/bob:/bin/sh\n";

TEST_F(admin_fmode_test, two_names_of_one_user_get_one_directory) {
    set_accounts(with_alicia);
    write_policy("[[grant]]\nusers = [\"1000-1001\"]\n");
    expect_ok("apply");
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_FALSE(exists("/run/bpffs/alicia"));
    EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
    expect_ok("remove alice");
    expect_ok("login alicia"); // who is alice
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_FALSE(exists("/run/bpffs/alicia"));
}

TEST_F(admin_fmode_test, a_second_name_with_rights_of_its_own_is_an_error) {
    set_accounts(with_alicia);
    write_policy("[[refuse]]\nusers = [\"alice\"]\n[[grant]]\nusers = [\"alicia\", \"bob\"]\n");
    for (const char* line : {"apply", "diff", "check"}) {
        expect_error(line, 1, {"alicia", "uid 1000", "'alice'"});
    }
    EXPECT_FALSE(exists("/run/bpffs/alicia")) << "a refusal is not gone round by another name";
    EXPECT_FALSE(exists(place));
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 1);
    for (const char* line : {"add alicia", "apply alicia", "show alicia"}) {
        expect_error(line, 2, {"'alicia'", "uid 1000", "'alice'"});
    }
}

TEST_F(admin_fmode_test, of_two_entries_of_one_name_the_first_counts) {
    set_accounts("alice:x:1000:1000::/home/alice:/bin/sh\n"
                 "alice:x:1001:1001::/home/bob:/bin/sh\n");
    write_policy("[[grant]]\nusers = [\"alice\"]\n");
    expect_ok("apply");
    EXPECT_TRUE(has_option(mount_options(place), "uid=1000")) << mount_options(place);
    EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
}

// Memory

constexpr const char* bound = "/run/systemd/system/user-1000.slice.d/50-bpffs.conf";

std::string text_of(const std::string& file) {
    std::ifstream from(file);
    return {std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()};
}

TEST_F(admin_fmode_test, memory_is_bounded_by_the_users_slice) {
    const std::string grant = "[[grant]]\nusers = [\"alice\"]\n";
    write_policy(grant + "memory = \"64M\"\n");
    expect_error("apply", 1, {"alice", "systemd does not run here", "user-1000.slice"});
    EXPECT_EQ(mounts_on(place), 0) << "what is to be bounded is not given unbounded";
    boost::filesystem::create_directories("/run/systemd/system"); // as where it runs
    expect_ok("apply");
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_NE(text_of(bound).find("[Slice]\nMemoryMax=67108864\n"), std::string::npos);
    EXPECT_EQ(status_of(bound).st_mode & 07777U, 0644U);
    EXPECT_EQ(run_admin("apply").out, "nothing to change\n");
    write_policy(grant + "memory = \"1G\"\n");
    EXPECT_EQ(run_admin("diff").out,
              "~ alice '/run/bpffs/alice' by /run/bpffs.d/10.conf:1: memory 64M, now 1G\n");
    expect_ok("apply");
    EXPECT_NE(text_of(bound).find("MemoryMax=1073741824\n"), std::string::npos);
    write_policy(grant);
    expect_ok("apply");
    EXPECT_FALSE(exists(bound));
    EXPECT_FALSE(exists("/run/systemd/system/user-1000.slice.d"));
}

TEST_F(admin_fmode_test, a_bound_goes_with_the_directory) {
    boost::filesystem::create_directories("/run/systemd/system");
    const std::string grant = "[[grant]]\nusers = [\"alice\"]\nmemory = \"64M\"\n";
    write_policy(grant);
    ASSERT_EQ(::symlink("/etc", link), 0); // planted
    expect_error("apply", 1, {"a link to '/etc'"});
    EXPECT_FALSE(exists(bound)) << "all or nothing";
    ASSERT_EQ(::unlink(link), 0);
    for (const char* way : {"remove alice", "apply", "clean"}) {
        write_policy(grant);
        expect_ok("apply");
        ASSERT_TRUE(exists(bound));
        write_policy("");
        if (std::string(way) == "clean") {
            set_accounts("root:x:0:0::/root:/bin/sh\n");
        }
        expect_ok(way);
        EXPECT_FALSE(exists(bound)) << way;
    }
}

TEST_F(admin_fmode_test, a_bound_stays_with_the_directory_that_takes_the_place) {
    boost::filesystem::create_directories("/run/systemd/system");
    const std::string grant = "[[grant]]\nusers = [\"alice\"]\nlink = false\nmemory = \"64M\"\n";
    write_policy(grant);
    expect_ok("apply");
    write_policy(grant + "directory = \"/run/other\"\n");
    expect_ok("apply");
    EXPECT_EQ(mounts_on("/run/other/alice"), 1);
    EXPECT_EQ(mounts_on(place), 0);
    EXPECT_TRUE(exists(bound));
    expect_ok("add alice nolink");
    expect_ok("remove alice");
    EXPECT_TRUE(exists(bound)) << "the other one is still there";
    expect_ok("remove alice dir /run/other");
    EXPECT_FALSE(exists(bound));
}

class admin_systemd_test : public admin_fmode_test {
protected:
    static constexpr const char* untold = "/run/bpffs-admin.reload";
    static constexpr const char* tool = "/usr/bin/systemctl";

    void SetUp() override {
        admin_fmode_test::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        boost::filesystem::create_directories("/run/systemd/system");
        std::ofstream("/run/systemd/private") << "";
        let_systemctl("exit 1");
        ASSERT_EQ(::chmod("/run/systemctl", 0755), 0);
        ASSERT_EQ(::mount("/run/systemctl", tool, nullptr, MS_BIND, nullptr), 0);
    }
    void TearDown() override {
        ::umount2(tool, MNT_DETACH);
        admin_fmode_test::TearDown();
    }
    static void let_systemctl(const std::string& script) {
        std::ofstream("/run/systemctl") << "#!/bin/sh\n" << script << '\n';
    }
};

TEST_F(admin_systemd_test, knows_of_a_bound_before_the_directory_is_given) {
    const std::string bob_too = "[[grant]]\nusers = [\"bob\"]\n[[grant]]\nusers = [\"alice\"]\n";
    write_policy(bob_too + "memory = \"64M\"\n");
    expect_error("apply", 1, {"refused alice", "systemd has not been told"});
    EXPECT_EQ(mounts_on(place), 0) << "it would be unbounded";
    EXPECT_FALSE(exists(bound));
    EXPECT_EQ(mounts_on("/run/bpffs/bob"), 1) << "who is not to be bounded";
    EXPECT_TRUE(exists(untold));
    let_systemctl("[ -e " + std::string(bound) + " ] && ! grep -q ' " + place +
                  " ' /proc/self/mountinfo");
    expect_ok("apply");
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_FALSE(exists(untold));
    let_systemctl("exit 1");
    write_policy(bob_too + "memory = \"1G\"\n");
    expect_error("apply", 1, {"refused alice", "systemd has not been told"});
    EXPECT_NE(text_of(bound).find("MemoryMax=67108864\n"), std::string::npos) << "all or nothing";
    EXPECT_EQ(mounts_on(place), 1);
}

TEST_F(admin_systemd_test, is_told_what_a_killed_apply_has_not) {
    write_policy("[[grant]]\nusers = [\"alice\"]\nmemory = \"64M\"\n");
    let_systemctl("echo x >> /run/told");
    expect_ok("apply");
    expect_ok("apply");
    EXPECT_EQ(text_of("/run/told"), "x\n") << "where nothing is new it is left alone";
    std::ofstream(untold) << "";
    let_systemctl("exit 1");
    expect_error("apply", 1, {"systemd has not been told"});
    EXPECT_EQ(mounts_on(place), 1) << "what is there stays";
    let_systemctl("echo y >> /run/told");
    expect_ok("apply");
    EXPECT_EQ(text_of("/run/told"), "x\ny\n");
    EXPECT_FALSE(exists(untold));
}

TEST_F(admin_systemd_test, is_told_whatever_the_caller_has_set) {
    write_policy("[[grant]]\nusers = [\"alice\"]\nmemory = \"64M\"\n");
    // Not a shell's variables, which it makes itself.
    let_systemctl("tr '\\0' '\\n' < /proc/$$/environ > /run/told");
    const pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGCHLD, SIG_IGN);
        ::setenv("PATH", "/nowhere", 1);
        ::setenv("SYSTEMD_OFFLINE", "1", 1);
        ::_exit(run_admin("apply").status);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(mounts_on(place), 1);
    EXPECT_EQ(text_of("/run/told"), "PATH=/usr/sbin:/usr/bin\nLC_ALL=C\n");
}

TEST_F(admin_systemd_test, that_never_answers_is_not_waited_for) {
    write_policy("[[grant]]\nusers = [\"alice\"]\nmemory = \"64M\"\n");
    let_systemctl("exec sleep 100");
    const auto start = std::chrono::steady_clock::now();
    expect_error("apply", 1, {"systemd has not been told"});
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(40));
    EXPECT_EQ(mounts_on(place), 0);
}

TEST_F(admin_fmode_test, a_bound_that_stays_makes_no_refusal_of_what_is_gone) {
    if (exists("/run/systemd/journal/socket")) {
        GTEST_SKIP() << "the lines go to the journal";
    }
    boost::filesystem::create_directories("/run/systemd/system");
    ASSERT_EQ(::mount("tmpfs", "/run/systemd/system", "tmpfs", 0, "mode=0755"), 0);
    const auto writable = [](unsigned long flag) {
        return ::mount(nullptr, "/run/systemd/system", nullptr, MS_REMOUNT | flag, nullptr);
    };
    const std::string withdrawn = "withdrawn alice '" + std::string(place) + "'";
    for (const char* way : {"remove alice", "-j remove alice", "apply", "clean"}) {
        write_policy("[[grant]]\nusers = [\"alice\"]\nmemory = \"64M\"\n");
        expect_ok("apply");
        write_policy("");
        if (std::string(way) == "clean") {
            set_accounts("root:x:0:0::/root:/bin/sh\n");
        }
        ASSERT_EQ(writable(MS_RDONLY), 0);
        const answer got = run_admin(way);
        EXPECT_EQ(got.status, 1) << way;
        EXPECT_NE(got.err.find(withdrawn), std::string::npos) << way << ": " << got.err;
        EXPECT_EQ(got.err.find("refused"), std::string::npos) << way << ": " << got.err;
        EXPECT_NE((got.out + got.err).find("uid 1000 stays bounded"), std::string::npos)
            << way << ": " << got.out << got.err;
        if (std::string(way).starts_with("-j")) {
            expect_json(got, {R"("user":"alice")", "link_removed", "error"});
        }
        EXPECT_FALSE(exists(place)) << way;
        EXPECT_TRUE(exists(bound)) << way;
        ASSERT_EQ(writable(0), 0);
    }
    expect_ok("clean");
    EXPECT_FALSE(exists(bound));
    ::umount2("/run/systemd/system", MNT_DETACH);
}

TEST_F(admin_test, a_map_counts_for_the_cgroup_of_who_makes_it) {
    const own_cgroup group;
    ASSERT_EQ(group.error(), 0);
    std::ofstream(group.root() + "/cgroup.subtree_control") << "+memory";
    std::ofstream(group / "memory.max") << "16M";
    BPFFS_NEEDS("memcg", text_of(group / "memory.max") == "16777216\n" ? "" : "no memory.max");
    const auto make = [&](std::uint32_t entries) {
        return as({0, 0, {}, all_capabilities}, [&] {
            std::ofstream(group / "cgroup.procs") << ::getpid() << std::flush;
            const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4096, entries);
            return map.good() ? outcome() : failed("create", map.error());
        });
    };
    EXPECT_EQ(make(100).error, 0);
    EXPECT_EQ(make(16384).error, ENOMEM) << "64 MiB";
}

// One document

TEST_F(admin_fmode_test, with_errors_json_is_still_one_document) {
    ASSERT_EQ(::symlink("/etc", link), 0); // planted
    write_policy(for_both);
    const answer applied = run_admin("-j apply");
    EXPECT_EQ(applied.status, 1);
    expect_json(applied, {R"("event":"granted","user":"bob")", R"({"error":"alice: )"});
    expect_ok("add alice nolink");
    const answer compared = run_admin("-j diff");
    EXPECT_EQ(compared.status, 1);
    expect_json(compared, {"a link to '/etc'"});
    expect_json(run_admin("-j login alice"), {"error"});
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
    ASSERT_EQ(pin(map.get(), std::string(place) + "/m"), 0);
    set_accounts("root:x:0:0::/root:/bin/sh\n");
    const answer cleaned = run_admin("-j clean");
    EXPECT_EQ(cleaned.status, 1);
    expect_json(cleaned, {R"("user":"bob")", "alice is no user any more"});
    ASSERT_EQ(::mkdir("/run/open", 0700), 0);
    ASSERT_EQ(::chmod("/run/open", 0777), 0);
    expect_json(run_admin("-j save /run/open"), {"changed by others"});
}

// What is looked up

/// How often these are opened: where all users are, their groups, and what is mounted.
class opens {
public:
    opens() {
        for (const char* file : {"/etc/passwd", "/etc/group", "/proc/self/mountinfo"}) {
            // The closing, too: of several events in a row that are the same, one is told.
            EXPECT_GE(::inotify_add_watch(queue_, file, IN_OPEN | IN_CLOSE_NOWRITE), 0) << file;
        }
    }
    opens(const opens&) = delete;
    opens& operator=(const opens&) = delete;
    opens(opens&&) = delete;
    opens& operator=(opens&&) = delete;
    ~opens() { ::close(queue_); }

    /// Since the last time.
    [[nodiscard]] int count() const {
        int all = 0;
        inotify_event event = {}; // of a file, not of a name in a directory: of fixed size
        while (::read(queue_, &event, sizeof event) == sizeof event) {
            all += (event.mask & IN_OPEN) != 0 ? 1 : 0;
        }
        return all;
    }

private:
    int queue_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
};

class admin_many_test : public admin_fmode_test {
protected:
    /// How often each command opens them, where there are so many users.
    std::map<std::string, int> opened_for(int users) {
        std::string accounts = "root:x:0:0::/root:/bin/sh\n";
        std::string named;
        for (int user = 2000; user < 2000 + users; user++) {
            accounts += fmt::format("u{0}:x:{0}:{0}::/home/u{0}:/bin/sh\n", user);
            named += fmt::format("\"u{}\", ", user);
        }
        set_accounts(accounts);
        write_policy(fmt::format("[[grant]]\nusers = [{}\"@daemon\"]\n[[grant]]\n"
                                 "users = [\"2000-2999\"]\ngroup = \"daemon\"\npersist = true\n",
                                 named));
        std::map<std::string, int> all;
        const opens watched;
        const auto run = [&](const std::string& line, const std::string& as) {
            expect_ok(line);
            all[as] = watched.count();
        };
        run("apply", "apply, all of it");
        for (const char* line : {"apply", "list", "-j list", "diff", "check", "save", "clean"}) {
            run(line, line);
        }
        EXPECT_EQ(mounts_on("/run/bpffs/u2000"), 1);
        (void)watched.count();
        write_policy("");
        run("apply", "apply, which takes away");
        EXPECT_FALSE(exists("/run/bpffs/u2000"));
        write_policy("[[grant]]\nusers = [\"2000-2999\"]\npersist = true\n");
        run("apply", "apply, which brings back");
        write_policy("");
        expect_ok("apply");
        return all;
    }
};

TEST_F(admin_many_test, what_all_need_is_looked_up_once) {
    ASSERT_EQ(::mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=0755"), 0); // of this namespace
    const auto some = opened_for(20);
    const auto many = opened_for(60);
    for (const auto& [line, times] : some) {
        EXPECT_EQ(many.at(line), times) << line << ": more users, more look-ups";
    }
    ::umount2("/var/lib", MNT_DETACH);
}

} // namespace

} // namespace bpffs_test
