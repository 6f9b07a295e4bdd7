// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// No address of the kernel comes out with a program's instructions: for programs that have each
// kind of address in them, put there by the kernel, nothing that a reader without CAP_BPF is shown
// is one. Each is first looked at with privilege, where the addresses are seen: so the search that
// must find nothing is known to find something.

#include <gtest/gtest.h>

#include <linux/btf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <unordered_set>

#include "support/bpf_call.hpp"
#include "support/inspect.hpp"
#include "support/instructions.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

// Numbers that Debian 12's linux/bpf.h does not know, or knows as enumerators of another type.
constexpr unsigned pseudo_kernel_function = 2; // BPF_PSEUDO_KFUNC_CALL
constexpr int16_t percpu_move = -1;            // BPF_ADDR_PERCPU, in a dump only

// --- programs

/// A call of a kernel function by its name.
bpf_insn kernel_call(const char* name) {
    return insn(BPF_JMP | BPF_CALL, 0, pseudo_kernel_function, 0, kernel_type(name, BTF_KIND_FUNC));
}

program_text end() {
    return {set(BPF_REG_0, 0), leave()};
}

handle classifier(const program_text& text) {
    return load_typed(BPF_PROG_TYPE_SCHED_CLS, text);
}

/// `before` and the end of the program, then a function that returns 0. `before` has the address of
/// that function in r2, where it wants it, by a constant at `place`.
handle with_callback(program_text before, size_t place) {
    const program_text tail = end();
    before.insert(before.end(), tail.begin(), tail.end());
    const auto start = static_cast<uint32_t>(before.size());
    before[place] =
        insn(BPF_LD | BPF_DW, BPF_REG_2, BPF_PSEUDO_FUNC, 0, static_cast<int>(start - place - 1));
    return load_typed(BPF_PROG_TYPE_SCHED_CLS, before + end(), {start});
}

/// r0 = the value of key 0, or the program ends.
program_text first_value(int map) {
    return program_text{insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0)} +
           load_map(BPF_REG_1, map) +
           program_text{move(BPF_REG_2, BPF_REG_10), add(BPF_REG_2, -8),
                        call(BPF_FUNC_map_lookup_elem),
                        insn(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 2, 0)} +
           end();
}

handle jiffies() {
    return classifier(program_text{call(BPF_FUNC_jiffies64)} + end());
}

handle processor_number() {
    return classifier(program_text{call(BPF_FUNC_get_smp_processor_id)} + end());
}

handle helper() {
    return classifier(program_text{call(BPF_FUNC_ktime_get_ns)} + end());
}

handle packet_load() {
    return classifier(program_text{move(BPF_REG_6, BPF_REG_1), insn(BPF_LD | BPF_ABS, 0, 0, 0, 0)} +
                      end());
}

handle kernel_function() {
    return classifier(
        program_text{kernel_call("bpf_rcu_read_lock"), kernel_call("bpf_rcu_read_unlock")} + end());
}

handle variable() {
    return classifier(
        load_constant(BPF_REG_1, BPF_PSEUDO_BTF_ID, kernel_type("bpf_prog_active", BTF_KIND_VAR)) +
        program_text{call(BPF_FUNC_this_cpu_ptr),
                     insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_0, 0, 0)} +
        end());
}

handle address_of_function() {
    return classifier(
        load_constant(BPF_REG_1, BPF_PSEUDO_BTF_ID, kernel_type("vfs_read", BTF_KIND_FUNC)) +
        end());
}

handle subprogram() {
    return load_typed(
        BPF_PROG_TYPE_SCHED_CLS,
        program_text{insn(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1), leave()} + end(), {2});
}

handle loop() {
    return with_callback({set(BPF_REG_1, 4), insn(0, 0, 0, 0, 0), insn(0, 0, 0, 0, 0),
                          set(BPF_REG_3, 0), set(BPF_REG_4, 0), call(BPF_FUNC_loop)},
                         1);
}

handle each_element() {
    const handle map = create_map(BPF_MAP_TYPE_HASH, 4, 8, 1);
    return with_callback(load_map(BPF_REG_1, map.get()) +
                             program_text{insn(0, 0, 0, 0, 0), insn(0, 0, 0, 0, 0),
                                          set(BPF_REG_3, 0), set(BPF_REG_4, 0),
                                          call(BPF_FUNC_for_each_map_elem)},
                         2);
}

handle tail_call() {
    const handle programs = create_map(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1);
    return classifier(program_text{move(BPF_REG_6, BPF_REG_1)} +
                      load_map(BPF_REG_2, programs.get()) +
                      program_text{set(BPF_REG_3, 0), call(BPF_FUNC_tail_call)} + end());
}

handle map_value() {
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
    return classifier(load_constant(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, map.get(), 4) +
                      program_text{insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_1, 0, 0)} +
                      end());
}

handle look_up(uint32_t type) {
    const handle map = create_map(type, 4, 8, 1);
    return classifier(first_value(map.get()) + end());
}

handle hash_look_up() {
    return look_up(BPF_MAP_TYPE_HASH);
}

handle array_look_up() {
    return look_up(BPF_MAP_TYPE_ARRAY);
}

handle percpu_look_up() {
    return look_up(BPF_MAP_TYPE_PERCPU_ARRAY);
}

handle update() {
    const handle map = create_map(BPF_MAP_TYPE_HASH, 4, 8, 1);
    return classifier(program_text{insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0)} +
                      load_map(BPF_REG_1, map.get()) +
                      program_text{move(BPF_REG_2, BPF_REG_10), add(BPF_REG_2, -8),
                                   move(BPF_REG_3, BPF_REG_2), set(BPF_REG_4, 0),
                                   call(BPF_FUNC_map_update_elem)} +
                      end());
}

handle allocation() {
    return classifier(program_text{set(BPF_REG_1, static_cast<int>(types_of_tests().locked)),
                                   set(BPF_REG_2, 0), kernel_call("bpf_obj_new_impl"), if_null(3),
                                   move(BPF_REG_1, BPF_REG_0), set(BPF_REG_2, 0),
                                   kernel_call("bpf_obj_drop_impl")} +
                      end());
}

handle timer() {
    const handle map = create_typed_array(types_of_tests().timed, 16);
    const program_text text =
        first_value(map.get()) +
        program_text{move(BPF_REG_6, BPF_REG_0), move(BPF_REG_1, BPF_REG_0)} +
        load_map(BPF_REG_2, map.get()) +
        program_text{set(BPF_REG_3, 1), call(BPF_FUNC_timer_init), move(BPF_REG_1, BPF_REG_6)};
    const size_t place = text.size();
    return with_callback(text + program_text{insn(0, 0, 0, 0, 0), insn(0, 0, 0, 0, 0),
                                             call(BPF_FUNC_timer_set_callback)},
                         place);
}

handle work_queue() {
    const handle map = create_typed_array(types_of_tests().queued, 16);
    const program_text text =
        first_value(map.get()) +
        program_text{move(BPF_REG_6, BPF_REG_0), move(BPF_REG_1, BPF_REG_0)} +
        load_map(BPF_REG_2, map.get()) +
        program_text{set(BPF_REG_3, 0), kernel_call("bpf_wq_init"), move(BPF_REG_1, BPF_REG_6)};
    const size_t place = text.size();
    return with_callback(text + program_text{insn(0, 0, 0, 0, 0), insn(0, 0, 0, 0, 0),
                                             set(BPF_REG_3, 0), set(BPF_REG_4, 0),
                                             kernel_call("bpf_wq_set_callback_impl")},
                         place);
}

// --- searching

/// The addresses that /proc/kallsyms names, as root reads it.
class symbols {
public:
    symbols() {
        std::ifstream file("/proc/kallsyms");
        std::string line;
        while (std::getline(file, line)) { // "ffffffff81000000 T _text"
            char* rest = nullptr;
            const uint64_t address = std::strtoull(line.c_str(), &rest, 16);
            // The first page of what is counted from 0 (per-CPU variables) are everyday numbers.
            if (address >= 4096) {
                addresses_.insert(address);
                halves_.insert(static_cast<uint32_t>(address));
            }
            if (std::strcmp(rest, " T __bpf_call_base") == 0) {
                call_base_ = address;
            }
        }
    }

    [[nodiscard]] bool known() const { return addresses_.size() > 1000 && call_base_ != 0; }
    [[nodiscard]] bool has(uint64_t value) const { return addresses_.count(value) != 0; }
    /// The lower half of one, where that is not a small number.
    [[nodiscard]] bool has_half(uint32_t value) const { return halves_.count(value) != 0; }
    [[nodiscard]] bool has_target(int32_t distance) const {
        return distance != 0 && has(call_base_ + static_cast<uint64_t>(int64_t{distance}));
    }

private:
    std::unordered_set<uint64_t> addresses_;
    std::unordered_set<uint32_t> halves_;
    uint64_t call_base_ = 0;
};

bool is_constant(const bpf_insn& one) {
    return one.code == (BPF_LD | BPF_IMM | BPF_DW);
}

uint64_t wide(const program_text& text, size_t at) {
    return static_cast<uint64_t>(static_cast<uint32_t>(text[at + 1].imm)) << 32U |
           static_cast<uint32_t>(text[at].imm);
}

/// Where a named address, or the lower half of one, or the distance to one, stands; "" nowhere.
std::string named_address(const program_text& text, const symbols& known) {
    for (size_t i = 0; i < text.size(); i++) {
        const auto low = static_cast<uint32_t>(text[i].imm);
        const auto extended = static_cast<uint64_t>(int64_t{text[i].imm});
        const bool target = text[i].code == (BPF_JMP | BPF_CALL) && known.has_target(text[i].imm);
        const bool constant =
            is_constant(text[i]) && i + 1 < text.size() && known.has(wide(text, i));
        if (target || constant || known.has(extended) || known.has_half(low)) {
            return "instruction " + std::to_string(i);
        }
    }
    return "";
}

/// Where something stands that the kernel has put in and that may be an address, named or not: the
/// target of a call, a constant that is not a map, what is counted from the start of a per-CPU
/// area.
std::string possible_address(const program_text& text) {
    for (size_t i = 0; i < text.size(); i++) {
        const bpf_insn& one = text[i];
        const bool map = one.src_reg == BPF_PSEUDO_MAP_FD || one.src_reg == BPF_PSEUDO_MAP_VALUE;
        if (is_constant(one) && !map && i + 1 < text.size() && wide(text, i) != 0) {
            return "constant " + std::to_string(i);
        }
        if (one.code == (BPF_JMP | BPF_CALL) && one.imm != 0 && one.imm != BPF_FUNC_tail_call) {
            return "call " + std::to_string(i);
        }
        const bool percpu = i + 1 < text.size() && text[i + 1].off == percpu_move &&
                            text[i + 1].code == (BPF_ALU64 | BPF_MOV | BPF_X);
        if (percpu && one.code == (BPF_ALU | BPF_MOV | BPF_K) && one.imm != 0) {
            return "per-CPU " + std::to_string(i);
        }
    }
    return "";
}

// --- tests

enum class inside { named, unnamed, nothing };

struct address_case {
    const char* name;
    handle (*load)();
    inside address; ///< what the privileged find in it
};

// GoogleTest asks for this name.
// NOLINTNEXTLINE(readability-identifier-naming)
void PrintTo(const address_case& one, std::ostream* to) {
    *to << one.name;
}

class address_test : public testing::TestWithParam<address_case> {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "fmode", "dump_by_right"}) {
            BPFFS_NEEDS(need);
        }
        BPFFS_NEEDS("kernel_btf", ::access("/sys/kernel/btf/vmlinux", R_OK) == 0 ? "" : "no BTF");
    }
};

void pin_for_readers(int program, const std::string& path) {
    ASSERT_EQ(pin(program, path), 0);
    ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
}

/// What a reader finds; the place is in the step of the outcome.
outcome search(int reader, const symbols& known) {
    program_view view;
    if (const int value = view_program(reader, view); value != 0) {
        return failed("info", -value);
    }
    const std::string named = named_address(view.text, known);
    const std::string possible = possible_address(view.text);
    outcome o = failed((named + possible).c_str(), 0);
    o.seen = !view.text.empty() && named.empty() && possible.empty();
    return o;
}

TEST_P(address_test, readers_are_shown_none) {
    const handle program = GetParam().load();
    ASSERT_TRUE(program.good()) << program.error();
    const symbols known; // the program's own are there by now
    BPFFS_NEEDS("kallsyms", known.known() ? "" : "addresses are hidden from root, too");
    program_view raw;
    ASSERT_EQ(view_program(program.get(), raw), 0);
    const std::string named = named_address(raw.text, known);
    const std::string possible = possible_address(raw.text);
    EXPECT_EQ(named.empty(), GetParam().address != inside::named) << named;
    EXPECT_EQ(possible.empty(), GetParam().address == inside::nothing) << possible;

    const bpffs_mount mount("fmode,mode=0755");
    pin_for_readers(program.get(), mount / "p");
    const outcome opened =
        as_user(alice, [&] { return search(get(mount / "p", BPF_F_RDONLY).get(), known); });
    EXPECT_TRUE(opened.seen) << opened.step << ", errno " << opened.error;
    const handle passed = get(mount / "p", BPF_F_RDONLY);
    const outcome received = as_user(alice, [&] { return search(passed.get(), known); });
    EXPECT_TRUE(received.seen) << "root's descriptor: " << received.step;
}

INSTANTIATE_TEST_SUITE_P(
    kinds, address_test,
    testing::Values(address_case{"jiffies", jiffies, inside::named},
                    address_case{"processor_number", processor_number, inside::unnamed},
                    address_case{"helper", helper, inside::named},
                    address_case{"packet_load", packet_load, inside::named},
                    address_case{"kernel_function", kernel_function, inside::named},
                    address_case{"percpu_variable", variable, inside::named},
                    address_case{"address_of_function", address_of_function, inside::named},
                    address_case{"subprogram", subprogram, inside::unnamed},
                    address_case{"loop", loop, inside::unnamed},
                    address_case{"each_element", each_element, inside::named},
                    address_case{"tail_call", tail_call, inside::nothing},
                    address_case{"map_value", map_value, inside::nothing},
                    address_case{"hash_look_up", hash_look_up, inside::named},
                    address_case{"array_look_up", array_look_up, inside::nothing},
                    address_case{"percpu_look_up", percpu_look_up, inside::nothing},
                    address_case{"update", update, inside::named},
                    address_case{"allocation", allocation, inside::named},
                    address_case{"timer", timer, inside::named},
                    address_case{"work_queue", work_queue, inside::named}),
    [](const auto& test) { return test.param.name; });

class shown_test : public address_test {};

TEST_F(shown_test, maps_are_shown_by_their_ids) {
    const handle program = map_value();
    program_view raw;
    ASSERT_EQ(view_program(program.get(), raw), 0);
    const bpffs_mount mount("fmode,mode=0755");
    pin_for_readers(program.get(), mount / "p");
    const outcome o = as_user(alice, [&] {
        program_view view;
        const int value = view_program(get(mount / "p", BPF_F_RDONLY).get(), view);
        return done("info", value,
                    view.text.size() == raw.text.size() &&
                        std::memcmp(view.text.data(), raw.text.data(),
                                    raw.text.size() * sizeof(bpf_insn)) == 0 &&
                        view.text[0].src_reg == BPF_PSEUDO_MAP_VALUE && view.text[1].imm == 4);
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_TRUE(o.seen);
}

/// The address of the value of an array of one 8-byte value, told by a program.
uint64_t address_of_value(int map) {
    const handle program = classifier(
        load_constant(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, map) +
        program_text{insn(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_1, 0, 0)} + end());
    EXPECT_EQ(prog_test_run(program.get(), run_input::packet), 0) << program.error();
    const uint32_t key = 0;
    uint64_t value = 0;
    EXPECT_EQ(map_lookup(map, &key, &value), 0);
    return value;
}

TEST_F(shown_test, a_guess_at_the_address_of_a_map_is_not_answered) {
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
    const uint64_t guess = address_of_value(map.get());
    ASSERT_NE(guess, 0U);
    const handle program = classifier(
        load_constant(BPF_REG_1, 0, static_cast<int>(guess), static_cast<int>(guess >> 32U)) +
        load_constant(BPF_REG_2, BPF_PSEUDO_MAP_VALUE, map.get()) + end());
    program_view raw;
    ASSERT_EQ(view_program(program.get(), raw), 0);
    ASSERT_EQ(raw.text[0].src_reg, BPF_PSEUDO_MAP_VALUE) << "the guess is right";
    const bpffs_mount mount("fmode,mode=0755");
    pin_for_readers(program.get(), mount / "p");
    const outcome o = as_user(alice, [&] {
        program_view view;
        const int value = view_program(get(mount / "p", BPF_F_RDONLY).get(), view);
        const bool guessed = view.text[0].src_reg == 0 && wide(view.text, 0) == 0;
        return done("info", value, guessed && view.text[2].src_reg == BPF_PSEUDO_MAP_VALUE);
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_TRUE(o.seen);
}

TEST_F(shown_test, whose_file_it_was_decides_on_the_targets_of_calls) {
    const symbols known;
    BPFFS_NEEDS("kallsyms", known.known() ? "" : "addresses are hidden from root, too");
    const handle program = helper();
    const bpffs_mount mount("fmode,mode=0755");
    pin_for_readers(program.get(), mount / "p");
    ASSERT_EQ(::seteuid(alice), 0);
    const handle alices = get(mount / "p", BPF_F_RDONLY);
    ASSERT_EQ(::seteuid(0), 0);
    program_view view;
    ASSERT_EQ(view_program(alices.get(), view), 0);
    EXPECT_EQ(possible_address(view.text), "");
    EXPECT_TRUE(view.symbols.empty());
    EXPECT_TRUE(view.machine_code.empty());
}

} // namespace

} // namespace bpffs_test
