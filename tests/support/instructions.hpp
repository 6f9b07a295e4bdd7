// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Single instructions, for the programs that tests write by hand. Whole programs that several tests
// load are in bpf_call.hpp.

#pragma once

#include <cstdint>

#include <linux/bpf.h>

#include "bpf_call.hpp"

namespace bpffs_test {

constexpr bpf_insn insn(unsigned code, unsigned dst, unsigned src, int off, int imm) {
    return {static_cast<uint8_t>(code), static_cast<uint8_t>(dst & 15U),
            static_cast<uint8_t>(src & 15U), static_cast<int16_t>(off), imm};
}

constexpr bpf_insn move(unsigned dst, unsigned src) {
    return insn(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}
constexpr bpf_insn set(unsigned dst, int value) {
    return insn(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value);
}
constexpr bpf_insn add(unsigned dst, int value) {
    return insn(BPF_ALU64 | BPF_ADD, dst, 0, 0, value);
}
/// A helper, by its number.
constexpr bpf_insn call(int helper) {
    return insn(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}
constexpr bpf_insn leave() {
    return insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}
/// If r0 is null, leaves out the next `skip` instructions.
constexpr bpf_insn if_null(int skip) {
    return insn(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, skip, 0);
}

inline program_text operator+(program_text left, const program_text& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

/// A 64-bit constant; `kind` is one of BPF_PSEUDO_* or 0.
inline program_text load_constant(unsigned dst, unsigned kind, int low, int high = 0) {
    return {insn(BPF_LD | BPF_DW, dst, kind, 0, low), insn(0, 0, 0, 0, high)};
}

inline program_text load_map(unsigned dst, int map) {
    return load_constant(dst, BPF_PSEUDO_MAP_FD, map);
}

} // namespace bpffs_test
