// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What a handle may do: read (R), write (W) or both. Used as a value by the untyped handles and as
// a template argument by the typed ones, so that a reader has no update().
#pragma once

#include <cstdint>
#include <string_view>

namespace bpffs {

/// The right a handle carries. A pin is opened with BPF_F_RDONLY, BPF_F_WRONLY or neither.
enum class access : std::uint8_t { read = 1, write = 2, read_write = 3 };

[[nodiscard]] constexpr bool can_read(access a) noexcept {
    return (static_cast<unsigned>(a) & static_cast<unsigned>(access::read)) != 0;
}

[[nodiscard]] constexpr bool can_write(access a) noexcept {
    return (static_cast<unsigned>(a) & static_cast<unsigned>(access::write)) != 0;
}

/// True if `to` asks for nothing that `from` lacks (equal counts): the only conversions there are.
[[nodiscard]] constexpr bool narrows(access from, access to) noexcept {
    return (static_cast<unsigned>(to) & ~static_cast<unsigned>(from)) == 0;
}

/// "read", "write" or "read and write".
[[nodiscard]] constexpr std::string_view to_string(access a) noexcept {
    switch (a) {
    case access::read:
        return "read";
    case access::write:
        return "write";
    case access::read_write:
        break;
    }
    return "read and write";
}

} // namespace bpffs
