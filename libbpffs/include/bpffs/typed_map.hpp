// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Maps with types: the key, the value and the access are part of the type. A reader has no
// update(), a writer no lookup(); conversions only narrow the access. Sizes and kind are checked
// once, when the map is opened. typed_map owns its handle, borrowed_map is a parameter type.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/held.hpp>
#include <bpffs/map.hpp>
#include <bpffs/types.hpp>

#include <concepts>
#include <cstring>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace bpffs {

/// What can be copied to and from a map as bytes.
template <class T>
concept plain_bytes = std::is_trivially_copyable_v<T> && std::default_initializable<T>;

/// Checks that `opened` is a map of a kind whose elements are one key and one value (hash, array,
/// LRU hash, LPM trie), with these sizes: errc::wrong_kind, errc::wrong_size.
BPFFS_API void check_shape(const map& opened, std::size_t key_size, std::size_t value_size);
BPFFS_API void check_shape(const map& opened, std::size_t key_size, std::size_t value_size,
                           error_code& code) noexcept;

/// Checks that `opened` is a map from K to V with the right A: errors of check_shape and
/// check_types; errc::wrong_access.
template <plain_bytes K, plain_bytes V, access A>
void check_typed(const map& opened, error_code& code) noexcept {
    check_shape(opened, sizeof(K), sizeof(V), code);
    if (!code) {
        check_types(opened, type_shape::of<K>(), type_shape::of<V>(), code);
    }
    if (!code) {
        check_access<A>(opened, code);
    }
}
template <plain_bytes K, plain_bytes V, access A> void check_typed(const map& opened) {
    check_shape(opened, sizeof(K), sizeof(V));
    check_types(opened, type_shape::of<K>(), type_shape::of<V>());
    check_access<A>(opened);
}

/// What can be done with a map from K to V through `Held`, an owned or a borrowed handle: each
/// operation is there where the access allows it. The forms with an error_code are noexcept.
template <class Held, plain_bytes K, plain_bytes V> class typed_elements : public Held {
    static constexpr access A = Held::rights;

public:
    using key_type = K;
    using mapped_type = V;

    /// The value of a key, or nothing where there is none.
    [[nodiscard]] std::optional<V> lookup(const K& key) const requires readable<A> {
        V value;
        return this->held().lookup(bytes_of(key), bytes_of(value)) ? std::optional<V>{value}
                                                                   : std::nullopt;
    }
    [[nodiscard]] std::optional<V> lookup(const K& key,
                                          error_code& code) const noexcept requires readable<A> {
        V value;
        return this->held().lookup(bytes_of(key), bytes_of(value), code) ? std::optional<V>{value}
                                                                         : std::nullopt;
    }

    /// Calls `visit(const K&, const V&)` for every entry; see map::for_each.
    template <class Visit>
    requires readable<A>
    void for_each(Visit&& visit) const {
        this->held().for_each([&](const_bytes key, const_bytes value) {
            return visit(value_of<K>(key), value_of<V>(value));
        });
    }

    /// Looks many keys up: result i is key i's value, or nothing. See map::lookup_many.
    [[nodiscard]] std::vector<std::optional<V>>
    lookup_many(std::span<const K> keys) const requires readable<A> {
        std::vector<V> values(keys.size());
        std::vector<std::uint8_t> found(keys.size());
        this->held().lookup_many(std::as_bytes(keys), std::as_writable_bytes(std::span{values}),
                                 found);
        std::vector<std::optional<V>> all(keys.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (found[i] != 0) {
                all[i] = values[i];
            }
        }
        return all;
    }

    /// Sets many values; see map::update_many. As many values as keys, or errc::wrong_size.
    std::size_t update_many(std::span<const K> keys, std::span<const V> values,
                            update_flag flag = update_flag::any) requires writable<A> {
        return this->held().update_many(std::as_bytes(keys), std::as_bytes(values), flag);
    }
    std::size_t update_many(std::span<const K> keys, std::span<const V> values, update_flag flag,
                            error_code& code) noexcept requires writable<A> {
        return this->held().update_many(std::as_bytes(keys), std::as_bytes(values), flag, code);
    }

    /// Removes many keys; see map::erase_many.
    std::size_t erase_many(std::span<const K> keys) requires writable<A> {
        return this->held().erase_many(std::as_bytes(keys));
    }
    std::size_t erase_many(std::span<const K> keys,
                           error_code& code) noexcept requires writable<A> {
        return this->held().erase_many(std::as_bytes(keys), code);
    }

    /// For range-for: `for (const auto& [key, value] : counts)`. Copies, by batch look-ups; see
    /// map::entries. Move-only, so one walk each.
    class iterator {
    public:
        using value_type = std::pair<K, V>;
        using difference_type = std::ptrdiff_t;

        explicit iterator(const map& of) : of_{&of} { (void)of_->lookup_batch(some_); }
        [[nodiscard]] value_type operator*() const noexcept {
            return {value_of<K>(some_.key(index_)), value_of<V>(some_.value(index_))};
        }
        iterator& operator++() {
            if (++index_ == some_.size()) {
                index_ = 0;
                (void)of_->lookup_batch(some_);
            }
            return *this;
        }
        void operator++(int) { ++*this; }
        [[nodiscard]] friend bool operator==(const iterator& at, std::default_sentinel_t) noexcept {
            return at.some_.size() == 0;
        }

    private:
        const map* of_;
        batch some_;
        std::size_t index_ = 0;
    };
    [[nodiscard]] iterator begin() const requires readable<A> { return iterator{this->held()}; }
    [[nodiscard]] std::default_sentinel_t end() const noexcept requires readable<A> { return {}; }

    /// See map::update.
    void update(const K& key, const V& value,
                update_flag flag = update_flag::any) requires writable<A> {
        this->held().update(bytes_of(key), bytes_of(value), flag);
    }
    void update(const K& key, const V& value, update_flag flag,
                error_code& code) noexcept requires writable<A> {
        this->held().update(bytes_of(key), bytes_of(value), flag, code);
    }

    /// True if the key was there.
    bool erase(const K& key) requires writable<A> { return this->held().erase(bytes_of(key)); }
    bool erase(const K& key, error_code& code) noexcept requires writable<A> {
        return this->held().erase(bytes_of(key), code);
    }

    /// Takes a value out in one step; see map::lookup_and_delete.
    [[nodiscard]] std::optional<V>
    lookup_and_delete(const K& key) requires(readable<A>&& writable<A>) {
        V value;
        return this->held().lookup_and_delete(bytes_of(key), bytes_of(value))
                   ? std::optional<V>{value}
                   : std::nullopt;
    }
    [[nodiscard]] std::optional<V> lookup_and_delete(const K& key, error_code& code) noexcept
        requires(readable<A>&& writable<A>) {
        V value;
        return this->held().lookup_and_delete(bytes_of(key), bytes_of(value), code)
                   ? std::optional<V>{value}
                   : std::nullopt;
    }

    /// See map::freeze.
    void freeze() requires writable<A> { this->held().freeze(); }
    void freeze(error_code& code) noexcept requires writable<A> { this->held().freeze(code); }

protected:
    using Held::Held;

private:
    template <class T> static const_bytes bytes_of(const T& value) noexcept {
        return std::as_bytes(std::span{&value, 1});
    }
    template <class T> static bytes bytes_of(T& value) noexcept {
        return std::as_writable_bytes(std::span{&value, 1});
    }
    /// A copy: entries of a batch need not be aligned for T.
    template <class T> static T value_of(const_bytes from) noexcept {
        T value;
        std::memcpy(&value, from.data(), sizeof value);
        return value;
    }
};

/// An open map from K to V with the right A. Owns its handle; move-only.
template <plain_bytes K, plain_bytes V, access A>
class typed_map : public typed_elements<owned_handle<map, A>, K, V> {
    using elements = typed_elements<owned_handle<map, A>, K, V>;

public:
    typed_map() noexcept = default;

    /// Opens a pinned map with the right A. Errors of map::open and check_typed.
    [[nodiscard]] static typed_map open(location where) {
        return from(map::open(std::move(where), A));
    }
    [[nodiscard]] static typed_map open(location where, error_code& code) noexcept {
        map opened = map::open(std::move(where), A, code);
        return code ? typed_map{} : from(std::move(opened), code);
    }

    /// Creates a map with these sizes; the sizes in `spec` are not looked at. Errors of create_map.
    [[nodiscard]] static typed_map create(const location& where,
                                          map_spec spec = {}) requires(A == access::read_write) {
        fit(spec);
        return from(create_map(where, spec));
    }
    [[nodiscard]] static typed_map create(const location& where, map_spec spec,
                                          error_code& code) noexcept
        requires(A == access::read_write) {
        fit(spec);
        map made = create_map(where, spec, code);
        return code ? typed_map{} : from(std::move(made), code);
    }

    /// Puts types over an open map, which stays the caller's where that fails. Errors of
    /// check_typed.
    [[nodiscard]] static typed_map from(map&& opened) {
        check_typed<K, V, A>(opened);
        return typed_map{std::move(opened)};
    }
    [[nodiscard]] static typed_map from(map&& opened, error_code& code) noexcept {
        check_typed<K, V, A>(opened, code);
        return code ? typed_map{} : typed_map{std::move(opened)};
    }

    /// From a handle with more rights. There is no conversion the other way.
    template <access B>
    requires(B != A && narrows(B, A)) typed_map(typed_map<K, V, B>&& wider)
    noexcept // NOLINT: narrowing is implicit on purpose
        : elements{std::move(wider)} {}

private:
    explicit typed_map(map&& opened) noexcept : elements{std::move(opened)} {}

    static void fit(map_spec& spec) noexcept {
        spec.key_size = sizeof(K);
        spec.value_size = sizeof(V);
    }
};

/// An open map from K to V with the right A that somebody else owns and keeps open: a parameter
/// type, cheap to copy, which takes any typed_map or borrowed_map with at least the right A.
///     void count(borrowed_map<std::uint32_t, std::uint64_t, access::read> packets);
template <plain_bytes K, plain_bytes V, access A>
class borrowed_map : public typed_elements<borrowed_handle<map, A>, K, V> {
    using elements = typed_elements<borrowed_handle<map, A>, K, V>;

public:
    template <access B>
    requires(narrows(B, A)) borrowed_map(typed_map<K, V, B>& owned)
    noexcept // NOLINT: a parameter type
        : elements{owned} {}
    template <access B>
    requires(narrows(B, A) && !can_write(A)) borrowed_map(const typed_map<K, V, B>& owned)
    noexcept // NOLINT: a parameter type
        : elements{owned} {}
    template <access B>
    requires(B != A && narrows(B, A)) borrowed_map(const borrowed_map<K, V, B>& wider)
    noexcept // NOLINT: a parameter type
        : elements{wider} {}

    /// Puts types over a map that somebody else owns. Errors of check_typed.
    [[nodiscard]] static borrowed_map from(map& opened) {
        check_typed<K, V, A>(opened);
        return borrowed_map{opened};
    }

private:
    explicit borrowed_map(map& opened) noexcept : elements{&opened} {}
};

template <class K, class V> using map_reader = typed_map<K, V, access::read>;
template <class K, class V> using map_writer = typed_map<K, V, access::write>;
template <class K, class V> using map_owner = typed_map<K, V, access::read_write>;

} // namespace bpffs
