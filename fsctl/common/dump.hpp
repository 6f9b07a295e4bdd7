// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Every element of a map, in the form of element.hpp, a piece at a time: elements come in
// batches, and no more than one batch is held, whatever the map's size.
#pragma once

#include "element.hpp"
#include "tool.hpp"

#include <bpffs/map.hpp>

#include <cstddef>
#include <vector>

namespace fsctl {

// failure for a kind without keys, which has nothing to go through.
void refuse_keyless(const bpffs::map& from);

class element_dump {
public:
    // The map is borrowed, and of a kind with keys.
    element_dump(context& with, const bpffs::map& from);

    // Prints some more elements; false when that was the end, which has been printed too.
    // bpffs::error where the map cannot be read on.
    bool more();

    // Elements printed so far.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    bool print_batch();
    bool print_next_keys();
    void print_key(bytes key);
    void begin();
    void end();

    context& with_;
    const bpffs::map& from_;
    element_printer printer_;
    bpffs::batch some_;
    std::vector<std::byte> previous_; // of the keys printed one by one
    std::vector<std::byte> value_;
    std::size_t count_ = 0;
    bool by_batches_;
    bool begun_ = false;
};

} // namespace fsctl
