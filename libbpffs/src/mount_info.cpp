// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Reading /proc/self/mountinfo.
#include <bpffs/mount.hpp>

#include "mount_info.hpp"
#include "text.hpp"

#include <fmt/format.h>

namespace bpffs {
namespace {

/// mountinfo writes space, tab, newline, backslash and # as \ooo.
std::string unescape(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    while (!text.empty()) {
        const auto octal = text.front() == '\\' && text.size() >= 4
                               ? number<unsigned>(text.substr(1, 3), 8)
                               : std::nullopt;
        plain += octal ? static_cast<char>(*octal) : text.front();
        text.remove_prefix(octal ? 4 : 1);
    }
    return plain;
}

template <class Enum> void read_set(delegated_set<Enum>& into, std::string_view text) {
    error_code unknown;
    const auto set = parse_set<Enum>(text, unknown);
    if (!unknown) {
        into = set;
    }
}

void read_delegation(delegation& into, std::string_view name, std::string_view value) {
    if (name == "delegate_cmds") {
        read_set(into.commands, value);
    } else if (name == "delegate_maps") {
        read_set(into.maps, value);
    } else if (name == "delegate_progs") {
        read_set(into.programs, value);
    } else if (name == "delegate_attachs") {
        read_set(into.attachments, value);
    } else if (name == "delegate_caps") {
        read_set(into.capabilities, value);
    }
}

void read_option(mount_info& mount, std::string_view option) {
    std::string_view value = option;
    const auto name = cut(value, '=');
    if (option == "ro") {
        mount.protection = write_protection::read_only;
    } else if (option == "fmode") {
        mount.fmode = fmode_option::on;
    } else if (name == "uid") {
        mount.owner = number<uid_t>(value).value_or(0);
    } else if (name == "gid") {
        mount.group = number<gid_t>(value).value_or(0);
    } else if (name == "mode") {
        mount.permissions = mode{number<unsigned>(value, 8).value_or(0777)};
    } else {
        read_delegation(mount.delegated, name, value);
    }
}

void read_options(mount_info& mount, std::string_view options) {
    while (!options.empty()) {
        const auto option = cut(options, ',');
        mount.options.emplace_back(unescape(option));
        read_option(mount, option);
    }
}

/// "36 35 98:0 /root /point rw,noatime shared:1 - bpf source rw,mode=700"
mount_info parse_body(std::string_view line, failure& why) {
    mount_info mount;
    const auto id = number(cut(line, ' '));
    const auto parent = number(cut(line, ' '));
    cut(line, ' '); // major:minor
    mount.root = unescape(cut(line, ' '));
    mount.mount_point = unescape(cut(line, ' '));
    const auto mount_options = cut(line, ' ');
    while (!line.empty() && cut(line, ' ') != "-") {
    }
    mount.type = unescape(cut(line, ' '));
    mount.source = unescape(cut(line, ' '));
    if (!id || !parent || mount.type.empty()) {
        why.set(EINVAL, "not a line of /proc/self/mountinfo");
        return {};
    }
    mount.id = *id;
    mount.parent_id = *parent;
    read_options(mount, mount_options);
    read_options(mount, cut(line, '\n'));
    return mount;
}

/// Calls `use(line)` for each line until it returns false.
template <class Use> void each_line(failure& why, Use use) {
    const std::string table = read_file("/proc/self/mountinfo", why);
    for (std::string_view rest = table; !why && !rest.empty();) {
        if (!use(cut(rest, '\n'))) {
            return;
        }
    }
}

std::uint64_t mount_id_of(int fd, failure& why) {
    const auto asked = sys::mount_id(fd);
    if (asked) {
        return asked.value;
    }
    // statx(2) tells the mount since Linux 5.8; fdinfo always did.
    const std::string fdinfo = read_fdinfo(fd, why);
    const auto id = number(field(fdinfo, "mnt_id").value_or(""));
    if (!why && !id) {
        why.set(asked.error);
    }
    return id.value_or(0);
}

mount_info of_body(borrowed_fd fd, failure& why) {
    const std::uint64_t id = mount_id_of(fd.get(), why);
    mount_info found;
    if (!why) {
        each_line(why, [&](std::string_view line) {
            std::string_view rest = line;
            if (number(cut(rest, ' ')) != id) {
                return true;
            }
            found = parse_body(line, why);
            return false;
        });
    }
    if (!why && found.type.empty()) {
        why.set(ENOENT, fmt::format("mount {} is not in /proc/self/mountinfo", id));
    }
    return found;
}

} // namespace

mount_info options_taken(borrowed_fd fd, failure& why) {
    char buffer[4096];
    const auto told = sys::mount_options(fd.get(), buffer);
    if (!told) {
        return of_body(fd, why);
    }
    mount_info mount;
    read_options(mount, told.value);
    return mount;
}

namespace {

std::vector<mount_info> list_body(failure& why) {
    std::vector<mount_info> all;
    each_line(why, [&](std::string_view line) {
        all.push_back(parse_body(line, why));
        return !why;
    });
    return all;
}

} // namespace

bool mount_info::gives_tokens() const noexcept {
    return type == "bpf" && fmode == fmode_option::on && !delegated.capabilities.empty();
}

mount_info mount_info::of(borrowed_fd fd) {
    return loudly("find mount", path{}, {}, [&](failure& why) { return of_body(fd, why); });
}

mount_info mount_info::of(borrowed_fd fd, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return of_body(fd, why); });
}

std::uint64_t mount_info::id_of(borrowed_fd fd) {
    return loudly("find mount", path{}, {},
                  [&](failure& why) { return mount_id_of(fd.get(), why); });
}

std::uint64_t mount_info::id_of(borrowed_fd fd, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return mount_id_of(fd.get(), why); });
}

mount_info mount_info::parse(std::string_view line) {
    return loudly("read mount", path{}, {}, [&](failure& why) { return parse_body(line, why); });
}

mount_info mount_info::parse(std::string_view line, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return parse_body(line, why); });
}

std::vector<mount_info> list_mounts() {
    return loudly("list mounts", path{}, {}, [&](failure& why) { return list_body(why); });
}

std::vector<mount_info> list_mounts(error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return list_body(why); });
}

} // namespace bpffs
