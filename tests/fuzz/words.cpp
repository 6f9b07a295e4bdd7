// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The words of a command line: DATA of a key or value, numbers, sets to delegate, modes.
#include "input.hpp"

#include "common/data.hpp"
#include "common/failure.hpp"
#include "common/words.hpp"

#include <bpffs/delegation.hpp>
#include <bpffs/mode.hpp>

#include <limits>
#include <string>
#include <vector>

namespace {

std::vector<std::string> word_list(const std::string& text) {
    std::vector<std::string> list;
    for (const std::string_view word : fsctl::split(text, '\n')) {
        list.emplace_back(word);
    }
    return list;
}

void read_data(std::size_t size, const std::string& text) {
    fsctl::words given(word_list(text));
    const std::size_t before = given.size();
    try {
        const std::vector<std::byte> data = fsctl::parse_data(given, "key", size);
        fuzz::demand(data.size() == size, "DATA has the size that was asked for");
        fuzz::demand(given.size() <= before, "words are taken, not given");
    } catch (const fsctl::usage_error&) {
        fuzz::demand(given.size() <= before, "words are taken, not given");
    }
}

void read_number(const std::string& text) {
    try {
        fuzz::demand(fsctl::parse_number(text, "number", 1000) <= 1000, "a number keeps its bound");
    } catch (const fsctl::usage_error&) {
    }
    bpffs::error_code why;
    (void)bpffs::mode::parse(text, why);
}

/// What a set is written as reads as the same set.
template <class Enum> void read_set(const std::string& text) {
    bpffs::error_code why;
    const auto set = bpffs::parse_set<Enum>(text, why);
    if (!why) {
        const auto again = bpffs::parse_set<Enum>(to_string(set), why);
        fuzz::demand(!why && again == set, "a set reads as it was written");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input given(data, size);
    const std::size_t most = given.below(65);
    const std::string text = given.text();
    read_data(most, text);
    read_number(text);
    read_set<bpffs::command>(text);
    read_set<bpffs::map_kind>(text);
    read_set<bpffs::program_kind>(text);
    read_set<bpffs::attach_kind>(text);
    read_set<bpffs::capability>(text);
    return 0;
}
