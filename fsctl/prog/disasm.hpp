// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// An instruction as text, in the form of the kernel's verifier and of bpftool:
// "(85) call bpf_map_lookup_elem#1".
#pragma once

#include "common/symbols.hpp"

#include <span>
#include <string>

#include <linux/bpf.h>

namespace fsctl {

// Whether the instruction is the first half of a 64-bit constant.
[[nodiscard]] inline bool is_wide(const bpf_insn& one) {
    return one.code == (BPF_LD | BPF_IMM | BPF_DW);
}

// Whether it calls a helper by its number, which has a name of its own.
[[nodiscard]] bool is_helper(const bpf_insn& call);

// The text of the instruction at the start of `rest`; a wide one needs both
// halves. `symbols` name what is called; `functions` are the addresses of the
// program's own, where there is machine code that has any.
std::string disassemble(std::span<const bpf_insn> rest, const kernel_symbols& symbols,
                        std::span<const std::uint64_t> functions = {});

} // namespace fsctl
