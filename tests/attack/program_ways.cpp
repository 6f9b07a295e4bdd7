// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ways by a program: alice, who may load programs, loads one that changes through her reader's
// handle what the handle itself does not let her change. The verifier has to see it, however the
// program hides it.

#include <cerrno>
#include <cstring>

#include <linux/capability.h>
#include <linux/if_link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/inspect.hpp"
#include "support/instructions.hpp"
#include "way.hpp"

namespace bpffs_test {

namespace {

using text_for = program_text (*)(int map);

// Helpers that Debian 12's linux/bpf.h may name otherwise or not at all.
constexpr int helper_strtol = 105;
constexpr int helper_ringbuf_output = 130;
constexpr int helper_for_each_map_elem = 164;
constexpr int helper_sys_bpf = 166;
constexpr int helper_dynptr_from_mem = 197;
constexpr int helper_dynptr_write = 202;

program_text ends() {
    return {set(BPF_REG_0, 0), leave()};
}

/// Eight bytes of zeros at fp-8, their address in r2: a key; the map in r1.
program_text map_and_key(int map) {
    return program_text{insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0)} +
           load_map(BPF_REG_1, map) + program_text{move(BPF_REG_2, BPF_REG_10), add(BPF_REG_2, -8)};
}

/// `use` with r0 the address of the value of key 0.
program_text with_value(int map, const program_text& use) {
    return map_and_key(map) +
           program_text{call(BPF_FUNC_map_lookup_elem), if_null(static_cast<int>(use.size()))} +
           use + ends();
}

constexpr bpf_insn store(unsigned at) {
    return insn(BPF_ST | BPF_MEM | BPF_W, at, 0, 0, loot);
}

// Directly.

program_text stores(int map) {
    return with_value(map, {store(BPF_REG_0)});
}

program_text stores_by_address(int map) {
    return load_constant(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, map) + program_text{store(BPF_REG_1)} +
           ends();
}

program_text adds_atomically(int map) {
    return with_value(map, {set(BPF_REG_1, loot),
                            insn(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0, BPF_REG_1, 0, BPF_ADD)});
}

program_text exchanges_atomically(int map) {
    return with_value(map, {set(BPF_REG_1, loot), insn(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0,
                                                       BPF_REG_1, 0, BPF_XCHG)});
}

// By an address that comes another way.

program_text stores_after_spilling(int map) {
    return with_value(
        map, {insn(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_0, -16, 0), set(BPF_REG_0, 0),
              insn(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_3, BPF_REG_10, -16, 0), store(BPF_REG_3)});
}

program_text stores_after_arithmetic(int map) {
    return with_value(map, {add(BPF_REG_0, 4), add(BPF_REG_0, -4), store(BPF_REG_0)});
}

program_text stores_in_a_function(int map) {
    program_text text = with_value(
        map, {move(BPF_REG_1, BPF_REG_0), insn(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 2)});
    return text + program_text{store(BPF_REG_1)} + ends();
}

program_text stores_what_a_function_returns(int map) {
    // The function looks up; its caller stores.
    const program_text caller = {insn(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 4), if_null(1),
                                 store(BPF_REG_0)};
    return caller + ends() + map_and_key(map) +
           program_text{call(BPF_FUNC_map_lookup_elem), leave()};
}

constexpr uint32_t callback_start = 9;

program_text with_a_callback(int map) {
    // bpf_for_each_map_elem(map, callback, 0, 0); callback(map, key, value, context)
    const program_text text =
        load_map(BPF_REG_1, map) + load_constant(BPF_REG_2, BPF_PSEUDO_FUNC, 6) +
        program_text{set(BPF_REG_3, 0), set(BPF_REG_4, 0), call(helper_for_each_map_elem)} + ends();
    return text + program_text{store(BPF_REG_3)} + ends();
}

// By a helper.

program_text updates(int map) {
    return program_text{insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -16, loot)} +
           map_and_key(map) +
           program_text{move(BPF_REG_3, BPF_REG_10), add(BPF_REG_3, -16), set(BPF_REG_4, 0),
                        call(BPF_FUNC_map_update_elem)} +
           ends();
}

program_text deletes(int map) {
    return map_and_key(map) + program_text{call(BPF_FUNC_map_delete_elem)} + ends();
}

program_text lets_a_helper_load_a_packet(int map) {
    // bpf_skb_load_bytes(skb, 0, value, 8): what arrives is written over it.
    return program_text{move(BPF_REG_6, BPF_REG_1)} +
           with_value(map, {move(BPF_REG_3, BPF_REG_0), move(BPF_REG_1, BPF_REG_6),
                            set(BPF_REG_2, 0), set(BPF_REG_4, 8), call(BPF_FUNC_skb_load_bytes)});
}

program_text lets_a_helper_convert_a_number(int map) {
    // bpf_strtol("42", 2, 10, value)
    return program_text{insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -16, '4' | '2' << 8)} +
           with_value(map,
                      {move(BPF_REG_4, BPF_REG_0), move(BPF_REG_1, BPF_REG_10), add(BPF_REG_1, -16),
                       set(BPF_REG_2, 2), set(BPF_REG_3, 10), call(helper_strtol)});
}

program_text writes_by_a_dynamic_pointer(int map) {
    // A dynptr at fp-32 over the value, through which 8 bytes of fp-48 are written.
    return program_text{insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -48, loot)} +
           with_value(map, {move(BPF_REG_1, BPF_REG_0), set(BPF_REG_2, 8), set(BPF_REG_3, 0),
                            move(BPF_REG_4, BPF_REG_10), add(BPF_REG_4, -32),
                            call(helper_dynptr_from_mem), move(BPF_REG_1, BPF_REG_10),
                            add(BPF_REG_1, -32), set(BPF_REG_2, 0), move(BPF_REG_3, BPF_REG_10),
                            add(BPF_REG_3, -48), set(BPF_REG_4, 8), set(BPF_REG_5, 0),
                            call(helper_dynptr_write)});
}

// Kinds of maps whose changes nobody sees.

program_text pushes(int map) {
    return map_and_key(map) + program_text{set(BPF_REG_3, 0), call(BPF_FUNC_map_push_elem)} +
           ends();
}

program_text outputs(int map) {
    return map_and_key(map) +
           program_text{set(BPF_REG_3, 8), set(BPF_REG_4, 0), call(helper_ringbuf_output)} + ends();
}

program_text calls_tail(int map) {
    return load_map(BPF_REG_2, map) + program_text{set(BPF_REG_3, 0), call(BPF_FUNC_tail_call)} +
           ends();
}

program_text stores_in_an_inner_map(int outer) {
    const program_text found = {move(BPF_REG_1, BPF_REG_0),
                                move(BPF_REG_2, BPF_REG_10),
                                add(BPF_REG_2, -8),
                                call(BPF_FUNC_map_lookup_elem),
                                if_null(1),
                                store(BPF_REG_0)};
    return with_value(outer, found);
}

// How they are loaded and run.

outcome loaded_and_run(const handle& program) {
    if (!program.good()) {
        return failed("load", program.error());
    }
    return done("run", prog_test_run(program.get(), run_input::packet));
}

step by(text_for text) {
    return [text](scene& s) {
        return with_victim(s, "map", [&](int map) {
            return loaded_and_run(load_program(BPF_PROG_TYPE_SOCKET_FILTER, text(map)));
        });
    };
}

/// Functions that are called back have types.
outcome stores_in_a_callback(scene& s) {
    return with_victim(s, "map", [](int map) {
        const program_text text = with_a_callback(map);
        return loaded_and_run(load_typed(BPF_PROG_TYPE_SOCKET_FILTER, text, {callback_start}));
    });
}

/// The store through a register that holds the reader's map or, by another branch, one's own.
outcome stores_in_either(scene& s) {
    return with_victim(s, "map", [&](int map) {
        const handle own = s.partner("own");
        const program_text text =
            program_text{move(BPF_REG_6, BPF_REG_1),
                         insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_7, BPF_REG_1, 0, 0),
                         insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0),
                         move(BPF_REG_2, BPF_REG_10), add(BPF_REG_2, -8)} +
            load_map(BPF_REG_1, map) +
            // A packet of no length has one's own map.
            program_text{insn(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_7, 0, 2, 0)} +
            load_map(BPF_REG_1, own.get()) +
            program_text{call(BPF_FUNC_map_lookup_elem), if_null(1), store(BPF_REG_0)} + ends();
        return loaded_and_run(load_program(BPF_PROG_TYPE_SOCKET_FILTER, text));
    });
}

outcome stores_by_index(scene& s, unsigned kind, const program_text& use) {
    return with_victim(s, "map", [&](int map) {
        load_options options;
        options.maps = {map};
        const program_text text = load_constant(BPF_REG_1, kind, 0) + use + ends();
        return loaded_and_run(load_program(BPF_PROG_TYPE_SOCKET_FILTER, text, options));
    });
}

outcome updates_by_index(scene& s) {
    return stores_by_index(s, 5, // BPF_PSEUDO_MAP_IDX
                           {insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0),
                            insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -16, loot),
                            move(BPF_REG_2, BPF_REG_10), add(BPF_REG_2, -8),
                            move(BPF_REG_3, BPF_REG_10), add(BPF_REG_3, -16), set(BPF_REG_4, 0),
                            call(BPF_FUNC_map_update_elem)});
}

outcome stores_by_index_and_address(scene& s) {
    return stores_by_index(s, 6, {store(BPF_REG_1)}); // BPF_PSEUDO_MAP_IDX_VALUE
}

// Scenes of other kinds.

void lay_queue(scene& s) {
    s.pin_victim("map", create_map(BPF_MAP_TYPE_QUEUE, 0, 8, 4));
}

bool queue_has_something(scene& s) {
    uint64_t value = 0;
    return map_lookup(s.own("map"), nullptr, &value) == 0;
}

void lay_ring(scene& s) {
    s.pin_victim("map", create_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096));
}

bool ring_was_produced(scene& s) {
    // The second page begins with the producer's position.
    void* p = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, s.own("map"), 4096);
    if (p == MAP_FAILED) {
        return false;
    }
    uint64_t position = 0;
    std::memcpy(&position, p, sizeof(position));
    ::munmap(p, 4096);
    return position != 0;
}

/// "map" is a program array; what it holds changes "told" when it is called.
void lay_program_array(scene& s) {
    handle told = create_map(BPF_MAP_TYPE_HASH, 4, 8, 4);
    const uint32_t key = 0;
    const uint64_t value = treasure;
    map_update(told.get(), &key, &value);
    const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, stores(told.get()));
    handle array = create_map(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1);
    const auto fd = static_cast<uint32_t>(program.get());
    if (map_update(array.get(), &key, &fd) != 0) {
        s.cannot("fill the program array");
    }
    s.pin_victim("map", std::move(array));
    s.pin_victim("told", std::move(told));
}

bool was_told(scene& s) {
    const uint32_t key = 0;
    uint64_t value = treasure;
    map_lookup(s.own("told"), &key, &value);
    return value != treasure;
}

/// "map" holds "inner".
void lay_outer(scene& s) {
    handle inner = create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
    handle outer = create_map_of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS, inner.get());
    const uint32_t key = 0;
    const auto fd = static_cast<uint32_t>(inner.get());
    if (map_update(outer.get(), &key, &fd) != 0) {
        s.cannot("fill the outer map");
    }
    s.pin_victim("map", std::move(outer));
    s.pin_victim("inner", std::move(inner));
}

bool inner_was_changed(scene& s) {
    const uint32_t key = 0;
    uint64_t value = 0;
    return map_lookup(s.own("inner"), &key, &value) == 0 && value != 0;
}

// A program that makes system calls.

/// Runs bpf(command, attr) inside of the kernel, with its caller's descriptors, and gives its
/// result. `attr` is laid out by the instructions `fill`, at fp-64.
outcome in_a_syscall_program(int command, int size, const program_text& fill) {
    program_text text;
    for (int at = -64; at < 0; at += 8) {
        text.push_back(insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, at, 0));
    }
    text = text + fill + program_text{set(BPF_REG_1, command), move(BPF_REG_2, BPF_REG_10),
                                      add(BPF_REG_2, -64),     set(BPF_REG_3, size),
                                      call(helper_sys_bpf),    leave()};
    load_options options;
    options.flags = BPF_F_SLEEPABLE;
    const handle program = load_program(BPF_PROG_TYPE_SYSCALL, text, options);
    if (!program.good()) {
        return failed("load", program.error());
    }
    uint32_t result = 0;
    if (const int e = prog_test_run(program.get(), run_input::context, &result); e != 0) {
        return failed("run", -e);
    }
    const auto value = static_cast<int32_t>(result);
    return done("call", value < 0 ? value : 0, value >= 0);
}

outcome links_inside(scene& s) {
    return with_victim(s, "program", [](int program) {
        const auto word = [](int at, int value) {
            return insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, at - 64, value);
        };
        return in_a_syscall_program(
            BPF_LINK_CREATE, 64,
            {word(0, program), word(4, loopback), word(8, BPF_XDP), word(12, XDP_FLAGS_SKB_MODE)});
    });
}

void lay_xdp(scene& s) {
    s.pin_victim("program", load_program(BPF_PROG_TYPE_XDP, returns(2)));
}

outcome updates_inside(scene& s) {
    return with_victim(s, "map", [](int map) {
        // Key at fp-80, value at fp-72: their addresses are the kernel's own.
        return in_a_syscall_program(
            BPF_MAP_UPDATE_ELEM, 32,
            {insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -80, 0),
             insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -72, loot),
             insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -64, map), move(BPF_REG_1, BPF_REG_10),
             add(BPF_REG_1, -80), insn(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_1, -56, 0),
             add(BPF_REG_1, 8), insn(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_1, -48, 0)});
    });
}

// The list.

constexpr uint64_t may_load = 1ULL << CAP_BPF;

way seen_by(std::function<bool(scene&)> seen, way w) {
    w.seen = std::move(seen);
    return w;
}

void add_stores(std::vector<way>& list) {
    const auto add = [&](const char* name, layout prepare, step attempt) {
        list.push_back(with_capabilities(
            may_load, seen_by(map_was_changed,
                              new_way("no program writes a map through a reader's handle", name,
                                      std::move(prepare), std::move(attempt), EACCES))));
    };
    add("program_stores", lay_hash, by(stores));
    add("program_stores_by_address", lay_array, by(stores_by_address));
    add("program_adds_atomically", lay_hash, by(adds_atomically));
    add("program_exchanges_atomically", lay_hash, by(exchanges_atomically));
    add("program_stores_after_spilling", lay_hash, by(stores_after_spilling));
    add("program_stores_after_arithmetic", lay_hash, by(stores_after_arithmetic));
    add("program_stores_in_a_function", lay_array, by(stores_in_a_function));
    add("program_stores_what_a_function_returns", lay_hash, by(stores_what_a_function_returns));
    add("program_stores_in_a_callback", lay_array, stores_in_a_callback);
    add("program_stores_in_either_map", lay_hash_and_own, stores_in_either);
    add("program_updates", lay_hash, by(updates));
    add("program_deletes", lay_hash, by(deletes));
    add("program_updates_by_index", lay_hash, updates_by_index);
    add("program_stores_by_index", lay_array, stores_by_index_and_address);
    add("program_lets_a_packet_be_loaded", lay_hash, by(lets_a_helper_load_a_packet));
    add("program_lets_a_number_be_converted", lay_hash, by(lets_a_helper_convert_a_number));
    add("program_writes_by_dynptr", lay_array, by(writes_by_a_dynamic_pointer));
}

void add_other_kinds(std::vector<way>& list) {
    const auto add = [&](const char* name, layout prepare, text_for text,
                         std::function<bool(scene&)> seen) {
        list.push_back(with_capabilities(
            may_load, seen_by(std::move(seen),
                              new_way("a map whose changes nobody sees has no reading programs",
                                      name, std::move(prepare), by(text), EACCES))));
    };
    add("program_pushes", lay_queue, pushes, queue_has_something);
    add("program_outputs", lay_ring, outputs, ring_was_produced);
    add("program_calls_tail", lay_program_array, calls_tail, was_told);
    add("program_stores_in_an_inner_map", lay_outer, stores_in_an_inner_map, inner_was_changed);
}

void add_system_calls(std::vector<way>& list) {
    static const char* const inside =
        "a call that a program makes asks for what its caller's handles give";
    constexpr uint64_t may_call = may_load | 1ULL << CAP_PERFMON;
    list.push_back(
        with_capabilities(may_call, new_way(inside, "program_links", lay_xdp, links_inside)));
    list.push_back(refused_everywhere(
        with_capabilities(may_call, seen_by(map_was_changed, new_way(inside, "program_calls_update",
                                                                     lay_hash, updates_inside)))));
}

} // namespace

const std::vector<way>& program_ways() {
    static const std::vector<way> list = [] {
        std::vector<way> all;
        add_stores(all);
        add_other_kinds(all);
        add_system_calls(all);
        return all;
    }();
    return list;
}

} // namespace bpffs_test
