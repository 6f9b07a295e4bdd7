// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Delegated programs, those that were loaded with a directory token: every way to attach one ×
// everybody who may try. The handle carries all rights; it is the target that has to agree.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>

#include "operation.hpp"
#include "support/probe.hpp"

namespace bpffs_test {

namespace {

constexpr uint64_t net_admin = 1ULL << CAP_NET_ADMIN;
constexpr uint64_t perfmon = 1ULL << CAP_PERFMON;

/// Root's token of a mount that delegates everything, and these capabilities.
handle token_carrying(const char* capabilities) {
    const char* const everything = "=0xffffffffffffffff";
    const bpffs_mount mount(std::string("fmode,mode=0700,delegate_cmds") + everything +
                            ",delegate_maps" + everything + ",delegate_progs" + everything +
                            ",delegate_attachs" + everything + ",delegate_caps=" + capabilities);
    return token_create(open_file(mount.directory(), O_PATH | O_DIRECTORY).get());
}

enum class namespaces { the_scenes, own };

/// Somebody who tries, and what the token carries.
struct attacher {
    const char* name;
    uint64_t capabilities;
    const char* token;
    uid_t uid = alice;
    namespaces where = namespaces::the_scenes;
};

constexpr const char* full_token = "bpf:net_admin:perfmon";

const attacher attachers[] = {
    {"alice", 0, full_token},
    {"alice, token without perfmon", 0, "bpf:net_admin"},
    {"alice with CAP_PERFMON, token without", perfmon, "bpf:net_admin"},
    {"alice with CAP_NET_ADMIN", net_admin, full_token},
    {"alice in namespaces of her own", 0, full_token, alice, namespaces::own},
    {"alice in namespaces of her own, token without perfmon", 0, "bpf:net_admin", alice,
     namespaces::own},
    {"root", all_capabilities, "bpf", 0},
};

/// The model, in one function.
bool agrees(const operation& op, const attacher& who) {
    const bool own_network = who.where == namespaces::own;
    switch (op.target) {
    case attach_target::own:
        return true;
    case attach_target::network:
        return own_network || (who.capabilities & net_admin) != 0;
    case attach_target::elsewhere:
    case attach_target::cgroup:
        return (who.capabilities & net_admin) != 0;
    case attach_target::tracing:
        return (who.capabilities & perfmon) != 0 ||
               std::string(who.token).find("perfmon") != std::string::npos;
    }
    return false;
}

outcome attempt(const operation& op, scene& s, const attacher& who) {
    return as({who.uid, who.uid, {}, who.capabilities}, [&] {
        if (who.where == namespaces::own && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
            return failed("namespaces", errno);
        }
        return op.attempt(s);
    });
}

/// Where more than the handle is needed anyway, alice would fail for want of that.
bool is_feasible(const operation& op, const attacher& who) {
    return op.capabilities == 0 || (who.uid == 0 && who.where == namespaces::the_scenes);
}

class target_test : public testing::TestWithParam<operation> {
protected:
    void SetUp() override {
        for (const char* need :
             {"root", "namespaces", "bpf", "bpffs", "fmode", "token", "program_tokens"}) {
            BPFFS_NEEDS(need);
        }
        BPFFS_NEEDS("can_" + GetParam().name, rehearse(GetParam()));
    }

    static void try_as(const attacher& who) {
        const operation& op = GetParam();
        SCOPED_TRACE(who.name);
        scene s("fmode,mode=0755", {0666, 0});
        ASSERT_EQ(s.error(), 0);
        s.load_with(token_carrying(who.token));
        ASSERT_GE(s.token(), 0);
        op.prepare(s);
        ASSERT_EQ(s.impossible(), "");
        const outcome o = attempt(op, s, who);
        EXPECT_EQ(o.error, agrees(op, who) ? op.granted : EPERM) << "at step '" << o.step << "'";
        if (op.undo) {
            op.undo(s);
        }
    }
};

TEST_P(target_test, delegated_program_needs_its_target) {
    for (const attacher& who : attachers) {
        if (is_feasible(GetParam(), who)) {
            try_as(who);
        }
    }
}

std::vector<operation> uses_of_programs() {
    std::vector<operation> list = attach_operations();
    for (const operation& op : program_operations()) {
        if (op.needed() != right::never && op.delegable) {
            list.push_back(op);
        }
    }
    return list;
}

INSTANTIATE_TEST_SUITE_P(uses, target_test, testing::ValuesIn(uses_of_programs()),
                         [](const auto& test) { return test.param.name; });

} // namespace

} // namespace bpffs_test
