// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Kinds of maps with shapes of their own, many elements at once, range-for, memory and rings,
// against the real kernel.
#include "lib_scene.hpp"

#include <linux/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>
#include <set>
#include <thread>

namespace {

using namespace lib_test;

using shapes = on_bpffs;

std::vector<std::uint64_t> numbers(std::size_t count) {
    std::vector<std::uint64_t> all(count);
    std::iota(all.begin(), all.end(), 0);
    return all;
}

TEST_F(shapes, a_value_for_each_cpu) {
    (void)create_map(at("m"), {.kind = map_kind::percpu_array, .key_size = 4, .value_size = 4});
    auto counts = percpu_map<std::uint32_t, std::uint32_t, access::read_write>::open(at("m"));
    std::vector<std::uint32_t> values(possible_cpus());
    std::iota(values.begin(), values.end(), 10);
    counts.update(3, values);
    EXPECT_EQ(counts.lookup(3), values);
    EXPECT_FALSE(counts.lookup(1000)) << "outside the array";
    try {
        counts.update(3, std::span{values}.first(0));
        ADD_FAILURE();
    } catch (const error& why) {
        EXPECT_EQ(why.code(), errc::wrong_size);
    }
}

TEST_F(shapes, are_checked_when_opened) {
    (void)create_map(at("m"), {.kind = map_kind::queue, .key_size = 0});
    const auto code_of = [](auto open) -> error_code {
        try {
            open();
        } catch (const error& why) {
            return why.code();
        }
        return {};
    };
    EXPECT_EQ(code_of([&] { (void)queue_map<std::uint32_t, access::read>::open(at("m")); }),
              errc::wrong_size);
    EXPECT_EQ(code_of([&] { (void)bloom_filter<std::uint64_t, access::read>::open(at("m")); }),
              errc::wrong_kind);
    EXPECT_EQ(code_of([&] {
                  (void)queue_map<std::uint64_t, access::write>::from(
                      map::open(at("m"), access::read));
              }),
              errc::wrong_access);
}

TEST_F(shapes, queues_and_stacks) {
    (void)create_map(at("q"), {.kind = map_kind::queue, .key_size = 0, .max_entries = 2});
    auto queue = queue_map<std::uint64_t, access::read_write>::open(at("q"));
    EXPECT_FALSE(queue.pop());
    queue.push(1);
    queue.push(2);
    queue.push_over(3);
    EXPECT_EQ(queue.peek(), 2U);
    EXPECT_EQ(queue.pop(), 2U);
    EXPECT_EQ(queue.pop(), 3U);
    EXPECT_FALSE(queue.peek());
}

TEST_F(shapes, bloom_filters) {
    (void)create_map(at("b"), {.kind = map_kind::bloom_filter, .key_size = 0});
    bloom_filter<std::uint64_t, access::write>::open(at("b")).insert(77);
    const auto filter = bloom_filter<std::uint64_t, access::read>::open(at("b"));
    EXPECT_TRUE(filter.may_contain(77));
    EXPECT_FALSE(filter.may_contain(78));
}

TEST_F(shapes, keys_of_tries) {
    using key = lpm_key<std::array<std::uint8_t, 4>>;
    (void)create_map(at("t"), {.kind = map_kind::lpm_trie, .flags = BPF_F_NO_PREALLOC});
    auto trie = map_owner<key, std::uint64_t>::open(at("t"));
    trie.update({8, {10, 0, 0, 0}}, 8);
    trie.update({16, {10, 1, 0, 0}}, 16);
    EXPECT_EQ(trie.lookup({32, {10, 1, 2, 3}}), 16U);
    EXPECT_EQ(trie.lookup({32, {10, 2, 2, 3}}), 8U);
}

TEST_F(shapes, maps_that_hold_maps) {
    const map inner = create_map(at("inner"), {.kind = map_kind::array, .key_size = 4});
    (void)create_map(
        at("outer"),
        {.kind = map_kind::hash_of_maps, .key_size = 4, .value_size = 4, .inner_map = inner.fd()});
    auto outer = map_of_maps<std::uint32_t, access::read_write>::open(at("outer"));
    outer.update(5, inner);
    EXPECT_EQ(outer.id(5), inner.info().id);
    EXPECT_FALSE(outer.id(6));
    EXPECT_TRUE(outer.erase(5));
}

TEST_F(shapes, many_at_once) {
    constexpr std::size_t many = 100000;
    (void)create_map(at("m"), {.max_entries = many});
    auto counts = map_owner<std::uint64_t, std::uint64_t>::open(at("m"));
    const auto keys = numbers(many);
    auto values = keys;
    std::reverse(values.begin(), values.end());
    EXPECT_EQ(counts.update_many(keys, values), many);
    EXPECT_EQ(counts.lookup(0), many - 1);
    const auto found = counts.lookup_many(std::vector<std::uint64_t>{1, many, 2});
    EXPECT_EQ(found, (std::vector<std::optional<std::uint64_t>>{many - 2, {}, many - 3}));
    // Every third is gone before: it is passed over.
    for (std::size_t i = 0; i < 30; i += 3) {
        counts.erase(i);
    }
    EXPECT_EQ(counts.erase_many(std::span{keys}.first(30)), 20U);
    EXPECT_EQ(counts.erase_many(keys), many - 30);
    EXPECT_EQ(counts.begin(), counts.end());
}

TEST_F(shapes, many_stop_where_one_fails_and_say_how_many) {
    map small = create_map(at("m"), {.max_entries = 10});
    const auto keys = numbers(20);
    error_code code;
    const std::size_t done = small.update_many(
        std::as_bytes(std::span{keys}), std::as_bytes(std::span{keys}), update_flag::any, code);
    EXPECT_EQ(code, boost::system::errc::argument_list_too_long);
    EXPECT_EQ(done, 10U);
    try {
        small.update_many(std::as_bytes(std::span{keys}), std::as_bytes(std::span{keys}),
                          update_flag::noexist);
        ADD_FAILURE();
    } catch (const error& why) {
        EXPECT_EQ(why.code(), boost::system::errc::file_exists);
        EXPECT_EQ(why.detail(), "after 0 of 20 elements");
    }
    small.update_many(std::as_bytes(std::span{keys}), std::as_bytes(std::span{keys}.first(3)),
                      update_flag::any, code);
    EXPECT_EQ(code, errc::wrong_size);
}

TEST_F(shapes, range_for_sees_all_that_stays_while_others_write) {
    constexpr std::uint64_t stay = 3000;
    (void)create_map(at("m"), {.max_entries = 10000});
    auto counts = map_owner<std::uint64_t, std::uint64_t>::open(at("m"));
    const auto keys = numbers(stay);
    counts.update_many(keys, keys);
    std::atomic<bool> stop{false};
    std::thread writer{[&] {
        auto own = map_writer<std::uint64_t, std::uint64_t>::open(at("m"));
        for (std::uint64_t i = 0; !stop; ++i) {
            own.update(stay + i % 5000, i);
            own.erase(stay + (i + 2500) % 5000);
        }
    }};
    for (int round = 0; round < 10; ++round) {
        std::set<std::uint64_t> seen;
        for (const auto& [key, value] : counts) {
            if (key < stay) {
                EXPECT_EQ(value, key);
                seen.insert(key);
            }
        }
        EXPECT_EQ(seen.size(), stay);
    }
    stop = true;
    writer.join();
    std::size_t untyped = 0;
    const map reader = map::open(at("m"), access::read);
    for (const map_entry& one : reader.entries()) {
        EXPECT_EQ(one.key.size(), 8U);
        ++untyped;
    }
    EXPECT_GE(untyped, stay);
}

TEST_F(shapes, arrays_as_memory) {
    (void)create_map(
        at("a"),
        {.kind = map_kind::array, .key_size = 4, .max_entries = 100, .flags = BPF_F_MMAPABLE});
    auto counts = map_owner<std::uint32_t, std::uint64_t>::open(at("a"));
    const auto memory = array_memory<std::uint64_t, access::read_write>::open(at("a"));
    ASSERT_EQ(memory.size(), 100U);
    memory[7] = 70;
    EXPECT_EQ(counts.lookup(7), 70U);
    counts.update(8, 80);
    EXPECT_EQ(memory.values()[8], 80U);
    static_assert(std::is_const_v<array_memory<std::uint64_t, access::read>::element>);
    (void)create_map(at("plain"), {.kind = map_kind::array, .key_size = 4});
    error_code code;
    (void)shared_memory::of_array(map::open(at("plain"), access::read), access::read, code);
    EXPECT_EQ(code, errc::unsupported);
    (void)shared_memory::of_array(map::open(at("a"), access::read), access::read_write, code);
    EXPECT_EQ(code.default_error_condition().value(), EACCES) << code.message();
}

TEST_F(shapes, arrays_as_memory_for_readers) {
    BPFFS_NEEDS("fmode");
    (void)create_map(
        at("a"),
        {.kind = map_kind::array, .key_size = 4, .max_entries = 3, .flags = BPF_F_MMAPABLE});
    map_writer<std::uint32_t, std::uint64_t>::open(at("a")).update(2, 9);
    EXPECT_EQ((array_memory<std::uint64_t, access::read>::open(at("a"))[2]), 9U);
}

class rings : public on_bpffs {
public:
    void SetUp() override {
        file_ = path{BPFFS_TEST_OBJECTS} / "lib_rings.bpf.o";
        BPFFS_NEEDS("bpf_compiler", ::access(file_.c_str(), R_OK) == 0 ? "" : "no clang");
        on_bpffs::SetUp();
    }

protected:
    struct event {
        std::uint32_t length;
        std::uint32_t mark;
    };

    [[nodiscard]] loaded_file load() const {
        return load_pinned(object_file::open(file_), at("set"));
    }
    static std::uint32_t run(const loaded_file& all, std::size_t index, std::size_t bytes) {
        const std::vector<std::byte> packet(bytes);
        return all.programs[index].handle.test_run({.data = packet}).value;
    }

private:
    path file_;
};

TEST_F(rings, give_records_as_a_stream) {
    const loaded_file all = load();
    auto stream = record_stream<event>::open(at("set/events"));
    EXPECT_FALSE(stream.wait(0));
    std::vector<std::uint32_t> lengths;
    // More than the ring holds at once, so that it wraps around. A run takes the
    // Ethernet header off: the second one is 14 bytes long, and discarded.
    for (std::size_t round = 0; round < 100; ++round) {
        for (const std::size_t bytes : {60U, 28U, 64U}) {
            EXPECT_EQ(run(all, 0, bytes), 1U);
        }
        EXPECT_TRUE(stream.wait(0));
        lengths.clear();
        EXPECT_EQ(stream.for_each([&](const event& one) {
            EXPECT_EQ(one.mark, 42U);
            lengths.push_back(one.length);
        }),
                  2U);
        ASSERT_EQ(lengths.size(), 2U);
        EXPECT_EQ(lengths[1] - lengths[0], 4U);
    }
    EXPECT_FALSE(stream.wait(0));
}

TEST_F(rings, stop_when_told_and_check_sizes) {
    const loaded_file all = load();
    for (int i = 0; i < 3; ++i) {
        run(all, 0, 60);
    }
    auto stream = record_stream<event>::open(at("set/events"));
    EXPECT_EQ(stream.for_each([](const event&) { return false; }), 1U);
    struct larger {
        std::uint64_t words[3];
    };
    auto other = record_stream<larger>::open(at("set/events"));
    const auto read_larger = [&other] { other.for_each([](const larger&) {}); };
    EXPECT_THROW(read_larger(), error);
    EXPECT_EQ(stream.for_each([](const event&) {}), 1U) << "the last one";
}

TEST_F(rings, take_what_users_send) {
    const loaded_file all = load();
    auto orders = ring_writer::open(at("set/orders"));
    std::uint32_t expected = 0;
    for (std::uint32_t round = 0; round < 100; ++round) {
        expected = 0;
        for (std::uint64_t i = 0; i < 20; ++i) {
            ASSERT_TRUE(orders.send_value(i + round));
            expected += static_cast<std::uint32_t>(i + round);
        }
        EXPECT_EQ(run(all, 1, 60), expected);
    }
    std::size_t fit = 0;
    while (orders.send_value(std::uint64_t{1})) {
        ++fit;
    }
    EXPECT_EQ(fit, 4096U / 16);
    EXPECT_THROW((void)orders.send(std::vector<std::byte>(5000)), error);
}

TEST_F(rings, want_both_rights) {
    (void)load();
    EXPECT_THROW((void)ring_reader::from(map::open(at("set/events"), access::read)), error);
    EXPECT_THROW((void)ring_reader::open(at("set/orders")), error) << "another kind";
}

} // namespace
