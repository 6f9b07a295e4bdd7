// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Writing down whose a save is, and comparing; see save_owners.hpp.
#include "save_owners.hpp"

#include "common/failure.hpp"
#include "common/words.hpp"
#include "save_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>

namespace fsctl {

namespace {

constexpr std::string_view first_line = "bpffs-save 2";
constexpr std::string_view first_line_before = "bpffs-save 1";

std::string in_words(const std::string& name, uid_t user) {
    return fmt::format("{} (uid {})", name.empty() ? "a user without account" : name, user);
}

// False where a line is none of these.
bool read_line(save_owners& into, std::string_view line) {
    const std::string_view key = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(key.size() + 1, line.size()));
    uid_t user = 0;
    const auto [stop, code] = std::from_chars(line.data(), line.data() + line.size(), user);
    line.remove_prefix(static_cast<std::size_t>(stop - line.data()));
    if (code != std::errc()) {
        return false;
    }
    if (key == "of") {
        into.directory = user;
        return line.empty();
    }
    if ((key != "user" && key != "group") || !line.starts_with(' ')) {
        return false;
    }
    (key == "user" ? into.users : into.groups)[user] = line.substr(1);
    return true;
}

} // namespace

std::string save_owners::name_of(uid_t user) const {
    const auto found = users.find(user);
    return in_words(found == users.end() ? std::string() : found->second, user);
}

void write_owners(std::FILE* to, const save_owners& owners) {
    std::string text = fmt::format("{}\nof {}\n", first_line, owners.directory);
    for (const auto& [user, name] : owners.users) {
        text += fmt::format("user {} {}\n", user, name);
    }
    for (const auto& [group, name] : owners.groups) {
        text += fmt::format("group {} {}\n", group, name);
    }
    text += "end\n";
    if (std::fwrite(text.data(), 1, text.size(), to) != text.size() || std::fflush(to) != 0) {
        throw failure(fmt::format(
            "writing: {}", bpffs::error_code(errno, boost::system::system_category()).message()));
    }
}

std::optional<save_owners> parse_owners(const std::string& text) {
    std::vector<std::string_view> lines = split(text, '\n');
    if (lines.size() < 4 || (lines.front() != first_line && lines.front() != first_line_before) ||
        !lines.back().empty() || lines[lines.size() - 2] != "end") {
        return std::nullopt;
    }
    save_owners read;
    for (std::size_t i = 1; i + 2 < lines.size(); i++) {
        if (!read_line(read, lines[i])) {
            return std::nullopt;
        }
    }
    return read.users.contains(read.directory) ? std::optional(read) : std::nullopt;
}

std::optional<save_owners> read_owners(const bpffs::directory& place, const std::string& name) {
    const std::optional<file_handle> from = find_saved(place, name, owners_file);
    if (!from) {
        return std::nullopt;
    }
    std::string text;
    std::array<char, 4096> some{};
    for (std::size_t got = 0; (got = std::fread(some.data(), 1, some.size(), from->get())) > 0;) {
        text.append(some.data(), got);
    }
    std::optional<save_owners> read = parse_owners(text);
    if (!read) {
        throw failure(fmt::format("'{}' is damaged: it does not say whose the save is",
                                  (place.name() / name / owners_file).native()),
                      "Nothing of it is restored.");
    }
    return read;
}

void rightful::check_directory() const {
    if (!owners_ || directory_ == owners_->directory) {
        return check(directory_);
    }
    throw failure(fmt::format("was saved for {}, and the directory belongs to {} now",
                              owners_->name_of(owners_->directory),
                              in_words(names_.of(directory_), directory_)),
                  "Nothing of it is restored.");
}

namespace {

// Null where the save does not say it.
const std::string* known_in(const std::map<std::uint32_t, std::string>& names,
                            std::uint32_t number) {
    const auto found = names.find(number);
    return found == names.end() || found->second == unknown_name ? nullptr : &found->second;
}

std::string now_words(const std::string& now) {
    return now.empty() ? "nobody's" : fmt::format("'{}'s", now);
}

} // namespace

void rightful::check(uid_t user) const {
    if (user == 0) {
        return;
    }
    const std::string* then = owners_ ? known_in(owners_->users, user) : nullptr;
    if (then == nullptr) {
        if (user != directory_) {
            throw failure(
                fmt::format("belonged to uid {}, and the save does not say who that was", user),
                "It is not restored, since the number may be another one's now.");
        }
        return;
    }
    if (const std::string& now = names_.of(user); *then != now) {
        throw failure(fmt::format("belonged to {}, and that number is {} now",
                                  owners_->name_of(user), now_words(now)),
                      "It is not restored: it would be given to somebody else.");
    }
}

void rightful::check_group(gid_t group) const {
    if (group == 0) {
        return;
    }
    const std::string* then = owners_ ? known_in(owners_->groups, group) : nullptr;
    if (then == nullptr) {
        if (group != group_) {
            throw failure(
                fmt::format("was of gid {}, and the save does not say which group that was", group),
                "It is restored without any rights of a group.");
        }
        return;
    }
    if (const std::string& now = names_.of_group(group); *then != now) {
        throw failure(fmt::format("was of the group '{}' (gid {}), and that number is {} now",
                                  *then, group, now_words(now)),
                      "It is restored without any rights of a group.");
    }
}

} // namespace fsctl
