// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A set of the kernel's words as a JSON array.
#pragma once

#include "common/json.hpp"
#include "common/words.hpp"

#include <bpffs/delegation.hpp>

#include <string>

namespace fsctl {

template <class Enum> void write_set(json_writer& json, bpffs::delegated_set<Enum> set) {
    json.start_array();
    if (!set.empty()) {
        const std::string text = bpffs::to_string(set);
        for (const std::string_view word : split(text, ':')) {
            json.string(word);
        }
    }
    json.end_array();
}

} // namespace fsctl
