// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The directories that there are to be: the policy applied to the accounts of
// this machine.
#pragma once

#include "policy.hpp"

#include <bpffs/mount.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fsctl {

// What the first column of mount(8) says of mounts that a policy made, and
// apply takes away again: others are the administrator's own.
constexpr const char* policy_source = "bpffs.d";

// Where somebody's directory is, and where it is if others are to see it, or not to.
bpffs::path directory_of(const entitlement& what, const std::string& name);
bpffs::path former_directory_of(const entitlement& what, const std::string& name);

struct target {
    std::string name;           // the user's, or the shared directory's
    std::optional<account> who; // nothing: shared
    entitlement what;
    origin decided;
    uid_t owner = 0;
    gid_t group = 0;

    [[nodiscard]] bpffs::path directory() const { return directory_of(what, name); }
    // Where it was if the policy has changed who is to see it.
    [[nodiscard]] bpffs::path former_directory() const { return former_directory_of(what, name); }
    [[nodiscard]] bpffs::mount_spec spec() const;
};

// Somebody who cannot be given what the policy says, and why: "alice: ...".
struct refusal {
    std::string name;
    bpffs::path directory;
    origin from; // the line that cannot be done
    std::string message;
    std::string remedy;
};

// The directories that the rules give to these accounts, and these shared ones.
// Who cannot be given theirs is told of, and left out.
std::vector<target> all_targets(const std::vector<shared_area>& areas, const rule_index& index,
                                const std::vector<account>& everybody,
                                const std::function<void(const refusal&)>& refuse);

// Of two accounts with one uid the first one counts, whose rules are the user's.
// policy_failure where rules say something else of the other one: it is not a way
// round what they refuse.
void check_second_name(const rule_index& index, const account& first, const account& second);

// The accounts that the databases list, and those that the policy names but
// the databases do not list, as it is with some directories of users.
std::vector<account> accounts_for(const policy& rules);

} // namespace fsctl
