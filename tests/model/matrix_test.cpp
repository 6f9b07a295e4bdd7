// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The matrix: every operation × a handle with R, with W, with both × an ordinary user and root. On
// a mount with fmode it has to work exactly where the rights table says so.

#include <algorithm>

#include <gtest/gtest.h>

#include "operation.hpp"
#include "support/probe.hpp"

namespace bpffs_test {

namespace {

bool is_tried(const rights_row& row) {
    const std::vector<operation> all = all_operations();
    return std::any_of(all.begin(), all.end(), [&](const operation& op) {
        return op.object == row.object && std::string(op.use) == row.use;
    });
}

TEST(rights_table, every_row_is_tried_or_says_why_not) {
    for (const rights_row& row : rights_table()) {
        EXPECT_EQ(is_tried(row), row.untried == nullptr) << name_of(row.object) << ": " << row.use;
    }
}

TEST(rights_table, every_operation_has_a_row) {
    for (const operation& op : all_operations()) {
        EXPECT_NO_THROW(rights_of(op.object, op.use)) << op.name;
    }
}

TEST(rights_table, says_which_handles_are_enough) {
    for (const uint32_t flags :
         {0U, static_cast<uint32_t>(BPF_F_RDONLY), static_cast<uint32_t>(BPF_F_WRONLY)}) {
        EXPECT_TRUE(enough(right::none, flags));
        EXPECT_FALSE(enough(right::never, flags));
        EXPECT_EQ(enough(right::both, flags), flags == 0);
    }
    EXPECT_TRUE(enough(right::read, BPF_F_RDONLY));
    EXPECT_FALSE(enough(right::read, BPF_F_WRONLY));
    EXPECT_TRUE(enough(right::write, BPF_F_WRONLY));
    EXPECT_FALSE(enough(right::write, BPF_F_RDONLY));
}

class matrix_test : public testing::TestWithParam<operation> {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "fmode"}) {
            BPFFS_NEEDS(need);
        }
        const operation& op = GetParam();
        if (op.needs != nullptr) {
            BPFFS_NEEDS(op.needs);
        }
        BPFFS_NEEDS("can_" + op.name, op.needed() == right::never ? "" : rehearse(op));
    }

    static void try_with(uint32_t open_flags, uid_t uid) {
        const operation& op = GetParam();
        SCOPED_TRACE(std::string(name_of_access(open_flags)) + (uid == 0 ? ", root" : ", alice"));
        scene s("fmode,mode=0755", {0666, open_flags});
        ASSERT_EQ(s.error(), 0);
        op.prepare(s);
        ASSERT_EQ(s.impossible(), "");
        const outcome o = try_operation(op, s, uid);
        if (enough(op.needed(), open_flags)) {
            EXPECT_EQ(o.error, op.granted) << "at step '" << o.step << "'";
        } else {
            EXPECT_EQ(o.error, op.refused) << "at step '" << o.step << "'";
            EXPECT_FALSE(o.seen) << "it had an effect";
            EXPECT_STRNE(o.step, "open");
        }
    }
};

TEST_P(matrix_test, handle_gives_what_the_table_says) {
    for (const uid_t uid : {alice, uid_t{0}}) {
        for (const auto flags : {BPF_F_RDONLY, BPF_F_WRONLY}) {
            try_with(flags, uid);
        }
        try_with(0, uid);
    }
}

INSTANTIATE_TEST_SUITE_P(operations, matrix_test, testing::ValuesIn(all_operations()),
                         [](const auto& test) { return test.param.name; });

} // namespace

} // namespace bpffs_test
