// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Accounts of this machine as bpffs-admin takes them.
#pragma once

#include "common/account.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace fsctl {

// All that the system's databases list, without root, with their groups: each
// database is read once. failure when one cannot be read.
std::vector<account> list_accounts();

// True if some account has this uid. failure when that cannot be asked.
bool has_account(uid_t user);

// The account of somebody who shall get a directory. usage_error when there is
// no such user, when it is root, or when the name cannot name a directory.
account take_account(std::string_view word);

// USER for operands and messages: must be usable as one name in a directory.
// usage_error otherwise.
void check_user_name(std::string_view name);

// False for what databases have in place of a home where there is none: nothing,
// or /dev/null.
bool names_a_home(const account& who);

// The name, or the number of somebody who has none.
std::string name_of_user(uid_t user);

} // namespace fsctl
