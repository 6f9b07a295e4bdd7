// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Attaching a program which one may only read: to sockets, devices, network namespaces, cgroups,
// tracing.

#include <cerrno>

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.hpp"

namespace bpffs_test {

namespace {

/// A scene with one program of this type, 0444.
std::function<void(scene&)> lay(uint32_t type, int32_t result, uint32_t attach_type = 0) {
    return [=](scene& s) {
        load_options options;
        options.expected_attach_type = attach_type;
        s.pin("program", load_program(type, returns(result), options), 0444);
    };
}

outcome socket_filter(scene& s) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return failed("socketpair", errno);
    }
    const handle in(ends[0]);
    const handle out(ends[1]);
    const int fd = program.get();
    if (::setsockopt(in.get(), SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)) != 0) {
        return failed("attach", errno);
    }
    char c = 0;
    // The filter drops everything: nothing arrives.
    const bool sent = ::send(out.get(), "x", 1, MSG_DONTWAIT) == 1;
    return done("attach", 0, sent && ::recv(in.get(), &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

outcome reuseport_filter(scene& s) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    const handle sock(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    const int fd = program.get();
    if (::setsockopt(sock.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) {
        return failed("SO_REUSEPORT", errno);
    }
    if (::setsockopt(sock.get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &fd, sizeof(fd)) != 0) {
        return failed("attach", errno);
    }
    // Only a group that has a program can lose one.
    return done("attach", 0,
                ::setsockopt(sock.get(), SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &on, sizeof(on)) ==
                    0);
}

// BPF_PROG_ATTACH. The target is a number that both the attacker and root can name.

attach_attr attach_to(int program, uint32_t target, uint32_t type) {
    attach_attr attr;
    attr.target = target;
    attr.program = static_cast<uint32_t>(program);
    attr.attach_type = type;
    return attr;
}

outcome attach_by_target(scene& s, uint32_t target, uint32_t type) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    return done("attach", prog_attach(attach_to(program.get(), target, type)));
}

attack device_attack(const std::string& name, uint32_t type) {
    attack a;
    a.name = name;
    a.prepare = lay(BPF_PROG_TYPE_SCHED_CLS, -1); // TC_ACT_UNSPEC: next
    a.attempt = [=](scene& s) { return attach_by_target(s, loopback, type); };
    a.seen = [=](scene&) { return prog_query_count(loopback, type) == 1; };
    a.undo = [=](scene& s) { prog_detach(attach_to(s.own("program"), loopback, type)); };
    return a;
}

handle open_directory(const std::string& path, int flags) {
    return open_file(path, O_DIRECTORY | flags);
}

attack cgroup_attack(const std::string& name, uint32_t prog_type, uint32_t type, int open_flags) {
    attack a;
    a.name = name;
    a.prepare = [=](scene& s) {
        if (s.cgroup().empty()) {
            s.cannot("mount cgroup2");
        }
        lay(prog_type, 1, type)(s);
    };
    a.attempt = [=](scene& s) {
        const handle cgroup = open_directory(s.cgroup(), open_flags);
        return cgroup.good() ? attach_by_target(s, static_cast<uint32_t>(cgroup.get()), type)
                             : failed("open cgroup", cgroup.error());
    };
    a.seen = [=](scene& s) {
        const handle cgroup = open_directory(s.cgroup(), O_RDONLY);
        return prog_query_count(static_cast<uint32_t>(cgroup.get()), type) == 1;
    };
    a.undo = [=](scene& s) {
        const handle cgroup = open_directory(s.cgroup(), O_RDONLY);
        prog_detach(attach_to(s.own("program"), static_cast<uint32_t>(cgroup.get()), type));
    };
    return a;
}

handle network_namespace() {
    return open_file("/proc/self/ns/net", O_RDONLY);
}

outcome flow_dissector(scene& s) {
    return attach_by_target(s, 0, BPF_FLOW_DISSECTOR); // the caller's network namespace
}

bool flow_dissector_is_set(scene&) {
    const handle net = network_namespace();
    return prog_query_count(static_cast<uint32_t>(net.get()), BPF_FLOW_DISSECTOR) == 1;
}

void remove_flow_dissector(scene& s) {
    prog_detach(attach_to(s.own("program"), 0, BPF_FLOW_DISSECTOR));
}

// BPF_LINK_CREATE. A link lives as long as the attacker: the effect is asked of the link.

outcome made_link(const char* step, const handle& link) {
    if (!link.good()) {
        return failed(step, link.error());
    }
    object_ids ids;
    return done(step, 0, link_ids(link.get(), ids) == 0 && ids.second != 0);
}

outcome create_link(scene& s, link_create_attr attr) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    attr.prog_fd = static_cast<uint32_t>(program.get());
    return made_link("create link", link_create(attr));
}

outcome xdp_link(scene& s) {
    link_create_attr attr;
    attr.target_fd = loopback;
    attr.attach_type = BPF_XDP;
    attr.flags = XDP_FLAGS_SKB_MODE;
    return create_link(s, attr);
}

outcome tcx_link(scene& s) {
    link_create_attr attr;
    attr.target_fd = loopback;
    attr.attach_type = attach_tcx_egress;
    return create_link(s, attr);
}

outcome netfilter_link(scene& s) {
    link_create_attr attr;
    attr.attach_type = attach_netfilter;
    attr.u.netfilter.pf = NFPROTO_IPV4;
    attr.u.netfilter.hooknum = NF_INET_LOCAL_OUT;
    attr.u.netfilter.priority = -128;
    return create_link(s, attr);
}

outcome sk_lookup_link(scene& s) {
    const handle net = network_namespace();
    link_create_attr attr;
    attr.target_fd = static_cast<uint32_t>(net.get());
    attr.attach_type = BPF_SK_LOOKUP;
    return create_link(s, attr);
}

outcome cgroup_link(scene& s) {
    const handle cgroup = open_directory(s.cgroup(), O_RDONLY);
    link_create_attr attr;
    attr.target_fd = static_cast<uint32_t>(cgroup.get());
    attr.attach_type = BPF_CGROUP_INET_SOCK_CREATE;
    return create_link(s, attr);
}

void lay_cgroup_program(scene& s) {
    if (s.cgroup().empty()) {
        s.cannot("mount cgroup2");
    }
    lay(BPF_PROG_TYPE_CGROUP_SOCK, 1, BPF_CGROUP_INET_SOCK_CREATE)(s);
}

outcome kprobe_multi_link(scene& s) {
    const char* symbol = "bpf_fentry_test1"; // called by test runs only
    const uint64_t symbols[1] = {reinterpret_cast<uintptr_t>(symbol)};
    link_create_attr attr;
    attr.attach_type = BPF_TRACE_KPROBE_MULTI;
    attr.u.kprobe_multi.cnt = 1;
    attr.u.kprobe_multi.syms = reinterpret_cast<uintptr_t>(symbols);
    return create_link(s, attr);
}

outcome raw_tracepoint(scene& s) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    return made_link("open raw tracepoint", raw_tracepoint_open("sched_switch", program.get()));
}

handle own_perf_event() {
    perf_event_attr attr = {};
    attr.size = sizeof(attr);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_TASK_CLOCK;
    attr.sample_period = 1000000000;
    attr.exclude_kernel = 1;
    const long fd = ::syscall(__NR_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    return handle(fd < 0 ? -errno : static_cast<int>(fd));
}

outcome perf_event_program(scene& s) {
    const handle program = s.victim("program");
    const handle event = own_perf_event();
    if (!program.good() || !event.good()) {
        return failed("open", program.good() ? event.error() : program.error());
    }
    if (::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program.get()) !=
        0) { // NOLINT(cppcoreguidelines-pro-type-vararg)
        return failed("PERF_EVENT_IOC_SET_BPF", errno);
    }
    // An event has one program: a second is refused.
    const bool again = ::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program.get()) == 0; // NOLINT
    return done("", 0, !again && errno == EEXIST);
}

outcome perf_event_link(scene& s) {
    const handle event = own_perf_event();
    link_create_attr attr;
    attr.target_fd = static_cast<uint32_t>(event.get());
    attr.attach_type = BPF_PERF_EVENT;
    return create_link(s, attr);
}

attack flow_dissector_attack() {
    return {"attach_flow_dissector", lay(BPF_PROG_TYPE_FLOW_DISSECTOR, 0), flow_dissector,
            flow_dissector_is_set, remove_flow_dissector};
}

} // namespace

const std::vector<attack>& attach_attacks() {
    static const std::vector<attack> list = {
        {"attach_socket", lay(BPF_PROG_TYPE_SOCKET_FILTER, 0), socket_filter},
        {"attach_reuseport", lay(BPF_PROG_TYPE_SOCKET_FILTER, 0), reuseport_filter},
        {"attach_reuseport_select", lay(BPF_PROG_TYPE_SK_REUSEPORT, 1), reuseport_filter},
        device_attack("attach_tcx_ingress", attach_tcx_ingress),
        device_attack("attach_tcx_egress", attach_tcx_egress),
        cgroup_attack("attach_cgroup_sock", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE,
                      O_RDONLY),
        cgroup_attack("attach_cgroup_sock_by_path_fd", BPF_PROG_TYPE_CGROUP_SOCK,
                      BPF_CGROUP_INET_SOCK_CREATE, O_PATH),
        cgroup_attack("attach_cgroup_device", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE,
                      O_PATH),
        flow_dissector_attack(),
        {"link_xdp", lay(BPF_PROG_TYPE_XDP, 2), xdp_link},
        {"link_tcx", lay(BPF_PROG_TYPE_SCHED_CLS, -1), tcx_link},
        {"link_netfilter", lay(prog_type_netfilter, 1, attach_netfilter), netfilter_link},
        {"link_sk_lookup", lay(BPF_PROG_TYPE_SK_LOOKUP, 1, BPF_SK_LOOKUP), sk_lookup_link},
        {"link_cgroup_sock", lay_cgroup_program, cgroup_link},
        {"link_kprobe_multi", lay(BPF_PROG_TYPE_KPROBE, 0, BPF_TRACE_KPROBE_MULTI),
         kprobe_multi_link},
        {"link_raw_tracepoint", lay(BPF_PROG_TYPE_RAW_TRACEPOINT, 0), raw_tracepoint},
        {"attach_perf_event", lay(BPF_PROG_TYPE_PERF_EVENT, 0), perf_event_program},
        {"link_perf_event", lay(BPF_PROG_TYPE_PERF_EVENT, 0), perf_event_link},
    };
    return list;
}

} // namespace bpffs_test
