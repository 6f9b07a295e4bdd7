// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Every way around the model (way.hpp): refused on a mount with fmode; as ever without, where most
// succeed. Each test says in one line what came of it; tests/attack/table makes a table of them.

#include <cerrno>

#include <gtest/gtest.h>

#include "support/probe.hpp"
#include "way.hpp"

namespace bpffs_test {

namespace {

class way_test : public testing::TestWithParam<way> {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs"}) {
            BPFFS_NEEDS(need);
        }
        const way& w = GetParam();
        if (w.needs != nullptr) {
            BPFFS_NEEDS(w.needs);
        }
        if (w.before == as_ever::works && !w.takes_alice) {
            BPFFS_NEEDS("can_" + w.name, rehearse(w));
        }
    }

    void try_on(const std::string& options) {
        const way& w = GetParam();
        scene s(options, w.access);
        ASSERT_EQ(s.error(), 0);
        w.prepare(s);
        ASSERT_EQ(s.impossible(), "");
        found_ = try_operation(w, s, alice);
        BPFFS_NEEDS("user_namespaces", found_.error != ENOSYS ? "" : "none for alice");
        tried_ = true;
    }

    void expect(int error, bool seen) const {
        EXPECT_EQ(found_.error, error) << "at step '" << found_.step << "'";
        EXPECT_EQ(found_.seen, seen) << (seen ? "it had no effect" : "it had an effect");
    }

    [[nodiscard]] const outcome& found() const { return found_; }
    [[nodiscard]] bool tried() const { return tried_; }

private:
    outcome found_;
    bool tried_ = false;
};

TEST_P(way_test, is_refused_on_a_mount_with_fmode) {
    BPFFS_NEEDS("fmode");
    try_on("fmode,mode=0755" + GetParam().options);
    if (tried()) {
        tell(GetParam().name, "fmode", found(), GetParam().claim);
        expect(GetParam().refused, false);
    }
}

TEST_P(way_test, is_as_ever_on_a_mount_without) {
    const way& w = GetParam();
    const bool refused = w.before == as_ever::is_refused || (w.on_every_mount && probe("fmode"));
    try_on("mode=0755");
    if (tried()) {
        tell(w.name, "plain", found(), w.claim);
        expect(refused ? w.refused : 0, !refused);
    }
}

INSTANTIATE_TEST_SUITE_P(ways, way_test, testing::ValuesIn(all_ways()),
                         [](const auto& test) { return test.param.name; });

} // namespace

} // namespace bpffs_test
