// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What bpftool's `show` says in the same words of maps, programs and links.
#pragma once

#include "json.hpp"

#include <bpffs/kinds.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fsctl {

// The word, or the number where it has none here.
template <class Enum> void word_member(json_writer& json, std::string_view name, Enum value) {
    const std::string_view known = bpffs::word(value);
    if (known.empty()) {
        json.member(name, static_cast<std::uint32_t>(value));
    } else {
        json.member(name, known);
    }
}

// The word, or the noun and the number.
template <class Enum> std::string word_or_number(std::string_view noun, Enum value) {
    const std::string_view known = bpffs::word(value);
    return known.empty() ? fmt::format("{} {}", noun, static_cast<std::uint32_t>(value))
                         : std::string(known);
}

// The name of the network device that an object is offloaded to, or its number.
std::string device_name(std::uint32_t index);

// The member "dev", where there is such a device.
void dev_member(json_writer& json, std::uint32_t index);

// The member "pinned", where there are any (option -f).
void pinned_member(json_writer& json, const std::vector<std::string>& pins);

} // namespace fsctl
