// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Accounts of this machine, as the system's databases have them.
#pragma once

#include <bpffs/error.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace fsctl {

struct account {
    std::string name;
    uid_t user = 0;
    gid_t group = 0;           // the login group
    std::vector<gid_t> groups; // all of them
    bpffs::path home;
};

// By name, or by number where no name is one. Nothing when there is none.
std::optional<account> find_account(std::string_view word);

// The number of a group by its name; nothing when there is none.
std::optional<gid_t> find_group(const std::string& name);

// The same as find_account for somebody who shall get a directory. usage_error when there is
// no such user, when it is root, or when the name cannot name a directory.
account take_account(std::string_view word);

// USER for operands and messages: must be usable as one name in a directory.
// usage_error otherwise.
void check_user_name(std::string_view name);

// The name, or the number of somebody who has none.
std::string name_of_user(uid_t user);

} // namespace fsctl
