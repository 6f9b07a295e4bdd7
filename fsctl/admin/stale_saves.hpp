// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Saves that have outlived the accounts that they are of.
#pragma once

#include "account.hpp"

#include <bpffs/error.hpp>

#include <string>
#include <vector>

#include <sys/types.h>

namespace fsctl {

class failures;

struct stale_save {
    std::string user;
    uid_t number = 0;
    bpffs::path place; // with its name
    // An account has the name, or the number, but none has both: the user may have
    // been renamed, or another one have come.
    bool in_doubt = false;
};

// Those below a directory of saves. What cannot be looked at goes into `wrong`.
std::vector<stale_save> stale_saves(const bpffs::path& saves, const account_book& accounts,
                                    failures& wrong);

// Removes one. Nobody else must save meanwhile.
void remove_stale(const stale_save& which);

} // namespace fsctl
