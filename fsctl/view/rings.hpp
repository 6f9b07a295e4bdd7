// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ring buffers as streams. A read waits for a record without holding a thread of the session: it
// is kept, and answered by the one thread that waits for all rings.
#pragma once

#include "files.hpp"
#include "shape.hpp"

#include <bpffs/fd.hpp>
#include <bpffs/map.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace fsctl::view {

class ring_file;

class ring_waiter {
public:
    ring_waiter() = default;
    ring_waiter(const ring_waiter&) = delete;
    ring_waiter& operator=(const ring_waiter&) = delete;
    ring_waiter(ring_waiter&&) = delete;
    ring_waiter& operator=(ring_waiter&&) = delete;
    ~ring_waiter() { stop(); }

    // Starts the thread, which inherits the caller's identity and blocked signals. Where that
    // fails no ring can be opened.
    void start() noexcept;

    // A ring buffer, opened for reading and writing, to be read: each record is taken once,
    // whoever asks first. The waiter outlives the file. `refused`.
    std::unique_ptr<open_file> open(bpffs::map ring, std::shared_ptr<const map_shape> shape);

    // Ends all reads that wait, and the thread.
    void stop() noexcept;

private:
    friend class ring_file;

    void wait_and_serve();
    void serve(std::uint64_t number);
    void wake() noexcept;
    static void on_interrupt(fuse_req_t request, void* waiter);

    // Held whenever a ring is read or a request is kept or answered.
    std::mutex mutex_;
    std::unordered_map<std::uint64_t, ring_file*> files_; // by what epoll calls them
    std::uint64_t next_ = 1;
    bpffs::owned_fd epoll_;
    bpffs::owned_fd bell_; // rung for an interrupt and for the end
    bool stopping_ = false;
    std::thread thread_;
};

// A user ring buffer, opened for reading and writing, to be written: a record a line.
std::unique_ptr<open_file> open_sender(const node_ref& of, bpffs::map ring,
                                       std::shared_ptr<const map_shape> shape,
                                       const settings& chosen);

} // namespace fsctl::view
