// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Files beside systemd's units; see memory_limits.hpp.
#include "memory_limits.hpp"

#include "common/failure.hpp"
#include "trusted.hpp"

#include <bpffs/pin.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fsctl {

namespace {

constexpr const char* units = "/run/systemd/system"; // there where systemd runs: sd_booted(3)
constexpr const char* file_name = "50-bpffs.conf";
// There while systemd may not know of all that is set: whoever is killed, or is not
// listened to, leaves it to the next one.
constexpr const char* untold = "/run/bpffs-admin.reload";
constexpr std::string_view key = "MemoryMax=";

std::string directory_of(uid_t user) {
    return fmt::format("user-{}.slice.d", user);
}

[[noreturn]] void fail(const char* what, const bpffs::path& file) {
    throw failure(
        fmt::format("{} '{}': {}", what, file.native(),
                    bpffs::error_code(errno, boost::system::system_category()).message()));
}

// "user-1000.slice.d"
std::optional<uid_t> user_of(std::string_view name) {
    constexpr std::string_view before = "user-";
    constexpr std::string_view behind = ".slice.d";
    if (!name.starts_with(before) || !name.ends_with(behind)) {
        return std::nullopt;
    }
    name.remove_prefix(before.size());
    name.remove_suffix(std::min(behind.size(), name.size()));
    uid_t user = 0;
    const auto [stop, code] = std::from_chars(name.data(), name.data() + name.size(), user);
    return code == std::errc() && stop == name.data() + name.size() ? std::optional(user)
                                                                    : std::nullopt;
}

memory_size size_in(std::string_view text) {
    const std::size_t at = text.find(key);
    memory_size size;
    if (at != std::string_view::npos) {
        text.remove_prefix(at + key.size());
        std::from_chars(text.data(), text.data() + text.size(), size.bytes);
    }
    return size;
}

void note_untold() {
    const int fd = ::open(untold, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    const bpffs::owned_fd held = bpffs::owned_fd::adopt(fd);
    if (fd < 0) {
        fail("make", untold);
    }
}

// Beside the one that counts, and then in its place.
void write(const bpffs::directory& in, memory_size most) {
    const std::string working = fmt::format("{}~", file_name);
    const std::string text = fmt::format(
        "# By bpffs-admin apply, which makes it again: see /etc/bpffs.d.\n[Slice]\n{}{}\n", key,
        most.bytes);
    const int fd = ::openat(in.fd().get(), working.c_str(),
                            O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    const bpffs::owned_fd held = bpffs::owned_fd::adopt(fd);
    if (fd < 0 || ::fchmod(fd, 0644) != 0 || // whatever the umask
        ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        const int error = errno;
        ::unlinkat(in.fd().get(), working.c_str(), 0);
        errno = error;
        fail("write", in.name() / file_name);
    }
    if (::renameat(in.fd().get(), working.c_str(), in.fd().get(), file_name) != 0) {
        fail("write", in.name() / file_name);
    }
}

} // namespace

memory_size memory_limits::of(uid_t user) const {
    const bpffs::path file = bpffs::path(units) / directory_of(user) / file_name;
    const int fd = ::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return {};
    }
    const bpffs::owned_fd held = bpffs::owned_fd::adopt(fd);
    std::array<char, 1024> text{};
    const ssize_t size = fd < 0 ? -1 : ::read(fd, text.data(), text.size());
    if (size < 0) {
        fail("read", file);
    }
    return size_in({text.data(), static_cast<std::size_t>(size)});
}

void memory_limits::set(uid_t user, memory_size most) {
    if (of(user) == most) {
        return;
    }
    struct stat there = {};
    if (::stat(units, &there) != 0) {
        throw failure(fmt::format("memory cannot be bounded: systemd does not run here, whose "
                                  "user-{}.slice it would be",
                                  user),
                      "Leave out 'memory'.");
    }
    const trusted_directory all = open_trusted(units, if_absent::fail);
    note_untold(); // first: it may be set and this one killed
    const bpffs::location place(all.handle, directory_of(user));
    if (most.bytes != 0) {
        bpffs::error_code code;
        bpffs::make_directory(place, bpffs::mode(0755), code);
        if (code && code != boost::system::errc::file_exists) {
            throw bpffs::error(code, "make directory", place.display());
        }
        write(bpffs::directory::open(place, bpffs::symlinks::refuse), most);
    } else {
        bpffs::remove({bpffs::directory::open(place, bpffs::symlinks::refuse), file_name});
        bpffs::error_code others; // may have files there, too
        bpffs::remove_directory(place, others);
    }
}

void memory_limits::drop(uid_t user) {
    try {
        set(user, {});
    } catch (const std::exception& error) {
        throw failure(fmt::format("uid {} stays bounded in memory, without a directory: {}", user,
                                  describe(error).message),
                      fmt::format("rm '{}/{}/{}'; systemctl daemon-reload", units,
                                  directory_of(user), file_name));
    }
}

std::vector<uid_t> memory_limits::users() const {
    std::vector<uid_t> all;
    bpffs::error_code code;
    const bpffs::directory top = bpffs::directory::open(units, code);
    if (code) {
        return all; // no systemd
    }
    top.for_each([&](const bpffs::directory_entry& entry) {
        if (const auto user = user_of(entry.name); user && of(*user).bytes != 0) {
            all.push_back(*user);
        }
        return true;
    });
    std::sort(all.begin(), all.end());
    return all;
}

namespace {

// While it is there a child can be waited for, and so can the child's own ones,
// although whoever has started this one lets them go unseen.
class children_seen {
public:
    children_seen() {
        struct sigaction usual = {};
        usual.sa_handler = SIG_DFL;
        ::sigaction(SIGCHLD, &usual, &before_);
    }
    children_seen(const children_seen&) = delete;
    children_seen& operator=(const children_seen&) = delete;
    children_seen(children_seen&&) = delete;
    children_seen& operator=(children_seen&&) = delete;
    ~children_seen() { ::sigaction(SIGCHLD, &before_, nullptr); }

private:
    struct sigaction before_ = {};
};

// By its full name, with nothing of the caller's environment: a log-in runs this, too.
pid_t start_reload() {
    std::array<char, 19> tool{"/usr/bin/systemctl"};
    std::array<char, 14> word{"daemon-reload"};
    std::array<char*, 3> words = {tool.data(), word.data(), nullptr};
    std::array<char, 32> path{"PATH=/usr/sbin:/usr/bin"};
    std::array<char, 9> language{"LC_ALL=C"};
    std::array<char*, 3> environment = {path.data(), language.data(), nullptr};
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    pid_t child = -1;
    const int error =
        ::posix_spawn(&child, tool.data(), &files, nullptr, words.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&files);
    return error == 0 ? child : -1;
}

// Others wait for this one meanwhile, those who log in among them.
bool ends_well(pid_t child) {
    constexpr std::chrono::seconds most(20);
    constexpr std::chrono::milliseconds pause(5);
    const auto end = std::chrono::steady_clock::now() + most;
    int status = -1;
    pid_t ended = 0;
    while ((ended = ::waitpid(child, &status, WNOHANG)) == 0) {
        if (std::chrono::steady_clock::now() >= end) {
            ::kill(child, SIGKILL);
            ::waitpid(child, nullptr, 0);
            return false;
        }
        std::this_thread::sleep_for(pause);
    }
    return ended == child && status == 0;
}

} // namespace

void memory_limits::tell_systemd() {
    struct stat there = {};
    if (::lstat(untold, &there) != 0 || ::stat("/run/systemd/private", &there) != 0) {
        return; // nothing to tell, or nobody
    }
    const children_seen seen;
    const pid_t child = start_reload();
    if (child < 0 || !ends_well(child)) {
        throw failure("systemd has not been told of the bounds of memory",
                      "'systemctl daemon-reload' does that.");
    }
    ::unlink(untold);
}

} // namespace fsctl
