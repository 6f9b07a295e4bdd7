// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the verbs of bpffs-prog do: load whole or not at all, show, dump and run
// as bpftool does, attach to what the target's owner may attach to.
#include "map_runner.hpp"

#include "prog/prog_tool.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

std::string compiled(const std::string& name) {
    return std::string(BPFFS_TEST_OBJECTS) + "/" + name + ".bpf.o";
}

std::string contents(const std::string& file) {
    std::ifstream from(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()};
}

class prog_verbs : public map_tool_test {
protected:
    void SetUp() override {
        BPFFS_NEEDS("bpf_objects",
                    ::access(compiled("lib_count").c_str(), R_OK) == 0 ? "" : "no clang");
        map_tool_test::SetUp();
        scratch_ = "/tmp/bpffs-prog-test-" + std::to_string(::getpid());
        std::filesystem::create_directory(scratch_);
    }
    void TearDown() override { std::filesystem::remove_all(scratch_); }

    [[nodiscard]] std::string scratch(const std::string& name) const {
        return scratch_ + "/" + name;
    }
    static answer run(const arguments& words) { return run_tool(fsctl::prog_tool, words); }
    static void expect_works(const arguments& words) {
        const answer got = run(words);
        EXPECT_EQ(got.status, 0) << got.err;
        EXPECT_EQ(got.out + got.err, "");
    }
    // Fails as said, and leaves no file behind or away.
    void expect_refused(const arguments& words, int status,
                        const std::vector<std::string>& message) const {
        const std::set<std::string> before = names();
        const answer got = run(words);
        expect_error(got, status, message);
        EXPECT_EQ(got.out, "");
        EXPECT_EQ(names(), before);
    }
    [[nodiscard]] std::set<std::string> names() const {
        std::set<std::string> all;
        for (const auto& entry :
             std::filesystem::recursive_directory_iterator(mount().directory())) {
            all.insert(entry.path().string());
        }
        return all;
    }
    static bool exists(const std::string& file) {
        struct stat about {};
        return ::lstat(file.c_str(), &about) == 0;
    }
    [[nodiscard]] std::string packet() const {
        std::ofstream(scratch("packet"), std::ios::binary) << std::string(64, 'x');
        return scratch("packet");
    }

private:
    std::string scratch_;
};

TEST_F(prog_verbs, LoadPinsTheFirstProgramOfAFile) {
    expect_works({"load", compiled("lib_filter"), at("keep"), "mode", "0640"});
    struct stat about {};
    ASSERT_EQ(::stat(at("keep").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777U, 0640U);
    // The verifier would refuse the second.
    expect_works({"load", compiled("lib_refused"), at("fine")});
    EXPECT_NE(run({"show", at("fine")}).out.find("socket_filter  name fine"), std::string::npos);
}

TEST_F(prog_verbs, LoadAllPinsProgramsAndMaps) {
    expect_works({"loadall", compiled("lib_count"), at("set")});
    for (const char* name : {"set/count", "set/drop", "set/packets"}) {
        EXPECT_TRUE(exists(at(name))) << name;
    }
    const answer listed = run({"list", mount().directory()});
    EXPECT_NE(listed.out.find("cgroup_skb  name count  " + at("set/count")), std::string::npos)
        << listed.out;
    EXPECT_EQ(listed.out.find("packets"), std::string::npos) << listed.out;
}

TEST_F(prog_verbs, LoadUsesAnExistingMap) {
    const handle map = create_map(BPF_MAP_TYPE_HASH, 4, 8, 4);
    ASSERT_EQ(pin(map.get(), at("lengths")), 0);
    const int key = 7;
    const int64_t all = 3;
    ASSERT_EQ(map_update(map.get(), &key, &all), 0);
    expect_works(
        {"load", compiled("lib_filter"), at("keep"), "map", "name", "lengths", at("lengths")});
    const answer ran = run({"-j", "run", at("keep"), "data_in", packet()});
    EXPECT_NE(ran.out.find("\"retval\":3,"), std::string::npos) << ran.out << ran.err;
    const handle other = create_map(BPF_MAP_TYPE_HASH, 8, 8, 4);
    ASSERT_EQ(pin(other.get(), at("other")), 0);
    expect_refused({"load", compiled("lib_filter"), at("second"), "map", "idx", "0", at("other")},
                   1, {"4 to 8", "8 to 8"});
    expect_refused({"load", compiled("lib_filter"), at("second"), "map", "idx", "9", at("other")},
                   1, {"no map with the index 9", "It has 1 maps"});
}

TEST_F(prog_verbs, ARefusedLoadLeavesNothingAndSaysWhy) {
    const std::string log = scratch("log");
    expect_refused(
        {"loadall", compiled("lib_refused"), at("set")}, 1,
        {"'unchecked'", "The verifier's log ends:", "invalid mem access", "The whole: --log FILE"});
    EXPECT_FALSE(exists(log));
    expect_refused({"loadall", compiled("lib_refused"), at("set"), "--log", log}, 1,
                   {"invalid mem access", "The whole is in '" + log + "'"});
    EXPECT_NE(contents(log).find("invalid mem access"), std::string::npos) << contents(log);
    EXPECT_NE(contents(log).find("processed "), std::string::npos) << contents(log);
    // With -j the sentence is one member of the JSON.
    const answer json = run({"-j", "loadall", compiled("lib_refused"), at("set")});
    EXPECT_EQ(json.status, 1);
    EXPECT_EQ(json.err, "");
    EXPECT_EQ(json.out.rfind("{\"error\":\"", 0), 0U) << json.out;
}

TEST_F(prog_verbs, BadInput) {
    const std::string none = scratch("none.o");
    expect_refused({"load", none, at("x")}, 1, {none, "No such file"});
    std::ofstream(none) << "no ELF";
    expect_refused({"load", none, at("x")}, 1, {none, "not a BPF object file", "ELF"});
    expect_refused({"load", "/bin/true", at("x")}, 1, {"/bin/true"});
    const std::string filter = compiled("lib_filter");
    expect_refused({"load", filter, at("no/such/x")}, 1, {"No such file"});
    expect_refused({"load", filter, at("a.b")}, 1, {"dot"});
    expect_refused({"load", filter, "/tmp/x"}, 1, {"/tmp"});
    expect_works({"load", filter, at("x")});
    expect_refused({"load", filter, at("x")}, 1, {at("x"), "File exists"});
    expect_refused({"loadall", filter, at("x")}, 1, {at("x"), "File exists"});
    expect_refused({"load", filter, at("y"), "type", "socet"}, 2, {"unknown program type 'socet'"});
    expect_refused({"load", filter, at("y"), "frob"}, 2, {"got 'frob'", "usage: bpffs-prog load"});
    expect_refused({"load", filter, at("y"), "mode", "9"}, 2, {"'9' is not a mode"});
    expect_refused({"rm", at("nothing")}, 1, {at("nothing"), "No such file"});
    expect_refused({"dump", "xlated", at("nothing")}, 1, {"does not exist"});
    expect_refused({"run", at("x"), "data_in", "/no/such"}, 1, {"cannot read '/no/such'"});
    expect_refused({"run", at("x")}, 2, {"expected data_in FILE or ctx_in FILE"});
    std::ofstream(scratch("short")) << "short";
    expect_refused({"run", at("x"), "data_in", scratch("short")}, 1, {"14 bytes at least"});
}

TEST_F(prog_verbs, PinChmodChownAndRm) {
    expect_works({"load", compiled("lib_filter"), at("x")});
    expect_works({"pin", at("x"), at("again"), "mode", "0600"});
    expect_works({"chmod", "g+r", at("again")});
    expect_works({"chown", "1000:1000", at("again")});
    struct stat about {};
    ASSERT_EQ(::stat(at("again").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777U, 0640U);
    EXPECT_EQ(about.st_uid, 1000U);
    expect_works({"rm", at("again")});
    EXPECT_FALSE(exists(at("again")));
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
    ASSERT_EQ(pin(map.get(), at("map")), 0);
    expect_refused({"rm", at("x"), at("map")}, 1, {"it holds a map, not a program"});
}

TEST_F(prog_verbs, AttachesToACgroupAndDetaches) {
    const own_cgroup group;
    BPFFS_NEEDS("cgroup", group.error() == 0 ? "" : "no cgroup can be made here");
    expect_works({"loadall", compiled("lib_count"), at("set")});
    const handle directory = open_file(group.directory(), O_RDONLY | O_DIRECTORY);
    const auto attached = [&] {
        return prog_query_count(static_cast<uint32_t>(directory.get()), BPF_CGROUP_INET_EGRESS);
    };
    expect_works({"attach", at("set/count"), "egress", "cgroup", group.directory(), "multi"});
    EXPECT_EQ(attached(), 1);
    expect_works({"detach", at("set/count"), "cgroup_inet_egress", "cgroup", group.directory()});
    EXPECT_EQ(attached(), 0);
    expect_refused({"detach", at("set/count"), "egress", "cgroup", group.directory()}, 1,
                   {"It is not attached there."});
    expect_works({"attach", at("set/count"), "egress", "cgroup", group.directory(), "link",
                  at("link"), "mode", "0600"});
    EXPECT_EQ(attached(), 1);
    // Where the link cannot be pinned, nothing is attached.
    expect_refused(
        {"attach", at("set/drop"), "egress", "cgroup", group.directory(), "link", at("link")}, 1,
        {at("link"), "File exists"});
    EXPECT_EQ(attached(), 1);
    expect_refused({"attach", at("set/drop"), "tcx_ingress", "cgroup", group.directory()}, 1,
                   {"Error: attach", "A program of kind cgroup_skb is not for that: tcx_ingress"});
    expect_refused({"attach", at("set/drop"), "egres", "cgroup", group.directory()}, 2,
                   {"invalid attach type 'egres'"});
    expect_refused({"attach", at("set/drop"), "egress", "cgroup", "/no/such"}, 1, {"'/no/such'"});
    expect_refused({"attach", at("set/drop"), "egress", "here"}, 2, {"'here' is no TARGET"});
    ASSERT_EQ(::unlink(at("link").c_str()), 0);
    for (int i = 0; i < 100 && attached() != 0; ++i) { // the kernel frees it a little later
        ::usleep(50'000);
    }
    EXPECT_EQ(attached(), 0);
}

TEST_F(prog_verbs, AttachesToSockets) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    const handle to(pair[0]);
    const handle from(pair[1]);
    const handle nothing = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0));
    ASSERT_EQ(pin(nothing.get(), at("nothing")), 0);
    const auto passes = [&] {
        return ::send(from.get(), "x", 1, 0) == 1 && [&] {
            char c = 0;
            return ::recv(to.get(), &c, 1, MSG_DONTWAIT) == 1;
        }();
    };
    EXPECT_TRUE(passes());
    const std::string number = std::to_string(to.get());
    for (const std::string& name : {number, std::to_string(::getpid()) + ":" + number}) {
        expect_works({"attach", at("nothing"), "filter", "socket", name});
        EXPECT_FALSE(passes());
        expect_works({"detach", at("nothing"), "filter", "socket", name});
        EXPECT_TRUE(passes());
    }
    expect_refused({"detach", at("nothing"), "filter", "socket", number}, 1,
                   {"It is not attached there."});
    const handle file = open_file("/dev/null", O_RDONLY);
    expect_refused({"attach", at("nothing"), "filter", "socket", std::to_string(file.get())}, 1,
                   {"no socket"});
    expect_refused(
        {"attach", at("nothing"), "filter", "socket", std::to_string(::getpid()) + ":9999"}, 1,
        {":9999", "Bad file descriptor"});
    expect_refused({"attach", at("nothing"), "filter", "cgroup", "/"}, 2, {"a socket takes"});
}

TEST_F(prog_verbs, TracingIsHeldByALink) {
    const handle program = load_program(BPF_PROG_TYPE_RAW_TRACEPOINT, returns(0));
    ASSERT_EQ(pin(program.get(), at("t")), 0);
    expect_refused({"attach", at("t"), "tracepoint", "sched_switch"}, 2, {"expected 'link'"});
    expect_refused({"attach", at("t"), "tracepoint", "no_such", "link", at("l")}, 1, {"Error: "});
    expect_works({"attach", at("t"), "tracepoint", "sched_switch", "link", at("l")});
    EXPECT_TRUE(exists(at("l")));
}

TEST_F(prog_verbs, OthersNeedTheRightBits) {
    expect_works({"load", compiled("lib_filter"), at("x")});
    const identity user;
    expect_error(run_tool_as(user, fsctl::prog_tool, {"dump", "xlated", at("x")}), 1,
                 {"Permission denied", "chmod o+r"});
    expect_error(run_tool_as(user, fsctl::prog_tool, {"attach", at("x"), "filter", "socket", "0"}),
                 1, {"Permission denied", "chmod o+w"});
    expect_error(run_tool_as(user, fsctl::prog_tool, {"load", compiled("lib_filter"), at("mine")}),
                 1, {"load '" + at("mine") + "'", "Operation not permitted", "may not write to"});
    EXPECT_FALSE(exists(at("mine")));
}

// Beside the system's bpftool.
class prog_compat : public prog_verbs {
protected:
    void SetUp() override {
        const bool there = std::system("bpftool version >/dev/null 2>&1") == 0;
        BPFFS_NEEDS("bpftool", there ? "" : "bpftool does not run");
        prog_verbs::SetUp();
    }
    static std::string without_times(const std::string& text) {
        return std::regex_replace(text, std::regex("(duration[^0-9]*)[0-9]+"), "$1N");
    }
    // Since 7.2 bpftool says of each program that the device it is offloaded to has not gone away.
    static std::string as_of_old(const std::string& text) {
        return std::regex_replace(text, std::regex("\\s*\"orphaned\": ?false,"), "");
    }
    void expect_same(const arguments& words) const {
        for (const std::string layout : {"", "-j", "-p"}) {
            arguments ours = words;
            if (!layout.empty()) {
                ours.insert(ours.begin(), layout);
            }
            const std::string theirs = as_of_old(bpftool(layout, "prog", words));
            EXPECT_NE(theirs, "");
            const answer got = run(ours);
            EXPECT_EQ(without_times(got.out), without_times(theirs)) << layout << got.err;
        }
    }
};

TEST_F(prog_compat, ShowDumpAndRunSayTheSame) {
    expect_works({"loadall", compiled("lib_count"), at("set")});
    expect_works({"load", compiled("lib_filter"), at("keep")});
    for (const char* name : {"set/count", "keep"}) {
        expect_same({"show", "pinned", at(name)});
        expect_same({"dump", "xlated", "pinned", at(name)});
        expect_same({"run", "pinned", at(name), "data_in", packet(), "data_out", "-"});
    }
    expect_same({"dump", "xlated", "pinned", at("set/drop"), "opcodes"});
    expect_same({"dump", "xlated", "pinned", at("set/count"), "linum"});
    expect_same({"run", "pinned", at("set/drop"), "data_in", packet(), "repeat", "2"});
    expect_works({"dump", "xlated", at("keep"), "file", scratch("ours")});
    (void)bpftool("", "prog", {"dump", "xlated", "pinned", at("keep"), "file", scratch("theirs")});
    EXPECT_EQ(contents(scratch("ours")), contents(scratch("theirs")));
    EXPECT_NE(contents(scratch("ours")), "");
}

// Calls within a program: their names for whoever may know where the machine code is.
TEST_F(prog_compat, CallsOfOnesOwnFunctionsReadTheSame) {
    expect_works({"load", compiled("lib_calls"), at("calls")});
    for (const char* more : {"opcodes", "linum"}) {
        expect_same({"dump", "xlated", "pinned", at("calls"), more});
    }
}

// The beginning of a context is enough; all of it comes back, if there is room for it.
TEST_F(prog_compat, AContextMayBeShort) {
    expect_works({"load", compiled("lib_filter"), at("keep")});
    std::ofstream(scratch("context"), std::ios::binary) << std::string(8, '\0');
    const arguments words = {"run",    "pinned",           at("keep"), "data_in", packet(),
                             "ctx_in", scratch("context"), "ctx_out",  "-"};
    expect_same(words);
    arguments narrow = words;
    narrow.insert(narrow.end(), {"ctx_size_out", "100"});
    expect_refused(narrow, 1, {"No space left on device", "192 bytes, more than ctx_size_out"});
    EXPECT_EQ(bpftool("", "prog", narrow), "");
    arguments wide = words;
    wide.insert(wide.end(), {"ctx_size_out", "192"});
    expect_same(wide);
}

TEST_F(prog_compat, AListOfAllIsTheSame) {
    expect_works({"loadall", compiled("lib_count"), at("set")});
    expect_same({"show"});
}

// Instructions of every shape, as far as this kernel's verifier takes them.
TEST_F(prog_compat, ManyInstructionsReadTheSame) {
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
    for (const program_text& text : {reads_first_value(map.get()), writes_first_value(map.get())}) {
        const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, text);
        ASSERT_EQ(program.error(), 0);
        ::unlink(at("p").c_str());
        ASSERT_EQ(pin(program.get(), at("p")), 0);
        expect_same({"dump", "xlated", "pinned", at("p")});
    }
}

// An ordinary user with a directory that delegates: all of it without privilege.
class prog_rights : public prog_verbs {
protected:
    void SetUp() override {
        BPFFS_NEEDS("program_tokens");
        prog_verbs::SetUp();
    }
    [[nodiscard]] std::string options() const override {
        return "fmode,uid=1000,gid=1000,mode=0700,delegate_cmds=map_create:prog_load:btf_load,"
               "delegate_maps=array:hash,delegate_progs=socket_filter:cgroup_skb,"
               "delegate_attachs=cgroup_inet_ingress:cgroup_inet_egress,delegate_caps=bpf:net_"
               "admin";
    }
};

TEST_F(prog_rights, AnOrdinaryUserLoadsShowsDumpsAndRuns) {
    const identity user;
    const auto mine = [&](const arguments& words) {
        const answer got = run_tool_as(user, fsctl::prog_tool, words);
        EXPECT_EQ(got.status, 0) << got.err;
        return got.out;
    };
    mine({"loadall", compiled("lib_count"), at("set")});
    mine({"load", compiled("lib_filter"), at("keep")});
    EXPECT_NE(mine({"show", at("set/count")}).find("name count"), std::string::npos);
    const std::string code = mine({"dump", "xlated", at("set/count")});
    EXPECT_NE(code.find("int count(struct __sk_buff * packet):\n"), std::string::npos) << code;
    EXPECT_NE(code.find("; __sync_fetch_and_add(counter, 1);"), std::string::npos) << code;
    EXPECT_NE(mine({"run", at("keep"), "data_in", packet()}).find("Return value: 0"),
              std::string::npos);
    expect_error(
        run_tool_as(user, fsctl::prog_tool, {"loadall", compiled("lib_refused"), at("bad")}), 1,
        {"invalid mem access"});
    EXPECT_FALSE(exists(at("bad")));
}

TEST_F(prog_rights, WhatIsNotDelegatedIsSaid) {
    const identity user;
    const answer got = run_tool_as(user, fsctl::prog_tool,
                                   {"load", compiled("lib_filter"), at("x"), "type", "xdp"});
    expect_error(got, 1, {"xdp", "delegate"});
    EXPECT_FALSE(exists(at("x")));
}

} // namespace

} // namespace bpffs_test
