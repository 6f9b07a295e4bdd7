// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The kernel's functions by their addresses, from /proc/kallsyms: names for the
// calls in a program, for those whom the kernel shows addresses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fsctl {

class kernel_symbols {
public:
    // Reads the file; without addresses in it there are no symbols.
    static kernel_symbols read();

    // The name of what is exactly there, or an empty view.
    [[nodiscard]] std::string_view at(std::uint64_t address) const;
    // What calls of helpers are relative to; 0 where it is not known.
    [[nodiscard]] std::uint64_t call_base() const noexcept { return call_base_; }

private:
    struct symbol {
        std::uint64_t address;
        std::string name;
    };
    std::vector<symbol> by_address_;
    std::uint64_t call_base_ = 0;
};

} // namespace fsctl
