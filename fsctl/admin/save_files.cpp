// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Files of saves; see save_files.hpp.
#include "save_files.hpp"

#include "account.hpp"
#include "common/failure.hpp"

#include <bpffs/identity.hpp>
#include <bpffs/pin.hpp>

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace fsctl {

namespace {

[[noreturn]] void fail(const std::string& what, const bpffs::path& shown) {
    const bpffs::error_code code(errno, boost::system::system_category());
    throw failure(fmt::format("{} '{}': {}", what, shown.native(), code.message()));
}

// Nobody else may change what is in there, or put another directory in its place.
void check_component(const bpffs::path& shown, const bpffs::file_info& found, uid_t caller) {
    if (found.type != bpffs::file_type::directory) {
        throw failure(fmt::format("'{}' is no directory", shown.native()),
                      "Symbolic links are not followed here; name the directory itself.");
    }
    const bool sticky = (found.permissions.bits() & 01000U) != 0;
    if ((found.owner != 0 && found.owner != caller) ||
        ((found.permissions.bits() & 0022U) != 0 && !sticky)) {
        throw failure(fmt::format("'{}' can be changed by others: owner {}, mode {}",
                                  shown.native(), name_of_user(found.owner),
                                  found.permissions.octal()),
                      "Choose a directory that is yours alone.");
    }
}

bpffs::directory enter(const bpffs::directory& at, const bpffs::path& shown, uid_t caller,
                       if_no_place missing) {
    const bpffs::location next(at, shown.filename());
    bpffs::error_code code;
    bpffs::file_info found = bpffs::look_at(next, code);
    if (code == boost::system::errc::no_such_file_or_directory && missing == if_no_place::make) {
        bpffs::make_directory(next, bpffs::mode(0700));
        found = bpffs::look_at(next);
    } else if (code) {
        throw bpffs::error(code, "open directory", shown);
    }
    check_component(shown, found, caller);
    return bpffs::directory::open(next, bpffs::symlinks::refuse);
}

void sync(int fd, const bpffs::path& shown) {
    if (::fsync(fd) != 0) {
        fail("bring to the disk", shown);
    }
}

// An O_PATH descriptor cannot be synced.
void sync_directory(const bpffs::directory& which) {
    const int fd = ::openat(which.fd().get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        fail("open", which.name());
    }
    const bpffs::owned_fd held = bpffs::owned_fd::adopt(fd);
    sync(fd, which.name());
}

} // namespace

// A directory of plain files.
void remove_save(const bpffs::directory& place, const std::string& name) {
    bpffs::error_code code;
    const bpffs::directory inside =
        bpffs::directory::open({place, name}, bpffs::symlinks::refuse, code);
    if (code == boost::system::errc::no_such_file_or_directory) {
        return;
    }
    if (code) {
        throw bpffs::error(code, "open directory", place.name() / name);
    }
    std::vector<std::string> names;
    inside.for_each([&](const bpffs::directory_entry& entry) {
        names.push_back(entry.name);
        return true;
    });
    for (const std::string& each : names) {
        bpffs::remove({inside, each});
    }
    bpffs::remove_directory({place, name});
}

bpffs::directory open_save_place(const bpffs::path& where, if_no_place missing) {
    const uid_t caller = bpffs::identity::of_caller().user;
    bpffs::directory at = bpffs::directory::open("/", bpffs::symlinks::refuse);
    bpffs::path shown = "/";
    for (const bpffs::path& component : where.relative_path()) {
        if (!component.empty() && component != ".") {
            shown /= component;
            at = enter(at, shown, caller, missing);
        }
    }
    return at;
}

namespace {

constexpr const char* refused_mark = "refused";

// One that gives way to newer ones, unless it has what is nowhere else.
void retire(const bpffs::directory& place, const std::string& name, const std::string& old) {
    bpffs::error_code absent;
    (void)bpffs::look_at({place, old + "/" + refused_mark}, absent);
    if (absent) {
        remove_save(place, old);
        return;
    }
    bpffs::error_code taken = make_error_code(boost::system::errc::file_exists);
    for (unsigned count = 1; taken == boost::system::errc::file_exists; ++count) {
        const std::string kept =
            fmt::format("{}~refused{}", name, count == 1 ? std::string() : std::to_string(count));
        bpffs::rename({place, old}, {place, kept}, bpffs::on_conflict::fail, taken);
    }
    if (taken) {
        throw bpffs::error(taken, "rename", place.name() / old);
    }
}

} // namespace

new_save::new_save(const bpffs::directory& place, std::string name)
    : place_(place), name_(std::move(name)), working_(name_ + "~new") {
    retire(place_, name_, working_); // one that was killed while it exchanged them left the old one
    bpffs::make_directory({place_, working_}, bpffs::mode(0700));
    inside_ = bpffs::directory::open({place_, working_}, bpffs::symlinks::refuse);
}

new_save::~new_save() {
    try {
        retire(place_, name_, working_);
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): the next run tries again
    }
}

void new_save::add(const std::function<void(std::FILE*)>& write) {
    add(fmt::format("{:06}.map", files_++), write);
}

void new_save::add(const std::string& file, const std::function<void(std::FILE*)>& write) {
    const bpffs::path shown = inside_.name() / file;
    const int fd =
        ::openat(inside_.fd().get(), file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail("make", shown);
    }
    const file_handle to(::fdopen(fd, "w"), &std::fclose);
    if (!to) {
        ::close(fd);
        fail("make", shown);
    }
    try {
        write(to.get());
    } catch (const failure& error) {
        throw failure(fmt::format("'{}': {}", shown.native(), error.what()), error.remedy());
    }
    sync(fd, shown);
}

void mark_refused(const bpffs::directory& place, const std::string& name) {
    const bpffs::directory inside = bpffs::directory::open({place, name}, bpffs::symlinks::refuse);
    const int fd = ::openat(inside.fd().get(), refused_mark,
                            O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    const bpffs::owned_fd held = bpffs::owned_fd::adopt(fd);
    if (fd < 0) {
        fail("make", inside.name() / refused_mark);
    }
    sync_directory(inside);
}

void new_save::finish() {
    sync_directory(inside_);
    const bpffs::location working(place_, working_);
    const bpffs::location there(place_, name_);
    bpffs::error_code code;
    bpffs::rename(working, there, bpffs::on_conflict::fail, code);
    if (code == boost::system::errc::file_exists) {
        const std::string old = name_ + "~old";
        retire(place_, name_, old);
        bpffs::rename(working, there, bpffs::on_conflict::exchange);
        bpffs::rename(working, {place_, old});
    } else if (code) {
        throw bpffs::error(code, "rename", there.display());
    }
    sync_directory(place_);
}

std::vector<std::string> files_of_save(const bpffs::directory& place, const std::string& name) {
    bpffs::error_code code;
    const bpffs::directory inside =
        bpffs::directory::open({place, name}, bpffs::symlinks::refuse, code);
    std::vector<std::string> names;
    if (code == boost::system::errc::no_such_file_or_directory) {
        return names;
    }
    if (code) {
        throw bpffs::error(code, "open directory", place.name() / name);
    }
    inside.for_each([&](const bpffs::directory_entry& entry) {
        if (entry.name.ends_with(".map")) {
            names.push_back(entry.name);
        }
        return true;
    });
    std::sort(names.begin(), names.end());
    return names;
}

namespace {

file_handle try_open(const bpffs::directory& place, const std::string& name,
                     const std::string& file) {
    const bpffs::directory inside = bpffs::directory::open({place, name}, bpffs::symlinks::refuse);
    const int fd =
        ::openat(inside.fd().get(), file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    file_handle from(fd < 0 ? nullptr : ::fdopen(fd, "r"), &std::fclose);
    if (!from && fd >= 0) {
        const int error = errno;
        ::close(fd);
        errno = error;
    }
    return from;
}

} // namespace

file_handle open_saved(const bpffs::directory& place, const std::string& name,
                       const std::string& file) {
    file_handle from = try_open(place, name, file);
    if (!from) {
        fail("open", place.name() / name / file);
    }
    return from;
}

std::optional<file_handle> find_saved(const bpffs::directory& place, const std::string& name,
                                      const std::string& file) {
    file_handle from = try_open(place, name, file);
    if (!from && errno == ENOENT) {
        return std::nullopt;
    }
    if (!from) {
        fail("open", place.name() / name / file);
    }
    return from;
}

} // namespace fsctl
