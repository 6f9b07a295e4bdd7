// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The directories that there are to be: the policy applied to the accounts of
// this machine.
#pragma once

#include "policy.hpp"

#include <bpffs/mount.hpp>

#include <optional>
#include <string>
#include <vector>

namespace fsctl {

class failures;

// What the first column of mount(8) says of mounts that a policy made, and
// apply takes away again: others are the administrator's own.
constexpr const char* policy_source = "bpffs.d";

struct target {
    std::string name;           // the user's, or the shared directory's
    std::optional<account> who; // nothing: shared
    entitlement what;
    origin decided;
    uid_t owner = 0;
    gid_t group = 0;

    [[nodiscard]] bpffs::path directory() const { return what.directory.value / name; }
    [[nodiscard]] bpffs::mount_spec spec() const;
};

// What one user gets; nothing where the policy gives them nothing. failure
// where the rules contradict each other or name a group that is none.
std::optional<target> target_for(const policy& rules, const account& who);

// A shared directory. failure where its group is none.
target target_for(const shared_area& area);

// All of them. Who cannot be given what the policy says goes into `wrong`, with
// their name, and is left out.
std::vector<target> all_targets(const policy& rules, const std::vector<account>& everybody,
                                failures& wrong);

// The accounts that the databases list, and those that the policy names but
// the databases do not list, as it is with some directories of users.
std::vector<account> accounts_for(const policy& rules);

} // namespace fsctl
