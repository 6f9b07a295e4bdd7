// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Whose a save is. Numbers of users and groups are given to others once an account is
// gone, and so are names: a save tells both of everybody who owns something in it, in a
// file beside the maps:
//
//     bpffs-save 2
//     of 1000
//     user 1000 alice
//     user 1001 bob
//     group 1000 alice
//     end
//
// Version 1 has no groups.
#pragma once

#include "account.hpp"

#include <bpffs/directory.hpp>

#include <cstdio>
#include <map>
#include <optional>
#include <string>

#include <sys/types.h>

namespace fsctl {

struct save_owners {
    uid_t directory = 0; // who owned it
    // With the names they went by; an empty one where there was no account.
    std::map<uid_t, std::string> users;
    std::map<gid_t, std::string> groups;

    // "alice (uid 1000)"
    [[nodiscard]] std::string name_of(uid_t user) const;
};

// In place of a name that could not be asked for. Whose number that is, the save does
// not say.
inline constexpr const char* unknown_name = "?";

inline constexpr const char* owners_file = "owners";

void write_owners(std::FILE* to, const save_owners& owners);

// What write_owners wrote. Nothing where the text is not whole.
std::optional<save_owners> parse_owners(const std::string& text);

// Nothing where there is none: earlier versions wrote none. failure where it is not
// whole.
std::optional<save_owners> read_owners(const bpffs::directory& place, const std::string& name);

// Says whom nothing of a save may be given to.
class rightful {
public:
    rightful(std::optional<save_owners> owners, uid_t directory, gid_t group, user_names& names)
        : owners_(std::move(owners)), directory_(directory), group_(group), names_(names) {}

    // failure where the directory was another one's.
    void check_directory() const;
    // failure where the number is another one's now; and where nobody wrote down
    // whose it was, unless it is the owner's of the directory, or root's.
    void check(uid_t user) const;
    // The same of a group: root's, and the directory's, need not be written down.
    void check_group(gid_t group) const;

private:
    std::optional<save_owners> owners_;
    uid_t directory_;
    gid_t group_; // the directory's
    user_names& names_;
};

} // namespace fsctl
