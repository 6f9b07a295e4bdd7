// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Each known way around a mode, tried for real: every operation that reading does not include, with
// nothing but a read-only handle of a 0444 pin.
//
// On a mount with fmode it has to fail for an ordinary user and for root. On a mount without it has
// to work as on every kernel before: this shows that the attack is real, and that nothing changes
// for mounts that did not ask.

#include <gtest/gtest.h>

#include "model/operation.hpp"
#include "support/probe.hpp"
#include "way.hpp"

namespace bpffs_test {

namespace {

std::vector<operation> attacks() {
    std::vector<operation> list;
    for (const operation& op : all_operations()) {
        if (!enough(op.needed(), BPF_F_RDONLY)) {
            list.push_back(op);
        }
    }
    return list;
}

class attack_test : public testing::TestWithParam<operation> {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs"}) {
            BPFFS_NEEDS(need);
        }
        // What no kernel allows cannot be rehearsed.
        const operation& op = GetParam();
        BPFFS_NEEDS("can_" + op.name, op.needed() == right::never ? "" : rehearse(op));
    }

    /// One line for the table.
    static void tell_of(const char* mount, const outcome& o) {
        const operation& op = GetParam();
        tell(op.name, mount, o,
             std::string("reading a ") + name_of(op.object) + " does not include: " + op.use);
    }

    static void expect_refusal(uid_t uid) {
        const operation& op = GetParam();
        scene s("fmode,mode=0755", {0444, BPF_F_RDONLY});
        ASSERT_EQ(s.error(), 0);
        op.prepare(s);
        ASSERT_EQ(s.impossible(), "");
        const outcome o = try_operation(op, s, uid);
        if (uid != 0) {
            tell_of("fmode", o);
        }
        EXPECT_EQ(o.error, op.refused) << "at step '" << o.step << "'";
        EXPECT_FALSE(o.seen) << "it had an effect";
        EXPECT_STRNE(o.step, "open") << "the read-only handle itself must be had";
    }
};

TEST_P(attack_test, refused_on_fmode_mount) {
    BPFFS_NEEDS("fmode");
    expect_refusal(alice);
}

TEST_P(attack_test, refused_on_fmode_mount_for_root_too) {
    BPFFS_NEEDS("fmode");
    expect_refusal(0);
}

TEST_P(attack_test, works_without_fmode) {
    const operation& op = GetParam();
    scene s("mode=0755", {0444, BPF_F_RDONLY});
    ASSERT_EQ(s.error(), 0);
    op.prepare(s);
    ASSERT_EQ(s.impossible(), "");
    const outcome o = try_operation(op, s, alice);
    tell_of("plain", o);
    EXPECT_EQ(o.error, op.elsewhere) << "at step '" << o.step << "'";
    EXPECT_EQ(o.seen, op.elsewhere == 0);
}

INSTANTIATE_TEST_SUITE_P(attacks, attack_test, testing::ValuesIn(attacks()),
                         [](const auto& test) { return test.param.name; });

} // namespace

} // namespace bpffs_test
