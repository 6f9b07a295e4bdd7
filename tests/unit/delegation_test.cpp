// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Delegations: sets of the kernel's words, read and printed.
#include <bpffs/delegation.hpp>

#include <gtest/gtest.h>

namespace {

using namespace bpffs;

TEST(delegated_set, prints_words_in_the_kernels_order) {
    EXPECT_EQ(to_string(delegated_set<map_kind>{map_kind::array, map_kind::hash}), "hash:array");
    EXPECT_EQ(to_string(delegated_set<capability>{capability::net_admin, capability::bpf}),
              "bpf:net_admin");
    EXPECT_EQ(to_string(delegated_set<command>{}), "");
    EXPECT_EQ(to_string(delegated_set<command>::any()), "any");
    EXPECT_EQ(to_string(delegated_set<command>::from_bits(1ULL << 40 | 1)),
              "map_create:0x10000000000");
}

TEST(delegated_set, reads_what_it_prints) {
    for (const std::uint64_t bits : {0ULL, 1ULL, 0x6ULL, 0x40003ULL, 1ULL << 63, ~0ULL}) {
        const auto set = delegated_set<command>::from_bits(bits);
        EXPECT_EQ(parse_set<command>(to_string(set)), set) << bits;
    }
}

TEST(delegated_set, reads_numbers_and_retired_words) {
    EXPECT_EQ(parse_set<map_kind>("0x6").bits(), 6U);
    EXPECT_EQ(parse_set<map_kind>("6").bits(), 6U);
    EXPECT_EQ(parse_set<map_kind>("010").bits(), 8U);
    EXPECT_EQ(parse_set<map_kind>("0").bits(), 0U);
    EXPECT_TRUE(
        parse_set<map_kind>("cgroup_storage_deprecated").contains(map_kind::cgroup_storage));
    EXPECT_EQ(parse_set<map_kind>("hash:0x4:hash").bits(), 6U);
}

TEST(delegated_set, refuses_other_words) {
    for (const char* bad : {"hsah", "hash:", ":hash", "hash::array", "0xzz", "08", "-1",
                            "hash,array", "0x1ffffffffffffffff"}) {
        error_code code;
        const auto set = parse_set<map_kind>(bad, code);
        EXPECT_EQ(code, errc::bad_word) << bad;
        EXPECT_TRUE(set.empty()) << bad;
    }
}

TEST(delegation, allows_maps_by_command_and_kind) {
    delegation some;
    EXPECT_TRUE(some.empty());
    some.maps = {map_kind::hash};
    EXPECT_FALSE(some.allows_map(map_kind::hash)) << "the command is missing";
    some.commands = {command::map_create};
    EXPECT_TRUE(some.allows_map(map_kind::hash));
    EXPECT_FALSE(some.allows_map(map_kind::array));
    EXPECT_FALSE(some.allows_map(static_cast<map_kind>(200)));
    some.capabilities = {capability::bpf};
    EXPECT_EQ(some.to_options(), "delegate_cmds=map_create,delegate_maps=hash,delegate_caps=bpf");
    EXPECT_FALSE(some.empty());
}

TEST(delegation, allows_programs_by_command_kind_and_attachment) {
    delegation some;
    some.commands = {command::prog_load};
    some.programs = {program_kind::socket_filter};
    EXPECT_FALSE(some.allows_program(program_kind::socket_filter, attach_kind{}));
    some.attachments = {attach_kind{}};
    EXPECT_TRUE(some.allows_program(program_kind::socket_filter, attach_kind{}));
    EXPECT_FALSE(some.allows_program(program_kind::xdp, attach_kind{}));
    some.commands = {command::map_create};
    EXPECT_FALSE(some.allows_program(program_kind::socket_filter, attach_kind{}));
}

TEST(delegation, never_covers_system_call_programs) {
    delegation all;
    all.commands = delegated_set<command>::any();
    all.programs = delegated_set<program_kind>::any();
    all.attachments = delegated_set<attach_kind>::any();
    all.capabilities = delegated_set<capability>::any();
    for (const program_kind kind : all_of<program_kind>()) {
        EXPECT_EQ(can_be_delegated(kind), kind != program_kind::syscall) << word(kind);
        EXPECT_EQ(all.allows_program(kind, attach_kind{}), can_be_delegated(kind)) << word(kind);
    }
}

TEST(delegation, knows_which_capability_a_kind_asks_for) {
    EXPECT_EQ(capability_for(map_kind::hash), capability::bpf);
    EXPECT_EQ(capability_for(map_kind::lru_hash), capability::bpf);
    EXPECT_EQ(capability_for(map_kind::xskmap), capability::net_admin);
}

} // namespace
