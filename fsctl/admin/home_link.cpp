// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The link in the home; see home_link.hpp.
#include "home_link.hpp"

#include "common/failure.hpp"

#include <bpffs/directory.hpp>
#include <bpffs/identity.hpp>
#include <bpffs/pin.hpp>

#include <fmt/format.h>

namespace fsctl {

namespace {

constexpr const char* way_out = "To do without the link: nolink";

bool is(const bpffs::error_code& code, boost::system::errc::errc_t value) {
    return code == value;
}

// As the user, and by no link.
bpffs::directory open_home(const account& whose) {
    bpffs::error_code code;
    bpffs::directory home = bpffs::directory::open(whose.home, bpffs::symlinks::refuse, code);
    if (!code) {
        return home;
    }
    const std::string where = fmt::format("the home of {}, '{}'", whose.name, whose.home.native());
    if (is(code, boost::system::errc::too_many_symbolic_link_levels)) {
        throw failure(fmt::format("{}, is reached through a symbolic link", where),
                      "It is not followed, since others may have made it. Let the account name "
                      "the directory itself (usermod -d), or do without the link: nolink");
    }
    throw failure(fmt::format("{}, cannot be opened as {}: {}", where, whose.name, code.message()),
                  way_out);
}

// What the name stands for; nothing where it stands for nothing.
link_state look_in(const bpffs::directory& home, const bpffs::path& shown,
                   const bpffs::path& target, const std::string& user) {
    bpffs::error_code code;
    const bpffs::path found = bpffs::read_symlink({home, shown.filename()}, code);
    if (is(code, boost::system::errc::no_such_file_or_directory)) {
        return link_state::absent;
    }
    if (!code && found == target) {
        return link_state::ours;
    }
    if (code && !is(code, boost::system::errc::invalid_argument)) {
        throw failure(
            fmt::format("'{}' cannot be looked at as {}: {}", shown.native(), user, code.message()),
            way_out);
    }
    const std::string what =
        code ? std::string("something else") : fmt::format("a link to '{}'", found.native());
    throw failure(fmt::format("'{}' is there already: {}", shown.native(), what),
                  "It is left alone. Move it away, or do without the link: nolink");
}

} // namespace

bool home_link::has_home() const {
    if (!names_a_home(whose_)) {
        return false;
    }
    const bpffs::acting_as user(whose_.user, whose_.group, whose_.groups);
    bpffs::error_code code;
    (void)bpffs::directory::open(whose_.home, bpffs::symlinks::refuse, code);
    return !is(code, boost::system::errc::no_such_file_or_directory);
}

link_state home_link::look() const {
    const bpffs::acting_as user(whose_.user, whose_.group, whose_.groups);
    return look_in(open_home(whose_), file(), target_, whose_.name);
}

void home_link::make() const {
    const bpffs::acting_as user(whose_.user, whose_.group, whose_.groups);
    const bpffs::directory home = open_home(whose_);
    if (look_in(home, file(), target_, whose_.name) == link_state::ours) {
        return;
    }
    bpffs::error_code code;
    bpffs::make_symlink(target_, {home, file().filename()}, code);
    if (code) {
        throw failure(fmt::format("'{}' cannot be made as {}: {}", file().native(), whose_.name,
                                  code.message()),
                      way_out);
    }
}

bool home_link::remove() const noexcept {
    try {
        const bpffs::acting_as user(whose_.user, whose_.group, whose_.groups);
        const bpffs::directory home = open_home(whose_);
        if (look_in(home, file(), target_, whose_.name) == link_state::absent) {
            return false;
        }
        bpffs::remove({home, file().filename()});
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

} // namespace fsctl
