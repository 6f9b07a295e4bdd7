// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// save: writes the maps of users' directories to files. restore: brings them
// back. Root does it for the users, and everybody for their own directory.
#include "saves.hpp"

#include "account.hpp"
#include "alone.hpp"
#include "common/one_line.hpp"
#include "grant.hpp"
#include "json_list.hpp"
#include "policy_file.hpp"
#include "private_places.hpp"
#include "save_files.hpp"
#include "step.hpp"
#include "trusted.hpp"
#include "verbs.hpp"

#include <bpffs/identity.hpp>
#include <bpffs/mount.hpp>
#include <bpffs/pin.hpp>

#include <cstdlib>
#include <set>

#include <fmt/format.h>

namespace fsctl {

namespace {

enum class way { save, restore };

// A directory /run/bpffs/alice is saved as SAVES/run/bpffs/alice, whoever is to see it:
// that may be another matter when it is restored.
bpffs::path place_of(const bpffs::path& saves, const bpffs::path& directory) {
    const bpffs::path base = is_private(directory) ? grant().base : directory.parent_path();
    return saves / base.relative_path();
}

// Those that a policy keeps, and that are there.
std::vector<bpffs::path> persistent(const mount_table& mounts) {
    const policy rules = read_policy();
    std::vector<bpffs::path> all;
    const rule_index index(rules);
    const auto ignore = [](const refusal&) {}; // they are for apply to tell
    for (const target& each : all_targets(rules.areas, index, accounts_for(rules), ignore)) {
        if (!each.what.persist.value) {
            continue;
        }
        if (mounts.on(each.directory()) != nullptr) {
            all.push_back(each.directory());
        } else if (former_mount(each, mounts) != nullptr) { // until apply has moved it
            all.push_back(each.former_directory());
        }
    }
    return all;
}

// All that users have; and what one user has.
std::vector<bpffs::path> directories_of(const mount_table& mounts, uid_t caller) {
    std::vector<bpffs::path> all;
    mounts.for_each([&](const bpffs::mount_info& one) {
        const bool policys =
            one.source == policy_source || one.mount_point.parent_path() == grant().base;
        if (one.type == "bpf" && (caller == 0 ? policys : one.owner == caller)) {
            all.push_back(one.mount_point);
        }
    });
    return all;
}

bpffs::path own_saves(uid_t caller) {
    const char* state = std::getenv("XDG_STATE_HOME"); // NOLINT(concurrency-mt-unsafe)
    // What is empty or relative does not count: so the XDG specification.
    if (state != nullptr && bpffs::path(state).is_absolute()) {
        return bpffs::path(state) / "bpffs";
    }
    const std::optional<account> who = find_account(fmt::format("{}", caller));
    if (!who || !names_a_home(*who)) {
        throw failure("the caller has no home to save in", "Name a DIR.");
    }
    return who->home / ".local/state/bpffs";
}

// Alone: other saves and restores wait, and for root apply, too. An ordinary
// user locks what is their own.
struct held_directory {
    bpffs::directory base;
    bpffs::directory top;
    bpffs::owned_fd lock;
};

held_directory hold(const bpffs::path& directory) {
    held_directory held;
    if (bpffs::identity::of_caller().user == 0) {
        if (const auto hidden = private_places::find(); hidden && is_private(directory)) {
            held.base = hidden->of(directory.filename().native(), private_places::if_none::nothing);
        } else {
            held.base = open_trusted(directory.parent_path(), if_absent::fail).handle;
        }
        held.lock = alone();
        held.top =
            bpffs::directory::open({held.base, directory.filename()}, bpffs::symlinks::refuse);
    } else {
        held.top = bpffs::directory::open(directory, bpffs::symlinks::refuse);
        held.lock = bpffs::lock(held.top);
    }
    return held;
}

void print(context& with, way which, const bpffs::path& directory, const saved_counts& counts) {
    if (with.chosen.json) {
        with.json.start_object();
        with.json.member("directory", directory.native());
        with.json.member("maps", counts.maps);
        with.json.member("entries", counts.entries);
        with.json.name("left_out");
        with.json.start_array();
        for (const std::string& each : counts.left_out) {
            with.json.string(each);
        }
        with.json.end_array();
        with.json.end_object();
        return;
    }
    with.out.print("'{}': {} map{} of {} entries {}\n", directory.native(), counts.maps,
                   counts.maps == 1 ? "" : "s", counts.entries,
                   which == way::save ? "saved" : "restored");
    for (const std::string& each : counts.left_out) {
        with.out.print("  left out: {}\n", in_one_line(each));
    }
}

saved_counts save_directory(const bpffs::path& directory, const bpffs::path& saves,
                            user_names& names) {
    const held_directory held = hold(directory);
    const bpffs::directory place = open_save_place(place_of(saves, directory), if_no_place::make);
    return save_tree(held.top, place, directory.filename().native(), names);
}

saved_counts restore_directory(const bpffs::path& directory, const bpffs::path& saves,
                               user_names& names, failures& wrong) {
    const held_directory held = hold(directory);
    return restore_into(held.top, directory, saves, names, wrong);
}

void run(context& with, words& given, way which) {
    const uid_t caller = bpffs::identity::of_caller().user;
    std::optional<bpffs::path> saves;
    if (!given.empty()) {
        saves = take_base(given);
    }
    given.end();
    const mount_table mounts(all_mounts(private_places::find()));
    const std::vector<bpffs::path> directories =
        caller == 0 && !saves ? persistent(mounts) : directories_of(mounts, caller);
    if (!saves) {
        saves = caller == 0 ? bpffs::path(system_saves) : own_saves(caller);
    }
    failures wrong;
    user_names names;
    start_list(with);
    std::set<bpffs::path> taken; // among the saves
    for (const bpffs::path& directory : directories) {
        try {
            if (!taken.insert(place_of(*saves, directory) / directory.filename()).second) {
                throw failure("another directory of that user has its place among the saves");
            }
            print(with, which, directory,
                  which == way::save ? save_directory(directory, *saves, names)
                                     : restore_directory(directory, *saves, names, wrong));
        } catch (const std::exception& error) {
            const trouble told = describe(error);
            wrong.add(
                failure(fmt::format("'{}': {}", directory.native(), told.message), told.remedy));
        }
    }
    if (directories.empty()) {
        with.remark(caller == 0 ? "no directory is to be kept: none has persist = true"
                                : "there is no directory of yours");
    }
    end_list(with, wrong);
}

} // namespace

saved_counts restore_into(const bpffs::directory& top, const bpffs::path& directory,
                          const bpffs::path& saves, user_names& names, failures& wrong) {
    bpffs::error_code code;
    (void)bpffs::look_at(place_of(saves, directory), code);
    if (code == boost::system::errc::no_such_file_or_directory) {
        return {};
    }
    const bpffs::directory place = open_save_place(place_of(saves, directory), if_no_place::fail);
    return restore_tree(top, place, directory.filename().native(), names, wrong);
}

void admin_save(context& with, words& given) {
    run(with, given, way::save);
}

void admin_restore(context& with, words& given) {
    run(with, given, way::restore);
}

} // namespace fsctl
