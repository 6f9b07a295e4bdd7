// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Looking accounts up; see account.hpp. The tools have one thread, so the calls
// with static results are safe.
#include "account.hpp"

#include <algorithm>
#include <charconv>

#include <grp.h>
#include <pwd.h>

namespace fsctl {

namespace {

const passwd* by_name_or_number(const std::string& word) {
    if (const passwd* found = getpwnam(word.c_str())) { // NOLINT(concurrency-mt-unsafe)
        return found;
    }
    uid_t number = 0;
    const char* end = word.data() + word.size();
    const auto [stop, code] = std::from_chars(word.data(), end, number);
    return code == std::errc() && stop == end ? getpwuid(number) // NOLINT(concurrency-mt-unsafe)
                                              : nullptr;
}

std::vector<gid_t> groups_of(const passwd& entry) {
    int count = 64;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    while (getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) < 0) {
        count = std::max(count, static_cast<int>(groups.size()) * 2);
        groups.resize(static_cast<std::size_t>(count));
    }
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

} // namespace

std::optional<account> find_account(std::string_view word) {
    const passwd* entry = by_name_or_number(std::string(word));
    if (entry == nullptr) {
        return std::nullopt;
    }
    account found;
    found.name = entry->pw_name;
    found.user = entry->pw_uid;
    found.group = entry->pw_gid;
    found.home = entry->pw_dir;
    const passwd copy = *entry;
    found.groups = groups_of(copy);
    return found;
}

std::optional<gid_t> find_group(const std::string& name) {
    const struct group* found = getgrnam(name.c_str()); // NOLINT(concurrency-mt-unsafe)
    return found != nullptr ? std::optional(found->gr_gid) : std::nullopt;
}

} // namespace fsctl
