// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// An all.json that is written onto a map's: elements of the map's sizes, or an error.
#include "input.hpp"

#include "view/dump_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input given(data, size);
    const std::size_t key = given.below(8) + 1;
    const std::size_t value = given.below(16) + 1;
    const std::size_t cpus = given.below(4);
    const std::size_t slots = cpus == 0 ? value : (value + 7) / 8 * 8 * cpus;
    try {
        const auto read = fsctl::view::read_dump(given.text(), key, value, cpus);
        fuzz::demand(read.keys.size() % key == 0 &&
                         read.values.size() == read.keys.size() / key * slots,
                     "each key has a value, of the map's sizes");
    } catch (const fsctl::view::wrong_dump&) {
        return 0;
    }
    return 0;
}
