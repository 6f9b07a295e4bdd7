// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Changing files, not what they hold; see files.hpp.
#include "files.hpp"

#include "identity.hpp"

#include <bpffs/bpffs.hpp>

#include <vector>

namespace fsctl {

namespace {

// A file to change: a name in a directory that was resolved once, or (the top
// of a bpffs, whose parent is on another file system) a path.
struct target {
    std::string given;
    bpffs::directory parent;
    bpffs::path name;

    [[nodiscard]] bpffs::location place() const {
        return parent ? bpffs::location(parent, name) : bpffs::location(given);
    }
};

failure not_on_a_bpffs(std::string_view verb, const std::string& file) {
    return failure(fmt::format("{} '{}': not on a bpffs", verb, file),
                   "A pin lives on a mount of the type bpf, such as /sys/fs/bpf.");
}

// One of the verbs: its name for messages, and what it wants for a diagnosis.
struct deed {
    std::string_view verb;
    bpffs::wanted wish;
};

// With what was wanted, so that what stands in the way is said, too.
void check_found(const deed& what, const std::string& given, const bpffs::error_code& code) {
    if (code) {
        throw bpffs::error(code, std::string(what.verb), given, {}, what.wish);
    }
}

target find(const deed& what, const std::string& given) {
    bpffs::path full(given);
    while (full.has_parent_path() && full.filename() == ".") { // a slash at the end
        full = full.parent_path();
    }
    target found{given, {}, full.filename()};
    const bpffs::path above = full.has_parent_path() ? full.parent_path() : bpffs::path(".");
    bpffs::error_code code;
    found.parent = bpffs::directory::open(above, code);
    check_found(what, given, code);
    if (!found.parent.is_bpffs()) {
        found.parent = {};
        bpffs::error_code none;
        const bpffs::directory top = bpffs::directory::open(given, none);
        if (none || !top.is_bpffs()) {
            throw not_on_a_bpffs(what.verb, given);
        }
    }
    return found;
}

// All files, each looked at: `check` throws for one that cannot be meant.
template <typename Check>
std::vector<target> take_files(const deed& what, words& given, Check check) {
    std::vector<std::string> names = {given.next("a FILE")};
    while (!given.empty()) {
        names.push_back(given.next("a FILE"));
    }
    std::vector<target> found;
    failures wrong;
    for (const std::string& name : names) {
        try {
            found.push_back(find(what, name));
            bpffs::error_code code;
            const bpffs::pin_info info = bpffs::inspect(found.back().place(), code);
            check_found(what, name, code);
            check(found.back(), info);
        } catch (const std::exception& error) {
            wrong.add(error);
        }
    }
    wrong.throw_any();
    return found;
}

template <typename Change> void change_each(const std::vector<target>& files, Change change) {
    failures wrong;
    for (const target& file : files) {
        try {
            change(file.place());
        } catch (const std::exception& error) {
            wrong.add(error);
        }
    }
    wrong.throw_any();
}

void any_file(const target& /*file*/, const bpffs::pin_info& /*info*/) {}

// The tool for programs removes no map by a slip of the fingers.
void check_kind(const target& file, const bpffs::pin_info& info, bpffs::object_kind only) {
    if (info.kind && *info.kind != only) {
        throw failure(fmt::format("rm '{}': it holds a {}, not a {}", file.given,
                                  bpffs::to_string(*info.kind), bpffs::to_string(only)),
                      "rm(1) removes any pin.");
    }
    if (info.type == bpffs::file_type::directory) {
        throw failure(fmt::format("rm '{}': it is a directory", file.given),
                      "rmdir(1) removes an empty directory.");
    }
}

} // namespace

void pin_chmod(context& /*with*/, words& given) {
    const std::string text = given.next("a MODE");
    bpffs::error_code wrong;
    const bpffs::mode_change change = bpffs::mode_change::parse(text, wrong);
    if (wrong) {
        throw usage_error(fmt::format("'{}' is not a mode", text),
                          "A mode is octal, such as 0640, or symbolic: u=rw,g=r or a-w");
    }
    change_each(take_files({"chmod", bpffs::wanted::to_change_mode()}, given, any_file),
                [&](const bpffs::location& file) { bpffs::permissions(file, change); });
}

void pin_chown(context& /*with*/, words& given) {
    const ownership wanted = parse_ownership(given.next("an OWNER"));
    change_each(take_files({"chown", bpffs::wanted::to_change_owner()}, given, any_file),
                [&](const bpffs::location& file) {
                    bpffs::change_owner(file, wanted.owner, wanted.group);
                });
}

void remove_pins(words& given, bpffs::object_kind only) {
    const auto check = [&](const target& file, const bpffs::pin_info& info) {
        check_kind(file, info, only);
    };
    change_each(take_files({"rm", bpffs::wanted::to_remove()}, given, check),
                [](const bpffs::location& file) { bpffs::remove(file); });
}

} // namespace fsctl
