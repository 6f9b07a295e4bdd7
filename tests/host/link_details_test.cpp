// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-link on links of the kinds about which the kernel says more than what and whose: perf
// events, probes of many functions, places in netfilter, iterators over chosen things. Beside
// bpftool where it knows the kind, which that of Debian 12 does of none.
#include "map_runner.hpp"

#include "link/link_tool.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <regex>
#include <string>

#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

// What Debian 12's header does not have.
constexpr uint32_t type_netfilter = 32;
constexpr uint32_t attach_netfilter = 45;
constexpr uint32_t attach_uprobe_multi = 48;

uint64_t address_of(const void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
}

// The number in a file of the kernel's, or -1.
long number_in(const std::string& file) {
    long number = -1;
    std::ifstream(file) >> number;
    return number;
}

// On CPU 0, of all processes.
handle perf_event(perf_event_attr attr) {
    attr.size = sizeof(attr);
    const long fd = ::syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
    return handle(fd < 0 ? -errno : static_cast<int>(fd));
}

handle link_to_event(uint32_t program_type, perf_event_attr attr, uint64_t cookie = 0) {
    const handle program = load_program(program_type, returns(0));
    const handle event = perf_event(attr);
    link_create_attr link;
    link.prog_fd = static_cast<uint32_t>(program.get());
    link.target_fd = static_cast<uint32_t>(event.get());
    link.attach_type = BPF_PERF_EVENT;
    link.u.raw[0] = cookie;
    return program.good() && event.good()
               ? link_create(link)
               : handle(program.good() ? event.error() : program.error());
}

class link_details : public map_tool_test {
protected:
    void make(const handle& link) const {
        ASSERT_EQ(link.error(), 0);
        ASSERT_EQ(pin(link.get(), at("link")), 0);
    }
    [[nodiscard]] std::string shown(const std::string& layout) const {
        arguments words = {"show", "pinned", at("link")};
        if (!layout.empty()) {
            words.insert(words.begin(), layout);
        }
        const answer got = run_tool(fsctl::link_tool, words);
        EXPECT_EQ(got.status, 0) << got.err;
        return got.out;
    }
    // What follows the number of the program is as `plain` and `json` say, which are regular
    // expressions; and as bpftool has it where that knows `member`.
    void expect_shown(const std::string& member, const std::string& plain,
                      const std::string& json) const {
        EXPECT_TRUE(std::regex_search(shown(""), std::regex("prog [0-9]+  " + plain + "\n$")))
            << shown("");
        EXPECT_TRUE(
            std::regex_search(shown("-j"), std::regex("\"prog_id\":[0-9]+," + json + "\\}\n$")))
            << shown("-j");
        const bool known =
            bpftool("-j", "link", {"show", "pinned", at("link")}).find("\"" + member + "\":") !=
            std::string::npos;
        RecordProperty("beside_bpftool", known ? "yes" : "no");
        for (const std::string layout : {"", "-j", "-p"}) {
            if (known) {
                EXPECT_EQ(shown(layout), bpftool(layout, "link", {"show", "pinned", at("link")}));
            }
        }
        // In a list a link has one line, whatever there is to say.
        const answer listed = run_tool(fsctl::link_tool, {"list", mount().directory()});
        EXPECT_EQ(std::count(listed.out.begin(), listed.out.end(), '\n'), 1) << listed.out;
    }
};

TEST_F(link_details, OfACountedEvent) {
    perf_event_attr attr = {};
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_PAGE_FAULTS;
    attr.sample_period = 1000000000;
    const handle link = link_to_event(BPF_PROG_TYPE_PERF_EVENT, attr, 42);
    BPFFS_NEEDS("perf_link", link.good() ? "" : "a perf event takes no link here");
    make(link);
    expect_shown("event_type", "\n\tevent software:page-faults  cookie 42  ",
                 R"("event_type":"software","event_config":"page-faults","cookie":42)");
}

TEST_F(link_details, OfATracepoint) {
    const long id = number_in("/sys/kernel/tracing/events/sched/sched_switch/id");
    BPFFS_NEEDS("tracefs", id > 0 ? "" : "sched_switch has no number");
    perf_event_attr attr = {};
    attr.type = PERF_TYPE_TRACEPOINT;
    attr.config = static_cast<uint64_t>(id);
    const handle link = link_to_event(BPF_PROG_TYPE_TRACEPOINT, attr);
    BPFFS_NEEDS("perf_link", link.good() ? "" : "a tracepoint takes no link here");
    make(link);
    expect_shown("tracepoint", "\n\ttracepoint sched_switch  ",
                 R"("tracepoint":"sched_switch","cookie":0)");
}

TEST_F(link_details, OfProbesOfOneFunction) {
    const long type = number_in("/sys/bus/event_source/devices/kprobe/type");
    BPFFS_NEEDS("kprobe_events", type > 0 ? "" : "there is no kprobe PMU");
    for (const bool at_return : {false, true}) {
        perf_event_attr attr = {};
        attr.type = static_cast<uint32_t>(type);
        attr.config = at_return ? 1 : 0;
        attr.kprobe_func = address_of("vfs_rmdir");
        make(link_to_event(BPF_PROG_TYPE_KPROBE, attr));
        expect_shown("func",
                     std::string("\n\tk") + (at_return ? "ret" : "") +
                         "probe ([0-9a-f]+ )?vfs_rmdir  ",
                     std::string("\"retprobe\":") + (at_return ? "true" : "false") +
                         R"(,"addr":[0-9]+,"func":"vfs_rmdir","offset":0,"missed":0,"cookie":0)");
        ASSERT_EQ(::unlink(at("link").c_str()), 0);
    }
}

TEST_F(link_details, OfAProbeInAFile) {
    const long type = number_in("/sys/bus/event_source/devices/uprobe/type");
    BPFFS_NEEDS("uprobe_events", type > 0 ? "" : "there is no uprobe PMU");
    perf_event_attr attr = {};
    attr.type = static_cast<uint32_t>(type);
    attr.uprobe_path = address_of("/bin/true");
    attr.probe_offset = 0x1140;
    const handle link = link_to_event(BPF_PROG_TYPE_KPROBE, attr, 7);
    BPFFS_NEEDS("uprobe_events", link.good() ? "" : "no place in /bin/true takes one");
    make(link);
    expect_shown("file", "\n\tuprobe /[a-z/]*bin/true\\+0x1140  cookie 7  ",
                 R"("retprobe":false,"file":"/[a-z/]*bin/true","offset":4416,"cookie":7)");
}

// More than the library's place for a name would hold as addresses.
TEST_F(link_details, OfProbesOfManyFunctions) {
    const auto functions = std::to_array<const char*>(
        {"vfs_create",      "vfs_fallocate", "vfs_fsync",      "vfs_get_link", "vfs_getattr",
         "vfs_getxattr",    "vfs_iter_read", "vfs_iter_write", "vfs_link",     "vfs_listxattr",
         "vfs_llseek",      "vfs_mkdir",     "vfs_mknod",      "vfs_open",     "vfs_readlink",
         "vfs_removexattr", "vfs_rename",    "vfs_rmdir",      "vfs_setxattr", "vfs_symlink",
         "vfs_truncate",    "vfs_unlink"});
    std::array<uint64_t, functions.size()> names{};
    std::array<uint64_t, functions.size()> cookies{};
    for (std::size_t i = 0; i < functions.size(); ++i) {
        names[i] = address_of(functions[i]);
        cookies[i] = i;
    }
    const handle program = load_program(BPF_PROG_TYPE_KPROBE, returns(0),
                                        {.expected_attach_type = BPF_TRACE_KPROBE_MULTI});
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.attach_type = BPF_TRACE_KPROBE_MULTI;
    attr.u.kprobe_multi.cnt = functions.size();
    attr.u.kprobe_multi.syms = address_of(names.data());
    attr.u.kprobe_multi.cookies = address_of(cookies.data());
    const handle link = link_create(attr);
    BPFFS_NEEDS("kprobe_multi", link.good() ? "" : "functions cannot be probed together here");
    make(link);
    expect_shown(
        "func_cnt",
        "\n\tkprobe\\.multi  func_cnt 22  "
        "\n\taddr             cookie           func \\[module\\]"
        "(\n\t[0-9a-f]{16} [0-9a-f]+ +vfs_[a-z_]+  ){22}",
        R"("retprobe":false,"func_cnt":22,"missed":0,"funcs":\[)"
        R"((\{"addr":[0-9]+,"func":"vfs_[a-z_]+","module":null,"cookie":[0-9]+\},?){22}\])");
    EXPECT_TRUE(
        std::regex_search(shown("-j"), std::regex(R"("vfs_rmdir","module":null,"cookie":17)")));
}

TEST_F(link_details, OfProbesOfManyPlacesInAFile) {
    const std::array<uint64_t, 2> offsets = {0x1140, 0x1150};
    const std::array<uint64_t, 2> cookies = {0, 42};
    const handle program = load_program(BPF_PROG_TYPE_KPROBE, returns(0),
                                        {.expected_attach_type = attach_uprobe_multi});
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.attach_type = attach_uprobe_multi;
    attr.u.uprobe_multi.path = address_of("/bin/true");
    attr.u.uprobe_multi.offsets = address_of(offsets.data());
    attr.u.uprobe_multi.cookies = address_of(cookies.data());
    attr.u.uprobe_multi.cnt = 2;
    const handle link = link_create(attr);
    BPFFS_NEEDS("uprobe_multi", link.good() ? "" : "places cannot be probed together here");
    make(link);
    expect_shown("func_cnt",
                 "\n\tuprobe\\.multi  path /[a-z/]*bin/true  func_cnt 2  "
                 "\n\toffset             ref_ctr_offset     cookies         "
                 "\n\t0x1140             0x0                0x0               "
                 "\n\t0x1150             0x0                0x2a              ",
                 R"("retprobe":false,"path":"/[a-z/]*bin/true","func_cnt":2,"pid":0,"funcs":\[)"
                 R"(\{"offset":4416,"ref_ctr_offset":0,"cookie":0\},)"
                 R"(\{"offset":4432,"ref_ctr_offset":0,"cookie":42\}\])");
}

TEST_F(link_details, OfAPlaceInNetfilter) {
    const handle program = load_program(type_netfilter, returns(NF_ACCEPT),
                                        {.expected_attach_type = attach_netfilter});
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.attach_type = attach_netfilter;
    attr.u.netfilter.pf = NFPROTO_IPV4;
    attr.u.netfilter.hooknum = NF_INET_LOCAL_OUT;
    attr.u.netfilter.priority = -128;
    const handle link = link_create(attr);
    BPFFS_NEEDS("netfilter", link.good() ? "" : "netfilter takes no programs here");
    make(link);
    expect_shown("pf", "\n\tip output prio -128", R"("pf":2,"hook":3,"prio":-128,"flags":0)");
}

TEST_F(link_details, OfAnIteratorOverOneThread) {
    const handle program = load_iterator("task", returns(0));
    BPFFS_NEEDS("iterators", program.good() ? "" : "no iterator over threads here");
    const std::array<uint32_t, 4> thread = {static_cast<uint32_t>(::getpid())};
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.attach_type = BPF_TRACE_ITER;
    attr.u.iter.iter_info = address_of(thread.data());
    attr.u.iter.iter_info_len = sizeof(thread);
    make(link_create(attr));
    const std::string number = std::to_string(::getpid());
    expect_shown("tid", "target_name task  tid " + number + " ",
                 R"("target_name":"task","tid":)" + number);
}

TEST_F(link_details, OfAnIteratorOverACgroup) {
    const handle program = load_iterator("cgroup", returns(0));
    const own_cgroup group;
    BPFFS_NEEDS("iterators", program.good() ? "" : "no iterator over cgroups here");
    BPFFS_NEEDS("cgroup", group.error() == 0 ? "" : "no cgroup can be made here");
    const handle directory = open_file(group.directory(), O_RDONLY | O_DIRECTORY);
    const std::array<uint32_t, 4> cgroup = {1 /* itself only */,
                                            static_cast<uint32_t>(directory.get())};
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.attach_type = BPF_TRACE_ITER;
    attr.u.iter.iter_info = address_of(cgroup.data());
    attr.u.iter.iter_info_len = sizeof(cgroup);
    make(link_create(attr));
    expect_shown("order", "target_name cgroup  cgroup_id [0-9]+  order self_only  ",
                 R"("target_name":"cgroup","cgroup_id":[0-9]+,"order":"self_only")");
}

} // namespace

} // namespace bpffs_test
