// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Small things done with texts from /proc, and whole files read from there.
#pragma once

#include <bpffs/mode.hpp>

#include "failure.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bpffs {

/// Cuts the part before `separator` off `rest`, which becomes what follows it (or empty).
inline std::string_view cut(std::string_view& rest, char separator) noexcept {
    const auto at = rest.find(separator);
    const auto head = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view{} : rest.substr(at + 1);
    return head;
}

/// The whole of `text` as a number in `base`.
template <class T = std::uint64_t>
std::optional<T> number(std::string_view text, int base = 10) noexcept {
    T value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    return error == std::errc{} && stop == end && !text.empty() ? std::optional<T>{value}
                                                                : std::nullopt;
}

/// The text after "KEY:" in lines as /proc/self/status has them, without white space around it.
std::optional<std::string_view> field(std::string_view lines, std::string_view key) noexcept;

/// A file of /proc or /sys, whole.
std::string read_file(const char* name, failure& why);

/// /proc/self/fdinfo/FD.
std::string read_fdinfo(int fd, failure& why);

/// The umask, without changing it for a moment as umask(2) would for all threads.
mode current_umask(failure& why);

} // namespace bpffs
