// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Who sees what a program consists of: a bound handle shows instructions, functions, lines and the
// id of the BTF to those who may read it, and to nobody else; any other handle takes CAP_BPF, as
// ever. What no test here looks for are addresses: address_test.cpp does.

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "support/bpf_call.hpp"
#include "support/inspect.hpp"
#include "support/instructions.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

/// Calls a function of its own, so that there is more than one of everything.
handle two_functions() {
    return load_typed(
        BPF_PROG_TYPE_SCHED_CLS,
        {insn(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1), leave(), set(BPF_REG_0, 0), leave()},
        {2});
}

identity root() {
    return {0, 0, {}, all_capabilities};
}

class introspection_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "fmode", "dump_by_right"}) {
            BPFFS_NEEDS(need);
        }
        program_ = two_functions();
        ASSERT_TRUE(program_.good()) << program_.error();
        ASSERT_EQ(view_program(program_.get(), whole_), 0);
        ASSERT_EQ(whole_.text.size(), 4U);
        ASSERT_EQ(whole_.functions.size(), 2U);
        ASSERT_EQ(whole_.lines.size(), 2U);
        ASSERT_NE(whole_.info.btf_id, 0U);
    }

    [[nodiscard]] int program() const { return program_.get(); }
    /// What its maker sees.
    [[nodiscard]] const program_view& whole() const { return whole_; }

    void pin_readable(const std::string& path) const {
        ASSERT_EQ(pin(program(), path), 0);
        ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
    }

private:
    handle program_;
    program_view whole_;
};

template <typename Item> bool same(const std::vector<Item>& one, const std::vector<Item>& other) {
    return one.size() == other.size() &&
           std::memcmp(one.data(), other.data(), one.size() * sizeof(Item)) == 0;
}

/// Nothing of the inside; its name and the like all the same.
bool shows_nothing(const program_view& view, const program_view& whole) {
    const bpf_prog_info& info = view.info;
    return info.xlated_prog_len == 0 && info.nr_func_info == 0 && info.nr_line_info == 0 &&
           info.jited_prog_len == 0 && info.nr_jited_ksyms == 0 && info.nr_jited_func_lens == 0 &&
           info.nr_jited_line_info == 0 && info.attach_btf_id == 0 && info.id == whole.info.id &&
           info.type == whole.info.type && std::memcmp(info.tag, whole.info.tag, 8) == 0;
}

bool shows_all_but_machine_code(const program_view& view, const program_view& whole) {
    return view.info.xlated_prog_len == whole.info.xlated_prog_len &&
           view.text.size() == whole.text.size() && same(view.functions, whole.functions) &&
           same(view.lines, whole.lines) && view.info.btf_id == whole.info.btf_id;
}

bool shows_machine_code(const program_view& view) {
    return view.info.jited_prog_len != 0 || view.info.nr_jited_ksyms != 0 ||
           view.info.nr_jited_func_lens != 0 || view.info.nr_jited_line_info != 0;
}

using judge = std::function<bool(const program_view&)>;

/// Somebody opens the pin and looks.
outcome look(const identity& who, const std::string& path, uint32_t flags, const judge& right) {
    return as(who, [&] {
        const handle program = get(path, flags);
        if (!program.good()) {
            return failed("open", program.error());
        }
        program_view view;
        const int value = view_program(program.get(), view);
        return done("info", value, right(view));
    });
}

TEST_F(introspection_test, who_may_read_a_program_sees_instructions_functions_and_lines) {
    const bpffs_mount mount("fmode,mode=0755");
    pin_readable(mount / "p");
    for (const identity& who : {identity{}, root()}) {
        for (const uint32_t flags : {static_cast<uint32_t>(BPF_F_RDONLY), 0U}) {
            const outcome o = look(who, mount / "p", flags, [&](const program_view& view) {
                return shows_all_but_machine_code(view, whole());
            });
            EXPECT_EQ(o.error, 0) << o.step;
            EXPECT_TRUE(o.seen) << "uid " << who.uid << ", flags " << flags;
        }
    }
}

TEST_F(introspection_test, the_instructions_are_the_programs_own) {
    const bpffs_mount mount("fmode,mode=0755");
    pin_readable(mount / "p");
    const outcome o = look({}, mount / "p", BPF_F_RDONLY, [&](const program_view& view) {
        program_text expected = whole().text;
        expected[0].imm = 0; // the target of a call
        return same(view.text, expected);
    });
    EXPECT_TRUE(o.seen);
}

TEST_F(introspection_test, who_may_not_read_it_sees_nothing_root_included) {
    const bpffs_mount mount("fmode,mode=0755");
    pin_readable(mount / "p");
    for (const identity& who : {identity{}, root()}) {
        const outcome o = look(who, mount / "p", BPF_F_WRONLY, [&](const program_view& view) {
            return shows_nothing(view, whole()) && view.info.btf_id == 0;
        });
        EXPECT_EQ(o.error, 0) << "showing nothing is no error: " << o.step;
        EXPECT_TRUE(o.seen) << "uid " << who.uid;
    }
}

TEST_F(introspection_test, machine_code_takes_the_capability_too) {
    const bpffs_mount mount("fmode,mode=0755");
    pin_readable(mount / "p");
    const outcome alices = look({}, mount / "p", 0, shows_machine_code);
    EXPECT_EQ(alices.error, 0);
    EXPECT_FALSE(alices.seen);
    const identity with_bpf{alice, alice, {}, 1ULL << 39U};
    EXPECT_TRUE(look(with_bpf, mount / "p", BPF_F_RDONLY, shows_machine_code).seen) << "CAP_BPF";
    EXPECT_TRUE(look(root(), mount / "p", BPF_F_RDONLY, shows_machine_code).seen);
}

TEST_F(introspection_test, other_handles_show_what_they_always_did) {
    const outcome inherited = as({}, [&] {
        program_view view;
        const int value = view_program(program(), view);
        return done("info", value,
                    shows_nothing(view, whole()) && view.info.btf_id == whole().info.btf_id);
    });
    EXPECT_EQ(inherited.error, 0);
    EXPECT_TRUE(inherited.seen) << "its maker's own handle, in alice's hands";
    const bpffs_mount plain("mode=0755");
    pin_readable(plain / "p");
    for (const auto flags : {BPF_F_RDONLY, BPF_F_WRONLY}) {
        const outcome o = look({}, plain / "p", flags, [&](const program_view& view) {
            return shows_nothing(view, whole()) && view.info.btf_id == whole().info.btf_id;
        });
        EXPECT_EQ(o.error, 0);
        EXPECT_TRUE(o.seen) << "alice, a mount without fmode, flags " << flags;
        EXPECT_TRUE(look(root(), plain / "p", flags, shows_machine_code).seen) << flags;
    }
}

TEST_F(introspection_test, a_place_that_is_too_small_gets_the_beginning) {
    const bpffs_mount mount("fmode,mode=0755");
    pin_readable(mount / "p");
    const outcome o = as({}, [&] {
        const handle program = get(mount / "p", BPF_F_RDONLY);
        bpf_insn text[4] = {};
        std::memset(text, 0x5a, sizeof(text));
        bpf_prog_info info = {};
        info.xlated_prog_insns = reinterpret_cast<uintptr_t>(text);
        info.xlated_prog_len = 2 * sizeof(bpf_insn);
        const int value = object_info(program.get(), &info, sizeof(info));
        return done("info", value,
                    info.xlated_prog_len == 4 * sizeof(bpf_insn) && text[1].code == leave().code &&
                        text[2].code == 0x5a);
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_TRUE(o.seen);
}

} // namespace

} // namespace bpffs_test
