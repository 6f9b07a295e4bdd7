// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ring buffers, as include/uapi/linux/bpf.h and kernel/bpf/ringbuf.c lay them out: a page with the
// reader's mark, a page with the writer's, and the data twice, so that no record is cut in two.
#include <bpffs/ring.hpp>

#include "failure.hpp"

#include <fmt/format.h>

#include <linux/bpf.h>
#include <unistd.h>

#include <atomic>

namespace bpffs {
namespace {

constexpr std::uint64_t head_size = BPF_RINGBUF_HDR_SZ;
constexpr std::uint32_t length_mask = ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

std::size_t page_size() noexcept {
    return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t room_for(std::uint32_t length) noexcept {
    return (length + head_size + 7) / 8 * 8;
}

/// A mark in memory that the kernel, or a program, reads and writes at the same time.
std::atomic_ref<std::uint64_t> mark(const shared_memory& page) noexcept {
    return std::atomic_ref<std::uint64_t>{*static_cast<std::uint64_t*>(page.data())};
}

/// The head of the record at a position; its first word is the length with the two bits.
std::byte* record_at(const shared_memory& producer, std::uint64_t position,
                     std::uint32_t ring_size) noexcept {
    return static_cast<std::byte*>(producer.data()) + page_size() + (position & (ring_size - 1));
}

std::atomic_ref<std::uint32_t> length_of(std::byte* head) noexcept {
    return std::atomic_ref<std::uint32_t>{*reinterpret_cast<std::uint32_t*>(head)};
}

/// The writer's page and the data, twice.
std::size_t producer_size(const map& ring) noexcept {
    return page_size() + std::size_t{2} * ring.info().max_entries;
}

} // namespace

ring_reader ring_reader::open(location where) {
    return from(map::open(std::move(where), access::read_write));
}

ring_reader ring_reader::from(map&& opened) {
    check_is(opened, {map_kind::ringbuf}, 0, 0, access::read_write);
    ring_reader made;
    made.consumer_ = shared_memory::of(opened, page_size(), access::read_write, 0);
    made.producer_ = shared_memory::of(opened, producer_size(opened), access::read, page_size());
    made.map_ = std::move(opened);
    return made;
}

bool ring_reader::wait(int milliseconds) const {
    return loudly("wait for ring", map_.file(), {}, [&](failure& why) {
        return why.take(sys::wait_readable(map_.fd().get(), milliseconds));
    });
}

const_bytes ring_reader::next() noexcept {
    if (consumer_.data() == nullptr) {
        return {};
    }
    std::uint64_t at = mark(consumer_).load(std::memory_order_relaxed);
    const std::uint64_t end = mark(producer_).load(std::memory_order_acquire);
    // Whoever may write the ring can put the mark anywhere, and another reader moves it: nothing is
    // read past the end.
    while (at < end && at % head_size == 0 && end - at <= map_.info().max_entries) {
        std::byte* const head = record_at(producer_, at, map_.info().max_entries);
        const std::uint32_t length = length_of(head).load(std::memory_order_acquire);
        if ((length & BPF_RINGBUF_BUSY_BIT) != 0 || room_for(length & length_mask) > end - at) {
            break;
        }
        pending_ = room_for(length & length_mask);
        if ((length & BPF_RINGBUF_DISCARD_BIT) == 0) {
            return {head + head_size, length & length_mask};
        }
        consume();
        at = mark(consumer_).load(std::memory_order_relaxed);
    }
    pending_ = 0;
    return {};
}

void ring_reader::consume() noexcept {
    if (pending_ != 0) {
        mark(consumer_).fetch_add(std::exchange(pending_, 0), std::memory_order_release);
    }
}

ring_writer ring_writer::open(location where) {
    return from(map::open(std::move(where), access::read_write));
}

ring_writer ring_writer::from(map&& opened) {
    check_is(opened, {map_kind::user_ringbuf}, 0, 0, access::read_write);
    ring_writer made;
    made.consumer_ = shared_memory::of(opened, page_size(), access::read, 0);
    made.producer_ =
        shared_memory::of(opened, producer_size(opened), access::read_write, page_size());
    made.map_ = std::move(opened);
    return made;
}

bool ring_writer::send(const_bytes record) {
    const std::uint32_t ring = map_.info().max_entries;
    if (record.size() > ring - head_size || consumer_.data() == nullptr) {
        throw error{map_ ? errc::wrong_size : errc::empty_handle, "send to ring", map_.file(),
                    fmt::format("a record has at most {} bytes", ring - head_size)};
    }
    const auto length = static_cast<std::uint32_t>(record.size());
    const std::uint64_t read = mark(consumer_).load(std::memory_order_acquire);
    const std::uint64_t written = mark(producer_).load(std::memory_order_relaxed);
    if (ring - (written - read) < room_for(length)) {
        return false;
    }
    std::byte* const head = record_at(producer_, written, ring);
    std::memset(head, 0, head_size);
    std::memcpy(head + head_size, record.data(), record.size());
    length_of(head).store(length, std::memory_order_release);
    mark(producer_).store(written + room_for(length), std::memory_order_release);
    return true;
}

} // namespace bpffs
