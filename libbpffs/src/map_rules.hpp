// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the kernel asks of a map to create. It answers EINVAL without a word; these are the words.
#pragma once

#include <bpffs/map.hpp>

#include <string>

namespace bpffs {

/// Why the kernel says EINVAL to this specification, as a clause; empty if nothing known is wrong.
std::string what_is_wrong_with(const map_spec& spec);

} // namespace bpffs
