// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The details of links as text, letter by letter as bpftool's link.c prints them, without a kernel.
#include "link/details_text.hpp"

#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace {

using namespace fsctl;
using namespace bpffs;

const kernel_symbols& some_symbols() {
    static const kernel_symbols all = [] {
        std::istringstream text("ffffffff81000010 T vfs_rmdir\n"
                                "ffffffff81000010 T an_alias\n"
                                "ffffffffc0000020 t do_it\t[module_name]\n"
                                "0000000000000000 T hidden\n");
        return kernel_symbols::read(text);
    }();
    return all;
}

const kernel_symbols& no_symbols() {
    static const kernel_symbols none;
    return none;
}

std::string plain(const link_details& details, const bpffs::link_info& info = {},
                  const symbol_source& symbols = some_symbols) {
    return details_words(info, details) + function_rows(details, symbols);
}

std::string json(const link_details& details, const bpffs::link_info& info = {},
                 const symbol_source& symbols = some_symbols) {
    std::ostringstream sink;
    output out(sink);
    json_writer writer(out);
    writer.start_object();
    details_json(writer, info, details, symbols);
    writer.end_object();
    out.flush();
    return sink.str();
}

TEST(LinkDetails, OfOtherKindsSayNothing) {
    EXPECT_EQ(plain({}), "");
    EXPECT_EQ(json({}), "{}");
    EXPECT_EQ(plain(perf_event_details{}), "") << "a kernel that does not say";
    EXPECT_EQ(json(perf_event_details{}), "{}");
}

TEST(LinkDetails, OfKernelProbes) {
    perf_event_details probe{perf_source::kprobe, "vfs_rmdir", 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(plain(probe), "\n\tkprobe vfs_rmdir  ");
    EXPECT_EQ(json(probe), R"({"retprobe":false,"addr":0,"func":"vfs_rmdir","offset":0,)"
                           R"("missed":0,"cookie":0})");
    probe = {perf_source::kretprobe, "vfs_rmdir", 16, 0xffffffff81000010, 3, 42, 0, 0};
    EXPECT_EQ(plain(probe), "\n\tkretprobe ffffffff81000010 vfs_rmdir+0x10  missed 3  cookie 42  ");
    EXPECT_EQ(json(probe), R"({"retprobe":true,"addr":18446744071578845200,"func":"vfs_rmdir",)"
                           R"("offset":16,"missed":3,"cookie":42})");
    EXPECT_EQ(plain(perf_event_details{perf_source::kprobe, "", 0, 0, 0, 0, 0, 0}), "");
}

TEST(LinkDetails, OfUserProbes) {
    perf_event_details probe{perf_source::uprobe, "/bin/true", 0x1140, 0, 0, 0, 0, 0};
    EXPECT_EQ(plain(probe), "\n\tuprobe /bin/true+0x1140  ");
    EXPECT_EQ(json(probe), R"({"retprobe":false,"file":"/bin/true","offset":4416,"cookie":0})");
    probe = {perf_source::uretprobe, "/bin/true", 0, 0, 0, 5, 0, 0};
    EXPECT_EQ(plain(probe), "\n\turetprobe /bin/true+0  cookie 5  ");
    EXPECT_EQ(json(probe), R"({"retprobe":true,"file":"/bin/true","offset":0,"cookie":5})");
}

TEST(LinkDetails, OfTracepointsAndCountedEvents) {
    perf_event_details event{perf_source::tracepoint, "sched_switch", 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(plain(event), "\n\ttracepoint sched_switch  ");
    EXPECT_EQ(json(event), R"({"tracepoint":"sched_switch","cookie":0})");
    event.cookie = 9;
    EXPECT_EQ(plain(event), "\n\ttracepoint sched_switch  cookie 9  ");
    event = {perf_source::event, "", 0, 0, 0, 0, 1, 1};
    EXPECT_EQ(plain(event), "\n\tevent software:task-clock  ");
    EXPECT_EQ(json(event), R"({"event_type":"software","event_config":"task-clock","cookie":0})");
    event = {perf_source::event, "", 0, 0, 0, 7, 0, 9};
    EXPECT_EQ(plain(event), "\n\tevent hardware:ref-cycles  cookie 7  ");
    event = {perf_source::event, "", 0, 0, 0, 0, 3, 0x010102};
    EXPECT_EQ(plain(event), "\n\tevent hw-cache:LLC-store-misses  ");
    event.config = 0x090908;
    EXPECT_EQ(plain(event), "\n\tevent hw-cache:8-9-9  ");
    event = {perf_source::event, "", 0, 0, 0, 0, 4, 60};
    EXPECT_EQ(plain(event), "\n\tevent raw:60  ");
    EXPECT_EQ(json(event), R"({"event_type":"raw","event_config":60,"cookie":0})");
    event = {perf_source::event, "", 0, 0, 0, 0, 11, 60};
    EXPECT_EQ(plain(event), "\n\tevent 11 :60  ");
    EXPECT_EQ(json(event), R"({"event_type":11,"event_config":60,"cookie":0})");
}

TEST(LinkDetails, OfManyKernelFunctions) {
    const kprobe_multi_details of{
        probed_at::entry, 0, {{0xffffffff81000010, 0}, {0xffffffffc0000020, 0x2a}}};
    EXPECT_EQ(plain(of), "\n\tkprobe.multi  func_cnt 2  "
                         "\n\taddr             cookie           func [module]"
                         "\n\tffffffff81000010 0                vfs_rmdir  "
                         "\n\tffffffffc0000020 2a               do_it [module_name]  ");
    EXPECT_EQ(
        json(of),
        R"({"retprobe":false,"func_cnt":2,"missed":0,"funcs":[)"
        R"({"addr":18446744071578845200,"func":"vfs_rmdir","module":null,"cookie":0},)"
        R"({"addr":18446744072635809824,"func":"do_it","module":"module_name","cookie":42}]})");
    // Whom the kernel shows no addresses.
    const kprobe_multi_details hidden{probed_at::exit, 4, {{0, 0}, {0, 0}}};
    EXPECT_EQ(plain(hidden, {}, no_symbols), "\n\tkretprobe.multi  func_cnt 2  missed 4  ");
    EXPECT_EQ(json(hidden, {}, no_symbols),
              R"({"retprobe":true,"func_cnt":2,"missed":4,"funcs":[]})");
    EXPECT_EQ(plain(kprobe_multi_details{}), "");
}

TEST(LinkDetails, OfManyUserFunctions) {
    const uprobe_multi_details of{
        probed_at::exit, "/bin/true", 12, {{0x1140, 0, 0}, {0x1150, 0x40, 0x2a}}};
    EXPECT_EQ(plain(of), "\n\turetprobe.multi  path /bin/true  func_cnt 2  pid 12  "
                         "\n\toffset             ref_ctr_offset     cookies         "
                         "\n\t0x1140             0x0                0x0               "
                         "\n\t0x1150             0x40               0x2a              ");
    EXPECT_EQ(json(of), R"({"retprobe":true,"path":"/bin/true","func_cnt":2,"pid":12,"funcs":[)"
                        R"({"offset":4416,"ref_ctr_offset":0,"cookie":0},)"
                        R"({"offset":4432,"ref_ctr_offset":64,"cookie":42}]})");
}

TEST(LinkDetails, OfPlacesInNetfilter) {
    EXPECT_EQ(plain(bpffs::netfilter_hook{2, 3, -128, 0}), "\n\tip output prio -128");
    EXPECT_EQ(json(bpffs::netfilter_hook{2, 3, -128, 0}),
              R"({"pf":2,"hook":3,"prio":-128,"flags":0})");
    EXPECT_EQ(plain(bpffs::netfilter_hook{10, 0, 7, 1}), "\n\tip6 prerouting prio 7 flags 0x1");
    EXPECT_EQ(plain(bpffs::netfilter_hook{3, 1, 0, 0}), "\n\tarp output prio 0");
    EXPECT_EQ(plain(bpffs::netfilter_hook{5, 1, 0, 0}), "\n\tnetdev, hook 1, prio 0");
    EXPECT_EQ(plain(bpffs::netfilter_hook{4, 9, 0, 0}), "\n\tpf: 4, hook 9, prio 0");
}

TEST(LinkDetails, OfIterators) {
    bpffs::link_info info;
    info.target_name = "bpf_map_elem";
    info.map_id = 12;
    EXPECT_EQ(plain(iterator_details{}, info), "map_id 12  ");
    EXPECT_EQ(json(iterator_details{}, info), R"({"map_id":12})");
    info.target_name = "task_file";
    EXPECT_EQ(plain(iterator_details{}, info), "");
    EXPECT_EQ(plain(iterator_details{0, 5, 0, 0}, info), "pid 5 ");
    EXPECT_EQ(json(iterator_details{6, 0, 0, 0}, info), R"({"tid":6})");
    info.target_name = "cgroup";
    EXPECT_EQ(plain(iterator_details{0, 0, 77, 2}, info), "cgroup_id 77  order descendants_pre  ");
    EXPECT_EQ(json(iterator_details{0, 0, 77, 1}, info), R"({"cgroup_id":77,"order":"self_only"})");
    info.target_name = "bpf_map";
    EXPECT_EQ(plain(iterator_details{}, info), "");
    EXPECT_EQ(json(iterator_details{}, info), "{}");
}

} // namespace
