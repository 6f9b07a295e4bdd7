// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For the tests of bpffs-admin: the tool in-process, in a mount namespace where /run, /home and
// /etc/passwd are the test's own, so that it runs with its defaults and touches nothing outside.
#pragma once

#include "support/sandbox.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace bpffs_test {

struct answer {
    int status = -1;
    std::string out;
    std::string err;
};

/// "add alice mode 0750" as words.
answer run_admin(const std::string& line);

/// The exit status, or -1 where it has not ended after some seconds.
int status_in_time(const std::string& line);

/// What a directory is for: its user makes a map "m" in it, with nothing but its token.
outcome make_map_in(const std::string& directory, std::uint32_t type);

class admin_test : public testing::Test {
protected:
    /// Users alice (1000) and bob (1001) with empty homes. Skips by a named probe.
    void SetUp() override;
    void TearDown() override;

    static constexpr const char* place = "/run/bpffs/alice";
    static constexpr const char* link = "/home/alice/bpf";

    static bool exists(const std::string& path);
    static struct stat status_of(const std::string& path);
    static std::string text_of_link(const std::string& path);
    /// How many mounts are on this path.
    static int mounts_on(const std::string& path);
    /// Nothing of alice's directory is left, or has ever been there.
    static void expect_nothing_left();
    static void expect_ok(const std::string& line);
    /// The same in four processes at the same time.
    static void expect_ok_four_at_once(const std::string& line);
    /// Exit status, and words that the message must contain.
    static void expect_error(const std::string& line, int status,
                             const std::vector<std::string>& words);
    /// The users of this machine are those of these lines of /etc/passwd.
    void set_accounts(const std::string& lines);
    /// From here on the database of groups says EIO to whoever asks it.
    void let_groups_fail();
    /// And answers again.
    void let_groups_answer();
    /// The text is one JSON document, and has the words in it.
    static void expect_json(const answer& got, const std::vector<std::string>& words);

private:
    /// A file over another one, until the test ends.
    void cover(const std::string& by, const char* what);

    std::string accounts_;
    std::string services_;
    std::vector<std::string> mounted_;
};

/// The same where the kernel has fmode and directory tokens.
class admin_fmode_test : public admin_test {
protected:
    void SetUp() override;
};

/// A child process that has done something, well, and then does nothing until it is killed.
class waiting_child {
public:
    explicit waiting_child(const std::function<bool()>& first);
    waiting_child(const waiting_child&) = delete;
    waiting_child& operator=(const waiting_child&) = delete;
    waiting_child(waiting_child&&) = delete;
    waiting_child& operator=(waiting_child&&) = delete;
    ~waiting_child();

    [[nodiscard]] pid_t pid() const noexcept { return child_; }

private:
    pid_t child_ = -1;
};

} // namespace bpffs_test
