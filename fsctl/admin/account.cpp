// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Who may be given a directory; see account.hpp.
#include "account.hpp"

#include "common/failure.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

namespace fsctl {

namespace {

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
    try {
        check_database("groups");
    } catch (const failure& error) { // rules that name no group hold all the same
        for (account& who : accounts) {
            who.groups_in_doubt = error.what();
        }
    }
    endgrent();
}

} // namespace

namespace {

// Calls use(entry) for all that the databases list.
template <class Use> void each_user(Use use) {
    setpwent();
    errno = 0;
    while (const passwd* entry = getpwent()) { // NOLINT(concurrency-mt-unsafe)
        use(*entry);
        errno = 0;
    }
    check_database("users");
    endpwent();
}

// Null where no account has this uid.
const passwd* by_number(uid_t user) {
    errno = 0;
    const passwd* found = getpwuid(user); // NOLINT(concurrency-mt-unsafe)
    if (found == nullptr) {
        check_database("users");
    }
    return found;
}

// Null where no account has this name.
const passwd* by_name(const std::string& name) {
    errno = 0;
    const passwd* found = getpwnam(name.c_str()); // NOLINT(concurrency-mt-unsafe)
    if (found == nullptr) {
        check_database("users");
    }
    return found;
}

} // namespace

std::vector<account> list_accounts() {
    std::vector<account> all;
    std::unordered_set<std::string> names;
    each_user([&](const passwd& entry) {
        if (names.insert(entry.pw_name).second && entry.pw_uid != 0) {
            account& who = all.emplace_back();
            who.name = entry.pw_name;
            who.user = entry.pw_uid;
            who.group = entry.pw_gid;
            who.groups = {entry.pw_gid};
            who.home = entry.pw_dir;
        }
    });
    add_groups(all);
    return all;
}

account_book::account_book() {
    each_user([&](const passwd& entry) {
        by_name_.emplace(entry.pw_name, entry.pw_uid);
        numbers_.insert(entry.pw_uid);
    });
}

// What is not listed is asked for: some directories of users list nobody.
bool account_book::has_name(const std::string& name) const {
    return by_name_.contains(name) || by_name(name) != nullptr;
}

bool account_book::has_number(uid_t user) const {
    return numbers_.contains(user) || by_number(user) != nullptr;
}

bool account_book::has(const std::string& name, uid_t user) const {
    if (const auto listed = by_name_.find(name); listed != by_name_.end()) {
        return listed->second == user;
    }
    const passwd* found = by_name(name);
    return found != nullptr && found->pw_uid == user;
}

void user_names::read_all() {
    each_user([&](const passwd& entry) { known_.emplace(entry.pw_uid, entry.pw_name); });
}

const std::string& user_names::of(uid_t user) {
    constexpr unsigned few = 8;
    if (const auto found = known_.find(user); found != known_.end()) {
        return found->second;
    }
    if (++asked_ == few) {
        read_all();
    }
    if (const auto found = known_.find(user); found != known_.end()) {
        return found->second;
    }
    const passwd* found = by_number(user);
    return known_.emplace(user, found != nullptr ? found->pw_name : "").first->second;
}

const std::string& user_names::of_group(gid_t group) {
    if (const auto found = groups_.find(group); found != groups_.end()) {
        return found->second;
    }
    errno = 0;
    const struct group* found = getgrgid(group); // NOLINT(concurrency-mt-unsafe)
    if (found == nullptr) {
        check_database("groups");
    }
    return groups_.emplace(group, found != nullptr ? found->gr_name : "").first->second;
}

account first_name_of(const account& who) {
    const passwd* first = by_number(who.user);
    if (first == nullptr || who.name == first->pw_name) {
        return who;
    }
    const std::string name = first->pw_name;
    return find_account(name).value_or(who);
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
    if (const std::string first = first_name_of(*found).name; first != found->name) {
        throw usage_error(fmt::format("'{}' has the uid {} of '{}': one user has one directory",
                                      found->name, found->user, first),
                          fmt::format("It goes by the first name: '{}'.", first));
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
