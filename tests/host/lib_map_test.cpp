// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Maps against the real kernel: open, elements, every shape of kind, streams of entries.
#include "lib_scene.hpp"
#include "map_rules.hpp"

#include "support/bpf_call.hpp"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

namespace {

using namespace lib_test;

using maps = on_bpffs;

TEST_F(maps, are_made_with_what_was_asked_for) {
    const map made = create_map(at("m"), {.kind = map_kind::lru_hash,
                                          .key_size = 12,
                                          .value_size = 20,
                                          .max_entries = 100,
                                          .name = "my.map_1"});
    EXPECT_EQ(made.rights(), access::read_write);
    const map read = map::open(at("m"), access::read);
    EXPECT_EQ(read.info().id, made.info().id);
    EXPECT_EQ(read.kind(), map_kind::lru_hash);
    EXPECT_EQ(read.key_size(), 12U);
    EXPECT_EQ(read.value_bytes(), 20U);
    EXPECT_EQ(read.info().max_entries, 100U);
    EXPECT_EQ(read.info().name, "my.map_1");
    EXPECT_EQ(read.file(), at("m"));
    EXPECT_GT(read.usage().memlock, 0U);
    EXPECT_FALSE(read.usage().frozen);
}

TEST_F(maps, by_default_are_those_of_the_first_example) {
    const map made = create_map(at("a-long-name-for-a-map"));
    EXPECT_EQ(made.kind(), map_kind::hash);
    EXPECT_EQ(made.key_size(), 8U);
    EXPECT_EQ(made.value_bytes(), 8U);
    EXPECT_EQ(made.info().max_entries, 64U);
    EXPECT_EQ(made.info().name, "a_long_name_for");
}

TEST_F(maps, elements_come_and_go) {
    map made = create_map(at("m"), {.max_entries = 2});
    const std::uint64_t one = 1;
    const std::uint64_t two = 2;
    const std::uint64_t three = 3;
    std::uint64_t value = 0;
    EXPECT_FALSE(made.lookup(in(one), out(value)));
    EXPECT_FALSE(made.erase(in(one)));
    made.update(in(one), in(two), update_flag::noexist);
    EXPECT_TRUE(made.lookup(in(one), out(value)));
    EXPECT_EQ(value, 2U);
    error_code code;
    made.update(in(one), in(two), update_flag::noexist, code);
    EXPECT_EQ(code, boost::system::errc::file_exists);
    made.update(in(two), in(two), update_flag::exist, code);
    EXPECT_EQ(code, boost::system::errc::no_such_file_or_directory);
    made.update(in(two), in(two));
    made.update(in(three), in(two), update_flag::any, code);
    EXPECT_EQ(code, boost::system::errc::argument_list_too_long) << "full: E2BIG";
    EXPECT_TRUE(made.lookup_and_delete(in(two), out(value)));
    EXPECT_TRUE(made.erase(in(one)));
    EXPECT_FALSE(made.next_key({}, out(value)));
}

TEST_F(maps, refuse_other_sizes_with_both_sizes_named) {
    map made = create_map(at("m"));
    const std::uint32_t small = 1;
    const std::uint64_t right = 1;
    std::uint64_t value = 0;
    try {
        (void)made.lookup(in(small), out(value));
        ADD_FAILURE();
    } catch (const error& why) {
        EXPECT_EQ(why.code(), errc::wrong_size);
        EXPECT_EQ(why.detail(), "the map takes keys of 8 bytes, got 4");
        EXPECT_EQ(why.file(), at("m"));
    }
    error_code code;
    made.update(in(right), in(small), update_flag::any, code);
    EXPECT_EQ(code, errc::wrong_size);
    made.push(in(right), update_flag::any, code);
    EXPECT_EQ(code, errc::wrong_size) << "no key where one is needed";
}

TEST_F(maps, carry_the_right_they_were_opened_with) {
    map made = create_map(at("m"));
    const std::uint64_t key = 1;
    std::uint64_t value = 5;
    made.update(in(key), in(value));
    map reader = map::open(at("m"), access::read);
    map writer = map::open(at("m"), access::write);
    error_code code;
    EXPECT_TRUE(reader.lookup(in(key), out(value)));
    reader.update(in(key), in(value), update_flag::any, code);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
    reader.erase(in(key), code);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
    writer.update(in(key), in(value));
    EXPECT_FALSE(writer.lookup(in(key), out(value), code));
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
    batch some;
    EXPECT_FALSE(writer.lookup_batch(some, code));
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
}

TEST_F(maps, frozen_take_no_more) {
    map made = create_map(at("m"));
    const std::uint64_t key = 1;
    made.freeze();
    EXPECT_TRUE(made.usage().frozen);
    error_code code;
    made.update(in(key), in(key), update_flag::any, code);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
    made.freeze(code);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
}

TEST_F(maps, with_a_value_for_each_cpu) {
    ASSERT_GT(possible_cpus(), 0U);
    for (const map_kind kind :
         {map_kind::percpu_hash, map_kind::percpu_array, map_kind::lru_percpu_hash}) {
        map made = create_map(at(to_string(kind)),
                              {.kind = kind, .key_size = 4, .value_size = 4, .max_entries = 3});
        ASSERT_EQ(made.value_bytes(), 8 * possible_cpus());
        std::vector<std::uint64_t> slots(possible_cpus());
        for (std::size_t i = 0; i < slots.size(); ++i) {
            slots[i] = 100 + i;
        }
        const std::uint32_t key = 1;
        made.update(in(key), std::as_bytes(std::span{slots}));
        std::vector<std::uint64_t> read(slots.size());
        EXPECT_TRUE(made.lookup(in(key), std::as_writable_bytes(std::span{read})));
        EXPECT_EQ(read, slots);
        std::size_t seen = 0;
        made.for_each([&](const_bytes k, const_bytes v) {
            if (std::equal(k.begin(), k.end(), in(key).begin())) {
                ++seen;
                EXPECT_TRUE(
                    std::equal(v.begin(), v.end(), std::as_bytes(std::span{slots}).begin()));
            }
        });
        EXPECT_EQ(seen, 1U);
    }
}

TEST_F(maps, of_kind_queue_and_stack) {
    for (const map_kind kind : {map_kind::queue, map_kind::stack}) {
        map made = create_map(at(to_string(kind)),
                              {.kind = kind, .key_size = 0, .value_size = 4, .max_entries = 2});
        std::uint32_t value = 0;
        EXPECT_FALSE(made.peek(out(value)));
        EXPECT_FALSE(made.pop(out(value)));
        for (const std::uint32_t one : {1U, 2U}) {
            made.push(in(one));
        }
        error_code code;
        made.push(in(value), update_flag::any, code);
        EXPECT_EQ(code, boost::system::errc::argument_list_too_long);
        EXPECT_TRUE(made.peek(out(value)));
        EXPECT_EQ(value, kind == map_kind::queue ? 1U : 2U);
        EXPECT_TRUE(made.pop(out(value)));
        EXPECT_TRUE(made.pop(out(value)));
        EXPECT_EQ(value, kind == map_kind::queue ? 2U : 1U);
        batch some;
        EXPECT_FALSE(made.lookup_batch(some, code));
        EXPECT_EQ(code, errc::unsupported);
        EXPECT_FALSE(made.next_key({}, out(value), code));
        EXPECT_TRUE(code);
    }
}

TEST_F(maps, of_kind_bloom_filter) {
    map made = create_map(at("m"), {.kind = map_kind::bloom_filter, .key_size = 0});
    std::uint64_t value = 77;
    EXPECT_FALSE(made.peek(out(value)));
    made.push(in(value));
    EXPECT_TRUE(made.peek(out(value)));
}

TEST_F(maps, of_kind_lpm_trie) {
    struct prefix {
        std::uint32_t bits;
        std::uint8_t address[4];
    };
    map made = create_map(at("m"), {.kind = map_kind::lpm_trie, .flags = 1});
    const std::uint64_t answer = 42;
    made.update(in(prefix{8, {10, 0, 0, 0}}), in(answer));
    made.update(in(prefix{16, {10, 1, 0, 0}}), in(answer));
    std::uint64_t value = 0;
    EXPECT_TRUE(made.lookup(in(prefix{32, {10, 9, 9, 9}}), out(value)));
    EXPECT_EQ(value, 42U);
    EXPECT_FALSE(made.lookup(in(prefix{32, {11, 0, 0, 0}}), out(value)));
    int seen = 0;
    made.for_each([&](const_bytes, const_bytes) { ++seen; });
    EXPECT_EQ(seen, 2);
}

TEST_F(maps, that_hold_maps) {
    const map inner = create_map(at("inner"), {.kind = map_kind::array, .key_size = 4});
    for (const map_kind kind : {map_kind::array_of_maps, map_kind::hash_of_maps}) {
        map made = create_map(at(to_string(kind)), {.kind = kind,
                                                    .key_size = 4,
                                                    .value_size = 4,
                                                    .max_entries = 3,
                                                    .inner_map = inner.fd()});
        const std::uint32_t key = 1;
        made.update(in(key), inner.fd());
        std::uint32_t id = 0;
        EXPECT_TRUE(made.lookup(in(key), out(id)));
        EXPECT_EQ(id, inner.info().id);
        int seen = 0;
        made.for_each([&](const_bytes, const_bytes value) {
            ++seen;
            EXPECT_TRUE(std::equal(value.begin(), value.end(), in(id).begin()));
        });
        EXPECT_EQ(seen, 1) << "empty slots are left out";
    }
    map plain = create_map(at("plain"));
    const std::uint64_t key = 1;
    error_code code;
    plain.update(in(key), inner.fd(), update_flag::any, code);
    EXPECT_EQ(code, errc::wrong_kind);
}

TEST_F(maps, that_hold_programs) {
    bpffs_test::handle loaded =
        bpffs_test::load_program(BPF_PROG_TYPE_SOCKET_FILTER, bpffs_test::returns(0));
    ASSERT_TRUE(loaded.good());
    pin_object(borrowed_fd{loaded.get()}, at("p"));
    const program held = program::open(at("p"), access::read_write);
    EXPECT_EQ(held.info().kind, program_kind::socket_filter);
    map made = create_map(
        at("m"), {.kind = map_kind::prog_array, .key_size = 4, .value_size = 4, .max_entries = 3});
    const std::uint32_t key = 2;
    made.update(in(key), held.fd());
    std::uint32_t id = 0;
    EXPECT_TRUE(made.lookup(in(key), out(id)));
    EXPECT_EQ(id, held.info().id);
    EXPECT_EQ(made.usage().owner_kind, program_kind::socket_filter);
    int seen = 0;
    made.for_each([&](const_bytes, const_bytes) { ++seen; });
    EXPECT_EQ(seen, 1) << "walks a kind without batch look-up";
    EXPECT_TRUE(made.erase(in(key)));
}

TEST_F(maps, of_every_kind_open_to_privilege_are_made_or_say_why_not) {
    int made = 0;
    for (const map_kind kind : all_of<map_kind>()) {
        error_code code;
        const map one = create_map(at("k_" + std::string{word(kind)}), {.kind = kind}, code);
        made += code ? 0 : 1;
        EXPECT_EQ(static_cast<bool>(one), !code) << word(kind);
        if (code == boost::system::errc::invalid_argument) {
            try {
                (void)create_map(at("again"), {.kind = kind});
            } catch (const error& why) {
                EXPECT_FALSE(why.detail().empty()) << word(kind) << ": " << why.what();
            }
        }
    }
    EXPECT_GE(made, 3);
    EXPECT_EQ(names().size(), static_cast<std::size_t>(made));
}

TEST_F(maps, of_nearly_every_kind_are_made_from_the_default_specification) {
    const map inner = create_map(at("inner"));
    std::vector<std::string> refused;
    for (const map_kind kind : all_of<map_kind>()) {
        map_spec spec = default_spec(kind);
        if (traits_of(kind).holds_objects && traits_of(kind).batch) {
            spec.inner_map = inner.fd();
        }
        error_code code;
        (void)create_map(at("k_" + std::string{word(kind)}), spec, code);
        // A kernel may be built without a kind, and storages need BTF.
        if (code && what_is_wrong_with(spec).empty() &&
            code != boost::system::errc::invalid_argument &&
            code != boost::system::errc::operation_not_supported) {
            refused.push_back(std::string{word(kind)} + ": " + code.message());
        }
    }
    EXPECT_EQ(refused, std::vector<std::string>{});
    EXPECT_GE(names().size(), 20U);
}

TEST_F(maps, are_streamed_whole) {
    constexpr std::uint64_t many = 50000;
    map made = create_map(at("m"), {.max_entries = many});
    for (std::uint64_t i = 0; i < many; ++i) {
        const std::uint64_t value = i * 3;
        made.update(in(i), in(value));
    }
    for (const std::size_t want :
         {std::size_t{1}, std::size_t{100}, std::size_t{4096}, std::size_t{1} << 20}) {
        batch some{want};
        std::uint64_t count = 0;
        std::uint64_t sum = 0;
        while (made.lookup_batch(some)) {
            ASSERT_GT(some.size(), 0U);
            for (std::size_t i = 0; i < some.size(); ++i) {
                std::uint64_t key = 0;
                std::uint64_t value = 0;
                std::copy_n(some.key(i).begin(), 8, out(key).begin());
                std::copy_n(some.value(i).begin(), 8, out(value).begin());
                ASSERT_EQ(value, key * 3);
                sum += key;
                ++count;
            }
        }
        EXPECT_EQ(count, many) << want;
        EXPECT_EQ(sum, many * (many - 1) / 2);
        EXPECT_FALSE(made.lookup_batch(some)) << "stays at the end";
        some.rewind();
        EXPECT_TRUE(made.lookup_batch(some));
    }
}

TEST_F(maps, are_streamed_from_arrays_and_one_batch_serves_many_maps) {
    const map small =
        create_map(at("a"), {.kind = map_kind::array, .key_size = 4, .max_entries = 7});
    const map large = create_map(
        at("b"), {.kind = map_kind::array, .key_size = 4, .value_size = 100, .max_entries = 9});
    batch some{4};
    const auto count = [&](const map& from) {
        std::size_t all = 0;
        while (from.lookup_batch(some)) {
            all += some.size();
            EXPECT_EQ(some.values().size(), some.size() * from.value_bytes());
            EXPECT_EQ(some.keys().size(), some.size() * 4);
        }
        return all;
    };
    EXPECT_EQ(count(small), 7U);
    EXPECT_EQ(count(large), 9U);
    EXPECT_EQ(count(small), 7U);
}

TEST_F(maps, stop_a_walk_when_told) {
    const map made =
        create_map(at("a"), {.kind = map_kind::array, .key_size = 4, .max_entries = 100});
    int seen = 0;
    made.for_each([&](const_bytes, const_bytes) { return ++seen < 10; });
    EXPECT_EQ(seen, 10);
}

TEST_F(maps, are_streamed_while_others_write) {
    constexpr std::uint64_t stay = 2000;
    map made = create_map(at("m"), {.max_entries = 10000});
    for (std::uint64_t i = 0; i < stay; ++i) {
        made.update(in(i), in(i));
    }
    std::atomic<bool> stop{false};
    std::thread writer{[&] {
        map own = map::open(at("m"), access::write);
        for (std::uint64_t i = stay; !stop; ++i) {
            const std::uint64_t key = stay + i % 5000;
            error_code ignored;
            own.update(in(key), in(key), update_flag::any, ignored);
            own.erase(in(key), ignored);
        }
    }};
    const map reader = map::open(at("m"), access::read);
    for (int round = 0; round < 20; ++round) {
        std::set<std::uint64_t> seen;
        reader.for_each([&](const_bytes key, const_bytes) {
            std::uint64_t number = 0;
            std::copy(key.begin(), key.end(), out(number).begin());
            if (number < stay) {
                seen.insert(number);
            }
        });
        EXPECT_EQ(seen.size(), stay) << "what stays is seen";
    }
    stop = true;
    writer.join();
}

TEST_F(maps, with_types) {
    struct record {
        std::uint32_t packets;
        std::uint32_t bytes;
    };
    auto owner = map_owner<std::uint32_t, record>::create(at("m"), {});
    owner.update(7, {1, 2});
    const auto reader = map_reader<std::uint32_t, record>::open(at("m"));
    ASSERT_TRUE(reader.lookup(7).has_value());
    EXPECT_EQ(reader.lookup(7)->bytes, 2U);
    EXPECT_FALSE(reader.lookup(8).has_value());
    int seen = 0;
    reader.for_each([&](const std::uint32_t& key, const record& value) {
        EXPECT_EQ(key, 7U);
        EXPECT_EQ(value.packets, 1U);
        ++seen;
    });
    EXPECT_EQ(seen, 1);
    auto writer = map_writer<std::uint32_t, record>::open(at("m"));
    EXPECT_TRUE(writer.erase(7));
    const map_reader<std::uint32_t, record> narrowed = std::move(owner);
    EXPECT_FALSE(narrowed.lookup(7).has_value());

    error_code code;
    (void)map_reader<std::uint64_t, record>::open(at("m"), code);
    EXPECT_EQ(code, errc::wrong_size);
    (void)map_owner<std::uint32_t, record>::from(map::open(at("m"), access::read), code);
    EXPECT_EQ(code, errc::wrong_access);
    (void)create_map(at("percpu"), {.kind = map_kind::percpu_hash, .key_size = 4});
    (void)map_reader<std::uint32_t, record>::open(at("percpu"), code);
    EXPECT_EQ(code, errc::wrong_kind);
}

} // namespace
