// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Instructions as text; see disasm.hpp. The forms are those of kernel/bpf/disasm.c
// (GPL-2.0-only OR BSD-2-Clause, Copyright (c) 2011-2014 PLUMgrid, 2016 Facebook),
// so that what reads bpftool's dumps reads these.
#include "disasm.hpp"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace fsctl {

namespace {

// What newer kernels have and Debian 12's headers have not.
constexpr unsigned mode_sign_extend = 0x80;
constexpr unsigned mode_no_speculation = 0xc0;
constexpr unsigned jump_conditional = 0xe0;
constexpr unsigned source_map_index_value = 6; // BPF_PSEUDO_MAP_IDX_VALUE

constexpr std::array<std::string_view, 16> alu_words = {"+=",   "-=",     "*=",  "/=", "|=", "&=",
                                                        "<<=",  ">>=",    "neg", "%=", "^=", "=",
                                                        "s>>=", "endian", "",    ""};
constexpr std::array<std::string_view, 16> jump_words = {
    "jmp", "==", ">", ">=", "&", "!=", "s>", "s>=", "call", "exit", "<", "<=", "s<", "s<=", "", ""};
constexpr std::array<std::string_view, 4> size_words = {"u32", "u16", "u8", "u64"};
constexpr std::array<std::string_view, 4> signed_words = {"s32", "s16", "s8", "s64"};

// From the list in the kernel's header, whose older form has commas in it.
constexpr auto helper_names = std::to_array<std::string_view>({
#ifdef ___BPF_FUNC_MAPPER
#define BPFFS_HELPER_NAME(name, ...) "bpf_" #name,
#else
#define BPFFS_HELPER_NAME(name) "bpf_" #name
#endif
    __BPF_FUNC_MAPPER(BPFFS_HELPER_NAME)
#undef BPFFS_HELPER_NAME
});

struct parts {
    const bpf_insn& one;
    unsigned code = one.code;
    unsigned op = BPF_OP(one.code);
    unsigned mode = BPF_MODE(one.code);
    bool narrow = BPF_CLASS(one.code) == BPF_ALU || BPF_CLASS(one.code) == BPF_JMP32;
    char letter = narrow ? 'w' : 'r'; // of a register
    unsigned to = one.dst_reg;
    unsigned from = one.src_reg;
    std::string_view size = size_words[BPF_SIZE(one.code) >> 3];
};

std::string end_text(const parts& of) {
    const bool swap = BPF_CLASS(of.code) == BPF_ALU64;
    const std::string_view word = swap ? "bswap" : BPF_SRC(of.code) == BPF_TO_BE ? "be" : "le";
    return fmt::format("r{} = {}{} r{}", of.to, word, of.one.imm, of.to);
}

std::string_view alu_word(const parts& of) {
    const bool with_sign = (of.op == BPF_DIV || of.op == BPF_MOD) && of.one.off == 1;
    if (with_sign) {
        return of.op == BPF_DIV ? "s/=" : "s%=";
    }
    return alu_words[of.op >> 4];
}

std::string alu_text(const parts& of) {
    const int off = of.one.off;
    if (of.op == BPF_END) {
        return end_text(of);
    }
    if (of.op == BPF_NEG) {
        return fmt::format("{0}{1} = -{0}{1}", of.letter, of.to);
    }
    if (BPF_SRC(of.code) != BPF_X) {
        return fmt::format("{}{} {} {}", of.letter, of.to, alu_word(of), of.one.imm);
    }
    if (of.code == (BPF_ALU64 | BPF_MOV | BPF_X) && off == 1) {
        return fmt::format("r{} = addr_space_cast(r{}, {}, {})", of.to, of.from,
                           static_cast<std::uint32_t>(of.one.imm) >> 16,
                           static_cast<std::uint16_t>(of.one.imm));
    }
    if (of.code == (BPF_ALU64 | BPF_MOV | BPF_X) && off == -1) {
        return fmt::format("r{} = &(void __percpu *)(r{})", of.to, of.from);
    }
    const bool extends = of.op == BPF_MOV && (off == 8 || off == 16 || off == 32);
    return fmt::format("{}{} {} {}{}{}", of.letter, of.to, alu_word(of),
                       extends ? fmt::format("(s{})", off) : "", of.letter, of.from);
}

std::string_view atomic_word(int operation) {
    switch (operation & ~BPF_FETCH) {
    case BPF_ADD:
        return "add";
    case BPF_AND:
        return "and";
    case BPF_OR:
        return "or";
    case BPF_XOR:
        return "xor";
    default:
        return {};
    }
}

std::string atomic_text(const parts& of) {
    const int imm = of.one.imm;
    const std::string_view wide = BPF_SIZE(of.code) == BPF_DW ? "64" : "";
    const std::string place = fmt::format("({} *)(r{} {:+d})", of.size, of.to, of.one.off);
    if (imm == BPF_CMPXCHG) {
        return fmt::format("r0 = atomic{}_cmpxchg({}, r0, r{})", wide, place, of.from);
    }
    if (imm == BPF_XCHG) {
        return fmt::format("r{} = atomic{}_xchg({}, r{})", of.from, wide, place, of.from);
    }
    const std::string_view word = atomic_word(imm);
    if (word.empty()) {
        return {};
    }
    if ((imm & BPF_FETCH) != 0) {
        return fmt::format("r{} = atomic{}_fetch_{}({}, r{})", of.from, wide, word, place, of.from);
    }
    return fmt::format("lock *{} {} r{}", place, alu_words[BPF_OP(static_cast<unsigned>(imm)) >> 4],
                       of.from);
}

// An empty text: no such instruction.
std::string store_text(const parts& of) {
    const std::string place = fmt::format("*({} *)(r{} {:+d})", of.size, of.to, of.one.off);
    const bool of_register = BPF_CLASS(of.code) == BPF_STX;
    if (of.mode == BPF_MEM) {
        return of_register ? fmt::format("{} = r{}", place, of.from)
                           : fmt::format("{} = {}", place, of.one.imm);
    }
    if (of_register && of.mode == BPF_ATOMIC) {
        return atomic_text(of);
    }
    return !of_register && of.mode == mode_no_speculation ? "nospec" : "";
}

std::string load_text(const parts& of) {
    if (of.mode != BPF_MEM && of.mode != mode_sign_extend) {
        return {};
    }
    return fmt::format("r{} = *({} *)(r{} {:+d})", of.to,
                       of.mode == BPF_MEM ? of.size : signed_words[BPF_SIZE(of.code) >> 3], of.from,
                       of.one.off);
}

std::string constant_text(const bpf_insn& one, const bpf_insn& next) {
    const auto low = static_cast<std::uint32_t>(one.imm);
    const auto high = static_cast<std::uint32_t>(next.imm);
    switch (one.src_reg) {
    case BPF_PSEUDO_MAP_FD:
        return fmt::format("map[id:{}]", low);
    case BPF_PSEUDO_MAP_VALUE:
        return fmt::format("map[id:{}][0]+{}", low, high);
    case source_map_index_value:
        return fmt::format("map[idx:{}]+{}", low, high);
    case BPF_PSEUDO_FUNC:
        return fmt::format("subprog[{:+d}]", one.imm);
    default:
        return fmt::format("0x{:x}", std::uint64_t{high} << 32 | low);
    }
}

std::string packet_text(const parts& of, std::span<const bpf_insn> rest) {
    if (of.mode == BPF_ABS) {
        return fmt::format("r0 = *({} *)skb[{}]", of.size, of.one.imm);
    }
    if (of.mode == BPF_IND) {
        return fmt::format("r0 = *({} *)skb[r{} + {}]", of.size, of.from, of.one.imm);
    }
    if (is_wide(of.one) && rest.size() > 1) {
        return fmt::format("r{} = {}", of.to, constant_text(of.one, rest[1]));
    }
    return {};
}

// Whom calls go to, as far as the kernel shows it.
struct callees {
    const kernel_symbols& symbols;
    std::span<const std::uint64_t> functions;
};

// A call within the program: the number of a function stands in it, or where there is no machine
// code the interpreter's distance.
std::string own_call_text(const parts& of, std::uint64_t address, const callees& known) {
    const auto number = static_cast<std::uint32_t>(of.one.imm);
    if (known.functions.empty()) {
        return fmt::format("call pc{:+d}", of.one.off);
    }
    const std::uint64_t callee =
        number < known.functions.size() ? known.functions[number] : address;
    const std::string_view name = known.symbols.at(callee);
    return name.empty() ? fmt::format("call pc{:+d}#0x{:x}", of.one.off, callee)
                        : fmt::format("call pc{:+d}#{}", of.one.off, name);
}

std::string call_text(const parts& of, const callees& known) {
    const auto address =
        known.symbols.call_base() + static_cast<std::uint64_t>(std::int64_t{of.one.imm});
    if (of.from == BPF_PSEUDO_CALL) {
        return own_call_text(of, address, known);
    }
    if (is_helper(of.one)) {
        return fmt::format("call {}#{}", helper_names[static_cast<std::size_t>(of.one.imm)],
                           of.one.imm);
    }
    const std::string_view name = known.symbols.at(address);
    return name.empty() ? fmt::format("call 0x{:x}#{}", address, of.one.imm)
                        : fmt::format("call {}#{}", name, of.one.imm);
}

std::string jump_text(const parts& of, const callees& known) {
    if (of.op == BPF_CALL) {
        return call_text(of, known);
    }
    if (of.code == (BPF_JMP | BPF_JA)) {
        return fmt::format("goto pc{:+d}", of.one.off);
    }
    if (of.code == (BPF_JMP | jump_conditional) && of.from == 0) {
        return fmt::format("may_goto pc{:+d}", of.one.off);
    }
    if (of.code == (BPF_JMP32 | BPF_JA)) {
        return fmt::format("gotol pc{:+d}", of.one.imm);
    }
    if (of.code == (BPF_JMP | BPF_EXIT)) {
        return "exit";
    }
    const std::string with = BPF_SRC(of.code) == BPF_X
                                 ? fmt::format("{}{}", of.letter, of.from)
                                 : fmt::format("0x{:x}", static_cast<std::uint32_t>(of.one.imm));
    return fmt::format("if {}{} {} {} goto pc{:+d}", of.letter, of.to, jump_words[of.op >> 4], with,
                       of.one.off);
}

// What the kernel prints for codes that mean nothing.
std::string nonsense(const parts& of) {
    switch (BPF_CLASS(of.code)) {
    case BPF_ST:
        return fmt::format("BUG_st_{:02x}", of.code);
    case BPF_LDX:
        return fmt::format("BUG_ldx_{:02x}", of.code);
    case BPF_LD:
        return fmt::format("BUG_ld_{:02x}", of.code);
    default:
        return fmt::format("BUG_{:02x}", of.code);
    }
}

std::string text_of(const parts& of, std::span<const bpf_insn> rest, const callees& known) {
    switch (BPF_CLASS(of.code)) {
    case BPF_ALU:
    case BPF_ALU64:
        return alu_text(of);
    case BPF_ST:
    case BPF_STX:
        return store_text(of);
    case BPF_LDX:
        return load_text(of);
    case BPF_LD:
        return packet_text(of, rest);
    default:
        return jump_text(of, known);
    }
}

} // namespace

bool is_helper(const bpf_insn& call) {
    return call.src_reg == 0 && call.imm >= 0 &&
           static_cast<std::size_t>(call.imm) < helper_names.size();
}

std::string disassemble(std::span<const bpf_insn> rest, const kernel_symbols& symbols,
                        std::span<const std::uint64_t> functions) {
    const parts of{rest.front()};
    const std::string text = text_of(of, rest, {symbols, functions});
    return text.empty() ? nonsense(of) : fmt::format("({:02x}) {}", of.code, text);
}

} // namespace fsctl
