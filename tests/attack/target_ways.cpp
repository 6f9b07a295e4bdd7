// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ways by what a program is attached to: taking away what root has attached, by naming its place.
// The series asks for authority over that place on every mount, as no file is involved.

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "way.hpp"

namespace bpffs_test {

namespace {

/// Root's program at the loopback device of the scene's network namespace.
void lay_tcx(scene& s) {
    s.pin_victim("program", load_program(BPF_PROG_TYPE_SCHED_CLS, returns(-1)));
    attach_attr attr;
    attr.target = loopback;
    attr.program = static_cast<uint32_t>(s.own("program"));
    attr.attach_type = attach_tcx_ingress;
    if (prog_attach(attr) != 0) {
        s.cannot("attach to tcx");
    }
}

outcome detaches_from_device(scene& s) {
    return with_victim(s, "program", [](int program) {
        attach_attr attr;
        attr.target = loopback;
        attr.program = static_cast<uint32_t>(program);
        attr.attach_type = attach_tcx_ingress;
        return done("detach", prog_detach(attr));
    });
}

bool device_is_bare(scene& /*s*/) {
    return prog_query_count(loopback, attach_tcx_ingress) == 0;
}

attach_attr on_cgroup(int cgroup, int program) {
    attach_attr attr;
    attr.target = static_cast<uint32_t>(cgroup);
    attr.program = static_cast<uint32_t>(program);
    attr.attach_type = BPF_CGROUP_INET_SOCK_CREATE;
    attr.flags = BPF_F_ALLOW_MULTI;
    return attr;
}

void lay_cgroup(scene& s) {
    load_options options;
    options.expected_attach_type = BPF_CGROUP_INET_SOCK_CREATE;
    s.pin_victim("program", load_program(BPF_PROG_TYPE_CGROUP_SOCK, returns(1), options));
    const handle cgroup = open_file(s.cgroup(), O_RDONLY | O_DIRECTORY);
    if (prog_attach(on_cgroup(cgroup.get(), s.own("program"))) != 0) {
        s.cannot("attach to a cgroup");
    }
}

outcome detaches_from_cgroup(scene& s) {
    return with_victim(s, "program", [&](int program) {
        const handle cgroup = open_file(s.cgroup(), O_RDONLY | O_DIRECTORY);
        attach_attr attr = on_cgroup(cgroup.get(), program);
        attr.flags = 0;
        return done("detach", prog_detach(attr));
    });
}

bool cgroup_is_bare(scene& s) {
    const handle cgroup = open_file(s.cgroup(), O_RDONLY | O_DIRECTORY);
    return prog_query_count(static_cast<uint32_t>(cgroup.get()), BPF_CGROUP_INET_SOCK_CREATE) == 0;
}

void lay_flow_dissector(scene& s) {
    s.pin_victim("program", load_program(BPF_PROG_TYPE_FLOW_DISSECTOR, returns(0)));
    attach_attr attr;
    attr.program = static_cast<uint32_t>(s.own("program"));
    attr.attach_type = BPF_FLOW_DISSECTOR;
    if (prog_attach(attr) != 0) {
        s.cannot("attach to the network namespace");
    }
}

outcome detaches_from_namespace(scene& s) {
    return with_victim(s, "program", [](int program) {
        attach_attr attr;
        attr.program = static_cast<uint32_t>(program);
        attr.attach_type = BPF_FLOW_DISSECTOR;
        return done("detach", prog_detach(attr));
    });
}

bool namespace_is_bare(scene& /*s*/) {
    const handle net = open_file("/proc/self/ns/net", O_RDONLY);
    return prog_query_count(static_cast<uint32_t>(net.get()), BPF_FLOW_DISSECTOR) == 0;
}

} // namespace

const std::vector<way>& target_ways() {
    static const std::vector<way> list = [] {
        std::vector<way> all;
        const auto add = [&](const char* name, layout prepare, step attempt,
                             std::function<bool(scene&)> seen) {
            way w = new_way("who may read a program does not take it away from its place", name,
                            std::move(prepare), std::move(attempt));
            w.seen = std::move(seen);
            w.on_every_mount = true;
            all.push_back(std::move(w));
        };
        add("detach_from_device", lay_tcx, detaches_from_device, device_is_bare);
        add("detach_from_cgroup", lay_cgroup, detaches_from_cgroup, cgroup_is_bare);
        add("detach_from_network_namespace", lay_flow_dissector, detaches_from_namespace,
            namespace_is_bare);
        return all;
    }();
    return list;
}

} // namespace bpffs_test
