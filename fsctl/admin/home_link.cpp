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
                   const bpffs::path& target, const bpffs::path& former, const std::string& user) {
    bpffs::error_code code;
    const bpffs::path found = bpffs::read_symlink({home, shown.filename()}, code);
    if (is(code, boost::system::errc::no_such_file_or_directory)) {
        return link_state::absent;
    }
    if (!code && found == target) {
        return link_state::ours;
    }
    if (!code && !former.empty() && found == former) {
        return link_state::former;
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

bpffs::path file_of(const account& whose) {
    return whose.home / "bpf";
}

bool has_home(const account& whose) {
    if (!names_a_home(whose)) {
        return false;
    }
    bpffs::error_code code;
    (void)bpffs::directory::open(whose.home, bpffs::symlinks::refuse, code);
    return !is(code, boost::system::errc::no_such_file_or_directory);
}

link_state look_now(const account& whose, const bpffs::path& target, const bpffs::path& former) {
    return has_home(whose) ? look_in(open_home(whose), file_of(whose), target, former, whose.name)
                           : link_state::no_home;
}

// Returns what was there before.
link_state make_now(const account& whose, const bpffs::path& target, const bpffs::path& former) {
    const bpffs::directory home = open_home(whose);
    const bpffs::path file = file_of(whose);
    const link_state found = look_in(home, file, target, former, whose.name);
    if (found == link_state::ours) {
        return found;
    }
    bpffs::error_code code;
    if (found == link_state::former) {
        bpffs::remove({home, file.filename()}, code); // or making it says what is there
    }
    bpffs::make_symlink(target, {home, file.filename()}, code);
    if (code) {
        throw failure(
            fmt::format("'{}' cannot be made as {}: {}", file.native(), whose.name, code.message()),
            way_out);
    }
    return found;
}

void remove_now(const account& whose, const bpffs::path& target) {
    const bpffs::directory home = open_home(whose);
    const bpffs::path file = file_of(whose);
    if (look_in(home, file, target, {}, whose.name) == link_state::absent) {
        throw failure("there is none");
    }
    bpffs::remove({home, file.filename()});
}

} // namespace

home_answer do_in_home(home_deed deed, const account& whose, const bpffs::path& target,
                       const bpffs::path& former) {
    home_answer answer;
    try {
        const bpffs::acting_as user(whose.user, whose.group, whose.groups);
        end_with_asker();
        switch (deed) {
        case home_deed::look:
            answer.state = look_now(whose, target, former);
            break;
        case home_deed::make:
            answer.state = make_now(whose, target, former);
            break;
        case home_deed::remove:
            remove_now(whose, target);
            break;
        }
    } catch (const std::exception& error) {
        const trouble told = describe(error);
        answer.wrong = told.message;
        answer.remedy = told.remedy;
    }
    return answer;
}

namespace {

home_answer good(home_answer answer) {
    if (!answer.wrong.empty()) {
        throw failure(answer.wrong, answer.remedy);
    }
    return answer;
}

} // namespace

link_state home_link::look() const {
    if (!names_a_home(whose_)) {
        return link_state::no_home;
    }
    return good(by_.ask(home_deed::look, whose_, target_, former_)).state;
}

link_state home_link::look_in_home() const {
    const link_state found = look();
    if (found == link_state::no_home) {
        throw failure(fmt::format("the home of {}, '{}', cannot be opened as {}: No such file or "
                                  "directory",
                                  whose_.name, whose_.home.native(), whose_.name),
                      way_out);
    }
    return found;
}

bool home_link::make() const {
    return link_state::ours != good(by_.ask(home_deed::make, whose_, target_, former_)).state;
}

bool home_link::remove() const noexcept {
    try {
        return names_a_home(whose_) &&
               by_.ask(home_deed::remove, whose_, target_, {}).wrong.empty();
    } catch (const std::exception&) {
        return false;
    }
}

} // namespace fsctl
