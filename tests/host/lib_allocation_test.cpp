// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Operations on elements of fixed size allocate nothing.
#include "lib_scene.hpp"
#include "support/allocations.hpp"

#include <array>

namespace {

using namespace lib_test;

class allocations_of_maps : public on_bpffs {};

/// How many `operate` makes.
template <class Operate> std::size_t made_by(Operate operate) {
    const std::size_t before = bpffs_test::allocations();
    operate();
    return bpffs_test::allocations() - before;
}

TEST_F(allocations_of_maps, the_counter_counts) {
    EXPECT_GE(made_by([] { std::string(100, 'x').shrink_to_fit(); }), 1U);
}

TEST_F(allocations_of_maps, are_none_for_elements) {
    using key = std::uint64_t;
    struct record {
        std::array<std::uint64_t, 16> words;
    };
    auto map = map_owner<key, record>::create(at("m"));
    error_code code;
    const auto all = [&] {
        for (key one = 0; one < 32; ++one) {
            map.update(one, record{{one}});
            map.update(one, record{{one}}, update_flag::any, code);
            (void)map.lookup(one);
            (void)map.lookup(one + 1, code);
        }
        map.update(0, record{}, update_flag::noexist, code);
        EXPECT_TRUE(code) << "an error_code costs nothing either";
        (void)map.erase(7);
        (void)map.erase(7, code);
        (void)map.lookup_and_delete(8);
        borrowed_map<key, record, access::read> reader{map};
        (void)reader.lookup(9);
    };
    EXPECT_EQ(made_by(all), 0U);
}

TEST_F(allocations_of_maps, of_a_walk_do_not_grow_with_the_map) {
    using key = std::uint64_t;
    std::size_t made[2] = {};
    for (const std::uint32_t entries : {10'000U, 40'000U}) {
        const path file = at("m" + std::to_string(entries));
        auto map = map_owner<key, key>::create(file, {.max_entries = entries});
        std::vector<key> keys(entries);
        for (key i = 0; i < entries; ++i) {
            keys[i] = i;
        }
        map.update_many(keys, keys);
        std::size_t seen = 0;
        made[entries == 10'000U ? 0 : 1] = made_by([&] {
            for ([[maybe_unused]] const auto& [one, value] : map) {
                ++seen;
            }
        });
        EXPECT_EQ(seen, entries);
    }
    EXPECT_EQ(made[0], made[1]);
}

} // namespace
