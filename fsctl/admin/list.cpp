// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// list: who has a directory, where, with which rights, and how many
// pins are in it. Each line is written as it is found.
#include "account.hpp"
#include "grant.hpp"
#include "json_set.hpp"
#include "policy.hpp"
#include "private_places.hpp"
#include "user_mount.hpp"
#include "verbs.hpp"

#include <bpffs/mount.hpp>

#include <optional>

namespace fsctl {

namespace {

// Nothing where the caller may not look inside.
std::optional<std::uint64_t> pins_in(const std::optional<private_places>& hidden,
                                     const bpffs::path& directory) {
    bpffs::error_code code;
    const bpffs::directory top = open_users_directory(hidden, directory, code);
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
    json.member("visible",
                word(is_private(mount.mount_point) ? visibility::owner : visibility::all));
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

void print(context& with, const std::optional<private_places>& hidden,
           const bpffs::mount_info& mount, user_names& names) {
    const std::optional<std::uint64_t> pins = pins_in(hidden, mount.mount_point);
    if (with.chosen.json) {
        print_json(with.json, mount, pins);
    } else {
        print_plain(with.out, mount, names, pins);
    }
}

} // namespace

void admin_list(context& with, words& given) {
    std::optional<bpffs::path> stated;
    std::optional<std::string> only;
    while (!given.empty()) {
        if (given.keyword({"dir"}) == "dir") {
            stated = take_base(given);
        } else if (!only) {
            only = given.next("a USER");
        } else {
            given.end();
        }
    }
    const bpffs::path base = stated.value_or(grant().base);
    bool found = false;
    if (with.chosen.json && !only) {
        with.json.start_array();
    }
    user_names names;
    const std::optional<private_places> hidden = private_places::find();
    each_mount(hidden, [&](const bpffs::mount_info& mount) {
        const bpffs::path in = mount.mount_point.parent_path();
        const bool wanted = !only || mount.mount_point.filename() == *only;
        if (mount.type == "bpf" && (in == base || (!stated && in == private_base)) && wanted) {
            print(with, hidden, mount, names);
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
