// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Finding and making the namespace of private directories; see private_places.hpp.
#include "private_places.hpp"

#include "common/failure.hpp"

#include <bpffs/identity.hpp>
#include <bpffs/pin.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fsctl {

namespace {

constexpr const char* admin_directory = ".admin";
constexpr const char* space_file = "namespace";
constexpr const char* users = "/users";
constexpr const char* first_process = "/proc/1/root"; // as seen from there

std::string place_of_space() {
    return fmt::format("{}/{}/{}", private_base, admin_directory, space_file);
}

std::string words_of(int error) {
    return bpffs::error_code(error, boost::system::system_category()).message();
}

[[noreturn]] void fail(std::string_view what) {
    throw failure(fmt::format("private directories cannot be made: {}: {}", what, words_of(errno)));
}

// Empty where the name stands for no namespace: it is a plain file until one is kept
// there, and for whoever is in a namespace that was made since.
bpffs::owned_fd open_space(const std::string& file) {
    bpffs::owned_fd open =
        bpffs::owned_fd::adopt(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    struct statfs found = {};
    if (!open || ::fstatfs(open.get(), &found) != 0 || found.f_type != NSFS_MAGIC) {
        return {};
    }
    return open;
}

bool is_same(const std::string& a, const std::string& b) {
    struct stat one = {};
    struct stat other = {};
    return ::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0 &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool has_run_of_first_process() {
    return is_same("/run", fmt::format("{}/run", first_process));
}

// What is made in the namespace of a session is gone with it.
void check_outside_of_sessions() {
    if (!is_same("/proc/self/ns/mnt", "/proc/1/ns/mnt") && has_run_of_first_process()) {
        throw failure("private directories cannot be made from within a session or a service that "
                      "has mounts of its own",
                      "nsenter --target 1 --mount bpffs-admin apply");
    }
}

// The mount that sessions put their owner's on. One that a killed process has left is
// completed.
bpffs::owned_fd open_admin_directory() {
    const std::string whole = fmt::format("{}/{}", private_base, admin_directory);
    return bpffs::owned_fd::adopt(
        ::open(whole.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

void mount_base() {
    if (::mkdir(private_base, 0755) == 0) {
        ::chmod(private_base, 0755); // whatever the umask
    } else if (errno != EEXIST) {
        fail(private_base);
    }
    const bpffs::owned_fd context = bpffs::owned_fd::adopt(::fsopen("tmpfs", FSOPEN_CLOEXEC));
    if (!context || ::fsconfig(context.get(), FSCONFIG_SET_STRING, "source", "bpffs.d", 0) != 0 ||
        ::fsconfig(context.get(), FSCONFIG_SET_STRING, "mode", "0755", 0) != 0 ||
        ::fsconfig(context.get(), FSCONFIG_SET_STRING, "nr_inodes", "16", 0) != 0 ||
        ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        fail("a tmpfs");
    }
    const bpffs::owned_fd root = bpffs::owned_fd::adopt(::fsmount(
        context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
    if (!root || ::mkdirat(root.get(), admin_directory, 0700) != 0) {
        fail("a tmpfs");
    }
    const std::string inside = fmt::format("{}/{}", admin_directory, space_file);
    const bpffs::owned_fd file = bpffs::owned_fd::adopt(
        ::openat(root.get(), inside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file ||
        ::move_mount(root.get(), "", AT_FDCWD, private_base, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
        fail(private_base);
    }
}

bpffs::owned_fd prepare_base() {
    bpffs::owned_fd there = open_admin_directory();
    if (!there) {
        struct stat base = {};
        struct stat above = {};
        if (::lstat(private_base, &base) == 0 && ::lstat("/run", &above) == 0 &&
            base.st_dev != above.st_dev) {
            throw failure(fmt::format("'{}' is in use for something else", private_base),
                          "Private directories are made from outside of sessions: nsenter "
                          "--target 1 --mount bpffs-admin apply");
        }
        mount_base();
        there = open_admin_directory();
    }
    // What a session puts there stays in it; and only so can the namespace be kept.
    if (!there || ::mount(nullptr, private_base, nullptr, MS_PRIVATE, nullptr) != 0) {
        fail(private_base);
    }
    return there;
}

// In the process that makes it: a namespace with nothing of the system but /proc, so
// that it keeps nobody else's mounts busy. Returns the step that failed, with errno.
const char* make_space() {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return "a mount namespace";
    }
    if (::mount("bpffs.d", private_base, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") !=
            0 ||
        ::chdir(private_base) != 0) {
        return "a tmpfs";
    }
    for (const char* each : {"proc", "users", "old"}) {
        if (::mkdir(each, 0700) != 0) {
            return "a directory";
        }
    }
    if (::mount("/proc", "proc", nullptr, MS_BIND, nullptr) != 0) {
        return "/proc";
    }
    if (::mount("bpffs.d", "users", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") != 0 ||
        ::mount(nullptr, "users", nullptr, MS_SHARED, nullptr) != 0) {
        return "a tmpfs";
    }
    if (::syscall(SYS_pivot_root, ".", "old") != 0 || ::chdir("/") != 0 ||
        ::umount2("old", MNT_DETACH) != 0 || ::rmdir("old") != 0) {
        return "pivot_root";
    }
    return nullptr;
}

struct made_space {
    std::array<char, 64> failed{};
    int error = 0;
};

// Until `line` is closed: then the namespace is kept, or nobody wants it any more.
[[noreturn]] void hold_space(int reply, int line) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    made_space made;
    if (const char* failed = make_space()) {
        made.error = errno;
        std::string_view(failed).copy(made.failed.data(), made.failed.size() - 1);
    }
    if (::write(reply, &made, sizeof made) != sizeof made) {
        ::_exit(1);
    }
    char none = 0;
    (void)!::read(line, &none, 1);
    ::_exit(0);
}

struct pipe_ends {
    bpffs::owned_fd out;
    bpffs::owned_fd in;
};

pipe_ends make_pipe() {
    std::array<int, 2> ends = {-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        fail("a pipe");
    }
    return {bpffs::owned_fd::adopt(ends[0]), bpffs::owned_fd::adopt(ends[1])};
}

void keep_space(const bpffs::owned_fd& in) {
    pipe_ends reply = make_pipe();
    pipe_ends line = make_pipe();
    const pid_t child = ::fork();
    if (child < 0) {
        fail("a process");
    }
    if (child == 0) {
        reply.out.reset();
        line.in.reset(); // or it would never see the end
        hold_space(reply.in.get(), line.out.get());
    }
    reply.in.reset();
    made_space made;
    const bool answered = ::read(reply.out.get(), &made, sizeof made) == sizeof made;
    int error = answered ? made.error : ECHILD;
    std::string failed = answered ? made.failed.data() : "a process";
    if (error == 0) {
        const std::string space = fmt::format("/proc/{}/ns/mnt", child);
        const std::string file = fmt::format("/proc/self/fd/{}/{}", in.get(), space_file);
        if (::mount(space.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) != 0) {
            error = errno;
            failed = place_of_space();
        }
    }
    line.in.reset();
    ::waitpid(child, nullptr, 0);
    if (error != 0) {
        errno = error;
        fail(failed);
    }
}

} // namespace

bool is_private(const bpffs::path& directory) {
    return directory.parent_path() == private_base;
}

std::optional<private_places> private_places::find() {
    if (bpffs::identity::of_caller().user != 0) {
        return std::nullopt;
    }
    bpffs::owned_fd space = open_space(place_of_space());
    if (!space && has_run_of_first_process()) { // in a session, say, which comes from there
        space = open_space(first_process + place_of_space());
    }
    return space ? std::optional(private_places(std::move(space))) : std::nullopt;
}

private_places private_places::make() {
    if (std::optional<private_places> there = find()) {
        return std::move(*there);
    }
    check_outside_of_sessions();
    keep_space(prepare_base());
    std::optional<private_places> made = find();
    if (!made) {
        fail(place_of_space());
    }
    return std::move(*made);
}

bpffs::directory private_places::of(const std::string& user, if_none missing) const {
    const std::string whole = fmt::format("{}/{}", users, user);
    const mount_view::inside guard = view_.enter();
    if (missing == if_none::make && ::mkdir(whole.c_str(), 0755) == 0) {
        ::chmod(whole.c_str(), 0755); // whatever the umask
    }
    bpffs::owned_fd open = bpffs::owned_fd::adopt(
        ::open(whole.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!open) {
        if (errno == ENOENT && missing == if_none::nothing) {
            return {};
        }
        fail(whole);
    }
    return bpffs::directory::adopt(std::move(open), private_base);
}

std::unique_ptr<std::istream> private_places::mounts() const {
    const mount_view::inside guard = view_.enter();
    return std::make_unique<std::ifstream>("/proc/self/mountinfo");
}

std::optional<bpffs::path> private_places::shown_as(const bpffs::path& in_there) {
    const bpffs::path name = in_there.filename();
    if (in_there.parent_path() != bpffs::path(users) / name) {
        return std::nullopt;
    }
    return bpffs::path(private_base) / name;
}

void each_mount(const std::optional<private_places>& hidden,
                const std::function<void(bpffs::mount_info&&)>& use) {
    std::ifstream table("/proc/self/mountinfo");
    for (std::string line; std::getline(table, line);) {
        bpffs::mount_info one = bpffs::mount_info::parse(line);
        // Where all are seen, what a session has is only a copy of them.
        if (!hidden || !is_private(one.mount_point)) {
            use(std::move(one));
        }
    }
    if (table.bad() || !table.is_open()) {
        throw failure("/proc/self/mountinfo cannot be read", "It takes a /proc.");
    }
    if (!hidden) {
        return;
    }
    const std::unique_ptr<std::istream> more = hidden->mounts();
    for (std::string line; std::getline(*more, line);) {
        bpffs::mount_info one = bpffs::mount_info::parse(line);
        if (const auto shown = private_places::shown_as(one.mount_point)) {
            one.mount_point = *shown;
            use(std::move(one));
        }
    }
}

std::vector<bpffs::mount_info> all_mounts(const std::optional<private_places>& hidden) {
    std::vector<bpffs::mount_info> all;
    each_mount(hidden, [&](bpffs::mount_info&& one) { all.push_back(std::move(one)); });
    return all;
}

bpffs::directory open_users_directory(const std::optional<private_places>& hidden,
                                      const bpffs::path& directory, bpffs::error_code& code) {
    if (!hidden || !is_private(directory)) {
        return bpffs::directory::open(directory, bpffs::symlinks::refuse, code);
    }
    const bpffs::directory base =
        hidden->of(directory.filename().native(), private_places::if_none::nothing);
    if (!base) {
        code = bpffs::error_code(ENOENT, boost::system::system_category());
        return {};
    }
    return bpffs::directory::open({base, directory.filename()}, bpffs::symlinks::refuse, code);
}

} // namespace fsctl
