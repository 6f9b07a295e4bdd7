// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Open files. Each holds the handle it was opened with, so what it may do was decided then, by
// the kernel. All functions may be called by several threads; they throw `refused`.
#pragma once

#include "allowance.hpp"
#include "node.hpp"
#include "settings.hpp"

#include <bpffs/access.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <fuse_lowlevel.h>
#include <sys/types.h>

namespace fsctl::view {

class open_file : public counted_for_user {
public:
    // At most `size` bytes from `at` on; none at the end.
    virtual std::string read(std::size_t size, off_t at) = 0;
    // How much of it has been taken: all, or of a stream the whole lines before the first one that
    // was refused. What is there before is no part of the new text, so `at_end` is the end of what
    // has been written through this file.
    static constexpr off_t at_end = -1;
    virtual std::size_t write(std::string_view text, off_t at);
    // One of the file's descriptors is closed: what has been written is whole now.
    virtual void flush() {}

    // Whether the file is read from its start to its end and no other way.
    [[nodiscard]] virtual bool is_stream() const { return false; }

    // Answers the request with read(), unless it throws. A stream that waits does so later.
    virtual void answer_read(fuse_req_t request, std::size_t size, off_t at, int flags);
    // What poll(2) finds now. `later`, which may be null, is taken over: it is told when a stream
    // that waits becomes readable.
    virtual unsigned poll(fuse_pollhandle* later);
};

// What takes lines of text, each a value. What is wrong in any of them is found before the first
// is put; the last one may come without its newline. Where one cannot be put (a full map), those
// before it have been: the write is short, so that whoever goes on puts none of them twice.
class line_file : public open_file {
public:
    line_file(node_ref of, std::size_t longest, const settings& chosen)
        : node_(std::move(of)), longest_(longest), chosen_(chosen) {}

    std::size_t write(std::string_view text, off_t at) override;
    void flush() override;
    [[nodiscard]] bool is_stream() const override { return true; }

protected:
    [[nodiscard]] virtual bool is_line(std::string_view line) const = 0;
    virtual void put(std::string_view line) = 0;
    // What else the file keeps has become this much.
    void keep_beside(std::size_t bytes) {
        keep(written_.size() + bytes);
        beside_ = bytes;
    }

    std::mutex mutex_;

private:
    void check_line(std::string_view line) const;
    std::size_t put_all(std::string_view lines);

    node_ref node_;
    std::size_t longest_;
    const settings& chosen_;
    std::string written_; // a line that has been written in part
    std::size_t beside_ = 0;
};

class ring_waiter;

// Opens what the node stands for, as the calling thread. `chosen` and `rings` outlive the file.
std::unique_ptr<open_file> open_node(const node_ref& of, bpffs::access rights,
                                     const settings& chosen, ring_waiter& rings);

// A new element: it is made when its value has been written.
enum class creating { anew, at_all };
std::unique_ptr<open_file> create_entry(const node_ref& of, bpffs::access rights, creating how,
                                        const settings& chosen);

} // namespace fsctl::view
