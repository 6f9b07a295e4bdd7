// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// From the policy to directories; see target.hpp.
#include "target.hpp"

#include "common/failure.hpp"

#include <fmt/format.h>
#include <unordered_set>

namespace fsctl {

namespace {

gid_t group_number(const setting<std::string>& group) {
    const std::optional<gid_t> found = find_group(group.value);
    if (!found) {
        throw failure(
            fmt::format("there is no group '{}' ({})", group.value, to_string(group.from)),
            "Groups are those of 'getent group'.");
    }
    return *found;
}

// Throws where another one has that directory.
void add(std::vector<target>& all, std::unordered_set<std::string>& taken,
         std::optional<target> made) {
    if (!made) {
        return;
    }
    const bpffs::path where = made->directory();
    if (!taken.insert(where.native()).second) {
        throw failure(fmt::format("'{}' is somebody else's already", where.native()));
    }
    all.push_back(std::move(*made));
}

} // namespace

bpffs::mount_spec target::spec() const {
    bpffs::mount_spec made;
    made.source = policy_source;
    made.owner = owner;
    made.group = group;
    made.permissions = what.mode.value;
    made.delegated = {what.cmds.value, what.maps.value, what.progs.value, what.attachs.value,
                      what.caps.value};
    if (what.nr_inodes.value != 0) {
        made.more.push_back(fmt::format("nr_inodes={}", what.nr_inodes.value));
    }
    return made;
}

std::optional<target> target_for(const policy& rules, const account& who) {
    verdict result = judge(rules, who);
    if (!result.gets) {
        return std::nullopt;
    }
    target made;
    made.name = who.name;
    made.who = who;
    made.owner = who.user;
    made.group = result.gets->group.value.empty() ? who.group : group_number(result.gets->group);
    made.what = std::move(*result.gets);
    made.decided = *result.decided;
    return made;
}

target target_for(const shared_area& area) {
    target made;
    made.name = area.name;
    made.what = area.what;
    made.decided = area.from;
    made.group = group_number(area.what.group);
    return made;
}

std::vector<target> all_targets(const policy& rules, const std::vector<account>& everybody,
                                failures& wrong) {
    std::vector<target> all;
    std::unordered_set<std::string> taken;
    const auto try_one = [&](const std::string& name, auto make) {
        try {
            add(all, taken, make());
        } catch (const failure& error) {
            wrong.add(failure(fmt::format("{}: {}", name, error.what()), error.remedy()));
        }
    };
    for (const account& who : everybody) {
        try_one(who.name, [&] { return target_for(rules, who); });
    }
    for (const shared_area& area : rules.areas) {
        try_one(area.name, [&] { return std::optional(target_for(area)); });
    }
    return all;
}

std::vector<account> accounts_for(const policy& rules) {
    std::vector<account> all = list_accounts();
    std::unordered_set<std::string> known;
    for (const account& who : all) {
        known.insert(who.name);
    }
    for (const rule& each : rules.rules) {
        for (const auto& [user, from] : each.who.users) {
            std::optional<account> who;
            if (known.insert(user).second) {
                who = find_account(user);
            }
            if (who) {
                all.push_back(std::move(*who));
            }
        }
    }
    return all;
}

} // namespace fsctl
