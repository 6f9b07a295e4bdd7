// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// dump xlated: a program's instructions as the kernel runs them, with the lines
// of source they come from where there are types, in bpftool's forms. Whoever
// may read the program may have them; kernel addresses stay hidden from those
// without CAP_BPF.
#include "common/operand.hpp"
#include "common/whole_file.hpp"
#include "disasm.hpp"
#include "prototype.hpp"
#include "verbs.hpp"

#include <bpffs/types.hpp>

#include <algorithm>
#include <cstring>

#include <bpf/bpf.h>

namespace fsctl {

namespace {

enum class addition { none, opcodes, lines };

// Whether something is called that has a name in the kernel's symbols only. They
// are many, and most programs need none.
bool needs_symbols(const std::vector<bpf_insn>& list, bool functions_are_shown) {
    return std::any_of(list.begin(), list.end(), [&](const bpf_insn& one) {
        return one.code == (BPF_JMP | BPF_CALL) &&
               (one.src_reg == BPF_PSEUDO_CALL ? functions_are_shown : !is_helper(one));
    });
}

// Where the program's own functions are in memory, in their order; none for those
// from whom the kernel hides addresses.
std::vector<std::uint64_t> function_addresses(const bpffs::program& shown) {
    bpf_prog_info counts{};
    std::uint32_t size = sizeof counts;
    if (::bpf_obj_get_info_by_fd(shown.fd().get(), &counts, &size) != 0) {
        return {};
    }
    std::vector<std::uint64_t> all(counts.nr_jited_ksyms);
    bpf_prog_info info{};
    size = sizeof info;
    info.nr_jited_ksyms = counts.nr_jited_ksyms;
    info.jited_ksyms = reinterpret_cast<std::uint64_t>(all.data());
    const bool known = !all.empty() &&
                       ::bpf_obj_get_info_by_fd(shown.fd().get(), &info, &size) == 0 &&
                       info.jited_ksyms != 0;
    return known ? all : std::vector<std::uint64_t>();
}

std::vector<bpf_insn> instructions(const bpffs::program_code& code) {
    std::vector<bpf_insn> list(code.translated.size() / sizeof(bpf_insn));
    std::memcpy(list.data(), code.translated.data(), list.size() * sizeof(bpf_insn));
    return list;
}

bytes bytes_of(const bpf_insn& from, std::size_t offset, std::size_t size) {
    return std::as_bytes(std::span(&from, 2)).subspan(offset, size);
}

class dumper {
public:
    dumper(context& with, const bpffs::program& shown, addition more)
        : with_(with),
          code_(shown.code()),
          list_(instructions(code_)),
          functions_(function_addresses(shown)),
          symbols_(needs_symbols(list_, !functions_.empty()) ? kernel_symbols::read()
                                                             : kernel_symbols()),
          more_(more) {
        bpffs::error_code refused;
        types_ = prototypes(bpffs::types_of(shown, refused));
        if (list_.empty()) {
            throw failure(fmt::format("dump '{}': there are no instructions to be had",
                                      shown.file().native()),
                          "The kernel hides them: the sysctls kernel.kptr_restrict and "
                          "net.core.bpf_jit_harden can do so.");
        }
        list_.push_back({}); // behind a wide one at the end
    }

    void dump() {
        if (with_.chosen.json) {
            with_.json.start_array();
        }
        const std::size_t count = list_.size() - 1;
        for (std::size_t i = 0; i < count; i += is_wide(list_[i]) ? 2 : 1) {
            with_.chosen.json ? print_json(i) : print_plain(i);
        }
        if (with_.chosen.json) {
            with_.json.end_array();
        }
    }

private:
    // The prototype of the function that begins here, or nothing.
    std::string function_at(std::size_t at) {
        if (function_ >= code_.functions.size() || code_.functions[function_].instruction != at) {
            return {};
        }
        return types_.of(code_.functions[function_++].name);
    }

    // The last line up to here that has not been shown, one for each call, as
    // bpftool chooses it.
    const bpffs::program_line* line_at(std::size_t at) {
        if (line_ >= code_.lines.size() || at < code_.lines[line_].instruction) {
            return nullptr;
        }
        std::size_t last = line_++;
        while (last + 1 < code_.lines.size() && code_.lines[last + 1].instruction <= at) {
            ++last;
        }
        return &code_.lines[last];
    }

    static std::string_view without_indent(std::string_view text) {
        const std::size_t first = text.find_first_not_of(" \t");
        return first == std::string_view::npos ? std::string_view() : text.substr(first);
    }

    [[nodiscard]] std::string text_at(std::size_t at) const {
        return disassemble(std::span(list_).subspan(at), symbols_, functions_);
    }

    void print_plain(std::size_t at) {
        output& out = with_.out;
        if (const std::string name = function_at(at); !name.empty()) {
            out.print("{}:\n", name);
        }
        if (const bpffs::program_line* line = line_at(at)) {
            out.print("; {}", without_indent(line->text));
            if (more_ == addition::lines) {
                out.print(" [file:{} line_num:{} line_col:{}]", line->file, line->line,
                          line->column);
            }
            out.put('\n');
        }
        out.print("{:4}: {}\n", at, text_at(at));
        if (more_ == addition::opcodes) {
            out.write("       ");
            print_bytes(bytes_of(list_[at], 0, 8));
            if (is_wide(list_[at])) {
                out.put(' ');
                print_bytes(bytes_of(list_[at], 8, 8));
            }
            out.put('\n');
        }
    }

    void print_bytes(bytes data) {
        for (std::size_t i = 0; i < data.size(); ++i) {
            with_.out.print("{}{:02x}", i > 0 ? " " : "", std::to_integer<unsigned>(data[i]));
        }
    }

    void print_json(std::size_t at) {
        json_writer& json = with_.json;
        json.start_object();
        if (const std::string name = function_at(at); !name.empty()) {
            json.member("proto", name);
        }
        if (const bpffs::program_line* line = line_at(at)) {
            print_line(*line);
        }
        json.member("disasm", text_at(at));
        if (more_ == addition::opcodes) {
            print_opcodes(list_[at]);
        }
        json.end_object();
    }

    void print_line(const bpffs::program_line& line) {
        json_writer& json = with_.json;
        json.member("src", without_indent(line.text));
        if (more_ == addition::lines) {
            json.member("file", line.file);
            if (line.line != 0) {
                json.member("line_num", line.line);
            }
            if (line.column != 0) {
                json.member("line_col", line.column);
            }
        }
    }

    void print_opcodes(const bpf_insn& one) {
        json_writer& json = with_.json;
        json.name("opcodes");
        json.start_object();
        json.member("code", fmt::format("0x{:02x}", one.code));
        json.member("src_reg", fmt::format("0x{:x}", static_cast<unsigned>(one.src_reg)));
        json.member("dst_reg", fmt::format("0x{:x}", static_cast<unsigned>(one.dst_reg)));
        json.name("off");
        json.hex(bytes_of(one, offsetof(bpf_insn, off), 2));
        json.name("imm");
        json.hex(bytes_of(one, offsetof(bpf_insn, imm), is_wide(one) ? 12 : 4));
        json.end_object();
    }

    context& with_;
    bpffs::program_code code_;
    std::vector<bpf_insn> list_;
    std::vector<std::uint64_t> functions_;
    kernel_symbols symbols_;
    prototypes types_;
    addition more_;
    std::size_t function_ = 0;
    std::size_t line_ = 0;
};

} // namespace

void prog_dump(context& with, words& given) {
    if (given.keyword({"xlated", "jited"}) != "xlated") {
        throw usage_error("expected 'xlated': machine code is not to be had without privilege");
    }
    const operand named = take_program(given);
    const std::string_view more = given.keyword({"file", "opcodes", "linum"});
    const std::string file = more == "file" ? given.next("a FILE") : std::string();
    given.end();
    const bpffs::program shown = open_program(named, bpffs::access::read);
    if (!file.empty()) {
        write_whole(file, bytes(shown.code().translated));
        return;
    }
    dumper(with, shown,
           more == "opcodes" ? addition::opcodes
                             : (more == "linum" ? addition::lines : addition::none))
        .dump();
}

} // namespace fsctl
