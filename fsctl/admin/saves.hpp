// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Which saves belong to which directories.
#pragma once

#include "saved_tree.hpp"

#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>

namespace fsctl {

// Where saves of the directories with persist = true are.
inline constexpr const char* system_saves = "/var/lib/bpffs";

// Brings back what is saved of a user's directory, which is open as `top`, below
// a directory of saves. Nothing where there is no save. Nobody else must change
// the directories of users meanwhile.
saved_counts restore_into(const bpffs::directory& top, const bpffs::path& directory,
                          const bpffs::path& saves, user_names& names, failures& wrong);

} // namespace fsctl
