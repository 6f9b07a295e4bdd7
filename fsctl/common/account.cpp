// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Looking accounts up; see account.hpp. The tools have one thread, so the calls
// with static results are safe.
#include "account.hpp"

#include "failure.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

namespace fsctl {

namespace {

// Whether errno says that a database did not answer. ERANGE is the C library's
// own affair: a buffer that it makes larger.
bool unanswered(int error) {
    return error != 0 && error != ENOENT && error != ESRCH && error != ERANGE;
}

std::string unanswered_words(const char* of, int error) {
    return fmt::format("the database of {} cannot be read: {}", of,
                       bpffs::error_code(error, boost::system::system_category()).message());
}

const passwd* by_name_or_number(const std::string& word) {
    errno = 0;
    if (const passwd* found = getpwnam(word.c_str())) { // NOLINT(concurrency-mt-unsafe)
        return found;
    }
    check_database("users");
    uid_t number = 0;
    const char* end = word.data() + word.size();
    const auto [stop, code] = std::from_chars(word.data(), end, number);
    if (code != std::errc() || stop != end) {
        return nullptr;
    }
    errno = 0;
    const passwd* found = getpwuid(number); // NOLINT(concurrency-mt-unsafe)
    if (found == nullptr) {
        check_database("users");
    }
    return found;
}

// getgrouplist(3) leaves out what a service that does not answer would have said,
// and tells nobody but by errno.
void find_groups(account& of) {
    int count = 64;
    int room = 0;
    errno = 0;
    do {
        if (count <= room) { // it asks for no more, so more is not what it lacks
            throw failure(unanswered_words("groups", ENOMEM));
        }
        room = count;
        of.groups.resize(static_cast<std::size_t>(room));
    } while (getgrouplist(of.name.c_str(), of.group, of.groups.data(), &count) < 0);
    if (unanswered(errno)) {
        of.groups_in_doubt = unanswered_words("groups", errno);
    }
    of.groups.resize(static_cast<std::size_t>(count));
}

} // namespace

void check_database(const char* of) {
    const int error = errno;
    if (unanswered(error)) {
        throw failure(unanswered_words(of, error), "getent passwd and getent group must answer.");
    }
}

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
    find_groups(found);
    return found;
}

std::optional<user_group> find_group(const std::string& name) {
    errno = 0;
    const struct group* found = getgrnam(name.c_str()); // NOLINT(concurrency-mt-unsafe)
    if (found == nullptr) {
        check_database("groups");
        return std::nullopt;
    }
    user_group group{found->gr_gid, {}};
    for (char** member = found->gr_mem; *member != nullptr; ++member) {
        group.members.emplace_back(*member);
    }
    return group;
}

} // namespace fsctl
