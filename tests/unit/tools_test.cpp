// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What holds for every tool, and what bpffs-link and bpffs-doctor say to wrong
// words, without a kernel.
#include "common/table.hpp"
#include "doctor/doctor_tool.hpp"
#include "link/link_tool.hpp"
#include "map/map_tool.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

struct answer {
    int status = 0;
    std::string out;
    std::string err;
};

answer run(const fsctl::tool& which, const std::vector<std::string>& arguments) {
    std::ostringstream out;
    std::ostringstream err;
    fsctl::env process{out, err};
    const int status = fsctl::run(which, process, arguments);
    return {status, out.str(), err.str()};
}

void expect_usage_error(const fsctl::tool& which, const std::vector<std::string>& arguments,
                        const std::string& words) {
    const answer got = run(which, arguments);
    EXPECT_EQ(got.status, 2);
    EXPECT_EQ(got.out, "");
    EXPECT_NE(got.err.find(words), std::string::npos) << got.err;
}

class every_tool : public testing::TestWithParam<const fsctl::tool*> {};

TEST_P(every_tool, HelpFitsAScreenAndHasTwoExamples) {
    const answer got = run(*GetParam(), {"help"});
    EXPECT_EQ(got.status, 0);
    EXPECT_LE(std::count(got.out.begin(), got.out.end(), '\n'), 24);
    std::istringstream lines(got.out);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 80U) << line;
    }
    const std::string_view examples = GetParam()->examples;
    EXPECT_EQ(std::count(examples.begin(), examples.end(), '\n'), 1);
    EXPECT_EQ(run(*GetParam(), {"--help"}).out, got.out);
    EXPECT_EQ(run(*GetParam(), {"version"}).out.rfind(std::string(GetParam()->name) + " v", 0), 0U);
}

TEST_P(every_tool, NamesEachVerbOnce) {
    std::set<std::string_view> seen;
    for (const fsctl::verb& each : GetParam()->verbs) {
        for (const std::string_view name : fsctl::split(each.names, '|')) {
            EXPECT_TRUE(seen.insert(name).second) << name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(all, every_tool,
                         testing::Values(&fsctl::map_tool, &fsctl::link_tool, &fsctl::doctor_tool),
                         [](const auto& info) {
                             return std::string(
                                 info.param->name.substr(info.param->name.find('-') + 1));
                         });

TEST(LinkTool, WrongWordsShowTheUsageOfTheVerb) {
    expect_usage_error(fsctl::link_tool, {"update", "/x"}, "usage: bpffs-link update LINK PROG");
    expect_usage_error(fsctl::link_tool, {"detach", "/x", "/y"}, "unexpected word '/y'");
    expect_usage_error(fsctl::link_tool, {"det", "/x"}, "is not written in full");
    expect_usage_error(fsctl::link_tool, {"show", "id", "x"}, "'x' is not a number");
    expect_usage_error(fsctl::link_tool, {"pin", "/x"}, "expected the FILE to pin it as");
    expect_usage_error(fsctl::link_tool, {"pin", "/x", "/y", "mode", "9"}, "'9' is not a mode");
}

TEST(DoctorTool, SaysWhatDeedsThereAre) {
    expect_usage_error(fsctl::doctor_tool, {"/x", "--for", "raed"}, "did you mean 'read'?");
    expect_usage_error(fsctl::doctor_tool, {"/x", "--for", "raed"}, "Deeds are read, write, open");
    expect_usage_error(fsctl::doctor_tool, {"/x", "--for"}, "expected what it is for");
    expect_usage_error(fsctl::doctor_tool, {"/x", "/y"}, "unexpected word '/y'");
    expect_usage_error(fsctl::doctor_tool, {"/x", "/y"}, "usage: bpffs-doctor [PATH]");
    expect_usage_error(fsctl::doctor_tool, {"/x", "--type", "hash"}, "belongs behind --for create");
    expect_usage_error(fsctl::doctor_tool, {"/x", "--for", "create", "--type", "hsah"},
                       "'hsah' is not a kind of map");
}

TEST(Table, IsAlignedOnATerminalOnly) {
    fsctl::table rows;
    rows.add({"a", "bb", "c"});
    rows.add({"aaa", "b", "c"});
    const auto printed = [&](bool terminal) {
        std::ostringstream sink;
        fsctl::env process{sink, sink};
        process.terminal = terminal;
        fsctl::output out(sink);
        rows.print(out, process);
        out.flush();
        return sink.str();
    };
    EXPECT_EQ(printed(false), "a  bb  c\naaa  b  c\n");
    EXPECT_EQ(printed(true), "a    bb  c\naaa  b   c\n");
}

} // namespace
