// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Reading /proc/kallsyms; see symbols.hpp.
#include "symbols.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace fsctl {

kernel_symbols kernel_symbols::read() {
    kernel_symbols all;
    std::ifstream file("/proc/kallsyms");
    for (std::string line; std::getline(file, line);) {
        std::uint64_t address = 0; // "ffffffff81000000 T _text", with "\t[module]" for some
        const char* const end = line.data() + line.size();
        const char* at = std::from_chars(line.data(), end, address, 16).ptr;
        if (address == 0 || end - at < 4) {
            continue;
        }
        at += 3;
        std::string name(at, std::find(at, end, '\t'));
        if (name == "__bpf_call_base") {
            all.call_base_ = address;
        }
        all.by_address_.push_back({address, std::move(name)});
    }
    std::sort(all.by_address_.begin(), all.by_address_.end(),
              [](const symbol& one, const symbol& other) { return one.address < other.address; });
    return all;
}

std::string_view kernel_symbols::at(std::uint64_t address) const {
    const auto found = std::lower_bound(
        by_address_.begin(), by_address_.end(), address,
        [](const symbol& one, std::uint64_t wanted) { return one.address < wanted; });
    return found != by_address_.end() && found->address == address ? std::string_view(found->name)
                                                                   : std::string_view();
}

} // namespace fsctl
