// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Bad input: every case has a message that names the thing and the remedy, the
// right exit status (1 it failed, 2 the words were wrong), and changes nothing.
#include "map_runner.hpp"

#include <filesystem>
#include <set>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"

namespace bpffs_test {

namespace {

// All names below a directory.
std::set<std::string> names_below(const std::string& top) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
        names.insert(entry.path().string());
    }
    return names;
}

class map_bad_input : public map_tool_test {
protected:
    // Fails as said, and leaves no file behind or away.
    void expect_refused(const identity* who, const arguments& words, int status,
                        const std::vector<std::string>& message) const {
        const std::set<std::string> before = names_below(mount().directory());
        const answer got = who != nullptr ? run_map_as(*who, words) : run_map(words);
        expect_error(got, status, message);
        EXPECT_EQ(got.out, "");
        EXPECT_EQ(names_below(mount().directory()), before);
    }
    void expect_refused(const std::string& line, const std::string& file, int status,
                        const std::vector<std::string>& message) const {
        expect_refused(nullptr, split_line(line, file), status, message);
    }
    void make_directory(const std::string& name, mode_t mode, uid_t owner) const {
        ASSERT_EQ(::mkdir(at(name).c_str(), 0700), 0);
        ASSERT_EQ(::chown(at(name).c_str(), owner, owner), 0);
        ASSERT_EQ(::chmod(at(name).c_str(), mode), 0);
    }
    const identity user_{};
};

TEST_F(map_bad_input, UnknownKind) {
    expect_refused("create {m} type hahs", at("m"), 2,
                   {"unrecognized map type: hahs", "did you mean 'hash'?", "Types are hash"});
}

TEST_F(map_bad_input, SizesThatTheKindDoesNotTake) {
    expect_refused("create {m} type array key 8 value 8 entries 4", at("m"), 1,
                   {at("m"), "array", "keys of 4 bytes, not 8"});
    expect_refused("create {m} type hash key 0", at("m"), 1, {at("m"), "at least 1 byte"});
    expect_refused("create {m} type hash entries 0", at("m"), 1, {at("m"), "at least 1 entry"});
    expect_refused("create {m} type ringbuf entries 100", at("m"), 1, {at("m"), "power of two"});
    expect_refused("create {m} type array_of_maps", at("m"), 1, {at("m"), "inner map"});
    expect_refused("create {m} type lpm_trie flags 0", at("m"), 1, {at("m"), "NO_PREALLOC"});
}

TEST_F(map_bad_input, WrongSizesOfKeyAndValue) {
    expect_ok("create {m} key 4 value 4", at("m"));
    expect_refused("update {m} key 1 0 0 value 1 0 0 0", at("m"), 2,
                   {"key expected 4 bytes got 3"});
    expect_refused("update {m} key u32:1 value u64:1", at("m"), 2,
                   {"value expected 4 bytes got 8"});
    expect_refused("lookup {m} key 1 2 3 4 5", at("m"), 2, {"key expected 4 bytes got 5"});
    EXPECT_EQ(map("dump {m}", at("m")).out, "Found 0 elements\n");
}

TEST_F(map_bad_input, MissingAndSurplusOperands) {
    expect_ok("create {m} key 4 value 4", at("m"));
    expect_refused("update {m} key u32:1", at("m"), 2, {"did not find value", "usage: bpffs-map"});
    expect_refused("update {m} value u32:1", at("m"), 2, {"did not find key"});
    expect_refused("update {m} key u32:1 key u32:2 value u32:1", at("m"), 2, {"duplicate key"});
    expect_refused("update {m} key u32:1 value u32:1 any exist", at("m"), 2,
                   {"flags specified multiple times"});
    expect_refused("delete {m}", at("m"), 2, {"did not find key"});
    expect_refused("lookup {m} value u32:1", at("m"), 2, {"expected key, got: value"});
    expect_refused("update {m} kye u32:1", at("m"), 2, {"expected key or value, got: kye"});
    expect_ok("create {m} type queue value 4", at("q"));
    expect_refused("push {m} key u32:1 value u32:1", at("q"), 2, {"unnecessary key"});
    EXPECT_EQ(map("dump {m}", at("m")).out, "Found 0 elements\n");
}

TEST_F(map_bad_input, ANameWithADot) {
    expect_refused("create {m}", at("my.map"), 1, {at("my.map"), "dot"});
    expect_ok("create {m}", at("m"));
    expect_refused("pin {m} " + at("m.2"), at("m"), 1, {at("m.2"), "dot"});
}

TEST_F(map_bad_input, ANameThatTheKernelDoesNotTakeForTheObject) {
    expect_refused("create {m} name sixteen_letters_", at("m"), 1, {at("m"), "sixteen_letters_"});
    expect_refused("create {m} name a-b", at("m"), 1, {"a-b"});
}

TEST_F(map_bad_input, APathNotOnABpffs) {
    expect_refused("create {m}", "/tmp/bpffs-map-test-nowhere", 1,
                   {"/tmp/bpffs-map-test-nowhere", "BPF file system"});
    EXPECT_NE(::access("/tmp/bpffs-map-test-nowhere", F_OK), 0);
    expect_refused("dump {m}", "/etc/passwd", 1, {"/etc/passwd"});
    expect_refused("create {m}", at("none") + "/m", 1, {at("none"), "No such file or directory"});
    expect_refused("dump {m}", at("none"), 1, {at("none"), "No such file or directory"});
}

TEST_F(map_bad_input, AnotherKindOfObject) {
    const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0));
    ASSERT_EQ(pin(program.get(), at("program")), 0);
    expect_refused("dump {m}", at("program"), 1, {at("program"), "program"});
}

TEST_F(map_bad_input, ANameThatIsTaken) {
    expect_ok("create {m} key 4 value 4", at("m"));
    expect_ok("update {m} key u32:1 value u32:1", at("m"));
    expect_refused("create {m}", at("m"), 1, {at("m"), "File exists"});
    EXPECT_EQ(map("lookup {m} key u32:1", at("m")).status, 0);
}

TEST_F(map_bad_input, AFullMap) {
    expect_ok("create {m} key 4 value 4 entries 1", at("m"));
    expect_ok("update {m} key u32:1 value u32:1", at("m"));
    expect_refused("update {m} key u32:2 value u32:2", at("m"), 1,
                   {at("m"), "The map is full: it has room for 1 entries", "Delete some"});
    EXPECT_EQ(map("dump {m}", at("m")).out,
              "key: 01 00 00 00  value: 01 00 00 00\nFound 1 element\n");
    expect_ok("create {m} type queue value 4 entries 1", at("q"));
    expect_ok("push {m} value u32:1", at("q"));
    expect_refused("push {m} value u32:2", at("q"), 1, {"The map is full"});
    expect_ok("create {m} type array value 4 entries 2", at("a"));
    expect_refused("update {m} key u32:2 value u32:2", at("a"), 1, {"has the keys 0 to 1"});
}

TEST_F(map_bad_input, WhatAKindCannotDo) {
    expect_ok("create {m} type array value 4 entries 2", at("a"));
    expect_refused("delete {m} key u32:1", at("a"), 1, {at("a"), "cannot be deleted"});
    expect_ok("create {m} type queue value 4", at("q"));
    expect_refused("dump {m}", at("q"), 1, {at("q"), "no keys", "pop"});
    expect_refused("delete {m} key u32:1", at("q"), 1, {at("q"), "no keys"});
    expect_ok("create {m} type bloom_filter value 4", at("b"));
    expect_refused("lookup {m}", at("b"), 1, {at("b"), "no elements that can be shown"});
    expect_ok("create {m} type sockmap", at("s"));
    expect_refused("update {m} key u32:1 value u32:1", at("s"), 1, {at("s"), "holds sockets"});
    expect_ok("create {m} type ringbuf", at("r"));
    expect_refused("dump {m}", at("r"), 1, {at("r"), "no keys"});
}

TEST_F(map_bad_input, NoDelegation) {
    make_directory("mine", 0700, alice);
    expect_refused(&user_, {"create", at("mine/m")}, 1, {at("mine/m"), "delegat"});
}

TEST_F(map_bad_input, ADirectoryThatMayNotBeWritten) {
    make_directory("roots", 0755, 0);
    expect_refused(&user_, {"create", at("roots/m")}, 1, {at("roots")});
}

TEST_F(map_bad_input, ADirectoryThatMayNotBeSearched) {
    make_directory("shut", 0755, 0);
    make_directory("shut/inner", 0755, alice);
    expect_ok("create {m} mode 0644", at("shut/inner/m"));
    ASSERT_EQ(::chmod(at("shut").c_str(), 0700), 0);
    for (const arguments& words :
         {arguments{"dump", at("shut/inner/m")}, arguments{"create", at("shut/inner/n")},
          arguments{"rm", at("shut/inner/m")}, arguments{"chmod", "0600", at("shut/inner/m")}}) {
        expect_refused(&user_, words, 1, {"'" + at("shut") + "'", "Permission denied", "search"});
    }
}

TEST_F(map_bad_input, APinThatMayNotBeRead) {
    expect_ok("create {m} mode 0640", at("m"));
    expect_refused(&user_, {"dump", at("m")}, 1,
                   {at("m"), "Permission denied", "chmod o+r", "rw-r-----"});
    expect_refused(&user_, {"chmod", "0666", at("m")}, 1, {at("m"), "Operation not permitted"});
    expect_refused(&user_, {"chown", "1000", at("m")}, 1, {at("m"), "Operation not permitted"});
}

TEST_F(map_bad_input, InJsonTheErrorIsAnObject) {
    const answer got = run_map({"-j", "dump", at("none")});
    EXPECT_EQ(got.status, 1);
    EXPECT_EQ(got.err, "");
    EXPECT_EQ(got.out.rfind("{\"error\":\"", 0), 0U) << got.out;
    EXPECT_NE(got.out.find(at("none")), std::string::npos);
}

// What only a kernel with the series can refuse or allow.
class map_bad_input_fmode : public map_bad_input {
protected:
    void SetUp() override {
        BPFFS_NEEDS("fmode");
        map_bad_input::SetUp();
    }
    [[nodiscard]] std::string options() const override { return "fmode,mode=0755"; }
};

TEST_F(map_bad_input_fmode, AReaderMayNotWriteOrPinAgain) {
    make_directory("mine", 0700, alice);
    expect_ok("create {m} key 4 value 4 mode 0444", at("m"));
    expect_refused(&user_, {"update", at("m"), "key", "u32:1", "value", "u32:1"}, 1,
                   {at("m"), "Permission denied"});
    expect_refused(&user_, {"pin", at("m"), at("mine/again")}, 1, {at("m")});
}

TEST_F(map_bad_input_fmode, NoDelegationOnThisMount) {
    make_directory("mine", 0700, alice);
    expect_refused(&user_, {"create", at("mine/m")}, 1, {at("mine"), "delegat"});
}

class map_bad_input_token : public map_bad_input {
protected:
    void SetUp() override {
        BPFFS_NEEDS("token");
        map_bad_input::SetUp();
    }
    [[nodiscard]] std::string options() const override {
        return "fmode,mode=0755,delegate_cmds=map_create,delegate_maps=hash,delegate_caps=bpf";
    }
};

TEST_F(map_bad_input_token, AKindThatIsNotDelegated) {
    make_directory("mine", 0700, alice);
    EXPECT_EQ(run_map_as(user_, {"create", at("mine/m")}).status, 0);
    expect_refused(&user_, {"create", at("mine/a"), "type", "array"}, 1,
                   {at("mine"), "array", "hash"});
}

TEST_F(map_bad_input_token, ADirectoryOfAnother) {
    make_directory("theirs", 0755, bob);
    expect_refused(&user_, {"create", at("theirs/m")}, 1, {at("theirs"), "Permission denied"});
}

} // namespace

} // namespace bpffs_test
