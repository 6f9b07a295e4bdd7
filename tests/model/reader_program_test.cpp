// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Programs that refer to a map through handles from an fmode mount: what the verifier lets them do
// to it, what not, and that its log says which map it was. All by root, whose handles are bound
// too.

#include <gtest/gtest.h>

#include <linux/bpf.h>

#include <bpf/btf.h>

#include <memory>

#include "support/bpf_call.hpp"
#include "support/inspect.hpp"
#include "support/instructions.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

// A key of 8 zero bytes on the stack, its address in r2, the map in r1: as most helpers want it.
program_text map_and_key(int map) {
    return program_text{insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0)} +
           load_map(BPF_REG_1, map) + program_text{move(BPF_REG_2, BPF_REG_10), add(BPF_REG_2, -8)};
}

// r0 = the value of key 0, not null, for the instructions that follow; the program ends after them.
program_text with_value(int map, const program_text& use) {
    return map_and_key(map) +
           program_text{call(BPF_FUNC_map_lookup_elem), insn(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0,
                                                             0, static_cast<int>(use.size()), 0)} +
           use + program_text{set(BPF_REG_0, 0), leave()};
}

program_text read_value(int map) {
    return with_value(map, {insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_0, 0, 0)});
}

program_text write_value(int map) {
    return with_value(map, {insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_0, 0, 0, 42)});
}

program_text ended(const program_text& text) {
    return text + program_text{set(BPF_REG_0, 0), leave()};
}

constexpr uint32_t value_bytes = 64; // as large as a struct bpf_fib_lookup

class reader_program_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need :
             {"root", "namespaces", "bpf", "bpffs", "fmode", "reader_programs"}) {
            BPFFS_NEEDS(need);
        }
        mount_anew();
    }

    /// Where the next map is pinned.
    void mount_anew() {
        mount_ = std::make_unique<bpffs_mount>("fmode");
        ASSERT_EQ(mount_->error(), 0);
    }

    /// Pins a map of this type and opens it again for reading: a bound handle.
    handle reader_of(uint32_t type, uint32_t key_size = 4, uint32_t flags = 0) {
        return reader_of(create_map(type, key_size, value_bytes, 4, flags));
    }
    handle reader_of(const handle& made) {
        EXPECT_TRUE(made.good()) << made.error();
        EXPECT_EQ(pin(made.get(), *mount_ / "map"), 0);
        return opened(BPF_F_RDONLY);
    }
    [[nodiscard]] handle opened(uint32_t flags) const { return get(*mount_ / "map", flags); }

    /// 0 or the errno of the load; the verifier's log in log_.
    int load(const program_text& text, uint32_t type = BPF_PROG_TYPE_SOCKET_FILTER) {
        load_options options;
        options.log = &log_;
        return load_program(type, text, options).error();
    }

    void expect_refused(const program_text& text, const std::string& words,
                        uint32_t type = BPF_PROG_TYPE_SOCKET_FILTER) {
        EXPECT_EQ(load(text, type), EACCES) << log_;
        EXPECT_NE(log_.find(words), std::string::npos) << log_;
        EXPECT_NE(log_.find("map "), std::string::npos) << log_;
    }

    std::string log_; // NOLINT(misc-non-private-member-variables-in-classes)

private:
    std::unique_ptr<bpffs_mount> mount_;
};

TEST_F(reader_program_test, reads_all_kinds_whose_values_it_gets_by_look_up) {
    struct {
        uint32_t type;
        uint32_t key_size;
        uint32_t flags;
    } const kinds[] = {
        {BPF_MAP_TYPE_HASH, 4, 0},
        {BPF_MAP_TYPE_ARRAY, 4, 0},
        {BPF_MAP_TYPE_PERCPU_HASH, 4, 0},
        {BPF_MAP_TYPE_PERCPU_ARRAY, 4, 0},
        {BPF_MAP_TYPE_LRU_HASH, 4, 0},
        {BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 0},
        {BPF_MAP_TYPE_LPM_TRIE, 8, BPF_F_NO_PREALLOC},
    };
    for (const auto& kind : kinds) {
        mount_anew();
        const handle map = reader_of(kind.type, kind.key_size, kind.flags);
        EXPECT_EQ(load(read_value(map.get())), 0) << kind.type << log_;
        expect_refused(write_value(map.get()), "write into map forbidden");
    }
}

TEST_F(reader_program_test, stores_nothing_by_address) {
    const handle map = reader_of(create_map(BPF_MAP_TYPE_ARRAY, 4, value_bytes, 1));
    const program_text address = {
        insn(BPF_LD | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, map.get()), insn(0, 0, 0, 0, 0)};
    EXPECT_EQ(load(ended(address + program_text{insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2,
                                                     BPF_REG_1, 0, 0)})),
              0)
        << log_;
    expect_refused(
        ended(address + program_text{insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_1, 0, 0, 42)}),
        "write into map forbidden");
}

TEST_F(reader_program_test, changes_nothing_atomically) {
    const handle map = reader_of(BPF_MAP_TYPE_HASH);
    expect_refused(
        with_value(map.get(), {set(BPF_REG_1, 1), insn(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0,
                                                       BPF_REG_1, 0, BPF_ADD)}),
        "write into map forbidden");
}

TEST_F(reader_program_test, calls_no_helper_that_changes_the_map) {
    const handle map = reader_of(BPF_MAP_TYPE_HASH);
    expect_refused(ended(map_and_key(map.get()) + program_text{call(BPF_FUNC_map_delete_elem)}),
                   "this helper forbidden");
    mount_anew();
    const handle small = reader_of(create_map(BPF_MAP_TYPE_HASH, 4, 8, 4));
    expect_refused(
        ended(map_and_key(small.get()) + program_text{move(BPF_REG_3, BPF_REG_2), set(BPF_REG_4, 0),
                                                      call(BPF_FUNC_map_update_elem)}),
        "this helper forbidden");
}

TEST_F(reader_program_test, lets_no_helper_write_a_value) {
    const handle map = reader_of(BPF_MAP_TYPE_HASH);
    // Declared as written, and not declared at all although it is.
    expect_refused(with_value(map.get(), {move(BPF_REG_1, BPF_REG_0), set(BPF_REG_2, 8),
                                          set(BPF_REG_3, 0), call(BPF_FUNC_probe_read_kernel)}),
                   "forbidden", BPF_PROG_TYPE_RAW_TRACEPOINT);
    expect_refused(
        program_text{move(BPF_REG_6, BPF_REG_1)} +
            with_value(map.get(),
                       {move(BPF_REG_2, BPF_REG_0), move(BPF_REG_1, BPF_REG_6),
                        set(BPF_REG_3, value_bytes), set(BPF_REG_4, 0), call(BPF_FUNC_fib_lookup)}),
        "forbidden", BPF_PROG_TYPE_XDP);
}

// The keys of a map are its own, too: functions that are called for each element are given them.

// Helpers that Debian 12's linux/bpf.h may name otherwise or not at all.
constexpr int helper_for_each_map_elem = 164;
constexpr int helper_snprintf = 165;
constexpr int helper_sys_bpf = 166;

constexpr uint32_t callback_start = 11;

/// Calls a function for each element, with r1 the map, r2 the key, r3 the value; what the program
/// was given is where r4 points to.
program_text for_each(int map, const program_text& callback) {
    return program_text{insn(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_1, -8, 0)} +
           load_map(BPF_REG_1, map) +
           load_constant(BPF_REG_2, BPF_PSEUDO_FUNC, static_cast<int>(callback_start) - 4) +
           program_text{move(BPF_REG_3, BPF_REG_10), add(BPF_REG_3, -8), set(BPF_REG_4, 0),
                        call(helper_for_each_map_elem)} +
           program_text{set(BPF_REG_0, 0), leave()} + ended(callback);
}

TEST_F(reader_program_test, lets_no_helper_write_a_key) {
    const handle map = reader_of(create_map(BPF_MAP_TYPE_HASH, value_bytes, 8, 4));
    const handle format = create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY_PROG);
    ASSERT_EQ(map_freeze(format.get()), 0); // the empty text
    const program_text prints =
        program_text{move(BPF_REG_1, BPF_REG_2), set(BPF_REG_2, value_bytes)} +
        load_constant(BPF_REG_3, BPF_PSEUDO_MAP_VALUE, format.get()) +
        program_text{set(BPF_REG_4, 0), set(BPF_REG_5, 0), call(helper_snprintf)};
    const program_text looks_up_a_route = {
        insn(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_4, 0, 0), // the context
        set(BPF_REG_3, value_bytes), set(BPF_REG_4, 0), call(BPF_FUNC_fib_lookup)};
    const program_text reads = {insn(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_2, 0, 0)};
    const auto load_for_each = [&](uint32_t type, const handle& of, const program_text& callback) {
        return load_typed(type, for_each(of.get(), callback), {callback_start}, &log_).error();
    };
    EXPECT_EQ(load_for_each(BPF_PROG_TYPE_XDP, map, reads), 0) << log_;
    EXPECT_EQ(load_for_each(BPF_PROG_TYPE_RAW_TRACEPOINT, map, prints), EACCES) << log_;
    EXPECT_EQ(load_for_each(BPF_PROG_TYPE_XDP, map, looks_up_a_route), EACCES) << log_;
}

// A call that a program makes, by attributes in a value: the call may write them.
TEST_F(reader_program_test, makes_no_system_call_by_a_value) {
    const handle map = reader_of(create_map(BPF_MAP_TYPE_ARRAY, 4, value_bytes, 1));
    const handle own = create_map(BPF_MAP_TYPE_ARRAY, 4, value_bytes, 1);
    const program_text calls = {set(BPF_REG_3, value_bytes), set(BPF_REG_1, BPF_MAP_CREATE),
                                call(helper_sys_bpf)};
    const auto load_calling = [&](const program_text& text) {
        load_options options;
        options.flags = BPF_F_SLEEPABLE;
        options.log = &log_;
        return load_program(BPF_PROG_TYPE_SYSCALL, text, options).error();
    };
    const auto by_look_up = [&](const handle& of) {
        return with_value(of.get(), program_text{move(BPF_REG_2, BPF_REG_0)} + calls);
    };
    const auto by_address = [&](const handle& of) {
        return ended(load_constant(BPF_REG_2, BPF_PSEUDO_MAP_VALUE, of.get()) + calls);
    };
    EXPECT_EQ(load_calling(by_look_up(own)), 0) << log_;
    EXPECT_EQ(load_calling(by_address(own)), 0) << log_;
    EXPECT_EQ(load_calling(by_look_up(map)), EACCES) << log_;
    EXPECT_EQ(load_calling(by_address(map)), EACCES) << log_;
}

TEST_F(reader_program_test, lets_helpers_read_a_value) {
    const handle map = reader_of(BPF_MAP_TYPE_HASH);
    const handle other = create_map(BPF_MAP_TYPE_HASH, 4, value_bytes, 4);
    EXPECT_EQ(load(with_value(map.get(), {move(BPF_REG_1, BPF_REG_0), set(BPF_REG_2, 8),
                                          call(BPF_FUNC_trace_printk)}),
                   BPF_PROG_TYPE_RAW_TRACEPOINT),
              0)
        << log_;
    // As key and value for a map that may be written.
    EXPECT_EQ(
        load(with_value(map.get(),
                        load_map(BPF_REG_1, other.get()) +
                            program_text{move(BPF_REG_2, BPF_REG_0), move(BPF_REG_3, BPF_REG_0),
                                         set(BPF_REG_4, 0), call(BPF_FUNC_map_update_elem)})),
        0)
        << log_;
}

TEST_F(reader_program_test, needs_a_kind_whose_changes_can_be_seen) {
    struct {
        uint32_t type;
        uint32_t key_size;
        uint32_t value_size;
        uint32_t entries;
    } const kinds[] = {
        {BPF_MAP_TYPE_QUEUE, 0, 8, 4},
        {BPF_MAP_TYPE_STACK, 0, 8, 4},
        {BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 4},
        {BPF_MAP_TYPE_RINGBUF, 0, 0, 4096},
        {BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 4},
        {BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 4},
        {BPF_MAP_TYPE_STACK_TRACE, 4, 64, 4},
    };
    for (const auto& kind : kinds) {
        mount_anew();
        const handle map =
            reader_of(create_map(kind.type, kind.key_size, kind.value_size, kind.entries));
        expect_refused(ended(load_map(BPF_REG_1, map.get())), "need write access");
    }
}

TEST_F(reader_program_test, does_not_use_a_map_of_maps) {
    const handle inner = create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
    const handle map = reader_of(create_map_of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS, inner.get()));
    expect_refused(ended(load_map(BPF_REG_1, map.get())), "need write access");
}

/// A BTF with `struct { struct bpf_spin_lock lock; unsigned count; }`; its id in `type`.
std::vector<uint8_t> btf_with_lock(uint32_t& integer, uint32_t& type) {
    const std::unique_ptr<btf, decltype(&btf__free)> types(btf__new_empty(), &btf__free);
    integer = static_cast<uint32_t>(btf__add_int(types.get(), "unsigned", 4, 0));
    const int lock = btf__add_struct(types.get(), "bpf_spin_lock", 4);
    btf__add_field(types.get(), "val", static_cast<int>(integer), 0, 0);
    type = static_cast<uint32_t>(btf__add_struct(types.get(), "counter", 8));
    btf__add_field(types.get(), "lock", lock, 0, 0);
    btf__add_field(types.get(), "count", static_cast<int>(integer), 32, 0);
    uint32_t size = 0;
    const auto* data = static_cast<const uint8_t*>(btf__raw_data(types.get(), &size));
    return {data, data + size};
}

TEST_F(reader_program_test, needs_values_without_fields_that_helpers_write) {
    map_create_attr attr;
    attr.map_type = BPF_MAP_TYPE_HASH;
    attr.key_size = 4;
    attr.value_size = 8;
    attr.max_entries = 4;
    const handle types = btf_load(btf_with_lock(attr.btf_key_type_id, attr.btf_value_type_id));
    ASSERT_TRUE(types.good()) << types.error();
    attr.btf_fd = static_cast<uint32_t>(types.get());
    const handle map = reader_of(create_map(attr));
    const auto read_count = [](int fd) {
        return with_value(fd, {insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_0, 4, 0)});
    };
    expect_refused(read_count(map.get()), "need write access", BPF_PROG_TYPE_SCHED_CLS);
    const handle both = opened(0);
    EXPECT_EQ(load(read_count(both.get()), BPF_PROG_TYPE_SCHED_CLS), 0) << log_;
}

TEST_F(reader_program_test, with_several_handles_has_all_that_they_give) {
    const handle reader = reader_of(BPF_MAP_TYPE_HASH);
    const handle writer = opened(BPF_F_WRONLY);
    ASSERT_TRUE(writer.good());
    const program_text store =
        with_value(reader.get(), {insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_0, 0, 0, 42)});
    expect_refused(store, "write into map forbidden");
    EXPECT_EQ(load(load_map(BPF_REG_1, writer.get()) + store), 0) << log_;
    // Whichever comes first.
    EXPECT_EQ(load(write_value(writer.get())), EACCES);
    EXPECT_EQ(load(load_map(BPF_REG_1, reader.get()) + write_value(writer.get())), 0) << log_;
}

TEST_F(reader_program_test, needs_to_read) {
    const handle reader = reader_of(BPF_MAP_TYPE_HASH);
    const handle writer = opened(BPF_F_WRONLY);
    expect_refused(ended(load_map(BPF_REG_1, writer.get())), "not open for reading");
}

TEST_F(reader_program_test, a_creators_restriction_is_about_the_system_call) {
    const handle made = create_map(BPF_MAP_TYPE_HASH, 4, value_bytes, 4, BPF_F_RDONLY);
    EXPECT_EQ(load(write_value(made.get())), 0) << log_;
}

} // namespace

} // namespace bpffs_test
