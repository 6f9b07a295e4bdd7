// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The words behind MAP: [key DATA] [value VALUE] [any|exist|noexist], in any
// order, read against the sizes of the map they are meant for.
#pragma once

#include "common/operand.hpp"

#include <bpffs/map.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace fsctl {

// What a value is: bytes, or an object that the map is to hold.
struct value_words {
    std::vector<std::byte> data; // as the kernel takes it: for every CPU
    std::optional<operand> held; // a map or a program
};

struct element_words {
    std::optional<std::vector<std::byte>> key;
    std::optional<value_words> value;
    bpffs::update_flag flag = bpffs::update_flag::any;
};

enum class value_part { none, required };

// Takes all words that are left. usage_error for a key that is missing (where
// the map has keys), given twice, or of the wrong size; the same for a value.
element_words take_element(words& given, const bpffs::map& meant, value_part value);

// Takes "[key DATA]" and nothing more; no key where no word is left.
std::optional<std::vector<std::byte>> take_optional_key(words& given, const bpffs::map& meant);

// Takes "key DATA" and nothing more; an empty key for maps without keys.
std::vector<std::byte> take_key(words& given, const bpffs::map& meant);

} // namespace fsctl
