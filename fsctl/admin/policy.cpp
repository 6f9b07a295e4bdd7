// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Putting the rules together; see policy.hpp.
#include "policy.hpp"

#include "common/failure.hpp"
#include "grant.hpp"
#include "private_places.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace fsctl {

std::string to_string(const origin& from) {
    return from.file ? fmt::format("{}:{}", *from.file, from.line) : "default";
}

std::string to_string(memory_size size) {
    constexpr std::string_view units = "KMGT";
    std::uint64_t number = size.bytes;
    std::size_t unit = 0;
    while (unit < units.size() && number != 0 && number % 1024 == 0) {
        number /= 1024;
        unit++;
    }
    if (number == 0) {
        return "";
    }
    return fmt::format("{}{}", number, unit == 0 ? "" : units.substr(unit - 1, 1));
}

std::string_view word(visibility which) {
    return which == visibility::owner ? "owner" : "all";
}

entitlement default_entitlement() {
    const grant usual;
    const bpffs::delegation all = default_delegation();
    entitlement what;
    what.directory.value = usual.base;
    what.mode.value = usual.bits;
    what.cmds.value = all.commands;
    what.maps.value = all.maps;
    what.progs.value = all.programs;
    what.attachs.value = all.attachments;
    what.caps.value = all.capabilities;
    what.link.value = usual.link == home_link_policy::make;
    return what;
}

void overlay(entitlement& onto, const wishes& more) {
    each_key(onto, more, [](std::string_view, auto& to, const auto& from) {
        if (from) {
            to = *from;
        }
    });
}

void check_together(const entitlement& what) {
    if ((what.mode.value.bits() & 0002U) != 0 && !what.caps.value.empty()) {
        throw policy_failure(
            what.caps.from.file ? what.caps.from : what.mode.from,
            fmt::format("mode {} ({}) lets everybody write, and whoever may write has caps {} ({})",
                        what.mode.value.octal(), to_string(what.mode.from),
                        bpffs::to_string(what.caps.value), to_string(what.caps.from)),
            "Leave out o+w, or give no capabilities: caps = \"none\"");
    }
    // It would be in everybody's table of mounts, or not where the policy says.
    if (what.visible.value == visibility::owner && what.directory.from.file) {
        throw policy_failure(
            what.directory.from,
            fmt::format("what only its owner sees ({}) is in {}, and in no other directory ({})",
                        to_string(what.visible.from), private_base, to_string(what.directory.from)),
            "Leave out 'directory', or let all see it: visible = \"all\"");
    }
}

rule_index::rule_index(const policy& rules) : rules_(rules) {
    for (std::size_t place = 0; place < rules.rules.size(); place++) {
        add(rules.rules[place].who, place);
    }
    std::sort(by_number_.begin(), by_number_.end(),
              [](const span& a, const span& b) { return a.uids.first < b.uids.first; });
    uid_t furthest = 0;
    for (span& each : by_number_) {
        furthest = std::max(furthest, each.uids.last);
        each.furthest = furthest;
    }
}

void rule_index::add(const subjects& some, std::size_t place) {
    for (const auto& [user, from] : some.users) {
        by_name_[user].push_back(place);
    }
    for (const uid_range& range : some.ranges) {
        by_number_.push_back({range, 0, place});
    }
    for (const auto& [name, named] : some.groups) {
        if (named.group->is) {
            by_group_[named.group->is->number].push_back(place);
            // A list of all groups may be shorter than what the database says of one.
            for (const std::string& member : named.group->is->members) {
                by_name_[member].push_back(place);
            }
            by_any_group_.push_back(place);
        } else if (!named.group->unanswered.empty()) {
            by_unanswered_group_.push_back(place);
            by_any_group_.push_back(place);
        }
    }
}

std::map<std::size_t, rule_index::naming> rule_index::rules_for(const account& who) const {
    std::map<std::size_t, naming> all;
    const auto add_all = [&](const auto& table, const auto& key) {
        if (const auto found = table.find(key); found != table.end()) {
            for (const std::size_t place : found->second) {
                all.emplace(place, naming::certain);
            }
        }
    };
    add_all(by_name_, std::string_view(who.name));
    add_all(by_group_, who.group);
    for (const gid_t group : who.groups) {
        add_all(by_group_, group);
    }
    auto at = std::upper_bound(by_number_.begin(), by_number_.end(), who.user,
                               [](uid_t user, const span& each) { return user < each.uids.first; });
    while (at != by_number_.begin() && (--at)->furthest >= who.user) {
        if (at->uids.last >= who.user) {
            all.emplace(at->place, naming::certain);
        }
    }
    for (const std::size_t place :
         who.groups_in_doubt.empty() ? by_unanswered_group_ : by_any_group_) {
        all.emplace(place, naming::possible); // where it is not certain
    }
    return all;
}

namespace {

std::string why_in_doubt(const rule& which, const account& who) {
    for (const auto& [name, named] : which.who.groups) {
        if (!named.group->unanswered.empty()) {
            return named.group->unanswered;
        }
    }
    return who.groups_in_doubt;
}

doubt in_doubt(const rule& which, const account& who) {
    return {which.from,
            fmt::format("whether {} names {} cannot be told: {}", to_string(which.from), who.name,
                        why_in_doubt(which, who)),
            "What they have stays as it is. getent group must answer."};
}

} // namespace

verdict rule_index::judge(const account& who) const {
    verdict result;
    std::optional<doubt> open;
    for (const auto& [place, sure] : rules_for(who)) {
        const rule& each = rules_.rules[place];
        if (sure == naming::possible) {
            // A refusal of what nothing has given yet is no matter.
            if (!open && (each.kind == rule_kind::grant || result.gets)) {
                open.emplace(in_doubt(each, who));
            }
            continue;
        }
        result.decided = each.from;
        if (each.kind == rule_kind::refuse) {
            result.gets.reset();
            open.reset(); // whatever came before
            continue;
        }
        if (!result.gets) {
            result.gets = default_entitlement();
        }
        overlay(*result.gets, each.says);
    }
    if (open) {
        throw doubt(*open);
    }
    if (result.gets) {
        check_together(*result.gets);
    }
    return result;
}

verdict judge(const policy& rules, const account& who) {
    return rule_index(rules).judge(who);
}

} // namespace fsctl
