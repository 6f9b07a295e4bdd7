// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// list: who has a directory, where, with which rights, and how many
// pins are in it. Each line is written as it is found.
#include "account.hpp"
#include "grant.hpp"
#include "json_set.hpp"
#include "user_mount.hpp"
#include "verbs.hpp"

#include <bpffs/mount.hpp>

#include <fstream>
#include <optional>

namespace fsctl {

namespace {

// Nothing where the caller may not look inside.
std::optional<std::uint64_t> pins_in(const bpffs::path& directory) {
    bpffs::error_code code;
    const bpffs::directory top = bpffs::directory::open(directory, bpffs::symlinks::refuse, code);
    if (code) {
        return std::nullopt;
    }
    try {
        return count_pins(top);
    } catch (const bpffs::error&) {
        return std::nullopt;
    }
}

template <class Enum>
void print_set(json_writer& json, std::string_view key, bpffs::delegated_set<Enum> set) {
    json.name(key);
    write_set(json, set);
}

void print_json(json_writer& json, const bpffs::mount_info& mount,
                std::optional<std::uint64_t> pins) {
    json.start_object();
    json.member("user", mount.mount_point.filename().native());
    json.member("directory", mount.mount_point.native());
    json.member("uid", std::uint64_t{mount.owner});
    json.member("gid", std::uint64_t{mount.group});
    json.member("mode", mount.permissions.octal());
    json.name("fmode");
    json.boolean(mount.fmode == bpffs::fmode_option::on);
    print_set(json, "cmds", mount.delegated.commands);
    print_set(json, "maps", mount.delegated.maps);
    print_set(json, "progs", mount.delegated.programs);
    print_set(json, "attachs", mount.delegated.attachments);
    print_set(json, "caps", mount.delegated.capabilities);
    json.name("pins");
    pins ? json.number(*pins) : json.null();
    json.end_object();
}

// A number where nobody has it, or nobody can say.
std::string owner_of(user_names& names, uid_t user) {
    try {
        if (const std::string& name = names.of(user); !name.empty()) {
            return name;
        }
    } catch (const failure&) { // NOLINT(bugprone-empty-catch): who is listed is listed all the same
    }
    return fmt::format("{}", user);
}

void print_plain(output& out, const bpffs::mount_info& mount, user_names& names,
                 std::optional<std::uint64_t> pins) {
    out.print("{}  {}  owner {}  mode {}  pins {}{}\n", mount.mount_point.filename().native(),
              mount.mount_point.native(), owner_of(names, mount.owner), mount.permissions.octal(),
              pins ? fmt::format("{}", *pins) : "?",
              mount.fmode == bpffs::fmode_option::on ? "" : "  without fmode");
    const std::string delegated = mount.delegated.to_options();
    for (const std::string_view option : split(delegated, ',')) {
        if (!option.empty()) {
            out.print("\t{}\n", option);
        }
    }
}

void print(context& with, const bpffs::mount_info& mount, user_names& names) {
    const std::optional<std::uint64_t> pins = pins_in(mount.mount_point);
    if (with.chosen.json) {
        print_json(with.json, mount, pins);
    } else {
        print_plain(with.out, mount, names, pins);
    }
}

// Calls use(mount) for each as it is read: of thousands no more than one is held.
template <class Use> void each_mount(Use use) {
    std::ifstream table("/proc/self/mountinfo");
    for (std::string line; std::getline(table, line);) {
        use(bpffs::mount_info::parse(line));
    }
    if (table.bad() || !table.is_open()) {
        throw failure("/proc/self/mountinfo cannot be read", "It takes a /proc.");
    }
}

} // namespace

void admin_list(context& with, words& given) {
    bpffs::path base = grant().base;
    std::optional<std::string> only;
    while (!given.empty()) {
        if (given.keyword({"dir"}) == "dir") {
            base = take_base(given);
        } else if (!only) {
            only = given.next("a USER");
        } else {
            given.end();
        }
    }
    bool found = false;
    if (with.chosen.json && !only) {
        with.json.start_array();
    }
    user_names names;
    each_mount([&](const bpffs::mount_info& mount) {
        const bool wanted = !only || mount.mount_point.filename() == *only;
        if (mount.type == "bpf" && mount.mount_point.parent_path() == base && wanted) {
            print(with, mount, names);
            found = true;
        }
    });
    if (with.chosen.json && !only) {
        with.json.end_array();
    }
    if (only && !found) {
        throw failure(fmt::format("{} has no directory '{}'", *only, (base / *only).native()),
                      fmt::format("'bpffs-admin add {}' gives one.", *only));
    }
}

} // namespace fsctl
