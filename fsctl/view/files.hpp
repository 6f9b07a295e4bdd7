// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Open files. Each holds the handle it was opened with, so what it may do was decided then, by
// the kernel. All functions may be called by several threads; they throw `refused`.
#pragma once

#include "node.hpp"
#include "settings.hpp"

#include <bpffs/access.hpp>

#include <memory>
#include <string>
#include <string_view>

#include <fuse_lowlevel.h>
#include <sys/types.h>

namespace fsctl::view {

class open_file {
public:
    open_file() = default;
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;
    open_file(open_file&&) = delete;
    open_file& operator=(open_file&&) = delete;
    virtual ~open_file() = default;

    // At most `size` bytes from `at` on; none at the end.
    virtual std::string read(std::size_t size, off_t at) = 0;
    // All of it or nothing. What is there before is no part of the new text, so `at_end` is the
    // end of what has been written through this file.
    static constexpr off_t at_end = -1;
    virtual void write(std::string_view text, off_t at);
    // One of the file's descriptors is closed: what has been written is whole now.
    virtual void flush() {}

    // Whether the file is read from its start to its end and no other way.
    [[nodiscard]] virtual bool is_stream() const { return false; }
};

// Opens what the node stands for, as the calling thread. `chosen` outlives the file.
std::unique_ptr<open_file> open_node(const node_ref& of, bpffs::access rights,
                                     const settings& chosen);

// A new element: it is made when its value has been written.
enum class creating { anew, at_all };
std::unique_ptr<open_file> create_entry(const node_ref& of, bpffs::access rights, creating how,
                                        const settings& chosen);

} // namespace fsctl::view
