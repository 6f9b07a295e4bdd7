// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Who may be given a directory; see account.hpp.
#include "account.hpp"

#include "common/failure.hpp"

#include <cerrno>
#include <unordered_map>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

namespace fsctl {

namespace {

// What a look-up that found nothing, or no more, left in errno. A database that
// is missing lists nobody; one that does not answer is not taken for that.
void check_database(const char* of) {
    if (errno != 0 && errno != ENOENT && errno != ESRCH) {
        const int error = errno;
        throw failure(
            fmt::format("the database of {} cannot be read: {}", of,
                        bpffs::error_code(error, boost::system::system_category()).message()),
            "getent passwd and getent group must answer.");
    }
}

void add_groups(std::vector<account>& accounts) {
    std::unordered_map<std::string_view, account*> by_name;
    for (account& who : accounts) {
        by_name.emplace(who.name, &who);
    }
    setgrent();
    errno = 0;
    while (const struct group* entry = getgrent()) { // NOLINT(concurrency-mt-unsafe)
        for (char** member = entry->gr_mem; *member != nullptr; ++member) {
            const auto who = by_name.find(*member);
            if (who != by_name.end() && who->second->group != entry->gr_gid) {
                who->second->groups.push_back(entry->gr_gid);
            }
        }
        errno = 0;
    }
    check_database("groups");
    endgrent();
}

} // namespace

std::vector<account> list_accounts() {
    std::vector<account> all;
    setpwent();
    errno = 0;
    while (const passwd* entry = getpwent()) { // NOLINT(concurrency-mt-unsafe)
        if (entry->pw_uid != 0) {
            all.push_back(
                {entry->pw_name, entry->pw_uid, entry->pw_gid, {entry->pw_gid}, entry->pw_dir});
        }
        errno = 0;
    }
    check_database("users");
    endpwent();
    add_groups(all);
    return all;
}

bool has_account(uid_t user) {
    errno = 0;
    const bool found = getpwuid(user) != nullptr; // NOLINT(concurrency-mt-unsafe)
    if (!found) {
        check_database("users");
    }
    return found;
}

void check_user_name(std::string_view name) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos) {
        throw usage_error(fmt::format("'{}' is no user's name", name));
    }
}

account take_account(std::string_view word) {
    check_user_name(word);
    std::optional<account> found = find_account(word);
    if (!found) {
        throw usage_error(fmt::format("there is no user '{}'", word),
                          "Users are those of 'getent passwd', by name or number.");
    }
    check_user_name(found->name);
    if (found->user == 0) {
        throw usage_error(fmt::format("'{}' is root, who needs no directory to be given", word));
    }
    return *found;
}

bool names_a_home(const account& who) {
    return !who.home.empty() && who.home != "/dev/null";
}

std::string name_of_user(uid_t user) {
    const passwd* found = getpwuid(user); // NOLINT(concurrency-mt-unsafe)
    return found != nullptr ? found->pw_name : fmt::format("{}", user);
}

} // namespace fsctl
