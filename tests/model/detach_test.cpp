// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Detaching by target asks for the target, whoever holds the program; a link is its holder's. Runs
// only where the kernel asks.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

constexpr uint32_t loopback = 1;
constexpr uint64_t net_admin = 1ULL << CAP_NET_ADMIN;

handle load(uint32_t type, uint32_t attach_type = 0, int32_t result = 1) {
    load_options options;
    options.expected_attach_type = attach_type;
    return load_program(type, returns(result), options);
}

attach_attr at(uint32_t target, const handle& program, uint32_t type, uint32_t flags = 0) {
    attach_attr attr;
    attr.target = target;
    attr.program = static_cast<uint32_t>(program.get());
    attr.attach_type = type;
    attr.flags = flags;
    return attr;
}

/// How many programs of this cgroup type, or device, are left.
int count(uint32_t target, uint32_t type) {
    return prog_query_count(target, type);
}

int detach_as(const identity& who, const attach_attr& attr) {
    return as(who, [&] { return done("detach", prog_detach(attr)); }).error;
}

int attach_as(const identity& who, const attach_attr& attr) {
    return as(who, [&] { return done("attach", prog_attach(attr)); }).error;
}

const identity nobody_special{alice, alice, {}, 0};
const identity network_admin{alice, alice, {}, net_admin};
const identity tracer{alice, alice, {}, 1ULL << CAP_PERFMON};

class detach_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "detach_asks"}) {
            BPFFS_NEEDS(need);
        }
        ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    }
};

class cgroup_detach_test : public detach_test {
protected:
    void SetUp() override {
        detach_test::SetUp();
        if (testing::Test::IsSkipped() || testing::Test::HasFatalFailure()) {
            return;
        }
        BPFFS_NEEDS("cgroup2", cgroup_.error() == 0 ? "" : "cannot be mounted");
        directory_ = open_file(cgroup_.directory(), O_RDONLY | O_DIRECTORY);
    }

    [[nodiscard]] uint32_t target() const { return static_cast<uint32_t>(directory_.get()); }

private:
    own_cgroup cgroup_;
    handle directory_;
};

TEST_F(cgroup_detach_test, takes_the_capability_for_each_way_of_attaching) {
    for (const uint32_t flags : {0U, static_cast<uint32_t>(BPF_F_ALLOW_OVERRIDE),
                                 static_cast<uint32_t>(BPF_F_ALLOW_MULTI)}) {
        const handle program = load(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE);
        const auto attr = at(target(), program, BPF_CGROUP_INET_SOCK_CREATE, flags);
        const auto named = at(target(), program, BPF_CGROUP_INET_SOCK_CREATE);
        ASSERT_EQ(prog_attach(attr), 0);
        EXPECT_EQ(detach_as(nobody_special, named), EPERM) << flags;
        EXPECT_EQ(count(target(), BPF_CGROUP_INET_SOCK_CREATE), 1);
        EXPECT_EQ(detach_as(network_admin, named), 0) << flags;
        EXPECT_EQ(count(target(), BPF_CGROUP_INET_SOCK_CREATE), 0);
    }
}

// Attaching such a program asks for no network: it traces.
TEST_F(cgroup_detach_test, who_may_trace_detaches_a_security_module) {
    const handle program =
        load_traced(BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, "socket_bind", returns(1));
    BPFFS_NEEDS("bpf_lsm", program.good() ? "" : "no BPF LSM here");
    const auto attr = at(target(), program, BPF_LSM_CGROUP);
    for (const identity& who : {tracer, network_admin}) {
        ASSERT_EQ(prog_attach(attr), 0);
        EXPECT_EQ(detach_as(nobody_special, attr), EPERM);
        EXPECT_EQ(detach_as(who, attr), 0) << who.capabilities;
        prog_detach(attr); // where that failed
    }
    const handle about_packets = load(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE);
    const auto other = at(target(), about_packets, BPF_CGROUP_INET_SOCK_CREATE);
    ASSERT_EQ(prog_attach(other), 0);
    EXPECT_EQ(detach_as(tracer, other), EPERM) << "that does not trace";
    EXPECT_EQ(prog_detach(other), 0);
}

TEST_F(cgroup_detach_test, a_replacement_detaches) {
    const handle program = load(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE);
    const handle other = load(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, 0);
    ASSERT_EQ(prog_attach(at(target(), program, BPF_CGROUP_INET_SOCK_CREATE)), 0);
    const auto instead = at(target(), other, BPF_CGROUP_INET_SOCK_CREATE);
    EXPECT_EQ(attach_as(nobody_special, instead), EPERM);
    EXPECT_EQ(attach_as(network_admin, instead), 0);
    ASSERT_EQ(prog_detach(instead), 0);

    auto first = at(target(), program, BPF_CGROUP_INET_SOCK_CREATE, BPF_F_ALLOW_MULTI);
    ASSERT_EQ(prog_attach(first), 0);
    auto named =
        at(target(), other, BPF_CGROUP_INET_SOCK_CREATE, BPF_F_ALLOW_MULTI | BPF_F_REPLACE);
    named.replaced = static_cast<uint32_t>(program.get());
    EXPECT_EQ(attach_as(nobody_special, named), EPERM);
    EXPECT_EQ(attach_as(network_admin, named), 0);
    EXPECT_EQ(prog_detach(at(target(), other, BPF_CGROUP_INET_SOCK_CREATE)), 0);
}

TEST_F(cgroup_detach_test, a_link_is_its_holders) {
    const handle program = load(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE);
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.target_fd = target();
    attr.attach_type = BPF_CGROUP_INET_SOCK_CREATE;
    const handle link = link_create(attr);
    ASSERT_TRUE(link.good());
    const outcome o = as(nobody_special, [&] { return done("link", link_detach(link.get())); });
    EXPECT_EQ(o.error, 0);
    EXPECT_EQ(count(target(), BPF_CGROUP_INET_SOCK_CREATE), 0);
}

TEST_F(cgroup_detach_test, the_last_holder_of_a_link_detaches_by_going) {
    const handle program = load(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE);
    const outcome o = as(nobody_special, [&] {
        link_create_attr attr;
        attr.prog_fd = static_cast<uint32_t>(program.get());
        attr.target_fd = target();
        attr.attach_type = BPF_CGROUP_INET_SOCK_CREATE;
        return failed("link", link_create(attr).error());
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_EQ(count(target(), BPF_CGROUP_INET_SOCK_CREATE), 0);
}

TEST_F(detach_test, from_a_device_takes_its_network_namespace) {
    const handle program = load(BPF_PROG_TYPE_SCHED_CLS, 0, -1);
    for (const uint32_t type : {attach_tcx_ingress, attach_tcx_egress}) {
        const auto attr = at(loopback, program, type);
        ASSERT_EQ(prog_attach(attr), 0);
        EXPECT_EQ(detach_as(nobody_special, attr), EPERM);
        EXPECT_EQ(count(loopback, type), 1);
        EXPECT_EQ(detach_as(network_admin, attr), 0);
        EXPECT_EQ(count(loopback, type), 0);
    }
}

TEST_F(detach_test, from_a_netkit_device_takes_that_of_its_primary) {
    const unsigned device = netkit_device();
    BPFFS_NEEDS("netkit", device != 0 ? "" : "cannot be made");
    const handle program = load(BPF_PROG_TYPE_SCHED_CLS, 0, -1);
    for (const uint32_t type : {attach_netkit_primary, attach_netkit_peer}) {
        const auto attr = at(device, program, type);
        ASSERT_EQ(prog_attach(attr), 0);
        EXPECT_EQ(detach_as(nobody_special, attr), EPERM);
        EXPECT_EQ(detach_as(network_admin, attr), 0);
        EXPECT_EQ(count(device, type), 0);
    }
}

TEST_F(detach_test, a_replacement_on_a_device_detaches) {
    const handle program = load(BPF_PROG_TYPE_SCHED_CLS, 0, -1);
    const handle other = load(BPF_PROG_TYPE_SCHED_CLS, 0, -1);
    ASSERT_EQ(prog_attach(at(loopback, program, attach_tcx_ingress)), 0);
    auto instead = at(loopback, other, attach_tcx_ingress, BPF_F_REPLACE);
    instead.replaced = static_cast<uint32_t>(program.get());
    EXPECT_EQ(attach_as(nobody_special, instead), EPERM);
    EXPECT_EQ(attach_as(network_admin, instead), 0);
    EXPECT_EQ(prog_detach(at(loopback, other, attach_tcx_ingress)), 0);
}

TEST_F(detach_test, from_a_network_namespace_takes_that) {
    const handle program = load(BPF_PROG_TYPE_FLOW_DISSECTOR, 0, 0);
    const handle other = load(BPF_PROG_TYPE_FLOW_DISSECTOR, 0, 0);
    const auto attr = at(0, program, BPF_FLOW_DISSECTOR);
    ASSERT_EQ(prog_attach(attr), 0);
    EXPECT_EQ(detach_as(nobody_special, attr), EPERM);
    EXPECT_EQ(attach_as(nobody_special, at(0, other, BPF_FLOW_DISSECTOR)), EPERM) << "in its place";
    EXPECT_EQ(attach_as(network_admin, at(0, other, BPF_FLOW_DISSECTOR)), 0) << "in its place";
    EXPECT_EQ(detach_as(network_admin, at(0, other, BPF_FLOW_DISSECTOR)), 0);
}

TEST_F(detach_test, who_owns_a_network_namespace_detaches_in_it) {
    const handle classifier = load(BPF_PROG_TYPE_SCHED_CLS, 0, -1);
    const handle dissector = load(BPF_PROG_TYPE_FLOW_DISSECTOR, 0, 0);
    const outcome o = as(nobody_special, [&] {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
            return failed("user namespace", ENOSYS);
        }
        for (const auto& attr :
             {at(loopback, classifier, attach_tcx_ingress), at(0, dissector, BPF_FLOW_DISSECTOR)}) {
            if (const int e = prog_attach(attr); e != 0) {
                return failed("attach", -e);
            }
            if (const int e = prog_detach(attr); e != 0) {
                return failed("detach", -e);
            }
        }
        return done("", 0);
    });
    BPFFS_NEEDS("user_namespaces", o.error != ENOSYS ? "" : "none for alice");
    EXPECT_EQ(o.error, 0) << o.step;
}

} // namespace

} // namespace bpffs_test
