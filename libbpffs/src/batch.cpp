// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Streams of elements: batch look-ups into buffers that are reused, or next-key and look-up where
// the kind or the kernel has no batch look-up.
#include <bpffs/map.hpp>

#include "map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace bpffs {

/// Buffers and place of one walk.
struct batch::state {
    enum class way : std::uint8_t { batch, walk };
    enum class phase : std::uint8_t { start, middle, end };

    /// At most this much memory for entries, unless one hash bucket needs more.
    static constexpr std::size_t memory_limit = std::size_t{4} << 20;
    /// A walk that restarts again and again, because others delete the key it stands on, ends after
    /// this many times the entries that fit into the map.
    static constexpr std::uint64_t patience = 16;

    explicit state(std::size_t entries) : want{std::max<std::size_t>(entries, 1)} {}

    std::size_t want;
    std::size_t capacity = 0;
    way how = way::batch;
    phase where = phase::start;
    std::uint32_t map_id = 0;
    std::uint64_t steps_left = 0;
    std::vector<std::byte> keys;
    std::vector<std::byte> values;
    std::vector<std::byte> place; ///< the kernel's cursor, or the key walked from
    std::vector<std::byte> next_place;

    void start(const map& from);
    void grow(const map& from, std::size_t entries);
    std::size_t fill(const map& from, failure& why);
    std::size_t fill_by_batch(const map& from, failure& why);
    std::size_t fill_by_walk(const map& from, failure& why);
    bool step(const map& from, std::byte* value, failure& why);
};

void batch::state::start(const map& from) {
    const map_info& info = from.info();
    map_id = 0; // none, until there is room for its entries
    how = traits_of(info.kind).batch ? way::batch : way::walk;
    where = phase::start;
    steps_left = patience * (std::uint64_t{info.max_entries} + 64);
    // The cursor of hashes is 4 bytes, that of other kinds a key.
    const std::size_t cursor = std::max<std::size_t>(info.key_size, sizeof(std::uint64_t));
    place.resize(cursor);
    next_place.resize(cursor);
    const std::size_t entry = info.key_size + from.value_bytes();
    std::size_t entries = std::min(want, std::max<std::size_t>(info.max_entries, 1));
    entries = std::clamp<std::size_t>(memory_limit / std::max<std::size_t>(entry, 1), 1, entries);
    grow(from, entries);
    map_id = info.id;
}

void batch::state::grow(const map& from, std::size_t entries) {
    keys.resize(entries * from.key_size());
    values.resize(entries * from.value_bytes());
    capacity = entries;
}

std::size_t batch::state::fill(const map& from, failure& why) {
    std::size_t filled = 0;
    // An answer can be empty before the end, where all keys of one went away.
    while (!why && filled == 0 && where != phase::end) {
        filled = how == way::batch ? fill_by_batch(from, why) : fill_by_walk(from, why);
        steps_left -= std::min<std::uint64_t>(steps_left, filled + 1);
        if (!why && steps_left == 0 && where != phase::end) {
            why.set(errc::changing_too_fast);
        }
    }
    return filled;
}

std::size_t batch::state::fill_by_batch(const map& from, failure& why) {
    auto count = static_cast<std::uint32_t>(
        std::min<std::size_t>(capacity, std::numeric_limits<std::uint32_t>::max()));
    const void* cursor = where == phase::start ? nullptr : place.data();
    const sys::status status = sys::map_lookup_batch(from.fd().get(), cursor, next_place.data(),
                                                     keys.data(), values.data(), count);
    switch (status) {
    case 0:
        std::swap(place, next_place);
        where = phase::middle;
        return count;
    case ENOENT:
        where = phase::end;
        return count;
    case ENOSPC: // one bucket has more entries than the buffer
        grow(from, capacity * 2);
        return 0;
    case EINTR:
        return 0;
    case EINVAL:
    case EOPNOTSUPP:
        if (where == phase::start) { // Linux before 5.6, or before this kind had it
            how = way::walk;
            return 0;
        }
        [[fallthrough]];
    default:
        why.set(status);
        return 0;
    }
}

/// One step from `place`; true where its value was read.
bool batch::state::step(const map& from, std::byte* value, failure& why) {
    const void* previous = where == phase::start ? nullptr : place.data();
    sys::status status = sys::map_next_key(from.fd().get(), previous, next_place.data());
    if (status == ENOENT) {
        where = phase::end;
        return false;
    }
    if (status == 0) {
        std::swap(place, next_place);
        where = phase::middle;
        status = sys::map_lookup(from.fd().get(), place.data(), value);
    }
    if (status != 0 && status != ENOENT) {
        why.set(status);
    }
    return status == 0;
}

std::size_t batch::state::fill_by_walk(const map& from, failure& why) {
    const std::size_t key_size = from.key_size();
    std::size_t filled = 0;
    for (std::size_t steps = 0; steps < capacity && where != phase::end && !why; ++steps) {
        if (step(from, values.data() + filled * from.value_bytes(), why)) {
            std::copy_n(place.data(), key_size, keys.data() + filled * key_size);
            ++filled;
        }
    }
    steps_left -= std::min<std::uint64_t>(steps_left, capacity - filled);
    return filled;
}

batch::batch(std::size_t want) : state_{std::make_unique<state>(want)} {}
batch::~batch() = default;
batch::batch(batch&&) noexcept = default;
batch& batch::operator=(batch&&) noexcept = default;

void batch::rewind() noexcept {
    count_ = 0;
    state_->map_id = 0;
}

namespace {

void check_walkable(const map& from, failure& why) {
    if (!from) {
        why.set(errc::empty_handle);
    } else if (traits_of(from.kind()).keyless || from.key_size() == 0) {
        why.set(errc::unsupported, fmt::format("a {} has no keys to walk", to_string(from.kind())));
    }
}

} // namespace

bool map::lookup_batch_body(batch& some, failure& why) const {
    some.count_ = 0;
    check_walkable(*this, why);
    if (why) {
        return false;
    }
    batch::state& walk = *some.state_;
    if (walk.map_id != info_.id) {
        walk.start(*this);
    }
    const std::size_t filled = walk.fill(*this, why);
    some.keys_ = walk.keys.data();
    some.values_ = walk.values.data();
    some.key_size_ = key_size();
    some.value_bytes_ = value_bytes_;
    some.count_ = why ? 0 : filled;
    return some.count_ != 0;
}

bool map::lookup_batch(batch& some) const {
    return loudly("walk map", file_, wanted::to_open(access::read),
                  [&](failure& why) { return lookup_batch_body(some, why); });
}

bool map::lookup_batch(batch& some, error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return lookup_batch_body(some, why); });
}

} // namespace bpffs
