// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What has to be done so that the machine is as the policy says: diff prints
// these steps, and apply takes them.
#pragma once

#include "target.hpp"

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace fsctl {

enum class act {
    nothing,
    mount,   // there is none
    adjust,  // mode, group or fmode, in place
    replace, // what is delegated, or nr_inodes: takes a new mount
    finish,  // apply was killed in the middle of `replace`, which is to be completed
    move,    // it is where others see it, or do not, and is to be the other way round
    leave,   // apply was killed in the middle of `move`, which is to be completed
};

struct step {
    act what = act::nothing;
    std::string words; // "caps bpf, now bpf:perfmon"
};

// The mounts there are, by their directory, the topmost one last.
class mount_table {
public:
    explicit mount_table(const std::vector<bpffs::mount_info>& mounts);
    // Null where nothing is mounted.
    [[nodiscard]] const std::vector<bpffs::mount_info>* on(const bpffs::path& directory) const;
    void for_each(const std::function<void(const bpffs::mount_info&)>& visit) const;

private:
    std::unordered_map<std::string, std::vector<bpffs::mount_info>> by_directory_;
};

// Compares, with the memory that the user is bounded to now. failure where what is
// there is no bpffs, or another user's.
step step_for(const target& wanted, const mount_table& mounts, memory_size memory);

// What a policy has made of it where others see it, or do not; null where it has not.
const bpffs::mount_info* former_mount(const target& wanted, const mount_table& mounts);

// A directory that is to be taken away.
struct withdrawal {
    std::string name;
    bpffs::path directory;
    origin decided; // the refusal, where one names them
    std::optional<account> who;
};

// Those that a policy made and that it gives no more, of these accounts, and
// shared ones.
std::vector<withdrawal> withdrawals(const policy& rules, const rule_index& index,
                                    const std::vector<account>& everybody,
                                    const mount_table& mounts);

// Those of users who have no account any more, neither by name nor by uid: made
// by a policy, or below `base`.
std::vector<withdrawal> gone_users(const account_book& accounts, const mount_table& mounts,
                                   const bpffs::path& base);

} // namespace fsctl
