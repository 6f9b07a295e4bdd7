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

} // namespace fsctl
