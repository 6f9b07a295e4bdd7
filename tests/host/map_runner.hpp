// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For the tests of bpffs-map and its sisters: the tool in-process, as root or as
// somebody else, the system's bpftool beside it, and a bpffs for both.
#pragma once

#include "common/tool.hpp"
#include "support/sandbox.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace bpffs_test {

struct answer {
    int status = -1;
    std::string out;
    std::string err;
};

using arguments = std::vector<std::string>;

// "update {m} key 1" as words, {m} replaced by `file`.
arguments split_line(const std::string& line, const std::string& file);

answer run_tool(const fsctl::tool& which, const arguments& given);
// In a child process with that identity and no other privilege.
answer run_tool_as(const identity& who, const fsctl::tool& which, const arguments& given);

answer run_map(const arguments& given);
answer run_map_as(const identity& who, const arguments& given);

// The standard output of the system's bpftool: bpftool OPTIONS NOUN WORDS...
std::string bpftool(const std::string& options, const std::string& noun, const arguments& words);
std::string bpftool_map(const std::string& options, const arguments& words);

// A bpffs of its own for each test; skipped where there is none.
class map_tool_test : public testing::Test {
protected:
    void SetUp() override;

    [[nodiscard]] std::string at(const std::string& name) const { return *mount_ / name; }
    [[nodiscard]] const bpffs_mount& mount() const { return *mount_; }

    // Runs the tool on a line of words, {m} standing for the file.
    [[nodiscard]] answer map(const std::string& line, const std::string& file) const {
        return run_map(split_line(line, file));
    }
    void expect_ok(const std::string& line, const std::string& file) const;
    // The error message contains all of `words`, and the exit status is as said.
    static void expect_error(const answer& got, int status, const std::vector<std::string>& words);

    // Mount options of the bpffs.
    [[nodiscard]] virtual std::string options() const { return "mode=0755"; }

private:
    std::unique_ptr<bpffs_mount> mount_;
};

} // namespace bpffs_test
