// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The private /run, /home and /etc/passwd of admin_scene.hpp.
#include "admin_scene.hpp"

#include "admin/admin_tool.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <cerrno>
#include <climits>
#include <csignal>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <rapidjson/document.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bpffs_test {

answer run_admin(const std::string& line) {
    std::istringstream text(line);
    std::vector<std::string> words;
    for (std::string word; text >> word;) {
        words.push_back(word);
    }
    std::ostringstream out;
    std::ostringstream err;
    fsctl::env process{out, err};
    answer got;
    got.status = fsctl::run(fsctl::admin_tool, process, words);
    got.out = out.str();
    got.err = err.str();
    return got;
}

int status_in_time(const std::string& line) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(20);
        ::_exit(run_admin(line).status);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

outcome make_map_in(const std::string& directory, std::uint32_t type) {
    const handle fd = open_file(directory, O_PATH | O_DIRECTORY);
    const handle token = token_create(fd.get());
    if (!token.good()) {
        return failed("token", token.error());
    }
    map_create_attr attr;
    attr.map_type = type;
    attr.key_size = 4;
    attr.value_size = 4;
    attr.max_entries = 4;
    attr.map_flags = flag_token_fd;
    attr.map_token_fd = token.get();
    const handle map = create_map(attr);
    return map.good() ? done("pin", pin(map.get(), directory + "/m"))
                      : failed("create", map.error());
}

void admin_test::SetUp() {
    for (const char* need : {"root", "namespaces", "bpffs"}) {
        BPFFS_NEEDS(need);
    }
    for (const char* directory : {"/run", "/home"}) {
        ASSERT_EQ(::mount("tmpfs", directory, "tmpfs", 0, "mode=0755"), 0) << directory;
        mounted_.emplace_back(directory);
    }
    set_accounts("root:x:0:0::/root:/bin/sh\n"
                 "alice:x:1000:1000::/home/alice:/bin/sh\n"
                 "bob:x:1001:1001::/home/bob:/bin/sh\n");
    ASSERT_EQ(::mkdir("/home/alice", 0700), 0);
    ASSERT_EQ(::chown("/home/alice", alice, alice), 0);
    ASSERT_EQ(::mkdir("/home/bob", 0700), 0);
    ASSERT_EQ(::chown("/home/bob", bob, bob), 0);
}

void admin_test::TearDown() {
    for (auto at = mounted_.rbegin(); at != mounted_.rend(); ++at) {
        ::umount2(at->c_str(), MNT_DETACH);
    }
    for (const std::string& file : {accounts_, services_}) {
        if (!file.empty()) {
            ::unlink(file.c_str());
        }
    }
}

namespace {

std::string new_file() {
    char name[] = "/tmp/bpffs-admin.XXXXXX";
    const int fd = ::mkstemp(name);
    EXPECT_GE(fd, 0);
    ::fchmod(fd, 0644);
    ::close(fd);
    return name;
}

} // namespace

void admin_test::cover(const std::string& by, const char* what) {
    ASSERT_EQ(::mount(by.c_str(), what, nullptr, MS_BIND, nullptr), 0) << what;
    mounted_.emplace_back(what);
}

void admin_test::set_accounts(const std::string& lines) {
    if (accounts_.empty()) {
        accounts_ = new_file();
        cover(accounts_, "/etc/passwd");
    }
    std::ofstream(accounts_) << lines;
}

void admin_test::let_groups_fail() {
    if (services_.empty()) { // alone: behind a service that fails another one would say "no such"
        services_ = new_file();
        std::ofstream(services_) << "passwd: files\ngroup: files\n";
        cover(services_, "/etc/nsswitch.conf");
    }
    // Nothing is mapped at address 0, so it can be opened and not read.
    cover("/proc/self/mem", "/etc/group");
}

void admin_test::let_groups_answer() {
    ASSERT_EQ(mounted_.back(), "/etc/group");
    ::umount2("/etc/group", MNT_DETACH);
    mounted_.pop_back();
}

void admin_test::expect_json(const answer& got, const std::vector<std::string>& words) {
    rapidjson::Document whole;
    whole.Parse(got.out.c_str());
    EXPECT_FALSE(whole.HasParseError())
        << "not one document, from byte " << whole.GetErrorOffset() << " on: " << got.out;
    for (const std::string& word : words) {
        EXPECT_NE(got.out.find(word), std::string::npos) << "no '" << word << "' in: " << got.out;
    }
}

bool admin_test::exists(const std::string& path) {
    struct stat st = {};
    return ::lstat(path.c_str(), &st) == 0;
}

struct stat admin_test::status_of(const std::string& path) {
    struct stat st = {};
    EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
    return st;
}

std::string admin_test::text_of_link(const std::string& path) {
    char text[PATH_MAX];
    const ssize_t length = ::readlink(path.c_str(), text, sizeof(text));
    return length < 0 ? "" : std::string(text, static_cast<std::size_t>(length));
}

int admin_test::mounts_on(const std::string& path) {
    std::ifstream table("/proc/self/mountinfo");
    int count = 0;
    for (std::string line; std::getline(table, line);) {
        std::istringstream words(line);
        std::string point;
        for (int i = 0; i < 5; i++) {
            words >> point;
        }
        count += point == path ? 1 : 0;
    }
    return count;
}

void admin_test::expect_nothing_left() {
    EXPECT_EQ(mounts_on(place), 0);
    EXPECT_FALSE(exists("/run/bpffs")) << "what was made must be taken back";
}

void admin_test::expect_ok(const std::string& line) {
    const answer got = run_admin(line);
    EXPECT_EQ(got.status, 0) << line << ": " << got.err;
    EXPECT_EQ(got.err.find("Error"), std::string::npos) << line << ": " << got.err;
}

void admin_test::expect_ok_four_at_once(const std::string& line) {
    std::vector<pid_t> children;
    for (int i = 0; i < 4; i++) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::_exit(run_admin(line).status);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = -1;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }
}

void admin_test::expect_error(const std::string& line, int status,
                              const std::vector<std::string>& words) {
    const answer got = run_admin(line);
    EXPECT_EQ(got.status, status) << line << ": " << got.err << got.out;
    for (const std::string& word : words) {
        EXPECT_NE(got.err.find(word), std::string::npos) << "no '" << word << "' in: " << got.err;
    }
}

void admin_fmode_test::SetUp() {
    admin_test::SetUp();
    if (IsSkipped() || HasFatalFailure()) {
        return;
    }
    for (const char* need : {"fmode", "token"}) {
        BPFFS_NEEDS(need);
    }
}

waiting_child::waiting_child(const std::function<bool()>& first) {
    int ready[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    child_ = ::fork();
    if (child_ == 0) {
        const char word = first() ? 'y' : 'n';
        (void)!::write(ready[1], &word, 1);
        for (;;) {
            ::pause();
        }
    }
    char word = 'n';
    EXPECT_EQ(::read(ready[0], &word, 1), 1);
    EXPECT_EQ(word, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
}

waiting_child::~waiting_child() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
}

} // namespace bpffs_test
