// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A map in a file, written and read in one stream: lines that describe it (its
// place with owners and modes, kind, sizes, flags), an empty line, then entries
// in blocks, and at the end their number and a checksum of all before.
//
//     bpffs-map 1
//     path counts
//     owner 1000
//     ...
//     (empty)
//     blocks: u32 N, N keys, N values; N = 0 ends them
//     u64 entries, u32 CRC-32
//
// Numbers are the machine's own: it is for the machine that wrote it.
#pragma once

#include <bpffs/map.hpp>
#include <bpffs/mode.hpp>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace fsctl {

// A directory above the pin, outermost first, or the pin itself.
struct saved_name {
    std::string name;
    uid_t owner = 0;
    gid_t group = 0;
    bpffs::mode bits;
};

struct saved_map {
    std::vector<saved_name> place; // the pin is the last one
    bpffs::map_info info;
    std::size_t value_bytes = 0; // of an entry, with all CPUs' slots
    bool frozen = false;

    // "d/deeper"
    [[nodiscard]] std::string shown() const;
};

using file_handle = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// Whether the entries of such a map can be saved: kinds that hold data and can
// be walked without changing them.
bool can_be_saved(bpffs::map_kind kind);

// Writes everything to the file, and flushes it. Returns the number of entries.
// failure with the reason, a full disk for one.
std::uint64_t write_map(std::FILE* to, const saved_map& what, const bpffs::map& entries);

// Reads what write_map wrote. failure where it is cut short, changed, or of
// another version; then nothing of it is to be used, so it is read through once
// before it is used: `verify`.
class map_reader {
public:
    map_reader(file_handle from, std::string shown);

    // Reads to the end and checks it; then starts again.
    saved_map verify();
    // Calls use(keys, values) for each block.
    void for_each_block(const saved_map& what,
                        const std::function<void(bpffs::const_bytes, bpffs::const_bytes)>& use);

private:
    saved_map read_header();
    std::string read_line();
    void read(void* into, std::size_t size);
    [[noreturn]] void refuse(const std::string& why) const;

    file_handle from_;
    std::string shown_;
    std::uint64_t size_ = 0;
    std::uint32_t sum_ = 0;
};

} // namespace fsctl
