// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What holds for every tool, and what bpffs-link and bpffs-doctor say to wrong
// words, without a kernel.
#include "admin/admin_tool.hpp"
#include "common/complete.hpp"
#include "common/table.hpp"
#include "doctor/doctor_tool.hpp"
#include "link/link_tool.hpp"
#include "map/map_tool.hpp"
#include "prog/disasm.hpp"
#include "prog/prog_tool.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

struct answer {
    int status = 0;
    std::string out;
    std::string err;
};

answer run(const fsctl::tool& which, const std::vector<std::string>& arguments) {
    std::ostringstream out;
    std::ostringstream err;
    fsctl::env process{out, err};
    const int status = fsctl::run(which, process, arguments);
    return {status, out.str(), err.str()};
}

void expect_usage_error(const fsctl::tool& which, const std::vector<std::string>& arguments,
                        const std::string& words) {
    const answer got = run(which, arguments);
    EXPECT_EQ(got.status, 2);
    EXPECT_EQ(got.out, "");
    EXPECT_NE(got.err.find(words), std::string::npos) << got.err;
}

class every_tool : public testing::TestWithParam<const fsctl::tool*> {};

TEST_P(every_tool, HelpFitsAScreenAndHasTwoExamples) {
    const answer got = run(*GetParam(), {"help"});
    EXPECT_EQ(got.status, 0);
    EXPECT_LE(std::count(got.out.begin(), got.out.end(), '\n'), 24);
    std::istringstream lines(got.out);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 80U) << line;
    }
    const std::string_view examples = GetParam()->examples;
    EXPECT_EQ(std::count(examples.begin(), examples.end(), '\n'), 1);
    EXPECT_EQ(run(*GetParam(), {"--help"}).out, got.out);
    EXPECT_EQ(run(*GetParam(), {"version"}).out.rfind(std::string(GetParam()->name) + " v", 0), 0U);
}

TEST_P(every_tool, NamesEachVerbOnce) {
    std::set<std::string_view> seen;
    for (const fsctl::verb& each : GetParam()->verbs) {
        for (const std::string_view name : fsctl::split(each.names, '|')) {
            EXPECT_TRUE(seen.insert(name).second) << name;
        }
    }
}

std::string source(const std::string& file) {
    std::ifstream from(std::string(BPFFS_SOURCE) + "/" + file);
    return {std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()};
}

// A manual page without what makes it bold.
std::string manual(std::string_view tool) {
    const char* section = tool == "bpffs-admin" ? ".8" : ".1";
    std::string text = source("fsctl/man/" + std::string(tool) + section);
    for (const char* markup : {"\\fB", "\\fI", "\\fR"}) {
        for (std::size_t at = 0; (at = text.find(markup, at)) != std::string::npos;) {
            text.erase(at, 3);
        }
    }
    for (std::size_t at = 0; (at = text.find("\\-", at)) != std::string::npos;) {
        text.erase(at, 1);
    }
    return text;
}

TEST_P(every_tool, HasAManualPageThatSaysWhatTheTableSays) {
    const std::string text = manual(GetParam()->name);
    ASSERT_NE(text, "") << "no page of " << GetParam()->name;
    // Nor more verbs than these: each has a line in the synopsis.
    const std::string head = std::string(GetParam()->name) + " [OPTIONS] ";
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = text.find(head, at)) != std::string::npos; ++at) {
        ++lines;
    }
    EXPECT_EQ(lines, GetParam()->verbs.size());
    for (const fsctl::verb& each : GetParam()->verbs) {
        std::string begin = std::string(each.names) + (each.names.empty() ? "" : " ");
        for (const std::string_view line : fsctl::split(each.operands, '\n')) {
            std::string whole = begin + std::string(line);
            whole.erase(whole.find_last_not_of(' ') + 1);
            EXPECT_NE(text.find(whole + "\n"), std::string::npos) << whole;
            begin.clear();
        }
    }
}

TEST_P(every_tool, CompletesWhatTheTableSays) {
    const fsctl::tool& tool = *GetParam();
    const auto offered = [&](const std::vector<std::string>& words) {
        const std::vector<std::string> list = fsctl::complete(tool, words);
        return std::set<std::string>(list.begin(), list.end());
    };
    for (const fsctl::verb& each : tool.verbs) {
        for (const std::string_view name : fsctl::split(each.names, '|')) {
            EXPECT_EQ(name.empty() ? 1U : offered({""}).count(std::string(name)), 1U) << name;
        }
        // Every word in small letters of its operands.
        const std::string first(fsctl::split(each.names, '|').front());
        const auto words = first.empty() ? offered({"--"}) : offered({first, ""});
        const std::string text(each.operands);
        const std::regex keyword("(^|[^A-Za-z_])(--)?([a-z_]+)");
        for (auto at = std::sregex_iterator(text.begin(), text.end(), keyword);
             at != std::sregex_iterator(); ++at) {
            EXPECT_EQ(words.count((*at)[2].str() + (*at)[3].str()), 1U)
                << first << ": " << (*at)[3];
        }
    }
    for (const char* script : {"bpffs-tools.bash", "_bpffs-tools"}) {
        EXPECT_NE(source(std::string("fsctl/completions/") + script).find(tool.name),
                  std::string::npos)
            << script;
    }
}

INSTANTIATE_TEST_SUITE_P(all, every_tool,
                         testing::Values(&fsctl::map_tool, &fsctl::prog_tool, &fsctl::link_tool,
                                         &fsctl::doctor_tool, &fsctl::admin_tool),
                         [](const auto& info) {
                             return std::string(
                                 info.param->name.substr(info.param->name.find('-') + 1));
                         });

TEST(Completion, KnowsTheGrammar) {
    using words = std::vector<std::string>;
    const auto map = [](const words& typed) { return fsctl::complete(fsctl::map_tool, typed); };
    const auto prog = [](const words& typed) { return fsctl::complete(fsctl::prog_tool, typed); };
    const auto admin = [](const words& typed) { return fsctl::complete(fsctl::admin_tool, typed); };
    const auto doctor = [](const words& typed) {
        return fsctl::complete(fsctl::doctor_tool, typed);
    };
    EXPECT_EQ(map({"du"}), words{"dump"});
    EXPECT_EQ(map({"-j", "du"}), words{"dump"});
    EXPECT_EQ(map({"create", "/x", "ty"}), words{"type"});
    EXPECT_EQ(map({"create", "/x", "type", "lru_"}), (words{"lru_hash", "lru_percpu_hash"}));
    EXPECT_EQ(map({"create", "/x", "type", "hash", "ty"}), words{});
    EXPECT_EQ(map({"update", "/x", "key", "1", "no"}), words{"noexist"});
    EXPECT_EQ(map({"frob", ""}), words{});
    EXPECT_EQ(map({"--pre"}), words{"--pretty"});
    EXPECT_EQ(prog({"dump", "x"}), words{"xlated"});
    EXPECT_EQ(prog({"dump", "xlated", "/p", "op"}), words{"opcodes"});
    EXPECT_EQ(prog({"attach", "/p", "cgroup_inet_e"}), words{"cgroup_inet_egress"});
    EXPECT_EQ(prog({"attach", "pinned", "/p", "cgroup_inet_e"}), words{"cgroup_inet_egress"});
    EXPECT_EQ(prog({"attach", "/p", "egress", "cgr"}), words{"cgroup"});
    EXPECT_EQ(prog({"attach", "/p", "egress", "dev", "l"}), words{"lo"});
    EXPECT_EQ(admin({"ap"}), words{"apply"});
    EXPECT_EQ(admin({"add", "root", "maps", "has"}), (words{"hash", "hash_of_maps"}));
    EXPECT_EQ(admin({"add", "root", "maps", "hash:ringb"}), words{"hash:ringbuf"});
    EXPECT_EQ(admin({"add", "root", "progs", "xd"}), words{"xdp"});
    EXPECT_EQ(admin({"add", "root", "progs", "sysc"}), words{}) << "no directory delegates it";
    EXPECT_EQ(admin({"add", "root", "attachs", "any:xdp_c"}), words{"any:xdp_cpumap"});
    EXPECT_EQ(admin({"add", "root", "caps", "bpf:per"}), words{"bpf:perfmon"});
    EXPECT_EQ(admin({"add", "root", "caps", ""}),
              (words{"any", "bpf", "net_admin", "none", "perfmon"}));
    EXPECT_EQ(admin({"add", "root", "cmds", "map_cr"}), words{"map_create"});
    EXPECT_EQ(doctor({"--f"}), words{"--for"});
    EXPECT_EQ(doctor({"/x", "--for", "cr"}), words{"create"});
    EXPECT_EQ(doctor({"/x", "--for", "load", "--attach", "netkit_p"}),
              (words{"netkit_peer", "netkit_primary"}));
    EXPECT_EQ(doctor({"/proc/self/fdi"}), words{"/proc/self/fdinfo/"});
    const auto users = doctor({"/x", "--as", "roo"});
    EXPECT_NE(std::find(users.begin(), users.end(), "root"), users.end());
}

TEST(LinkTool, WrongWordsShowTheUsageOfTheVerb) {
    expect_usage_error(fsctl::link_tool, {"update", "/x"}, "usage: bpffs-link update LINK PROG");
    expect_usage_error(fsctl::link_tool, {"detach", "/x", "/y"}, "unexpected word '/y'");
    expect_usage_error(fsctl::link_tool, {"det", "/x"}, "is not written in full");
    expect_usage_error(fsctl::link_tool, {"show", "id", "x"}, "'x' is not a number");
    expect_usage_error(fsctl::link_tool, {"pin", "/x"}, "expected the FILE to pin it as");
    expect_usage_error(fsctl::link_tool, {"pin", "/x", "/y", "mode", "9"}, "'9' is not a mode");
}

TEST(DoctorTool, SaysWhatDeedsThereAre) {
    expect_usage_error(fsctl::doctor_tool, {"/x", "--for", "raed"}, "did you mean 'read'?");
    expect_usage_error(fsctl::doctor_tool, {"/x", "--for", "raed"}, "Deeds are read, write, open");
    expect_usage_error(fsctl::doctor_tool, {"/x", "--for"}, "expected what it is for");
    expect_usage_error(fsctl::doctor_tool, {"/x", "/y"}, "unexpected word '/y'");
    expect_usage_error(fsctl::doctor_tool, {"/x", "/y"}, "usage: bpffs-doctor [PATH]");
    expect_usage_error(fsctl::doctor_tool, {"/x", "--type", "hash"}, "belongs behind --for create");
    expect_usage_error(fsctl::doctor_tool, {"/x", "--for", "create", "--type", "hsah"},
                       "'hsah' is not a kind of map");
}

TEST(ProgTool, WrongWordsShowTheUsageOfTheVerb) {
    const auto& tool = fsctl::prog_tool;
    expect_usage_error(tool, {"load", "x.o"}, "usage: bpffs-prog load OBJ FILE");
    expect_usage_error(tool, {"load", "x.o", "/y", "map", "name"}, "expected the NAME of a map");
    expect_usage_error(tool, {"dump", "/x"}, "expected 'xlated'");
    expect_usage_error(tool, {"dump", "xlated", "/x", "visual"}, "unexpected word 'visual'");
    expect_usage_error(tool, {"run", "/x", "data_in", "-", "ctx_in", "-"}, "only one of");
    expect_usage_error(tool, {"run", "/x", "data_in", "-", "repeat", "x"}, "can't parse repeat");
    expect_usage_error(tool, {"run", "/x", "ctx_in", "-", "ctx_size_out", "x"},
                       "can't parse ctx_size_out");
    expect_usage_error(tool, {"attach", "/x", "ingres", "cgroup", "/"}, "invalid attach type");
    expect_usage_error(tool, {"attach", "/x", "ingress"}, "expected a TARGET");
    expect_usage_error(tool, {"attach", "/x", "ingress", "cgroup", "/", "links"},
                       "unexpected word 'links'");
    expect_usage_error(tool, {"attach", "/x", "filter", "socket", "x"}, "can't parse FD");
    expect_usage_error(tool, {"attach", "/x", "sk_lookup", "netns"}, "by links only");
    expect_usage_error(tool, {"det", "/x"}, "is not written in full");
}

TEST(Disassembler, ReadsAsTheKernelsDoes) {
    const auto text = [](unsigned code, unsigned to, unsigned from, int off, int imm) {
        const std::vector<bpf_insn> two = {{static_cast<__u8>(code), static_cast<__u8>(to & 15U),
                                            static_cast<__u8>(from & 15U), static_cast<__s16>(off),
                                            imm},
                                           {}};
        return fsctl::disassemble(two, {});
    };
    EXPECT_EQ(text(0xb7, 0, 0, 0, 1), "(b7) r0 = 1");
    EXPECT_EQ(text(0xbc, 1, 2, 0, 0), "(bc) w1 = w2");
    EXPECT_EQ(text(0xbf, 1, 2, 8, 0), "(bf) r1 = (s8)r2");
    EXPECT_EQ(text(0x3f, 1, 2, 1, 0), "(3f) r1 s/= r2");
    EXPECT_EQ(text(0xd4, 1, 0, 0, 16), "(d4) r1 = le16 r1");
    EXPECT_EQ(text(0xd7, 1, 0, 0, 64), "(d7) r1 = bswap64 r1");
    EXPECT_EQ(text(0x87, 3, 0, 0, 0), "(87) r3 = -r3");
    EXPECT_EQ(text(0x61, 0, 1, 4, 0), "(61) r0 = *(u32 *)(r1 +4)");
    EXPECT_EQ(text(0x91, 0, 1, 4, 0), "(91) r0 = *(s8 *)(r1 +4)");
    EXPECT_EQ(text(0x63, 10, 0, -4, 0), "(63) *(u32 *)(r10 -4) = r0");
    EXPECT_EQ(text(0x7a, 10, 0, -8, 7), "(7a) *(u64 *)(r10 -8) = 7");
    EXPECT_EQ(text(0xdb, 1, 2, 0, 0), "(db) lock *(u64 *)(r1 +0) += r2");
    EXPECT_EQ(text(0xdb, 1, 2, 0, 1), "(db) r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)");
    EXPECT_EQ(text(0xc3, 1, 2, 0, 0xf1), "(c3) r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)");
    EXPECT_EQ(text(0xdb, 1, 2, 0, 0xe1), "(db) r2 = atomic64_xchg((u64 *)(r1 +0), r2)");
    EXPECT_EQ(text(0x28, 0, 0, 0, 12), "(28) r0 = *(u16 *)skb[12]");
    EXPECT_EQ(text(0x40, 0, 3, 0, 12), "(40) r0 = *(u32 *)skb[r3 + 12]");
    EXPECT_EQ(text(0x18, 1, 1, 0, 42), "(18) r1 = map[id:42]");
    EXPECT_EQ(text(0x18, 1, 0, 0, -1), "(18) r1 = 0xffffffff");
    EXPECT_EQ(text(0x05, 0, 0, -3, 0), "(05) goto pc-3");
    EXPECT_EQ(text(0x06, 0, 0, 0, 9), "(06) gotol pc+9");
    EXPECT_EQ(text(0x16, 1, 0, 2, -1), "(16) if w1 == 0xffffffff goto pc+2");
    EXPECT_EQ(text(0x6d, 1, 2, 2, 0), "(6d) if r1 s> r2 goto pc+2");
    EXPECT_EQ(text(0x85, 0, 0, 0, 1), "(85) call bpf_map_lookup_elem#1");
    EXPECT_EQ(text(0x85, 0, 1, 5, 7), "(85) call pc+5");
    EXPECT_EQ(text(0x95, 0, 0, 0, 0), "(95) exit");
    // A call within the program has a name for whom the kernel shows where the functions are.
    std::istringstream kallsyms("ffffffffc0000020 t bpf_prog_5e_twice\t[bpf]\n");
    const auto symbols = fsctl::kernel_symbols::read(kallsyms);
    const std::vector<std::uint64_t> functions = {0xffffffffc0000010, 0xffffffffc0000020};
    const auto call = [&](int function) {
        const std::vector<bpf_insn> two = {{0x85, 0, 1, 5, function}, {}};
        return fsctl::disassemble(two, symbols, functions);
    };
    EXPECT_EQ(call(1), "(85) call pc+5#bpf_prog_5e_twice");
    EXPECT_EQ(call(0), "(85) call pc+5#0xffffffffc0000010");
    EXPECT_EQ(call(9), "(85) call pc+5#0x9");
    EXPECT_EQ(text(0xc2, 0, 0, 0, 0), "(c2) nospec");
    EXPECT_EQ(text(0xf9, 0, 0, 0, 0), "BUG_ldx_f9");
}

TEST(Table, IsAlignedOnATerminalOnly) {
    fsctl::table rows;
    rows.add({"a", "bb", "c"});
    rows.add({"aaa", "b", "c"});
    const auto printed = [&](bool terminal) {
        std::ostringstream sink;
        fsctl::env process{sink, sink};
        process.terminal = terminal;
        fsctl::output out(sink);
        rows.print(out, process);
        out.flush();
        return sink.str();
    };
    EXPECT_EQ(printed(false), "a  bb  c\naaa  b  c\n");
    EXPECT_EQ(printed(true), "a    bb  c\naaa  b   c\n");
}

} // namespace
