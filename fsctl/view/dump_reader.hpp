// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// An all.json as the elements that it says, whatever has been written there.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace fsctl::view {

// What is wrong with a dump; `number` is the errno for it.
struct wrong_dump : std::runtime_error {
    wrong_dump(int errno_value, const std::string& what)
        : std::runtime_error(what), number(errno_value) {}
    int number;
};

// As many keys as values, each one after the other.
struct elements {
    std::vector<std::byte> keys;
    std::vector<std::byte> values; // a slot for each CPU, of a multiple of 8 bytes
};

// Of a map with keys and values of these sizes in bytes; `cpus` is 0 where the kind is not per
// CPU. wrong_dump EINVAL, with the element or the byte.
elements read_dump(const std::string& dump, std::size_t key_size, std::size_t value_size,
                   std::size_t cpus);

} // namespace fsctl::view
