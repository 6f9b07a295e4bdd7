// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The kernel's functions by their addresses, from /proc/kallsyms: names for the
// calls in a program and for what a link watches, for those whom the kernel shows
// addresses.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace fsctl {

class kernel_symbols {
public:
    struct symbol {
        std::uint64_t address = 0;
        std::string name;
        std::string module; // "" for the kernel's own
    };

    // Reads the file; without addresses in it there are no symbols.
    static kernel_symbols read();
    // The same from its text.
    static kernel_symbols read(std::istream& from);

    [[nodiscard]] bool empty() const noexcept { return by_address_.empty(); }
    // What is exactly there, or nullptr. Of several the one that the file has first.
    [[nodiscard]] const symbol* find(std::uint64_t address) const;
    // Its name, or an empty view.
    [[nodiscard]] std::string_view at(std::uint64_t address) const;
    // What calls of helpers are relative to; 0 where it is not known.
    [[nodiscard]] std::uint64_t call_base() const noexcept { return call_base_; }

private:
    std::vector<symbol> by_address_;
    std::uint64_t call_base_ = 0;
};

} // namespace fsctl
