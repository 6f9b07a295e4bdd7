// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Accounts of this machine as bpffs-admin takes them.
#pragma once

#include "common/account.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <sys/types.h>

namespace fsctl {

// All that the system's databases list, without root, with their groups: each
// database is read once. Of several entries of one name the first counts, as it
// does for whoever asks by name. failure when that of users cannot be read; where
// that of groups cannot, the groups of all are in doubt.
std::vector<account> list_accounts();

// Which accounts there are, for many questions.
class account_book {
public:
    account_book();
    // failure when that cannot be asked.
    [[nodiscard]] bool has_name(const std::string& name) const;
    [[nodiscard]] bool has_number(uid_t user) const;
    // One that has both.
    [[nodiscard]] bool has(const std::string& name, uid_t user) const;

private:
    std::unordered_map<std::string, uid_t> by_name_;
    std::unordered_set<uid_t> numbers_;
};

// Names of users, and of groups, for many questions: the first few users are asked one by one,
// which may be the cheaper thing where a directory service knows thousands, and then all are read
// at once.
class user_names {
public:
    // Empty for a number that no account has. failure when that cannot be asked.
    const std::string& of(uid_t user);
    // The same of a group.
    const std::string& of_group(gid_t group);

private:
    void read_all();

    std::unordered_map<uid_t, std::string> known_;
    std::unordered_map<gid_t, std::string> groups_;
    unsigned asked_ = 0;
};

// The account that the user with this one's uid goes by: one uid is one user, and
// of several names that it has the first one counts.
account first_name_of(const account& who);

// The account of somebody who shall get a directory. usage_error when there is
// no such user, when it is root, when the user goes by another name, or when the
// name cannot name a directory.
account take_account(std::string_view word);

// USER for operands and messages: must be usable as one name in a directory.
// usage_error otherwise.
void check_user_name(std::string_view name);

// False for what databases have in place of a home where there is none: nothing,
// or /dev/null.
bool names_a_home(const account& who);

// The name, or the number of somebody who has none.
std::string name_of_user(uid_t user);

} // namespace fsctl
