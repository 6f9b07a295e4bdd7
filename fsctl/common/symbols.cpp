// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Reading /proc/kallsyms; see symbols.hpp.
#include "symbols.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <istream>

namespace fsctl {

kernel_symbols kernel_symbols::read() {
    std::ifstream file("/proc/kallsyms");
    return read(file);
}

kernel_symbols kernel_symbols::read(std::istream& from) {
    kernel_symbols all;
    for (std::string line; std::getline(from, line);) {
        std::uint64_t address = 0; // "ffffffff81000000 T _text", with "\t[module]" for some
        const char* const end = line.data() + line.size();
        const char* at = std::from_chars(line.data(), end, address, 16).ptr;
        if (address == 0 || end - at < 4) {
            continue;
        }
        at += 3;
        const char* const tab = std::find(at, end, '\t');
        symbol one{address, std::string(at, tab), {}};
        if (end - tab > 3) {
            one.module.assign(tab + 2, std::find(tab, end, ']'));
        }
        if (one.name == "__bpf_call_base") {
            all.call_base_ = address;
        }
        all.by_address_.push_back(std::move(one));
    }
    std::stable_sort(
        all.by_address_.begin(), all.by_address_.end(),
        [](const symbol& one, const symbol& other) { return one.address < other.address; });
    return all;
}

const kernel_symbols::symbol* kernel_symbols::find(std::uint64_t address) const {
    const auto found = std::lower_bound(
        by_address_.begin(), by_address_.end(), address,
        [](const symbol& one, std::uint64_t wanted) { return one.address < wanted; });
    return found != by_address_.end() && found->address == address ? &*found : nullptr;
}

std::string_view kernel_symbols::at(std::uint64_t address) const {
    const symbol* const found = find(address);
    return found != nullptr ? std::string_view(found->name) : std::string_view();
}

} // namespace fsctl
