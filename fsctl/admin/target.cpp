// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// From the policy to directories; see target.hpp.
#include "target.hpp"

#include "common/failure.hpp"
#include "private_places.hpp"

#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

namespace fsctl {

bpffs::path directory_of(const entitlement& what, const std::string& name) {
    return what.visible.value == visibility::owner ? bpffs::path(private_base) / name
                                                   : what.directory.value / name;
}

bpffs::path former_directory_of(const entitlement& what, const std::string& name) {
    return what.visible.value == visibility::owner ? what.directory.value / name
                                                   : bpffs::path(private_base) / name;
}

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

namespace {

bool same_place(const std::optional<origin>& a, const std::optional<origin>& b) {
    return a && b && a->file == b->file && a->line == b->line && a->column == b->column;
}

class making_targets {
public:
    making_targets(const rule_index& index, const std::function<void(const refusal&)>& refuse)
        : index_(index), refuse_(refuse) {}

    void add(const std::vector<account>& everybody) {
        std::unordered_map<uid_t, const account*> users;
        for (const account& who : everybody) {
            const account& first = *users.emplace(who.user, &who).first->second;
            trying(who.name, [&] {
                if (&first != &who) {
                    check_second_name(index_, first, who);
                } else if (std::optional<target> made = target_for(who)) {
                    take(std::move(*made));
                }
            });
        }
        tell_doubts();
    }

    void add(const std::vector<shared_area>& areas) {
        for (const shared_area& area : areas) {
            trying(area.name, [&] { take(target_for(area)); });
        }
    }

    std::vector<target> all() && { return std::move(all_); }

private:
    std::optional<target> target_for(const account& who) {
        verdict result = index_.judge(who);
        if (!result.gets) {
            return std::nullopt;
        }
        target made;
        made.name = who.name;
        made.who = who;
        made.owner = who.user;
        made.group = result.gets->group.value.empty() ? who.group : number_of(result.gets->group);
        made.what = std::move(*result.gets);
        made.decided = *result.decided;
        return made;
    }

    target target_for(const shared_area& area) {
        target made;
        made.name = area.name;
        made.what = area.what;
        made.decided = area.from;
        made.group = number_of(area.what.group);
        return made;
    }

    // Each group is asked for once.
    gid_t number_of(const setting<std::string>& group) {
        const auto known = groups_.find(group.value);
        const std::optional<user_group> found =
            known != groups_.end() ? known->second : find_group(group.value);
        if (known == groups_.end()) {
            groups_.emplace(group.value, found);
        }
        if (!found) {
            throw policy_failure(
                group.from,
                fmt::format("there is no group '{}' ({})", group.value, to_string(group.from)),
                "Groups are those of 'getent group'.");
        }
        return found->number;
    }

    void take(target made) {
        const bpffs::path where = made.directory();
        if (!taken_.insert(where.native()).second) {
            throw policy_failure(made.decided,
                                 fmt::format("'{}' is somebody else's already", where.native()));
        }
        all_.push_back(std::move(made));
    }

    template <class Make> void trying(const std::string& name, Make make) {
        try {
            make();
        } catch (const doubt& error) {
            open_question& asked = doubts_[to_string(error.from())];
            if (asked.users++ == 0) {
                asked.first = refusal_of(name, error.from(), error);
            }
        } catch (const policy_failure& error) {
            refuse_(refusal_of(name, error.from(), error));
        } catch (const failure& error) {
            refuse_(refusal_of(name, {}, error));
        }
    }

    static refusal refusal_of(const std::string& name, const origin& from, const failure& error) {
        return {name, default_entitlement().directory.value / name, from,
                fmt::format("{}: {}", name, error.what()), error.remedy()};
    }

    // A rule of which it cannot be told whom it names is told of once, not once for
    // each of all users.
    void tell_doubts() {
        for (auto& [place, asked] : doubts_) {
            if (asked.users > 1) {
                asked.first.message += fmt::format("; nor for {} other users", asked.users - 1);
            }
            refuse_(asked.first);
        }
    }

    struct open_question {
        refusal first;
        std::size_t users = 0;
    };

    const rule_index& index_;
    const std::function<void(const refusal&)>& refuse_;
    std::vector<target> all_;
    std::unordered_set<std::string> taken_;
    std::map<std::string, std::optional<user_group>> groups_;
    std::map<std::string, open_question> doubts_;
};

} // namespace

void check_second_name(const rule_index& index, const account& first, const account& second) {
    const verdict mine = index.judge(second);
    const verdict user = index.judge(first);
    if (!mine.decided || same_place(mine.decided, user.decided)) {
        return;
    }
    throw policy_failure(
        *mine.decided,
        fmt::format("has the uid {} of '{}', and one user gets one directory, which is what {} "
                    "gives or refuses '{}'",
                    second.user, first.name, user.decided ? to_string(*user.decided) : "no rule",
                    first.name),
        fmt::format("Name '{}' in the policy, or give '{}' a uid of its own (usermod -u).",
                    first.name, second.name));
}

std::vector<target> all_targets(const std::vector<shared_area>& areas, const rule_index& index,
                                const std::vector<account>& everybody,
                                const std::function<void(const refusal&)>& refuse) {
    making_targets work(index, refuse);
    work.add(everybody);
    work.add(areas);
    return std::move(work).all();
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
