// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ring buffers: records that programs send (ringbuf), read as a stream, and records that programs
// are sent (user_ringbuf). Both need R and W on the map: reading moves the reader's mark in it.
#pragma once

#include <bpffs/map.hpp>
#include <bpffs/map_memory.hpp>
#include <bpffs/typed_map.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace bpffs {

/// Reads records of a ringbuf. One reader at a time for each ring. Move-only.
class BPFFS_API ring_reader {
public:
    ring_reader() noexcept = default;

    /// Errors of map::open; errc::wrong_kind. ENOMEM: no address space.
    [[nodiscard]] static ring_reader open(location where);
    [[nodiscard]] static ring_reader from(map&& opened);

    /// For epoll: readable while there is a record that has not been consumed.
    [[nodiscard]] borrowed_fd fd() const noexcept { return map_.fd(); }

    /// Waits until there is a record: false after `milliseconds` (-1: no limit) without one. EINTR:
    /// a signal.
    [[nodiscard]] bool wait(int milliseconds) const;

    /// The next record, or an empty span with null data() where there is none yet. It stays valid,
    /// and the same, until consume(). Records that a program discarded are passed over.
    [[nodiscard]] const_bytes next() noexcept;

    /// Gives the room of what next() returned back to the programs.
    void consume() noexcept;

    /// Calls `visit(const_bytes)` for each record that is there; returns how many. Stops early
    /// where `visit` returns false (it may also return nothing); that record counts as read.
    template <class Visit> std::size_t for_each(Visit&& visit) {
        std::size_t count = 0;
        for (const_bytes record = next(); record.data() != nullptr; record = next()) {
            ++count;
            bool more = true;
            if constexpr (std::is_void_v<decltype(visit(record))>) {
                visit(record);
            } else {
                more = visit(record);
            }
            consume();
            if (!more) {
                break;
            }
        }
        return count;
    }

private:
    map map_;
    shared_memory consumer_;    ///< its first word: up to where has been read
    shared_memory producer_;    ///< a page, its first word: up to where has been written; then data
    std::uint64_t pending_ = 0; ///< bytes that the record of next() takes, with its head
};

/// Reads records that are all a T.
template <plain_bytes T> class record_stream {
public:
    record_stream() noexcept = default;
    explicit record_stream(ring_reader&& reader) noexcept : reader_{std::move(reader)} {}
    [[nodiscard]] static record_stream open(location where) {
        return record_stream{ring_reader::open(std::move(where))};
    }

    [[nodiscard]] borrowed_fd fd() const noexcept { return reader_.fd(); }
    [[nodiscard]] bool wait(int milliseconds) const { return reader_.wait(milliseconds); }

    /// Calls `visit(const T&)` for each record that is there; returns how many. errc::wrong_size: a
    /// record is smaller than a T; it is taken out.
    template <class Visit> std::size_t for_each(Visit&& visit) {
        return reader_.for_each([&](const_bytes record) {
            if (record.size() < sizeof(T)) {
                reader_.consume();
                throw error{errc::wrong_size, "read ring", path{}};
            }
            T value;
            std::memcpy(&value, record.data(), sizeof value);
            return visit(static_cast<const T&>(value));
        });
    }

private:
    ring_reader reader_;
};

/// Sends records to programs through a user_ringbuf. One writer at a time. Move-only.
class BPFFS_API ring_writer {
public:
    ring_writer() noexcept = default;

    /// Errors of map::open; errc::wrong_kind. ENOMEM: no address space.
    [[nodiscard]] static ring_writer open(location where);
    [[nodiscard]] static ring_writer from(map&& opened);

    /// Adds a record; false where the ring is full. The program sees it the next time it drains
    /// the ring. errc::wrong_size: larger than the ring can ever hold.
    [[nodiscard]] bool send(const_bytes record);
    template <plain_bytes T> [[nodiscard]] bool send_value(const T& value) {
        return send(std::as_bytes(std::span{&value, 1}));
    }

private:
    map map_;
    shared_memory consumer_;
    shared_memory producer_;
};

} // namespace bpffs
