// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Owners, groups and modes as words and as people read them.
#pragma once

#include "words.hpp"

#include <bpffs/mode.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace fsctl {

// The mode of a new file: octal, or symbolic on top of nothing ("u=rw,g=r").
// usage_error for what is neither, and for bits outside 0777.
bpffs::mode parse_mode(std::string_view text);

struct ownership {
    std::optional<uid_t> owner;
    std::optional<gid_t> group;
};

// "OWNER", "OWNER:GROUP", ":GROUP" or "OWNER:" (the owner's login group), each
// a name or a number. usage_error for a name that nobody has.
ownership parse_ownership(std::string_view text);

// The name of a user or group, or its number where it has none.
std::string user_name(uid_t user);
std::string group_name(gid_t group);

} // namespace fsctl
