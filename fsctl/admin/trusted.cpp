// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Walking to a directory, or to a file, that only root can change; see trusted.hpp.
#include "trusted.hpp"

#include "account.hpp"
#include "common/failure.hpp"

#include <bpffs/identity.hpp>
#include <bpffs/pin.hpp>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace fsctl {

namespace {

// What stands under this name must be fit to be walked through. Only root can
// change what the name means, since only root may write the directory it is in.
void check_component(const bpffs::path& shown, const bpffs::pin_info& found) {
    if (found.type == bpffs::file_type::symlink) {
        throw failure(fmt::format("'{}' is a symbolic link", shown.native()),
                      "Name the directory that it leads to: dir DIRECTORY");
    }
    if (found.type != bpffs::file_type::directory) {
        throw failure(fmt::format("'{}' is not a directory", shown.native()));
    }
    if (found.owner != 0 || (found.permissions.bits() & 0022U) != 0) {
        throw failure(fmt::format("'{}' can be changed by others than root: owner {}, mode {}",
                                  shown.native(), name_of_user(found.owner),
                                  found.permissions.octal()),
                      "Users' directories must be out of users' reach: choose another place with "
                      "dir DIRECTORY, or make this one root's with mode 0755.");
    }
    if ((found.permissions.bits() & 0001U) == 0) {
        throw failure(fmt::format("'{}' cannot be searched by users: mode {}", shown.native(),
                                  found.permissions.octal()),
                      fmt::format("chmod o+x '{}', or choose another place with dir DIRECTORY.",
                                  shown.native()));
    }
}

void step_into(trusted_directory& at, const bpffs::path& shown, if_absent missing) {
    const bpffs::location next(at.handle, shown.filename());
    bpffs::error_code code;
    bpffs::pin_info found = bpffs::inspect(next, code);
    if (code == boost::system::errc::no_such_file_or_directory && missing == if_absent::make) {
        bpffs::make_directory(next, bpffs::mode(0755));
        at.made.push_back(shown);
        bpffs::permissions(next, bpffs::mode(0755)); // whatever the umask
        found = bpffs::inspect(next);
    } else if (code) {
        throw bpffs::error(code, "open directory", shown);
    }
    check_component(shown, found);
    at.handle = bpffs::directory::open(next, bpffs::symlinks::refuse);
}

} // namespace

trusted_directory open_trusted(const bpffs::path& file, if_absent missing) {
    trusted_directory at;
    at.handle = bpffs::directory::open("/", bpffs::symlinks::refuse);
    bpffs::path shown = "/";
    try {
        for (const bpffs::path& component : file.relative_path()) {
            if (component.empty() || component == ".") {
                continue; // a slash at the end
            }
            shown /= component;
            step_into(at, shown, missing);
        }
    } catch (...) {
        for (auto made = at.made.rbegin(); made != at.made.rend(); ++made) {
            bpffs::error_code ignored;
            bpffs::remove_directory(*made, ignored);
        }
        throw;
    }
    return at;
}

namespace {

[[noreturn]] void fail(const bpffs::path& file, int error, const std::string& what) {
    throw failure(
        fmt::format("{}: {}: {}", file.native(), what,
                    bpffs::error_code(error, boost::system::system_category()).message()));
}

bool others_may_change(const struct stat& found) {
    return found.st_uid != 0 || (found.st_mode & 0022U) != 0;
}

std::string whose(const struct stat& found) {
    return fmt::format("owner {}, mode {:04o}", name_of_user(found.st_uid), found.st_mode & 07777U);
}

// On the way to `file`, by links too, one name after the other. Nobody can change
// what a name stands for once the directory that it is in has been looked at.
class roots_way {
public:
    explicit roots_way(const bpffs::path& file) : file_(file) {
        start_again();
        add(file.native());
    }

    // Whether there is another name, which is entered where it is a directory.
    bool step();
    // What step() has come to last: a directory, or what is none.
    [[nodiscard]] const bpffs::path& shown() const { return shown_; }
    [[nodiscard]] const struct stat& found() const { return found_; }
    [[nodiscard]] bool missing() const { return missing_; }
    // Opens it for reading, by its name.
    [[nodiscard]] bpffs::owned_fd open_it() const {
        return bpffs::owned_fd::adopt(::openat(above_.get(), shown_.filename().c_str(),
                                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    }

private:
    void start_again();
    void add(const std::string& names);
    void enter(bpffs::owned_fd directory, bpffs::path shown);
    void follow(const bpffs::owned_fd& link);

    const bpffs::path& file_;
    std::deque<std::string> names_;
    bpffs::owned_fd at_;
    bpffs::owned_fd above_; // where the last name was, which is no directory
    bpffs::path in_ = "/";
    bpffs::path shown_ = "/";
    struct stat found_ = {};
    unsigned links_ = 0;
    bool missing_ = false;
};

void roots_way::start_again() {
    enter(bpffs::owned_fd::adopt(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)), "/");
}

void roots_way::add(const std::string& names) {
    const bpffs::path text(names);
    std::size_t at = 0;
    for (const bpffs::path& each : text.relative_path()) {
        names_.insert(names_.begin() + static_cast<std::ptrdiff_t>(at++), each.native());
    }
}

void roots_way::enter(bpffs::owned_fd directory, bpffs::path shown) {
    if (!directory || ::fstat(directory.get(), &found_) != 0) {
        fail(file_, errno, fmt::format("'{}' cannot be opened", shown.native()));
    }
    if (others_may_change(found_)) {
        throw failure(
            fmt::format("{}: '{}' can be changed by others than root, and what is in it with it: "
                        "{}",
                        file_.native(), shown.native(), whose(found_)),
            fmt::format("chown root '{0}' && chmod go-w '{0}'", shown.native()));
    }
    at_ = std::move(directory);
    in_ = shown;
    shown_ = std::move(shown);
}

void roots_way::follow(const bpffs::owned_fd& link) {
    constexpr unsigned most = 40; // as the kernel has it
    std::array<char, PATH_MAX> text{};
    const ssize_t size = ::readlinkat(link.get(), "", text.data(), text.size());
    if (size <= 0 || ++links_ > most) {
        fail(file_, size <= 0 ? errno : ELOOP,
             fmt::format("the symbolic link '{}' leads nowhere", shown_.native()));
    }
    const std::string target(text.data(), static_cast<std::size_t>(size));
    if (target.front() == '/') {
        start_again();
    }
    add(target);
}

bool roots_way::step() {
    if (names_.empty()) {
        return false;
    }
    const std::string name = std::move(names_.front());
    names_.pop_front();
    if (name == "." || name.empty()) {
        return true;
    }
    if (name == "..") {
        enter(bpffs::owned_fd::adopt(::openat(at_.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC)),
              in_.has_parent_path() ? in_.parent_path() : in_);
        return true;
    }
    shown_ = in_ / name;
    bpffs::owned_fd next =
        bpffs::owned_fd::adopt(::openat(at_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    missing_ = !next && errno == ENOENT;
    if (missing_) {
        names_.clear();
        return true;
    }
    if (!next || ::fstat(next.get(), &found_) != 0) {
        fail(file_, errno, fmt::format("'{}' cannot be opened", shown_.native()));
    }
    if (S_ISLNK(found_.st_mode)) {
        follow(next);
    } else if (S_ISDIR(found_.st_mode)) {
        enter(std::move(next), shown_);
    } else if (names_.empty()) {
        above_ = std::move(at_);
    } else {
        fail(file_, ENOTDIR, fmt::format("'{}'", shown_.native()));
    }
    return true;
}

} // namespace

bpffs::owned_fd open_roots_file(const bpffs::path& file) {
    roots_way way(file);
    while (way.step()) {
    }
    const bool null_device = S_ISCHR(way.found().st_mode) && way.found().st_rdev == ::makedev(1, 3);
    if (way.missing()) {
        fail(file, ENOENT, fmt::format("'{}'", way.shown().native()));
    }
    if (!null_device && !S_ISREG(way.found().st_mode)) {
        throw failure(fmt::format("{}: '{}' is no file", file.native(), way.shown().native()));
    }
    if (!null_device && others_may_change(way.found())) {
        throw failure(fmt::format("{}: others than root may change '{}': {}", file.native(),
                                  way.shown().native(), whose(way.found())),
                      fmt::format("chown root '{0}' && chmod 0644 '{0}'", way.shown().native()));
    }
    bpffs::owned_fd open = way.open_it();
    if (!open) {
        fail(file, errno, "cannot be read");
    }
    return open;
}

void check_roots_directory(const bpffs::path& directory) {
    roots_way way(directory);
    while (way.step()) {
    }
    if (!way.missing() && !S_ISDIR(way.found().st_mode)) {
        fail(directory, ENOTDIR, fmt::format("'{}'", way.shown().native()));
    }
}

void require_root() {
    constexpr unsigned sys_admin = 21;
    const bpffs::identity caller = bpffs::identity::of_caller();
    if (caller.user != 0 || !caller.has_capability(sys_admin)) {
        throw failure(fmt::format("only root gives users directories, and this is {}{}",
                                  name_of_user(caller.user),
                                  caller.user == 0 ? " without CAP_SYS_ADMIN" : ""),
                      "Mounting takes CAP_SYS_ADMIN: run it as root, or through sudo.");
    }
}

} // namespace fsctl
