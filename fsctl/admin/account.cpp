// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Who may be given a directory; see account.hpp.
#include "account.hpp"

#include "common/failure.hpp"

#include <fmt/format.h>
#include <pwd.h>

namespace fsctl {

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

std::string name_of_user(uid_t user) {
    const passwd* found = getpwuid(user); // NOLINT(concurrency-mt-unsafe)
    return found != nullptr ? found->pw_name : fmt::format("{}", user);
}

} // namespace fsctl
