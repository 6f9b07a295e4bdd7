// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Saving the maps below a directory of a bpffs, and bringing them back.
#pragma once

#include "account.hpp"

#include <bpffs/directory.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace fsctl {

class failures;

struct saved_counts {
    std::uint64_t maps = 0;
    std::uint64_t entries = 0;
    // What was left out, as sentences: objects of kinds that cannot be saved,
    // names that are taken already.
    std::vector<std::string> left_out;
};

// Saves all maps below `top` as `name` in `place`, and whose they are. All or
// nothing: on a failure the save before stays.
saved_counts save_tree(const bpffs::directory& top, const bpffs::directory& place,
                       const std::string& name, user_names& names);

// Makes the maps of a save again, below `top`: each appears with all its
// entries, its owner, group and mode, or not at all. One whose name is taken is
// left out, so doing it twice is doing it once. What was of a group whose number is
// another one's now gets the directory's group, without a right. That, and files that are damaged,
// or of users that are gone, go into `wrong`, and the others are still restored. failure where the
// whole save is of somebody else than `top`. A save that is not restored as a whole is kept.
saved_counts restore_tree(const bpffs::directory& top, const bpffs::directory& place,
                          const std::string& name, user_names& names, failures& wrong);

} // namespace fsctl
