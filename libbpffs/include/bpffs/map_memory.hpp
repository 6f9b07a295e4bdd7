// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Arrays as memory: the values of an array made with BPF_F_MMAPABLE, read and written without a
// system call. What programs write shows at once.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/map.hpp>
#include <bpffs/map_shapes.hpp>
#include <bpffs/typed_map.hpp>

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace bpffs {

/// Memory that a map shares. Unmaps it at the end; lives longer than the map's handle if need be.
class BPFFS_API shared_memory {
public:
    shared_memory() noexcept = default;
    shared_memory(shared_memory&& other) noexcept
        : at_{std::exchange(other.at_, nullptr)}, length_{std::exchange(other.length_, 0)} {}
    shared_memory& operator=(shared_memory&& other) noexcept {
        std::swap(at_, other.at_);
        std::swap(length_, other.length_);
        return *this;
    }
    shared_memory(const shared_memory&) = delete;
    shared_memory& operator=(const shared_memory&) = delete;
    ~shared_memory();

    /// The values of an array, one after the other, each rounded up to 8 bytes. `rights` read, or
    /// read_write, which needs R and W. errc::unsupported: the map is no array with
    /// BPF_F_MMAPABLE. EPERM, EACCES: a right is missing, or it is frozen and to be written.
    [[nodiscard]] static shared_memory of_array(const map& array, access rights);
    [[nodiscard]] static shared_memory of_array(const map& array, access rights,
                                                error_code& code) noexcept;

    /// Any part that the map gives out; for kinds with a layout of their own.
    [[nodiscard]] static shared_memory of(const map& some, std::size_t length, access rights,
                                          std::size_t offset);

    [[nodiscard]] void* data() const noexcept { return at_; }
    [[nodiscard]] std::size_t size() const noexcept { return length_; }

private:
    void* at_ = nullptr;
    std::size_t length_ = 0;
};

/// The values of a mapped array as a span: of const values for readers.
template <plain_bytes V, access A>
requires(sizeof(V) % 8 == 0 && readable<A>) class array_memory {
public:
    using element = std::conditional_t<can_write(A), V, const V>;

    /// Errors of map::open, check_is and shared_memory::of_array. The handle is closed again: the
    /// memory stays.
    [[nodiscard]] static array_memory open(location where) {
        return from(map::open(std::move(where), A));
    }
    [[nodiscard]] static array_memory from(const map& opened) {
        check_is(opened, {map_kind::array}, sizeof(std::uint32_t), sizeof(V), A);
        array_memory made;
        made.memory_ = shared_memory::of_array(opened, A);
        made.entries_ = opened.info().max_entries;
        return made;
    }

    [[nodiscard]] std::span<element> values() const noexcept {
        return {static_cast<element*>(memory_.data()), entries_};
    }
    [[nodiscard]] element& operator[](std::size_t index) const noexcept { return values()[index]; }
    [[nodiscard]] std::size_t size() const noexcept { return entries_; }
    [[nodiscard]] element* begin() const noexcept { return values().data(); }
    [[nodiscard]] element* end() const noexcept { return values().data() + entries_; }

private:
    shared_memory memory_;
    std::size_t entries_ = 0;
};

} // namespace bpffs
