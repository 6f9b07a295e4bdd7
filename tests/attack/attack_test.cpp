// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Runs every attack (attack.hpp) against a mount with fmode, by an ordinary user and by root, and
// against one without, where it has to work as on every kernel before.

#include <gtest/gtest.h>

#include "attack.hpp"
#include "support/probe.hpp"

namespace bpffs_test {

void PrintTo(const attack& a, std::ostream* out) // NOLINT(readability-identifier-naming)
{
    *out << a.name;
}

namespace {

// Everybody may list the directory and make one in it: only the modes of the pins stand in the way.
const char* const open_to_all = "mode=0755";
const char* const open_to_all_fmode = "fmode,mode=0755";

/// Root with its own handles does the same thing: is it possible on this machine at all? "" if so.
std::string rehearse(const attack& a) {
    scene s(open_to_all);
    if (s.error() != 0) {
        return "mount";
    }
    a.prepare(s);
    s.rehearse(true);
    outcome o;
    if (s.impossible().empty()) {
        o = as({0, 0, {}, all_capabilities}, [&] { return a.attempt(s); });
    }
    if (a.undo) {
        a.undo(s);
    }
    if (!s.impossible().empty()) {
        return s.impossible();
    }
    return o.error == 0 ? "" : std::string(o.step) + ", errno " + std::to_string(o.error);
}

outcome run_attack(const attack& a, scene& s, uid_t attacker) {
    identity who;
    who.uid = attacker;
    who.gid = attacker;
    who.capabilities = attacker == 0 ? all_capabilities : a.capabilities;
    outcome o = as(who, [&] { return a.attempt(s); });
    if (a.seen) {
        o.seen = a.seen(s);
    }
    if (a.undo) {
        a.undo(s);
    }
    return o;
}

class attack_test : public testing::TestWithParam<attack> {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs"}) {
            BPFFS_NEEDS(need);
        }
        const std::string why = GetParam().elsewhere == 0 ? rehearse(GetParam()) : "";
        BPFFS_NEEDS("can_" + GetParam().name, why.empty());
    }

    static void expect_refusal(uid_t attacker) {
        const attack& a = GetParam();
        scene s(open_to_all_fmode);
        ASSERT_EQ(s.error(), 0);
        a.prepare(s);
        BPFFS_NEEDS("can_" + a.name, s.impossible().empty());
        const outcome o = run_attack(a, s, attacker);
        EXPECT_EQ(o.error, a.refused) << a.name << " at step '" << o.step << "'";
        EXPECT_FALSE(o.seen) << a.name << " had an effect";
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
    const attack& a = GetParam();
    scene s(open_to_all);
    ASSERT_EQ(s.error(), 0);
    a.prepare(s);
    ASSERT_EQ(s.impossible(), "");
    const outcome o = run_attack(a, s, alice);
    EXPECT_EQ(o.error, a.elsewhere) << a.name << " at step '" << o.step << "'";
    EXPECT_EQ(o.seen, a.elsewhere == 0) << a.name;
}

INSTANTIATE_TEST_SUITE_P(attacks, attack_test, testing::ValuesIn(all_attacks()),
                         [](const auto& test) { return test.param.name; });

} // namespace

} // namespace bpffs_test
