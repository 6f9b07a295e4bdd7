// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Finding saves of nobody; see stale_saves.hpp.
#include "stale_saves.hpp"

#include "common/failure.hpp"
#include "save_files.hpp"
#include "save_owners.hpp"

#include <bpffs/pin.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace fsctl {

namespace {

class searching {
public:
    searching(const account_book& accounts, failures& wrong) : accounts_(accounts), wrong_(wrong) {}

    void walk(const bpffs::directory& at) {
        std::vector<std::string> below;
        at.for_each([&](const bpffs::directory_entry& entry) {
            if (entry.type == bpffs::file_type::directory) {
                below.push_back(entry.name);
            }
            return true;
        });
        for (const std::string& name : below) {
            try {
                if (!is_save(at, name)) {
                    walk(bpffs::directory::open({at, name}, bpffs::symlinks::refuse));
                }
            } catch (const std::exception& error) {
                wrong_.add(error);
            }
        }
    }

    std::vector<stale_save> found() && {
        std::sort(found_.begin(), found_.end(),
                  [](const stale_save& a, const stale_save& b) { return a.place < b.place; });
        return std::move(found_);
    }

private:
    bool is_save(const bpffs::directory& at, const std::string& name) {
        const std::optional<save_owners> owners = read_owners(at, name);
        if (!owners) { // nor is it known whose one of an earlier version is
            return !files_of_save(at, name).empty();
        }
        const uid_t user = owners->directory;
        const std::string& who = owners->users.at(user);
        if (who == unknown_name) { // when it was saved nobody answered
            if (user != 0 && !accounts_.has_number(user)) {
                found_.push_back({who, user, at.name() / name, true});
            }
            return true;
        }
        if (user != 0 && !accounts_.has(who, user)) {
            const bool some = accounts_.has_name(who) || accounts_.has_number(user);
            found_.push_back({who, user, at.name() / name, some});
        }
        return true;
    }

    const account_book& accounts_;
    failures& wrong_;
    std::vector<stale_save> found_;
};

} // namespace

std::vector<stale_save> stale_saves(const bpffs::path& saves, const account_book& accounts,
                                    failures& wrong) {
    bpffs::error_code code;
    (void)bpffs::look_at(saves, code);
    if (code == boost::system::errc::no_such_file_or_directory) {
        return {};
    }
    searching work(accounts, wrong);
    try {
        work.walk(open_save_place(saves, if_no_place::fail));
    } catch (const std::exception& error) {
        wrong.add(error);
    }
    return std::move(work).found();
}

void remove_stale(const stale_save& which) {
    remove_save(open_save_place(which.place.parent_path(), if_no_place::fail),
                which.place.filename().native());
}

} // namespace fsctl
