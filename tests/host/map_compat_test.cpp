// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-map beside the system's bpftool on the same maps: what both print is
// the same byte for byte, plain, with -j and with -p, for every kind of map
// whose elements user space can make.
#include "map_runner.hpp"

#include <bpf/btf.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"

namespace bpffs_test {

namespace {

constexpr std::array<const char*, 3> layouts = {"", "-j", "-p"};

class map_compat : public map_tool_test {
protected:
    void SetUp() override {
        const bool there = std::system("bpftool version >/dev/null 2>&1") == 0;
        BPFFS_NEEDS("bpftool", there ? "" : "bpftool does not run");
        map_tool_test::SetUp();
    }

    // The same words to both, in every layout. {m} is the map for both, named
    // as bpftool wants it.
    void expect_same(const std::string& line, const std::string& file) const {
        for (const char* layout : layouts) {
            arguments words = split_line(line, file);
            words.insert(words.begin() + 1, "pinned");
            const std::string theirs = bpftool_map(layout, words);
            if (*layout != '\0') {
                words.insert(words.begin(), layout);
            }
            const answer ours = run_map(words);
            EXPECT_EQ(ours.out, theirs) << layout << " " << line << "\n" << ours.err;
        }
    }
};

struct map_case {
    std::string name;
    std::string create;               // words behind FILE
    std::vector<std::string> updates; // lines
    std::vector<std::string> compare; // lines
};

// GoogleTest asks for this name.
// NOLINTNEXTLINE(readability-identifier-naming)
void PrintTo(const map_case& one, std::ostream* to) {
    *to << one.name;
}

const std::vector<std::string> look = {"show {m}", "list {m}", "dump {m}", "getnext {m}"};

std::vector<std::string> look_and(std::vector<std::string> more) {
    more.insert(more.begin(), look.begin(), look.end());
    return more;
}

const std::vector<std::string> words_at_0_to_2 = {
    "update {m} key 0 0 0 0 value 1 2 3 4 5 6 7 8",
    "update {m} key 2 0 0 0 value hex ff 00 aa 55 1 2 3 4 exist",
};
const std::vector<map_case> all_cases = {
    {"hash",
     "type hash key 4 value 8 entries 8 name h",
     {"update {m} key 1 0 0 0 value 1 2 3 4 5 6 7 8",
      "update {m} key u32:77 value u64:18446744073709551615 noexist"},
     look_and({"lookup {m} key 1 0 0 0", "lookup {m} key hex 4d 0 0 0", "lookup {m} key 9 9 9 9",
               "getnext {m} key 9 9 9 9"})},
    {"wide_hash",
     "type hash key 20 value 33 entries 4 name wide flags 1",
     {"update {m} key str:a value str:wide-value", "update {m} key str:b value str:x"},
     look_and({"lookup {m} key hex 61 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"})},
    {"middle_hash",
     "type hash key 12 value 16 entries 4 name middle",
     {"update {m} key str:a value str:wide-value"},
     look},
    {"large_value",
     "type hash key 4 value 20000 entries 2 name large",
     {"update {m} key 1 0 0 0 value str:twenty-thousand"},
     look_and({"lookup {m} key 1 0 0 0"})},
    {"large_key",
     "type hash key 300 value 1 entries 2 name long_key",
     {"update {m} key str:three-hundred value 7"},
     look},
    {"empty_hash", "type hash key 4 value 8 entries 8 name empty", {}, {"dump {m}", "show {m}"}},
    {"array", "type array key 4 value 8 entries 3 name a", words_at_0_to_2,
     look_and({"lookup {m} key 2 0 0 0", "lookup {m} key 3 0 0 0"})},
    {"percpu_hash",
     "type percpu_hash key 4 value 5 entries 3 name ph",
     {"update {m} key 1 0 0 0 value 1 2 3 4 5"},
     look_and({"lookup {m} key 1 0 0 0"})},
    {"percpu_array",
     "type percpu_array key 4 value 20 entries 2 name pa",
     {"update {m} key 1 0 0 0 value str:twenty"},
     look_and({"lookup {m} key 1 0 0 0"})},
    {"lru_hash",
     "type lru_hash key 4 value 8 entries 8 name lru",
     {"update {m} key 1 0 0 0 value 1 2 3 4 5 6 7 8"},
     look_and({"lookup {m} key 1 0 0 0"})},
    {"lru_percpu_hash",
     "type lru_percpu_hash key 4 value 8 entries 8 name lrup",
     {"update {m} key 1 0 0 0 value 1 2 3 4 5 6 7 8"},
     look_and({"lookup {m} key 1 0 0 0"})},
    {"lpm_trie",
     "type lpm_trie key 8 value 4 entries 8 name lpm flags 1",
     {"update {m} key u32:8 ip4:10.0.0.0 value u32:1",
      "update {m} key u32:24 ip4:10.1.2.0 value u32:2"},
     look_and({"lookup {m} key 32 0 0 0 10 1 2 3", "lookup {m} key 32 0 0 0 11 0 0 0",
               "getnext {m} key 8 0 0 0 10 0 0 0"})},
    {"queue",
     "type queue key 0 value 4 entries 4 name q",
     {"push {m} value u32:1", "enqueue {m} value 2 0 0 0"},
     {"show {m}", "peek {m}", "lookup {m}"}},
    {"stack",
     "type stack key 0 value 4 entries 4 name s",
     {"push {m} value u32:1", "update {m} value 2 0 0 0"},
     {"show {m}", "peek {m}"}},
    {"prog_array_empty", "type prog_array key 4 value 4 entries 4 name pa", {}, look},
    {"perf_event_array",
     "type perf_event_array key 4 value 4 entries 2 name pea",
     {},
     {"show {m}", "getnext {m}"}},
    {"bloom_filter",
     "type bloom_filter key 0 value 4 entries 4 name b",
     {"push {m} value u32:1"},
     {"show {m}"}},
    {"ringbuf", "type ringbuf key 0 value 0 entries 4096 name r", {}, {"show {m}"}},
    {"stack_trace",
     "type stack_trace key 4 value 8 entries 4 name st",
     {},
     {"show {m}", "dump {m}"}},
    {"cgroup_array",
     "type cgroup_array key 4 value 4 entries 2 name ca",
     {},
     {"show {m}", "getnext {m}"}},
    {"devmap", "type devmap key 4 value 4 entries 2 name dm", {}, {"show {m}", "dump {m}"}},
    {"cpumap", "type cpumap key 4 value 4 entries 2 name cm", {}, {"show {m}", "dump {m}"}},
    {"sockhash", "type sockhash key 4 value 4 entries 2 name sh", {}, {"show {m}", "dump {m}"}},
};

class each_kind : public map_compat, public testing::WithParamInterface<map_case> {};

TEST_P(each_kind, PrintsWhatBpftoolPrints) {
    const map_case& one = GetParam();
    const std::string file = at("map");
    expect_ok("create {m} " + one.create, file);
    for (const std::string& line : one.updates) {
        expect_ok(line, file);
    }
    for (const std::string& line : one.compare) {
        expect_same(line, file);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, each_kind, testing::ValuesIn(all_cases),
                         [](const auto& info) { return info.param.name; });

TEST_F(map_compat, QueuesGiveTheSameOneByOne) {
    expect_ok("create {m} type queue key 0 value 4 entries 4 name q", at("ours"));
    expect_ok("create {m} type queue key 0 value 4 entries 4 name q", at("theirs"));
    for (const char* file : {"ours", "theirs"}) {
        expect_ok("push {m} value u32:1", at(file));
        expect_ok("push {m} value u32:2", at(file));
    }
    EXPECT_EQ(map("pop {m}", at("ours")).out, bpftool_map("", {"pop", "pinned", at("theirs")}));
    EXPECT_EQ(map("-j dequeue {m}", at("ours")).out,
              bpftool_map("-j", {"dequeue", "pinned", at("theirs")}));
    EXPECT_EQ(map("-j pop {m}", at("ours")).out,
              bpftool_map("-j", {"pop", "pinned", at("theirs")}));
    expect_error(map("pop {m}", at("ours")), 1, {"Error: empty map"});
}

// Later ones write inner_map_id for a map in a map, and pointers in quotes.
std::string other_than_7_1() {
    const bool same = std::system("bpftool version | grep -q 'v7\\.1\\.'") == 0;
    return same ? "" : "this bpftool has another version";
}

TEST_F(map_compat, MapsInMapsShowInnerIds) {
    BPFFS_NEEDS("bpftool 7.1", other_than_7_1());
    expect_ok("create {m} type hash key 4 value 4 entries 4 name inner", at("inner"));
    for (const char* kind : {"array_of_maps", "hash_of_maps"}) {
        const std::string file = at(kind);
        expect_ok(std::string("create {m} type ") + kind +
                      " key 4 value 4 entries 3 name outer inner_map pinned " + at("inner"),
                  file);
        expect_ok("update {m} key 1 0 0 0 value pinned " + at("inner"), file);
        for (const char* line : {"show {m}", "dump {m}", "lookup {m} key 1 0 0 0",
                                 "lookup {m} key 2 0 0 0", "getnext {m}"}) {
            expect_same(line, file);
        }
    }
}

TEST_F(map_compat, ProgramArraysShowIdsAndOwner) {
    const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0));
    ASSERT_TRUE(program.good());
    ASSERT_EQ(pin(program.get(), at("program")), 0);
    expect_ok("create {m} type prog_array key 4 value 4 entries 3 name progs", at("map"));
    expect_ok("update {m} key 1 0 0 0 value pinned " + at("program"), at("map"));
    for (const char* line : {"show {m}", "dump {m}", "lookup {m} key 1 0 0 0", "getnext {m}"}) {
        expect_same(line, at("map"));
    }
}

TEST_F(map_compat, FrozenMapsSaySo) {
    expect_ok("create {m} type array key 4 value 4 entries 1 name f", at("map"));
    expect_ok("freeze {m}", at("map"));
    expect_same("show {m}", at("map"));
}

TEST_F(map_compat, LookUpsByNameShowSeveralMaps) {
    for (const char* file : {"one", "two"}) {
        expect_ok("create {m} type hash key 4 value 4 entries 4 name bpffs_twins", at(file));
        expect_ok("update {m} key 1 0 0 0 value 1 2 3 4", at(file));
    }
    for (const char* layout : layouts) {
        for (const char* verb : {"show", "dump"}) {
            arguments words = {verb, "name", "bpffs_twins"};
            const std::string theirs = bpftool_map(layout, words);
            if (*layout != '\0') {
                words.insert(words.begin(), layout);
            }
            EXPECT_EQ(run_map(words).out, theirs) << verb << layout;
        }
    }
    expect_error(run_map({"lookup", "name", "bpffs_twins", "key", "1", "0", "0", "0"}), 1,
                 {"several maps match this handle", "Choose one by its id"});
}

TEST_F(map_compat, SuccessAndMissesAreNullInJson) {
    expect_ok("create {m} type hash key 4 value 4 entries 4 name n", at("map"));
    EXPECT_EQ(map("-j update {m} key 1 0 0 0 value 1 0 0 0", at("map")).out, "null\n");
    EXPECT_EQ(map("-j delete {m} key 1 0 0 0", at("map")).out, "null\n");
    EXPECT_EQ(map("-j lookup {m} key 1 0 0 0", at("map")).out, "null\n");
    EXPECT_EQ(map("-j lookup {m} key 1 0 0 0", at("map")).status, 1);
    EXPECT_EQ(map("-j pin {m} " + at("again"), at("map")).out, "null\n");
    EXPECT_EQ(map("-j create {m}", at("other")).out, "null\n");
}

// The types of a value that has something of everything.
std::vector<uint8_t> rich_types(int& key_type, int& value_type) {
    btf* types = btf__new_empty();
    const int number = btf__add_int(types, "int", 4, BTF_INT_SIGNED);
    const int letter = btf__add_int(types, "char", 1, BTF_INT_SIGNED);
    const int truth = btf__add_int(types, "_Bool", 1, BTF_INT_BOOL);
    const int large = btf__add_int(types, "unsigned long", 8, 0);
    const int small = btf__add_int(types, "short", 2, BTF_INT_SIGNED);
    const int pointer = btf__add_ptr(types, 0);
    const int text = btf__add_array(types, number, letter, 8);
    const int numbers = btf__add_array(types, number, small, 2);
    const int choice = btf__add_enum(types, "choice", 4);
    btf__add_enum_value(types, "NONE", 0);
    btf__add_enum_value(types, "SOME", 7);
    const int alias = btf__add_typedef(types, "count_t", large);
    const int bits = btf__add_struct(types, "bits", 4);
    btf__add_field(types, "low", number, 0, 3);
    btf__add_field(types, "high", number, 3, 13);
    value_type = btf__add_struct(types, "value", 56);
    btf__add_field(types, "count", alias, 0, 0);
    btf__add_field(types, "where", pointer, 64, 0);
    btf__add_field(types, "text", text, 128, 0);
    btf__add_field(types, "raw", text, 192, 0);
    btf__add_field(types, "choice", choice, 256, 0);
    btf__add_field(types, "other", choice, 288, 0);
    btf__add_field(types, "numbers", numbers, 320, 0);
    btf__add_field(types, "signed", number, 352, 0);
    btf__add_field(types, "bits", bits, 384, 0);
    btf__add_field(types, "truth", truth, 416, 0);
    key_type = number;
    uint32_t size = 0;
    const void* raw = btf__raw_data(types, &size);
    std::vector<uint8_t> data(size);
    std::memcpy(data.data(), raw, size);
    btf__free(types);
    return data;
}

handle create_typed_map(uint32_t kind) {
    int key_type = 0;
    int value_type = 0;
    const handle types = btf_load(rich_types(key_type, value_type));
    EXPECT_TRUE(types.good()) << types.error();
    map_create_attr attr;
    attr.map_type = kind;
    attr.key_size = 4;
    attr.value_size = 56;
    attr.max_entries = 4;
    std::strcpy(attr.map_name, "typed");
    attr.btf_fd = static_cast<uint32_t>(types.get());
    attr.btf_key_type_id = static_cast<uint32_t>(key_type);
    attr.btf_value_type_id = static_cast<uint32_t>(value_type);
    return create_map(attr);
}

const char* const rich_value =
    "value u64:18446744073709551615 u64:0xffff1234 hex:6869000000000000 hex:0102030405060708 "
    "u32:7 u32:9 s16:-1 s16:2 s32:-5 u32:0xabcd u8:1 hex:000000";

class typed_maps : public map_compat, public testing::WithParamInterface<uint32_t> {};

TEST_P(typed_maps, ArePrintedWithTheirTypes) {
    BPFFS_NEEDS("bpftool 7.1", other_than_7_1());
    const handle made = create_typed_map(GetParam());
    ASSERT_TRUE(made.good()) << made.error();
    ASSERT_EQ(pin(made.get(), at("map")), 0);
    expect_ok(std::string("update {m} key 1 0 0 0 ") + rich_value, at("map"));
    for (const char* line : {"show {m}", "dump {m}", "lookup {m} key 1 0 0 0", "getnext {m}"}) {
        expect_same(line, at("map"));
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, typed_maps,
                         testing::Values(BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY,
                                         BPF_MAP_TYPE_PERCPU_ARRAY));

TEST_F(map_compat, EmptyTypedMapsAreAnEmptyArray) {
    const handle made = create_typed_map(BPF_MAP_TYPE_HASH);
    ASSERT_EQ(pin(made.get(), at("map")), 0);
    expect_same("dump {m}", at("map"));
}

// bpftool fails here. The types come through the map's handle where the kernel gives them; they are
// kept for the privileged where it does not, but the bytes are not.
TEST_F(map_compat, WhoMayReadTheMapGetsItsTypesOrItsBytes) {
    const handle made = create_typed_map(BPF_MAP_TYPE_HASH);
    ASSERT_EQ(pin(made.get(), at("map")), 0);
    expect_ok(std::string("update {m} key 1 0 0 0 ") + rich_value, at("map"));
    expect_ok("chmod 0444 {m}", at("map"));
    const answer got = run_map_as({}, {"dump", at("map")});
    EXPECT_EQ(got.status, 0) << got.err;
    const char* const beginning = probe("btf_by_handle")
                                      ? "[{\n        \"key\": 1,\n        \"value\": {"
                                      : "key:\n01 00 00 00\nvalue:\nff ff";
    EXPECT_EQ(got.out.rfind(beginning, 0), 0U) << got.out;
    EXPECT_EQ(run_map_as({}, {"-j", "lookup", at("map"), "key", "u32:1"}).status, 0);
}

} // namespace

} // namespace bpffs_test
