// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Detours to a target that a delegated program must not be attached to: by way of a program that
// everybody may attach, of another name for the program, of namespaces of one's own.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/if_link.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

constexpr uint32_t loopback = 1;

uint32_t number(const handle& h) {
    return static_cast<uint32_t>(h.get());
}

/// alice's mount, and what root shares in it with everybody: an XDP and a tcx program.
class delegation_attack_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need :
             {"root", "namespaces", "bpf", "bpffs", "fmode", "token", "program_tokens"}) {
            BPFFS_NEEDS(need);
        }
        ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
        share("xdp", BPF_PROG_TYPE_XDP, 2);
        share("tcx", BPF_PROG_TYPE_SCHED_CLS, -1);
    }

    void share(const char* name, uint32_t type, int32_t result) const {
        ASSERT_EQ(pin(load_program(type, returns(result)).get(), mount_ / name), 0);
        ASSERT_EQ(::chmod((mount_ / name).c_str(), 0666), 0);
    }

    [[nodiscard]] handle shared(const char* name) const { return get(mount_ / name); }

    [[nodiscard]] handle delegated(uint32_t type, int32_t result, uint32_t attach_type = 0) const {
        const handle token =
            token_create(open_file(mount_.directory(), O_PATH | O_DIRECTORY).get());
        load_options options;
        options.expected_attach_type = attach_type;
        options.token = token.get();
        return load_program(type, returns(result), options);
    }

    [[nodiscard]] const bpffs_mount& mount() const { return mount_; }

private:
    bpffs_mount mount_{"fmode,uid=1000,gid=1000,mode=0700,delegate_cmds=0x20,"
                       "delegate_caps=bpf:net_admin:perfmon,delegate_progs=0xffffffffffffffff,"
                       "delegate_attachs=0xffffffffffffffff"};
};

link_create_attr xdp_on_loopback(const handle& program) {
    link_create_attr attr;
    attr.prog_fd = number(program);
    attr.target_fd = loopback;
    attr.attach_type = BPF_XDP;
    attr.flags = XDP_FLAGS_SKB_MODE;
    return attr;
}

attach_attr tcx_on_loopback(const handle& program) {
    attach_attr attr;
    attr.target = loopback;
    attr.program = number(program);
    attr.attach_type = attach_tcx_ingress;
    return attr;
}

TEST_F(delegation_attack_test, by_a_link_of_a_program_that_everybody_may_attach) {
    const outcome o = as_user(alice, [&] {
        const handle link = link_create(xdp_on_loopback(shared("xdp")));
        if (!link.good()) {
            return failed("the way there", ENOEXEC);
        }
        const handle mine = delegated(BPF_PROG_TYPE_XDP, 1);
        return mine.good() ? done("update", link_update(link.get(), mine.get()))
                           : failed("load", ENOEXEC);
    });
    EXPECT_EQ(o.error, EPERM) << o.step;
}

TEST_F(delegation_attack_test, by_links_to_tcx_netkit_and_namespaces) {
    const handle host = open_file("/proc/self/ns/net", O_RDONLY);
    const handle lookup = [] {
        load_options options;
        options.expected_attach_type = BPF_SK_LOOKUP;
        return load_program(BPF_PROG_TYPE_SK_LOOKUP, returns(1), options);
    }();
    const handle theirs = shared("tcx");
    struct {
        uint32_t target;
        uint32_t attach_type;
        uint32_t type;
        int program;
    } const ways[] = {
        {loopback, attach_tcx_egress, BPF_PROG_TYPE_SCHED_CLS, theirs.get()},
        {netkit_device(), attach_netkit_peer, BPF_PROG_TYPE_SCHED_CLS, theirs.get()},
        {number(host), BPF_SK_LOOKUP, BPF_PROG_TYPE_SK_LOOKUP, lookup.get()},
    };
    for (const auto& way : ways) {
        BPFFS_NEEDS("netkit", way.target != 0 ? "" : "cannot be made");
        const outcome o = as_user(alice, [&] {
            link_create_attr attr;
            attr.prog_fd = static_cast<uint32_t>(way.program);
            attr.target_fd = way.target;
            attr.attach_type = way.attach_type;
            const handle link = link_create(attr);
            const uint32_t expected = way.attach_type == BPF_SK_LOOKUP ? way.attach_type : 0;
            const handle mine = delegated(way.type, 1, expected);
            return link.good() && mine.good() ? done("update", link_update(link.get(), mine.get()))
                                              : failed("the way there", ENOEXEC);
        });
        EXPECT_EQ(o.error, EPERM) << o.step << " " << way.attach_type;
    }
}

TEST_F(delegation_attack_test, in_place_of_a_program_that_everybody_may_attach) {
    const handle theirs = shared("tcx");
    const outcome o = as_user(alice, [&] {
        const handle mine = delegated(BPF_PROG_TYPE_SCHED_CLS, 2);
        if (prog_attach(tcx_on_loopback(theirs)) != 0 || !mine.good()) {
            return failed("the way there", ENOEXEC);
        }
        attach_attr attr = tcx_on_loopback(mine);
        attr.flags = BPF_F_REPLACE;
        attr.replaced = number(theirs);
        return done("replace", prog_attach(attr));
    });
    EXPECT_EQ(o.error, EPERM) << o.step;
    prog_detach(tcx_on_loopback(theirs));
}

TEST_F(delegation_attack_test, by_another_pin_of_the_program) {
    const outcome o = as_user(alice, [&] {
        if (pin(delegated(BPF_PROG_TYPE_XDP, 2).get(), mount() / "mine") != 0) {
            return failed("the way there", ENOEXEC);
        }
        return failed("link", link_create(xdp_on_loopback(get(mount() / "mine"))).error());
    });
    EXPECT_EQ(o.error, EPERM) << o.step;
}

TEST_F(delegation_attack_test, from_namespaces_of_ones_own_back_to_the_others) {
    const outcome o = as_user(alice, [&] {
        const handle host = open_file("/proc/self/ns/net", O_RDONLY);
        const handle mine = delegated(BPF_PROG_TYPE_SK_LOOKUP, 1, BPF_SK_LOOKUP);
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
            return failed("namespaces", ENOSYS);
        }
        const handle own = open_file("/proc/self/ns/net", O_RDONLY);
        link_create_attr attr;
        attr.prog_fd = number(mine);
        attr.attach_type = BPF_SK_LOOKUP;
        attr.target_fd = number(own);
        if (const handle link = link_create(attr); !link.good()) {
            return failed("their own", ENOEXEC);
        }
        attr.target_fd = number(host);
        return failed("the host's", link_create(attr).error());
    });
    BPFFS_NEEDS("user_namespaces", o.error != ENOSYS ? "" : "none for alice");
    EXPECT_EQ(o.error, EPERM) << o.step;
}

TEST_F(delegation_attack_test, as_part_of_a_program_that_is_attached) {
    // Who may not do more than attach a program cannot replace parts of it.
    const outcome o = as_user(alice, [&] {
        const handle target = get(mount() / "xdp", BPF_F_WRONLY);
        const handle token =
            token_create(open_file(mount().directory(), O_PATH | O_DIRECTORY).get());
        load_options options;
        options.token = token.get();
        options.attach_program = target.get();
        options.attach_btf_id = 1;
        return failed("load", load_program(BPF_PROG_TYPE_EXT, returns(1), options).error());
    });
    EXPECT_EQ(o.error, EPERM) << o.step;
}

} // namespace

} // namespace bpffs_test
