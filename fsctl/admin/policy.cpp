// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Putting the rules together; see policy.hpp.
#include "policy.hpp"

#include "common/failure.hpp"
#include "grant.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace fsctl {

namespace {

bool in_group(const named_group& group, const account& who) {
    return group.number &&
           (who.group == *group.number ||
            std::find(who.groups.begin(), who.groups.end(), *group.number) != who.groups.end());
}

bool names(const subjects& some, const account& who) {
    return some.users.contains(who.name) ||
           std::any_of(some.ranges.begin(), some.ranges.end(),
                       [&](const uid_range& range) {
                           return range.first <= who.user && who.user <= range.last;
                       }) ||
           std::any_of(some.groups.begin(), some.groups.end(),
                       [&](const auto& group) { return in_group(group.second, who); });
}

} // namespace

std::string to_string(const origin& from) {
    return from.file ? fmt::format("{}:{}", *from.file, from.line) : "default";
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
        throw failure(
            fmt::format("mode {} ({}) lets everybody write, and whoever may write has caps {} ({})",
                        what.mode.value.octal(), to_string(what.mode.from),
                        bpffs::to_string(what.caps.value), to_string(what.caps.from)),
            "Leave out o+w, or give no capabilities: caps = \"none\"");
    }
}

verdict judge(const policy& rules, const account& who) {
    verdict result;
    for (const rule& each : rules.rules) {
        if (!names(each.who, who)) {
            continue;
        }
        result.decided = each.from;
        if (each.kind == rule_kind::refuse) {
            result.gets.reset();
            continue;
        }
        if (!result.gets) {
            result.gets = default_entitlement();
        }
        overlay(*result.gets, each.says);
    }
    if (result.gets) {
        check_together(*result.gets);
    }
    return result;
}

} // namespace fsctl
