// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Attaching a program: to sockets, devices, network namespaces, cgroups, sockmaps, tracing.

#include <cerrno>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netfilter.h>
#include <linux/perf_event.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "operation.hpp"

namespace bpffs_test {

namespace {

/// A scene with one program of this type, 0444.
std::function<void(scene&)> lay(uint32_t type, int32_t result, uint32_t attach_type = 0) {
    return [=](scene& s) {
        load_options options;
        options.expected_attach_type = attach_type;
        options.token = s.token();
        s.pin_victim("program", load_program(type, returns(result), options));
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

// BPF_PROG_ATTACH. The target is a number that both root and whoever tries can name.

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

operation on(const char* use, const char* name, std::function<void(scene&)> prepare,
             std::function<outcome(scene&)> attempt) {
    operation op;
    op.object = object_kind::program;
    op.use = use;
    op.name = name;
    op.prepare = std::move(prepare);
    op.attempt = std::move(attempt);
    return op;
}

operation with(unsigned capability, operation op) {
    op.capabilities |= 1ULL << capability;
    return op;
}

operation at(attach_target target, operation op) {
    op.target = target;
    return op;
}

operation on_device(const char* name, uint32_t type) {
    operation op =
        on("attach to a device", name, lay(BPF_PROG_TYPE_SCHED_CLS, -1), // TC_ACT_UNSPEC: next
           [=](scene& s) { return attach_by_target(s, loopback, type); });
    op.seen = [=](scene&) { return prog_query_count(loopback, type) == 1; };
    op.undo = [=](scene& s) { prog_detach(attach_to(s.own("program"), loopback, type)); };
    op.target = attach_target::network;
    return op;
}

handle open_directory(const std::string& path, int flags) {
    return open_file(path, O_DIRECTORY | flags);
}

operation on_cgroup(const char* name, uint32_t prog_type, uint32_t type, int open_flags) {
    const auto prepare = [=](scene& s) {
        if (s.cgroup().empty()) {
            s.cannot("mount cgroup2");
        }
        lay(prog_type, 1, type)(s);
    };
    const auto attempt = [=](scene& s) {
        const handle cgroup = open_directory(s.cgroup(), open_flags);
        return cgroup.good() ? attach_by_target(s, static_cast<uint32_t>(cgroup.get()), type)
                             : failed("open cgroup", cgroup.error());
    };
    operation op = on("attach to a cgroup", name, prepare, attempt);
    op.seen = [=](scene& s) {
        const handle cgroup = open_directory(s.cgroup(), O_RDONLY);
        return prog_query_count(static_cast<uint32_t>(cgroup.get()), type) == 1;
    };
    op.undo = [=](scene& s) {
        const handle cgroup = open_directory(s.cgroup(), O_RDONLY);
        prog_detach(attach_to(s.own("program"), static_cast<uint32_t>(cgroup.get()), type));
    };
    op.target = attach_target::cgroup;
    return op;
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

// BPF_LINK_CREATE. A link lives as long as whoever tries: the effect is asked of the link.

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

void lay_netkit_program(scene& s) {
    if (netkit_device() == 0) {
        s.cannot("make a netkit device");
    }
    lay(BPF_PROG_TYPE_SCHED_CLS, -1)(s);
}

outcome netkit_attachment(scene& s) {
    return attach_by_target(s, netkit_device(), attach_netkit_primary);
}

bool netkit_has_it(scene& /*s*/) {
    return prog_query_count(netkit_device(), attach_netkit_primary) == 1;
}

outcome netkit_link(scene& s) {
    link_create_attr attr;
    attr.target_fd = netkit_device();
    attr.attach_type = attach_netkit_peer;
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

/// A file that is mapped into this process, for a probe that nothing hits.
outcome uprobe_multi_link(scene& s) {
    const uint64_t offsets[1] = {0};
    link_create_attr attr;
    attr.attach_type = attach_uprobe_multi;
    attr.u.uprobe_multi.path = reinterpret_cast<uintptr_t>("/proc/self/exe");
    attr.u.uprobe_multi.offsets = reinterpret_cast<uintptr_t>(offsets);
    attr.u.uprobe_multi.cnt = 1;
    return create_link(s, attr);
}

std::function<void(scene&)> lay_traced(uint32_t type, uint32_t attach_type, const char* function) {
    return [=](scene& s) {
        s.pin_victim("program", load_traced(type, attach_type, function, returns(0), s.token()));
    };
}

outcome load_time_target(scene& s) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    return made_link("open raw tracepoint", raw_tracepoint_open(nullptr, program.get()));
}

outcome iterator_link(scene& s) {
    link_create_attr attr;
    attr.attach_type = BPF_TRACE_ITER;
    return create_link(s, attr);
}

// Through other objects.

void lay_link_and_program(scene& s) {
    const handle first = load_program(BPF_PROG_TYPE_XDP, returns(2));
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(first.get());
    attr.target_fd = loopback;
    attr.attach_type = BPF_XDP;
    attr.flags = XDP_FLAGS_SKB_MODE;
    s.pin_partner("link", link_create(attr));
    lay(BPF_PROG_TYPE_XDP, 2)(s);
}

outcome update_link(scene& s) {
    const handle program = s.victim("program");
    const handle link = s.partner("link");
    if (!program.good() || !link.good()) {
        return failed("open", program.good() ? link.error() : program.error());
    }
    return done("update", link_update(link.get(), program.get()));
}

bool link_has_it(scene& s) {
    object_ids link;
    object_ids program;
    return link_ids(s.own("link"), link) == 0 && prog_ids(s.own("program"), program) == 0 &&
           link.second == program.id;
}

/// A link with the victim as its program, and one to put in its place.
void lay_linked_program(scene& s) {
    lay(BPF_PROG_TYPE_XDP, 2)(s);
    s.pin_partner("other", load_program(BPF_PROG_TYPE_XDP, returns(2)));
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(s.own("program"));
    attr.target_fd = loopback;
    attr.attach_type = BPF_XDP;
    attr.flags = XDP_FLAGS_SKB_MODE;
    s.pin_partner("link", link_create(attr));
}

outcome replace_by_name(scene& s) {
    const handle program = s.victim("program");
    const handle other = s.partner("other");
    const handle link = s.partner("link");
    if (!program.good() || !other.good() || !link.good()) {
        return failed("open", EBADF);
    }
    return done("update", link_update(link.get(), other.get(), program.get()));
}

void lay_sockmap_and_program(scene& s) {
    s.pin_partner("sockmap", create_map(BPF_MAP_TYPE_SOCKMAP, 4, 4, 1));
    lay(BPF_PROG_TYPE_SK_SKB, 1)(s);
}

outcome attach_to_sockmap(scene& s) {
    const handle map = s.partner("sockmap");
    const auto target = static_cast<uint32_t>(map.get());
    return map.good() ? attach_by_target(s, target, BPF_SK_SKB_STREAM_VERDICT)
                      : failed("open", map.error());
}

bool sockmap_has_it(scene& s) {
    return prog_query_count(static_cast<uint32_t>(s.own("sockmap")), BPF_SK_SKB_STREAM_VERDICT) ==
           1;
}

// With a capability over the network namespace.

outcome packet_fanout(scene& s) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    const handle sock(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    const int group = PACKET_FANOUT_EBPF << 16;
    const int fd = program.get();
    if (::setsockopt(sock.get(), SOL_PACKET, PACKET_FANOUT, &group, sizeof(group)) != 0) {
        return failed("PACKET_FANOUT", errno);
    }
    const int value = ::setsockopt(sock.get(), SOL_PACKET, PACKET_FANOUT_DATA, &fd, sizeof(fd));
    return done("PACKET_FANOUT_DATA", value != 0 ? -errno : 0, true);
}

std::function<outcome(scene&)> tun_program(unsigned long command) {
    return [=](scene& s) {
        const handle program = s.victim("program");
        const handle tun = open_file("/dev/net/tun", O_RDWR);
        if (!program.good() || !tun.good()) {
            return failed("open", program.good() ? tun.error() : program.error());
        }
        ifreq request = {};
        request.ifr_flags = IFF_TUN | IFF_NO_PI;
        int fd = program.get();
        if (::ioctl(tun.get(), TUNSETIFF, &request) != 0) { // NOLINT
            return failed("TUNSETIFF", errno);
        }
        return done("tun", ::ioctl(tun.get(), command, &fd) != 0 ? -errno : 0, true); // NOLINT
    };
}

/// RTM_SETLINK with IFLA_XDP: what `ip link set lo xdpgeneric` sends.
outcome xdp_by_netlink(scene& s) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    struct {
        nlmsghdr header = {};
        ifinfomsg link = {};
        nlattr xdp = {};
        nlattr fd = {};
        int32_t fd_value = 0;
        nlattr flags = {};
        uint32_t flags_value = XDP_FLAGS_SKB_MODE;
    } request;
    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = RTM_SETLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request.link.ifi_index = loopback;
    request.xdp = {4 + 8 + 8, IFLA_XDP | NLA_F_NESTED};
    request.fd = {8, IFLA_XDP_FD};
    request.fd_value = program.get();
    request.flags = {8, IFLA_XDP_FLAGS};
    const handle sock(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    struct {
        nlmsghdr header;
        nlmsgerr error;
        char rest[256];
    } answer = {};
    if (::send(sock.get(), &request, sizeof(request), 0) < 0 ||
        ::recv(sock.get(), &answer, sizeof(answer), 0) < 0) {
        return failed("netlink", errno);
    }
    return done("netlink", answer.error.error, true);
}

operation flow_dissector_operation() {
    operation op = on("attach to a network namespace", "attach_flow_dissector",
                      lay(BPF_PROG_TYPE_FLOW_DISSECTOR, 0), flow_dissector);
    op.seen = flow_dissector_is_set;
    op.undo = remove_flow_dissector;
    op.target = attach_target::network;
    return op;
}

operation seen_by(std::function<bool(scene&)> seen, operation op) {
    op.seen = std::move(seen);
    return op;
}

void add_sockets_and_devices(std::vector<operation>& list) {
    static const char* const to_socket = "attach to a socket";
    static const char* const to_device = "attach to a device";
    const auto filter = lay(BPF_PROG_TYPE_SOCKET_FILTER, 0);
    const auto classifier = lay(BPF_PROG_TYPE_SCHED_CLS, -1);
    const auto xdp = lay(BPF_PROG_TYPE_XDP, 2);
    const auto select = lay(BPF_PROG_TYPE_SK_REUSEPORT, 1);
    list.push_back(on(to_socket, "attach_socket", filter, socket_filter));
    list.push_back(on(to_socket, "attach_reuseport", filter, reuseport_filter));
    list.push_back(on(to_socket, "attach_reuseport_select", select, reuseport_filter));
    list.push_back(with(CAP_NET_RAW, on(to_socket, "attach_fanout", filter, packet_fanout)));
    list.push_back(on_device("attach_tcx_ingress", attach_tcx_ingress));
    list.push_back(on_device("attach_tcx_egress", attach_tcx_egress));
    list.push_back(at(attach_target::network, on(to_device, "link_xdp", xdp, xdp_link)));
    list.push_back(at(attach_target::network, on(to_device, "link_tcx", classifier, tcx_link)));
    list.push_back(
        at(attach_target::network,
           with(CAP_NET_ADMIN, on(to_device, "attach_xdp_netlink", xdp, xdp_by_netlink))));
    list.push_back(at(attach_target::network,
                      seen_by(netkit_has_it, on(to_device, "attach_netkit", lay_netkit_program,
                                                netkit_attachment))));
    list.push_back(
        at(attach_target::network, on(to_device, "link_netkit", lay_netkit_program, netkit_link)));
    for (const auto& [name, command] : {std::pair{"attach_tun_steering", TUNSETSTEERINGEBPF},
                                        std::pair{"attach_tun_filter", TUNSETFILTEREBPF}}) {
        // /dev/net/tun is not everybody's on every machine.
        list.push_back(with(CAP_DAC_OVERRIDE, with(CAP_NET_ADMIN, on(to_device, name, filter,
                                                                     tun_program(command)))));
    }
}

void add_cgroups_and_namespaces(std::vector<operation>& list) {
    static const char* const to_net = "attach to a network namespace";
    list.push_back(on_cgroup("attach_cgroup_sock", BPF_PROG_TYPE_CGROUP_SOCK,
                             BPF_CGROUP_INET_SOCK_CREATE, O_RDONLY));
    list.push_back(on_cgroup("attach_cgroup_sock_by_path_fd", BPF_PROG_TYPE_CGROUP_SOCK,
                             BPF_CGROUP_INET_SOCK_CREATE, O_PATH));
    list.push_back(
        on_cgroup("attach_cgroup_device", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, O_PATH));
    list.push_back(at(attach_target::cgroup, on("attach to a cgroup", "link_cgroup_sock",
                                                lay_cgroup_program, cgroup_link)));
    list.push_back(flow_dissector_operation());
    list.push_back(at(attach_target::network,
                      on(to_net, "link_netfilter", lay(prog_type_netfilter, 1, attach_netfilter),
                         netfilter_link)));
    list.push_back(at(attach_target::network,
                      on(to_net, "link_sk_lookup", lay(BPF_PROG_TYPE_SK_LOOKUP, 1, BPF_SK_LOOKUP),
                         sk_lookup_link)));
    list.push_back(on("named as the old program of a link", "program_named_as_old",
                      lay_linked_program, replace_by_name));
    list.push_back(seen_by(sockmap_has_it, on("attach to a sockmap", "attach_sockmap",
                                              lay_sockmap_and_program, attach_to_sockmap)));
    list.push_back(
        at(attach_target::elsewhere,
           seen_by(link_has_it, on("attach as the new program of a link", "attach_by_link_update",
                                   lay_link_and_program, update_link))));
}

void add_tracing(std::vector<operation>& list) {
    const auto trace = [&](const char* name, std::function<void(scene&)> prepare,
                           std::function<outcome(scene&)> attempt,
                           const char* use = "attach to tracing") {
        list.push_back(
            at(attach_target::tracing, on(use, name, std::move(prepare), std::move(attempt))));
    };
    trace("link_kprobe_multi", lay(BPF_PROG_TYPE_KPROBE, 0, BPF_TRACE_KPROBE_MULTI),
          kprobe_multi_link);
    trace("link_uprobe_multi", lay(BPF_PROG_TYPE_KPROBE, 0, attach_uprobe_multi),
          uprobe_multi_link);
    trace("link_raw_tracepoint", lay(BPF_PROG_TYPE_RAW_TRACEPOINT, 0), raw_tracepoint);
    trace("link_fentry", lay_traced(BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "bpf_fentry_test1"),
          load_time_target);
    trace("link_lsm", lay_traced(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "sb_pivotroot"), load_time_target);
    trace("link_iterator_program", lay_traced(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "bpf_map"),
          iterator_link, "attach as an iterator");
    list.push_back(on("attach to a perf event", "attach_perf_event",
                      lay(BPF_PROG_TYPE_PERF_EVENT, 0), perf_event_program));
    list.push_back(on("attach to a perf event", "link_perf_event", lay(BPF_PROG_TYPE_PERF_EVENT, 0),
                      perf_event_link));
}

} // namespace

const std::vector<operation>& attach_operations() {
    static const std::vector<operation> list = [] {
        std::vector<operation> all;
        add_sockets_and_devices(all);
        add_cgroups_and_namespaces(all);
        add_tracing(all);
        return all;
    }();
    return list;
}

} // namespace bpffs_test
