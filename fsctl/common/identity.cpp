// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Names of users and groups, and modes, from and to words; see identity.hpp.
#include "identity.hpp"

#include "failure.hpp"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace fsctl {

namespace {

bool is_number(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [](char each) { return each >= '0' && each <= '9'; });
}

// 0xffffffff means "leave it" to the kernel, and is nobody's number.
std::uint32_t parse_id(std::string_view text, std::string_view what) {
    return static_cast<std::uint32_t>(
        parse_number(text, what, std::numeric_limits<std::uint32_t>::max() - 1));
}

// The tools have one thread, so the calls with static results are safe.
const passwd* find_user(std::string_view name) {
    return getpwnam(std::string(name).c_str()); // NOLINT(concurrency-mt-unsafe)
}

uid_t parse_user(std::string_view text) {
    if (is_number(text)) {
        return parse_id(text, "owner");
    }
    const passwd* found = find_user(text);
    if (found == nullptr) {
        throw usage_error(fmt::format("there is no user '{}'", text));
    }
    return found->pw_uid;
}

gid_t parse_group(std::string_view text) {
    if (is_number(text)) {
        return parse_id(text, "group");
    }
    const group* found = getgrnam(std::string(text).c_str()); // NOLINT(concurrency-mt-unsafe)
    if (found == nullptr) {
        throw usage_error(fmt::format("there is no group '{}'", text));
    }
    return found->gr_gid;
}

gid_t login_group(std::string_view user) {
    const passwd* found = is_number(user)
                              ? getpwuid(parse_id(user, "owner")) // NOLINT(concurrency-mt-unsafe)
                              : find_user(user);
    if (found == nullptr) {
        throw usage_error(fmt::format("'{}' has no login group", user));
    }
    return found->pw_gid;
}

} // namespace

bpffs::mode parse_mode(std::string_view text) {
    bpffs::error_code wrong;
    const bpffs::mode_change change = bpffs::mode_change::parse(text, wrong);
    const bpffs::mode made =
        wrong ? bpffs::mode() : change.apply(bpffs::mode(), bpffs::file_type::file, bpffs::mode());
    if (wrong || made.bits() > 0777) {
        throw usage_error(fmt::format("'{}' is not a mode", text),
                          "A mode is octal, 0 to 0777, or symbolic: u=rw,g=r");
    }
    return made;
}

ownership parse_ownership(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view user = text.substr(0, colon);
    ownership wanted;
    if (!user.empty()) {
        wanted.owner = parse_user(user);
    }
    if (colon != std::string_view::npos) {
        const std::string_view group = text.substr(colon + 1);
        if (!group.empty()) {
            wanted.group = parse_group(group);
        } else if (!user.empty()) {
            wanted.group = login_group(user);
        }
    }
    if (!wanted.owner && !wanted.group) {
        throw usage_error(fmt::format("'{}' names neither an owner nor a group", text));
    }
    return wanted;
}

std::string user_name(uid_t user) {
    const passwd* found = getpwuid(user); // NOLINT(concurrency-mt-unsafe)
    return found != nullptr ? found->pw_name : fmt::format("{}", user);
}

std::string group_name(gid_t group) {
    const ::group* found = getgrgid(group); // NOLINT(concurrency-mt-unsafe)
    return found != nullptr ? found->gr_name : fmt::format("{}", group);
}

} // namespace fsctl
