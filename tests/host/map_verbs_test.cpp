// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the verbs of bpffs-map do: to the map, to the file, and with no more
// rights than they need.
#include "map_runner.hpp"

#include "map/map_tool.hpp"

#include <sstream>
#include <streambuf>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"

namespace bpffs_test {

namespace {

class map_verbs : public map_tool_test {
protected:
    static unsigned mode_of(const std::string& file) {
        struct stat seen {};
        return ::stat(file.c_str(), &seen) == 0 ? seen.st_mode & 07777U : ~0U;
    }
    static bool exists(const std::string& file) {
        struct stat seen {};
        return ::lstat(file.c_str(), &seen) == 0;
    }
    static struct stat seen_at(const std::string& file) {
        struct stat seen {};
        EXPECT_EQ(::lstat(file.c_str(), &seen), 0) << file;
        return seen;
    }
};

TEST_F(map_verbs, CreateAloneMakesTheProposalsExample) {
    const answer made = map("create {m}", at("seen"));
    EXPECT_EQ(made.status, 0) << made.err;
    EXPECT_EQ(made.out, "created '" + at("seen") +
                            "': hash, key 8 bytes, value 8 bytes, 64 entries, name seen, mode "
                            "rw-------\n");
    EXPECT_EQ(mode_of(at("seen")), 0600U);
    EXPECT_EQ(map("dump {m}", at("seen")).out, "Found 0 elements\n");
}

TEST_F(map_verbs, CreateInFullIsSilent) {
    const answer made =
        map("create {m} type hash key 4 value 4 entries 2 name full mode 0640", at("full"));
    EXPECT_EQ(made.out + made.err, "");
    EXPECT_EQ(mode_of(at("full")), 0640U);
}

TEST_F(map_verbs, CreateCutsTheModeByTheUmask) {
    const mode_t old = ::umask(027);
    expect_ok("create {m} mode 0666", at("cut"));
    expect_ok("create {m} mode u=rw,g=r,o=r", at("words"));
    ::umask(old);
    EXPECT_EQ(mode_of(at("cut")), 0640U);
    EXPECT_EQ(mode_of(at("words")), 0640U);
}

TEST_F(map_verbs, CreateTakesTheSizesThatAKindInsistsOn) {
    for (const char* kind : {"array", "percpu_hash", "lru_hash", "lpm_trie", "queue", "stack",
                             "bloom_filter", "ringbuf", "prog_array", "perf_event_array", "devmap",
                             "cpumap", "sockmap", "stack_trace", "cgroup_array"}) {
        expect_ok(std::string("create {m} type ") + kind, at(kind));
    }
    expect_ok("create {m} type array_of_maps inner_map " + at("array"), at("outer"));
    expect_ok("create {m} type hash flags no_prealloc,zero_seed", at("flags"));
    EXPECT_NE(map("show {m}", at("flags")).out.find("flags 0x41"), std::string::npos);
}

TEST_F(map_verbs, UpdateMindsItsFlags) {
    expect_ok("create {m} key 4 value 4", at("m"));
    expect_error(map("update {m} key u32:1 value u32:1 exist", at("m")), 1,
                 {"No such file or directory", "exist was asked for"});
    expect_ok("update {m} value u32:1 noexist key u32:1", at("m")); // any order
    expect_error(map("update {m} key u32:1 value u32:2 noexist", at("m")), 1,
                 {"File exists", "noexist was asked for"});
    expect_ok("update {m} key u32:1 value u32:3 exist", at("m"));
    EXPECT_EQ(map("lookup {m} key u32:1", at("m")).out, "key: 01 00 00 00  value: 03 00 00 00\n");
}

TEST_F(map_verbs, DeleteRemovesOneKey) {
    expect_ok("create {m} key 4 value 4", at("m"));
    expect_ok("update {m} key u32:1 value u32:1", at("m"));
    expect_ok("delete {m} key u32:1", at("m"));
    EXPECT_EQ(map("dump {m}", at("m")).out, "Found 0 elements\n");
    expect_error(map("delete {m} key u32:1", at("m")), 1, {"delete failed", "has no such key"});
}

TEST_F(map_verbs, LookupSaysWhatItDidNotFind) {
    expect_ok("create {m} key 4 value 4", at("m"));
    const answer got = map("lookup {m} key u32:7", at("m"));
    EXPECT_EQ(got.status, 1);
    EXPECT_EQ(got.out, "key:\n07 00 00 00\n\nNot found\n");
    EXPECT_EQ(got.err, "");
}

TEST_F(map_verbs, PopTakesOutOfQueuesAndHashes) {
    expect_ok("create {m} type queue value 4", at("q"));
    expect_ok("push {m} value u32:5", at("q"));
    EXPECT_EQ(map("peek {m}", at("q")).out, "value: 05 00 00 00\n");
    EXPECT_EQ(map("pop {m}", at("q")).out, "value: 05 00 00 00\n");
    expect_error(map("peek {m}", at("q")), 1, {"Error: empty map"});
    expect_ok("create {m} key 4 value 4", at("h"));
    expect_ok("update {m} key u32:1 value u32:9", at("h"));
    EXPECT_EQ(map("pop {m} key u32:1", at("h")).out, "key: 01 00 00 00  value: 09 00 00 00\n");
    EXPECT_EQ(map("dump {m}", at("h")).out, "Found 0 elements\n");
}

TEST_F(map_verbs, PinGivesAFurtherName) {
    expect_ok("create {m} key 4 value 4", at("m"));
    expect_ok("pin {m} " + at("again") + " mode 0644", at("m"));
    EXPECT_EQ(mode_of(at("again")), 0644U);
    expect_ok("update {m} key u32:1 value u32:1", at("m"));
    EXPECT_EQ(map("lookup {m} key u32:1", at("again")).status, 0);
    expect_error(map("pin {m} " + at("again"), at("m")), 1, {at("again"), "File exists"});
    const answer pins = map("show -f {m}", at("m"));
    EXPECT_NE(pins.out.find("\n\tpinned " + at("again")), std::string::npos) << pins.out;
    EXPECT_NE(pins.out.find("\n\tpinned " + at("m")), std::string::npos) << pins.out;
}

TEST_F(map_verbs, FreezeEndsWriting) {
    expect_ok("create {m} key 4 value 4", at("m"));
    expect_ok("update {m} key u32:1 value u32:1", at("m"));
    expect_ok("freeze {m}", at("m"));
    expect_error(map("update {m} key u32:1 value u32:2", at("m")), 1, {"The map is frozen"});
    expect_error(map("freeze {m}", at("m")), 1, {"The map is frozen already"});
    EXPECT_EQ(map("lookup {m} key u32:1", at("m")).out, "key: 01 00 00 00  value: 01 00 00 00\n");
}

TEST_F(map_verbs, ChmodTakesOctalAndWords) {
    for (const char* file : {"a", "b"}) {
        expect_ok("create {m}", at(file));
    }
    expect_ok("chmod 0444 {m} " + at("b"), at("a"));
    EXPECT_EQ(mode_of(at("a")), 0444U);
    EXPECT_EQ(mode_of(at("b")), 0444U);
    expect_ok("chmod u+w,o= {m}", at("a"));
    EXPECT_EQ(mode_of(at("a")), 0640U);
}

TEST_F(map_verbs, ChownTakesNamesAndNumbers) {
    expect_ok("create {m}", at("a"));
    expect_ok("chown 1000:1001 {m}", at("a"));
    EXPECT_EQ(seen_at(at("a")).st_uid, 1000U);
    EXPECT_EQ(seen_at(at("a")).st_gid, 1001U);
    expect_ok("chown root {m}", at("a"));
    expect_ok("chown :0 {m}", at("a"));
    EXPECT_EQ(seen_at(at("a")).st_uid, 0U);
    EXPECT_EQ(seen_at(at("a")).st_gid, 0U);
}

TEST_F(map_verbs, RmRemovesMapsOnly) {
    for (const char* file : {"a", "b"}) {
        expect_ok("create {m}", at(file));
    }
    expect_ok("rm {m} " + at("b"), at("a"));
    EXPECT_FALSE(exists(at("a")));
    EXPECT_FALSE(exists(at("b")));
    const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0));
    ASSERT_EQ(pin(program.get(), at("program")), 0);
    expect_error(map("rm {m}", at("program")), 1, {"it holds a program, not a map"});
    EXPECT_TRUE(exists(at("program")));
    ASSERT_EQ(::mkdir(at("d").c_str(), 0700), 0);
    expect_error(map("rm {m}", at("d")), 1, {"it is a directory"});
}

TEST_F(map_verbs, SeveralFilesChangeTogetherOrNotAtAll) {
    expect_ok("create {m}", at("a"));
    expect_ok("create {m}", at("b"));
    const answer got = map("rm {m} " + at("none") + " " + at("b") + " /etc/passwd", at("a"));
    expect_error(got, 1,
                 {at("none"), "No such file or directory", "/etc/passwd", "not on a bpffs"});
    EXPECT_TRUE(exists(at("a")));
    EXPECT_TRUE(exists(at("b")));
    const answer json = map("-j chmod 0600 " + at("none") + " /etc/passwd", "");
    EXPECT_EQ(json.out.rfind("[{\"error\":", 0), 0U) << json.out;
    EXPECT_TRUE(exists("/etc/passwd"));
}

TEST_F(map_verbs, FilesOutsideABpffsAreLeftAlone) {
    const std::string file = "/tmp/bpffs-map-test-plain";
    handle made = open_file(file, O_CREAT | O_WRONLY, 0600);
    ASSERT_TRUE(made.good());
    for (const char* line : {"rm {m}", "chmod 0777 {m}", "chown 1000 {m}"}) {
        expect_error(map(line, file), 1, {file, "not on a bpffs"});
    }
    EXPECT_EQ(mode_of(file), 0600U);
    EXPECT_EQ(seen_at(file).st_uid, 0U);
    ::unlink(file.c_str());
}

TEST_F(map_verbs, ListShowsTheMapsBelowADirectory) {
    ASSERT_EQ(::mkdir(at("d").c_str(), 0755), 0);
    expect_ok("create {m} type array", at("one"));
    expect_ok("create {m} mode 0640", at("d/two"));
    expect_ok("chown 1000:1001 {m}", at("d/two"));
    const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0));
    ASSERT_EQ(pin(program.get(), at("program")), 0);
    const answer got = map("list {m}", mount().directory());
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_NE(got.out.find("-rw-r----- "), std::string::npos) << got.out;
    EXPECT_NE(got.out.find("array  name one  " + at("one")), std::string::npos) << got.out;
    EXPECT_NE(got.out.find("hash  name two  " + at("d/two")), std::string::npos) << got.out;
    EXPECT_EQ(got.out.find("program"), std::string::npos) << got.out;
    const answer json = map("-j list {m}", mount().directory());
    EXPECT_NE(json.out.find("\"path\":\"" + at("d/two") + "\""), std::string::npos) << json.out;
    EXPECT_NE(json.out.find("\"mode\":\"0640\""), std::string::npos) << json.out;
    expect_error(map("list {m}", "/tmp"), 1, {"'/tmp'", "not on a bpffs"});
}

TEST_F(map_verbs, ReadingNeedsReadAndWritingNeedsWrite) {
    expect_ok("create {m} key 4 value 4", at("m"));
    expect_ok("update {m} key u32:1 value u32:1", at("m"));
    const identity user;
    const auto as_user_runs = [&](const std::string& line) {
        return run_map_as(user, split_line(line, at("m")));
    };
    expect_ok("chmod 0444 {m}", at("m"));
    for (const char* line : {"dump {m}", "lookup {m} key u32:1", "getnext {m}", "show {m}"}) {
        EXPECT_EQ(as_user_runs(line).status, 0) << line << as_user_runs(line).err;
    }
    for (const char* line : {"update {m} key u32:1 value u32:2", "delete {m} key u32:1",
                             "freeze {m}", "pop {m} key u32:1"}) {
        expect_error(as_user_runs(line), 1, {"Permission denied", at("m")});
    }
    expect_ok("chmod 0222 {m}", at("m"));
    EXPECT_EQ(as_user_runs("update {m} key u32:1 value u32:2").status, 0);
    EXPECT_EQ(as_user_runs("delete {m} key u32:1").status, 0);
    EXPECT_EQ(as_user_runs("show {m}").status, 0);
    expect_error(as_user_runs("dump {m}"), 1, {"Permission denied"});
}

TEST_F(map_verbs, RelativePathsAndSlashesAreNames) {
    expect_ok("create {m} key 4 value 4", at("id"));
    EXPECT_EQ(map("dump pinned {m}", at("id")).status, 0);
    EXPECT_EQ(map("dump {m}", at("id")).status, 0);
    expect_error(map("dump id", ""), 2, {"expected an id after 'id'"});
}

TEST_F(map_verbs, LookUpsByIdWorkForThePrivilegedAndSaySoToOthers) {
    expect_ok("create {m} key 4 value 4 name bpffs_by_name", at("m"));
    EXPECT_EQ(map("dump name bpffs_by_name", "").out, "Found 0 elements\n");
    for (const arguments& words :
         {arguments{"dump", "id", "1"}, {"dump", "name", "bpffs_by_name"}}) {
        expect_error(run_map_as({}, words), 1, {"Operation not permitted", "CAP_SYS_ADMIN"});
    }
    expect_error(run_map_as({}, {"show"}), 1, {"CAP_SYS_ADMIN", "list DIRECTORY"});
    EXPECT_EQ(map("-j show", "").status, 0);
}

// A write-protected output is an error, not silence.
TEST_F(map_verbs, UnwritableOutputIsAnError) {
    expect_ok("create {m} key 4 value 4", at("m"));
    struct refusing : std::streambuf {};
    refusing nowhere;
    std::ostream out(&nowhere);
    std::ostringstream err;
    fsctl::env process{out, err};
    const arguments words = {"dump", at("m")};
    EXPECT_EQ(fsctl::run(fsctl::map_tool, process, words), 1);
    EXPECT_NE(err.str().find("cannot write the output"), std::string::npos);
}

} // namespace

} // namespace bpffs_test
