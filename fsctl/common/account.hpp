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
    // Why there may be more groups than these: a database of them did not answer.
    // Empty where all did.
    std::string groups_in_doubt;
};

struct user_group {
    gid_t number = 0;
    std::vector<std::string> members; // those for whom it is the login group may be missing
};

// By name, or by number where no name is one. Nothing when there is none. failure
// where the database of users does not answer: that is not the same.
std::optional<account> find_account(std::string_view word);

// A group by its name; nothing when there is none. failure as above.
std::optional<user_group> find_group(const std::string& name);

// What the last look-up in a database, of users or groups, has left in errno:
// failure where it did not answer. One that is missing lists nobody.
void check_database(const char* of);

} // namespace fsctl
