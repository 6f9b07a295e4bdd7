// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-map as far as it needs no kernel: options, abbreviations, help, the
// layout of its JSON, and what it says to wrong words.
#include "common/json.hpp"
#include "common/output.hpp"
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

answer run(const std::vector<std::string>& arguments) {
    std::ostringstream out;
    std::ostringstream err;
    fsctl::env process{out, err};
    const int status = fsctl::run(fsctl::map_tool, process, arguments);
    return {status, out.str(), err.str()};
}

void expect_usage_error(const std::vector<std::string>& arguments, const std::string& words) {
    const answer got = run(arguments);
    EXPECT_EQ(got.status, 2);
    EXPECT_EQ(got.out, "");
    EXPECT_NE(got.err.find(words), std::string::npos) << got.err;
}

TEST(MapTool, HelpFitsAScreen) {
    const answer got = run({"help"});
    EXPECT_EQ(got.status, 0);
    EXPECT_EQ(got.err, "");
    EXPECT_LE(std::count(got.out.begin(), got.out.end(), '\n'), 24);
    std::istringstream lines(got.out);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 80U) << line;
    }
    EXPECT_EQ(run({"-h"}).out, got.out);
    EXPECT_EQ(run({"dump", "--help"}).out, got.out);
    EXPECT_EQ(run({"-j", "help"}).out, "null\n"); // as bpftool
}

TEST(MapTool, VersionNamesToolAndLibrary) {
    EXPECT_EQ(run({"version"}).out.rfind("bpffs-map v", 0), 0U);
    EXPECT_EQ(run({"-V"}).out, run({"version"}).out);
    EXPECT_EQ(run({"version", "-j"}).out.rfind("{\"version\":\"", 0), 0U);
}

TEST(MapTool, NoWordsAreWrongWords) {
    expect_usage_error({}, "expected a command");
    EXPECT_EQ(run({"-j"}).out,
              "{\"error\":\"expected a command\",\"diagnosis\":\"'bpffs-map help' lists the "
              "commands.\"}\n");
    EXPECT_EQ(run({"-j"}).status, 2);
}

TEST(MapTool, AbbreviationsMustBeUnique) {
    expect_usage_error({"p"}, "command 'p' could be 'peek' or 'push' or 'pop' or 'pin'");
    expect_usage_error({"ch"}, "'chmod' or 'chown'");
    expect_usage_error({"lo"}, "expected a map"); // it means lookup
}

TEST(MapTool, DestructiveVerbsStandInFull) {
    for (const char* shortened : {"del", "r", "fr", "po", "deq"}) {
        expect_usage_error({shortened, "/x"}, "is not written in full");
    }
}

TEST(MapTool, SuggestsTheNearestCommand) {
    expect_usage_error({"dmup"}, "unknown command 'dmup' (did you mean 'dump'?)");
    expect_usage_error({"frobnicate"}, "unknown command 'frobnicate'\n");
}

TEST(MapTool, RefusesUnknownOptions) {
    expect_usage_error({"dump", "-x", "/x"}, "unrecognized option '-x'");
    expect_usage_error({"--jsn", "dump", "/x"}, "unrecognized option '--jsn'");
}

TEST(MapTool, WrongWordsOfAVerbShowItsUsage) {
    expect_usage_error({"dump"}, "usage: bpffs-map dump MAP");
    expect_usage_error({"dump", "/x", "/y"}, "unexpected word '/y'");
    expect_usage_error({"dump", "id", "x"}, "can't parse id: 'x' is not a number");
    expect_usage_error({"dump", "pinned"}, "expected the file of a pin after 'pinned'");
    expect_usage_error({"create"}, "expected the FILE to create");
    expect_usage_error({"pin", "/x"}, "expected the FILE to pin it as");
    expect_usage_error({"chmod", "0640"}, "expected a FILE");
    expect_usage_error({"chmod", "0888", "/x"}, "'0888' is not a mode");
    expect_usage_error({"chown", "no-such-user", "/x"}, "there is no user 'no-such-user'");
    expect_usage_error({"chown", ":", "/x"}, "names neither an owner nor a group");
}

TEST(MapTool, WrongWordsOfCreate) {
    expect_usage_error({"create", "/x", "type", "hsah"},
                       "unrecognized map type: hsah (did you mean 'hash'?)");
    expect_usage_error({"create", "/x", "type"}, "expected a map type after 'type'");
    expect_usage_error({"create", "/x", "key", "-8"}, "unrecognized option");
    expect_usage_error({"create", "/x", "key", "eight"}, "can't parse key size");
    expect_usage_error({"create", "/x", "entries", "4294967296"}, "is too large");
    expect_usage_error({"create", "/x", "key", "4", "key", "8"}, "key is given twice");
    expect_usage_error({"create", "/x", "size", "4"}, "unknown arg size");
    expect_usage_error({"create", "/x", "flags", "no_prealoc"}, "did you mean 'no_prealloc'?");
    expect_usage_error({"create", "/x", "mode", "01777"}, "'01777' is not a mode");
    expect_usage_error({"create", "/x", "mode", "u=q"}, "'u=q' is not a mode");
    expect_usage_error({"create", "/x", "offload_dev", "no-such-dev"}, "unrecognized netdevice");
}

TEST(MapTool, AVerbTableNamesEachVerbOnce) {
    std::set<std::string_view> seen;
    for (const fsctl::verb& each : fsctl::map_tool.verbs) {
        for (const std::string_view name : fsctl::split(each.names, '|')) {
            EXPECT_TRUE(seen.insert(name).second) << name;
        }
    }
}

std::string json_text(bool pretty, void (*write)(fsctl::json_writer&)) {
    std::ostringstream sink;
    fsctl::output out(sink);
    fsctl::json_writer json(out);
    json.set_pretty(pretty);
    write(json);
    out.flush();
    return sink.str();
}

void write_sample(fsctl::json_writer& json) {
    const std::vector<std::byte> two = {std::byte{0}, std::byte{0xab}};
    json.start_array();
    json.start_object();
    json.name("key");
    json.hex(two);
    json.name("none");
    json.hex({});
    json.end_object();
    json.start_object();
    json.end_object();
    json.number(7);
    json.end_array();
}

TEST(Json, IsLaidOutAsBpftoolsIs) {
    EXPECT_EQ(json_text(false, write_sample), R"([{"key":["0x00","0xab"],"none":[]},{},7])");
    EXPECT_EQ(json_text(true, write_sample), "[{\n"
                                             "        \"key\": [\"0x00\",\"0xab\"\n"
                                             "        ],\n"
                                             "        \"none\": []\n"
                                             "    },{},7\n"
                                             "]");
}

TEST(Json, StaysValidWhereAnErrorInterruptsIt) {
    const auto interrupted = [](fsctl::json_writer& json) {
        json.start_array();
        json.start_object();
        json.name("key");
        json.fail({{"it \"broke\"", "mend it"}});
    };
    EXPECT_EQ(json_text(false, interrupted),
              R"([{"key":null,"error":"it \"broke\"","diagnosis":"mend it"}])");
}

TEST(Output, HexIsLaidOutAsBpftoolsIs) {
    std::ostringstream sink;
    fsctl::output out(sink);
    std::vector<std::byte> data(18);
    data[17] = std::byte{0xfe};
    out.hex(data);
    out.flush();
    EXPECT_EQ(sink.str(), "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00\n00 fe");
}

} // namespace
