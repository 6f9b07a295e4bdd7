// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A map made to hold what an all.json says, and nothing else. The text is read whole first: one
// that is wrong anywhere changes nothing.
#pragma once

#include <bpffs/map.hpp>

#include <cstddef>
#include <string>

namespace fsctl::view {

// Needs R and W. Elements that the dump has not are deleted first (arrays have none such), then
// the others are set. wrong_dump (dump_reader.hpp) EINVAL, or ENOSPC for more elements than the map
// takes; `refused` where the map refuses an element that was right in itself.
void restore(bpffs::map& into, std::string& dump);

// No dump of this map is longer, however it is laid out.
std::size_t longest_dump(const bpffs::map& of);

} // namespace fsctl::view
