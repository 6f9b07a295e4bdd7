// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Kinds of maps that are no plain keys and values, each with its own words and the access in the
// type: a value for each CPU, queues and stacks, bloom filters, maps that hold maps or programs,
// and the keys of LPM tries. Rings are in ring.hpp, arrays as memory in map_memory.hpp.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/map.hpp>
#include <bpffs/program.hpp>
#include <bpffs/typed_map.hpp>

#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace bpffs {

/// Checks kind, sizes (of a value for one CPU) and right of a map: errc::wrong_kind,
/// errc::wrong_size, errc::wrong_access.
BPFFS_API void check_is(const map& opened, std::initializer_list<map_kind> kinds,
                        std::size_t key_size, std::size_t value_size, access needed);

/// What the shapes share: an owned handle, checked when it is opened.
template <access A> class shaped_map {
public:
    static constexpr access rights = A;

    [[nodiscard]] const map_info& info() const noexcept { return map_.info(); }
    [[nodiscard]] borrowed_fd fd() const noexcept { return map_.fd(); }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(map_); }

protected:
    shaped_map() noexcept = default;
    shaped_map(map&& opened, std::initializer_list<map_kind> kinds, std::size_t key_size,
               std::size_t value_size)
        : map_{std::move(opened)} {
        check_is(map_, kinds, key_size, value_size, A);
    }
    template <class T> static const_bytes in(const T& value) noexcept {
        return std::as_bytes(std::span{&value, 1});
    }
    template <class T> static bytes out(T& value) noexcept {
        return std::as_writable_bytes(std::span{&value, 1});
    }

    map map_;
};

/// percpu_hash, percpu_array, lru_percpu_hash: a V for each possible CPU.
template <plain_bytes K, plain_bytes V, access A> class percpu_map : public shaped_map<A> {
public:
    percpu_map() noexcept = default;
    /// Errors of map::open and check_is.
    [[nodiscard]] static percpu_map open(location where) {
        return from(map::open(std::move(where), A));
    }
    [[nodiscard]] static percpu_map from(map&& opened) { return percpu_map{std::move(opened)}; }

    /// The values of a key, by CPU; nothing where it is not there.
    [[nodiscard]] std::optional<std::vector<V>> lookup(const K& key) const requires readable<A> {
        std::vector<std::byte> raw(this->map_.value_bytes());
        if (!this->map_.lookup(this->in(key), raw)) {
            return std::nullopt;
        }
        std::vector<V> values(raw.size() / stride);
        for (std::size_t i = 0; i < values.size(); ++i) {
            std::memcpy(&values[i], raw.data() + i * stride, sizeof(V));
        }
        return values;
    }

    /// Sets the values of all CPUs: possible_cpus() of them, or errc::wrong_size.
    void update(const K& key, std::span<const V> values,
                update_flag flag = update_flag::any) requires writable<A> {
        std::vector<std::byte> raw(values.size() * stride);
        for (std::size_t i = 0; i < values.size(); ++i) {
            std::memcpy(raw.data() + i * stride, &values[i], sizeof(V));
        }
        this->map_.update(this->in(key), raw, flag);
    }

    bool erase(const K& key) requires writable<A> { return this->map_.erase(this->in(key)); }

private:
    static constexpr std::size_t stride = (sizeof(V) + 7) / 8 * 8;
    explicit percpu_map(map&& opened)
        : shaped_map<A>{std::move(opened),
                        {map_kind::percpu_hash, map_kind::percpu_array, map_kind::lru_percpu_hash},
                        sizeof(K),
                        sizeof(V)} {}
};

/// queue and stack.
template <plain_bytes V, access A> class queue_map : public shaped_map<A> {
public:
    queue_map() noexcept = default;
    [[nodiscard]] static queue_map open(location where) {
        return from(map::open(std::move(where), A));
    }
    [[nodiscard]] static queue_map from(map&& opened) { return queue_map{std::move(opened)}; }

    /// E2BIG when full.
    void push(const V& value) requires writable<A> { this->map_.push(this->in(value)); }
    /// Drops the oldest value when full.
    void push_over(const V& value) requires writable<A> {
        this->map_.push(this->in(value), update_flag::exist);
    }
    /// The next value, which stays; nothing where empty.
    [[nodiscard]] std::optional<V> peek() const requires readable<A> {
        V value;
        return this->map_.peek(this->out(value)) ? std::optional<V>{value} : std::nullopt;
    }
    /// Takes the next value out.
    [[nodiscard]] std::optional<V> pop() requires(readable<A>&& writable<A>) {
        V value;
        return this->map_.pop(this->out(value)) ? std::optional<V>{value} : std::nullopt;
    }

private:
    explicit queue_map(map&& opened)
        : shaped_map<A>{std::move(opened), {map_kind::queue, map_kind::stack}, 0, sizeof(V)} {}
};

/// A bloom filter over V.
template <plain_bytes V, access A> class bloom_filter : public shaped_map<A> {
public:
    bloom_filter() noexcept = default;
    [[nodiscard]] static bloom_filter open(location where) {
        return from(map::open(std::move(where), A));
    }
    [[nodiscard]] static bloom_filter from(map&& opened) { return bloom_filter{std::move(opened)}; }

    void insert(const V& value) requires writable<A> { this->map_.push(this->in(value)); }
    /// False: it was never inserted. True: probably it was.
    [[nodiscard]] bool may_contain(const V& value) const requires readable<A> {
        V copy = value;
        return this->map_.peek(this->out(copy));
    }

private:
    explicit bloom_filter(map&& opened)
        : shaped_map<A>{std::move(opened), {map_kind::bloom_filter}, 0, sizeof(V)} {}
};

/// A key of an LPM trie: the first `bits` bits of an address in network order.
template <plain_bytes Address> struct lpm_key {
    std::uint32_t bits = 0;
    Address address{};
};

/// array_of_maps and hash_of_maps.
template <plain_bytes K, access A> class map_of_maps : public shaped_map<A> {
public:
    map_of_maps() noexcept = default;
    [[nodiscard]] static map_of_maps open(location where) {
        return from(map::open(std::move(where), A));
    }
    [[nodiscard]] static map_of_maps from(map&& opened) { return map_of_maps{std::move(opened)}; }

    /// The id of the map at a key, or nothing; open_by_id takes it from those who may.
    [[nodiscard]] std::optional<std::uint32_t> id(const K& key) const requires readable<A> {
        std::uint32_t number = 0;
        return this->map_.lookup(this->in(key), this->out(number))
                   ? std::optional<std::uint32_t>{number}
                   : std::nullopt;
    }
    /// Needs R and W on `inner`. EINVAL: its sizes or flags are not the template's.
    void update(const K& key, const map& inner,
                update_flag flag = update_flag::any) requires writable<A> {
        this->map_.update(this->in(key), inner.fd(), flag);
    }
    bool erase(const K& key) requires writable<A> { return this->map_.erase(this->in(key)); }

private:
    explicit map_of_maps(map&& opened)
        : shaped_map<A>{std::move(opened),
                        {map_kind::array_of_maps, map_kind::hash_of_maps},
                        sizeof(K),
                        sizeof(std::uint32_t)} {}
};

/// A program array: what a program can go on with (tail calls).
template <access A> class program_array : public shaped_map<A> {
public:
    program_array() noexcept = default;
    [[nodiscard]] static program_array open(location where) {
        return from(map::open(std::move(where), A));
    }
    [[nodiscard]] static program_array from(map&& opened) {
        return program_array{std::move(opened)};
    }

    /// The id of the program at an index, or nothing.
    [[nodiscard]] std::optional<std::uint32_t> id(std::uint32_t index) const requires readable<A> {
        std::uint32_t number = 0;
        return this->map_.lookup(this->in(index), this->out(number))
                   ? std::optional<std::uint32_t>{number}
                   : std::nullopt;
    }
    /// Needs R and W on the program. EINVAL: of another kind than those that are there.
    void update(std::uint32_t index, const program& next) requires writable<A> {
        this->map_.update(this->in(index), next.fd());
    }
    bool erase(std::uint32_t index) requires writable<A> {
        return this->map_.erase(this->in(index));
    }

private:
    explicit program_array(map&& opened)
        : shaped_map<A>{std::move(opened),
                        {map_kind::prog_array},
                        sizeof(std::uint32_t),
                        sizeof(std::uint32_t)} {}
};

} // namespace bpffs
