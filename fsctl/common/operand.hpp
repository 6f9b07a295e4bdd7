// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// How words name a map, a program or a link: by the path of a pin, or, for the
// privileged, by id, name (not links) or tag (programs). Reading the words and opening the
// object are two steps, so that a verb knows its words before it acts.
#pragma once

#include "words.hpp"

#include <bpffs/bpffs.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fsctl {

enum class naming { path, id, name, tag };

struct operand {
    naming by = naming::path;
    std::string text;     // path, name or tag
    std::uint32_t id = 0; // with naming::id
};

// Takes "[pinned] FILE | id N | name NAME". A file whose name is one of the
// keywords (or an abbreviation of one) is written with a slash: ./id
operand take_map(words& given);
// The same and "tag TAG".
operand take_program(words& given);
// "[pinned] FILE | id N".
operand take_link(words& given);

// Opens the map with exactly this right. failure for look-ups by id or name
// that the caller may not make, that find nothing, or more than one.
bpffs::map open_map(const operand& named, bpffs::access rights);
// All maps of that name; one map for the other forms.
std::vector<bpffs::map> open_maps(const operand& named, bpffs::access rights);
bpffs::program open_program(const operand& named, bpffs::access rights);
// With whatever right the caller has: enough to say which program is meant.
bpffs::program open_any_program(const operand& named);
std::vector<bpffs::program> open_programs(const operand& named, bpffs::access rights);
// Where the mount has no fmode, links open for both only, and are.
bpffs::link open_link(const operand& named, bpffs::access rights);

// What a failed look-up by id or name tells: why it is refused, what to do.
std::string privileged_lookup_remedy(std::string_view kind);

} // namespace fsctl
