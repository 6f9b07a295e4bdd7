// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// pam_bpffs: gives a session its user's private directory (visible = "owner").
//
// It is in a mount namespace that no process is in. The session gets a namespace of its
// own, the same as its parent's but for /run/bpffs-private, where a copy of the user's
// mounts goes: what bpffs-admin mounts and unmounts there later shows in the session,
// and nothing that the session mounts elsewhere is kept from others. Who has no private
// directory stays in the namespace they are in, unless it is another user's session.
//
// It is loaded into programs that let people log in: it allocates no memory but through
// PAM, throws nothing, needs nothing but libpam, and touches no signal handler.
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

namespace {

constexpr const char* base = "/run/bpffs-private";
constexpr const char* administrators = "/run/bpffs-private/.admin";
constexpr const char* space = "/run/bpffs-private/.admin/namespace";
constexpr const char* space_from_outside = "/proc/1/root/run/bpffs-private/.admin/namespace";

class file {
public:
    explicit file(int fd) : fd_(fd) {}
    file(const file&) = delete;
    file& operator=(const file&) = delete;
    file(file&&) = delete;
    file& operator=(file&&) = delete;
    ~file() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

int open_namespace(const char* name) {
    const int fd = ::open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct statfs found = {};
    if (fd >= 0 && (::fstatfs(fd, &found) != 0 || found.f_type != NSFS_MAGIC)) {
        ::close(fd);
        return -1;
    }
    return fd;
}

// By the effective user: the real one is whoever has called su.
bool is_same_directory(const char* a, const char* b) {
    struct stat one = {};
    struct stat other = {};
    return ::stat(a, &one) == 0 && ::stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

// Kept where the system came up: a session does not see it, and is asked for it there.
int open_space() {
    const int fd = open_namespace(space);
    return fd >= 0 || !is_same_directory("/run", "/proc/1/root/run")
               ? fd
               : open_namespace(space_from_outside);
}

// Whether what is seen on `base` is what somebody's session has there.
bool is_covered() {
    struct stat there = {};
    struct stat run = {};
    struct stat own = {};
    return ::stat(base, &there) == 0 && ::stat("/run", &run) == 0 && there.st_dev != run.st_dev &&
           ::stat(administrators, &own) != 0;
}

// In a process of its own: the copy, in place of `slot`, which is in both processes'
// table of files. Returns 0 or errno.
int copy_mounts(int where, const char* users, int slot) {
    if (::setns(where, CLONE_NEWNS) != 0) {
        return errno;
    }
    const int tree = ::open_tree(AT_FDCWD, users,
                                 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
                                     static_cast<unsigned>(AT_SYMLINK_NOFOLLOW));
    if (tree < 0) {
        return errno;
    }
    // What is done there is passed on to here, and nothing from here to there.
    struct mount_attr attributes = {};
    attributes.propagation = MS_SLAVE;
    int error = 0;
    if (::mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) !=
            0 ||
        ::dup3(tree, slot, O_CLOEXEC) < 0) {
        error = errno;
    }
    ::close(tree);
    return error;
}

// By a process that shares the table of files and, as it ends, sends no signal that the
// program might take for one of its own children. 0 or errno.
int fetch_mounts(int where, const char* users, int slot) {
    const long child = ::syscall(SYS_clone, static_cast<unsigned long>(CLONE_FILES), 0, 0, 0, 0);
    if (child < 0) {
        return errno;
    }
    if (child == 0) {
        ::_exit(copy_mounts(where, users, slot));
    }
    int status = 0;
    while (::waitpid(static_cast<pid_t>(child), &status, __WCLONE) < 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

int fail(pam_handle_t* handle, const char* user, const char* step, int error) {
    errno = error;
    pam_syslog(handle, LOG_ERR, "the private directory of %s is not in this session: %s: %m", user,
               step);
    return PAM_SESSION_ERR;
}

// A namespace for the session, in which another user's directory, if it comes from a
// session of theirs, is not there any more. 0 or errno.
int leave_others() {
    if (::unshare(CLONE_NEWNS) != 0) {
        return errno;
    }
    while (is_covered()) {
        if (::umount2(base, MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
            return errno;
        }
    }
    // It is, unless somebody has made all mounts shared: what goes there would be everybody's.
    return ::mount(nullptr, base, nullptr, MS_PRIVATE, nullptr) != 0 ? errno : 0;
}

// The user's mounts in place of `slot`: 0 or errno, ENOENT where there are none.
int fetch_directory(const char* user, int slot) {
    char users[512] = "/users/";
    if (user[0] == '\0' || user[0] == '.' || std::strchr(user, '/') != nullptr ||
        std::strlen(user) + sizeof "/users/" > sizeof users) {
        return ENOENT; // no name that a directory has
    }
    std::strcat(users, user); // NOLINT: it fits
    const file where(open_space());
    return where.get() < 0 ? ENOENT : fetch_mounts(where.get(), users, slot);
}

int give(pam_handle_t* handle, const char* user) {
    const file mounts(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int error = mounts.get() < 0 ? errno : fetch_directory(user, mounts.get());
    if (error == ENOENT && !is_covered()) {
        return PAM_SUCCESS; // as most are
    }
    // Whatever went wrong, another one's directory is not for this user.
    if (error == 0 || is_covered()) {
        if (const int wrong = leave_others(); wrong != 0) {
            return fail(handle, user, "a namespace", wrong);
        }
    }
    if (error == ENOENT) {
        return PAM_SUCCESS;
    }
    if (error != 0) {
        return fail(handle, user, "a copy of it", error);
    }
    if (::move_mount(mounts.get(), "", AT_FDCWD, base, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
        return fail(handle, user, base, errno);
    }
    return PAM_SUCCESS;
}

// To somebody without an account.
int give_nothing() {
    return is_covered() && leave_others() != 0 ? PAM_SESSION_ERR : PAM_USER_UNKNOWN;
}

} // namespace

extern "C" {

// One uid is one user, who goes by the first of several names. What is root's is seen
// from where root comes from.
__attribute__((visibility("default"))) int
pam_sm_open_session(pam_handle_t* handle, int /*flags*/, int /*argc*/, const char** /*argv*/) {
    const char* name = nullptr;
    if (pam_get_user(handle, &name, nullptr) != PAM_SUCCESS || name == nullptr) {
        return give_nothing();
    }
    const struct passwd* account = pam_modutil_getpwnam(handle, name);
    if (account == nullptr) {
        return give_nothing();
    }
    if (account->pw_uid == 0) {
        return PAM_SUCCESS;
    }
    const struct passwd* first = pam_modutil_getpwuid(handle, account->pw_uid);
    return give(handle, first != nullptr ? first->pw_name : account->pw_name);
}

// The namespace goes with the last process that is in it.
__attribute__((visibility("default"))) int
pam_sm_close_session(pam_handle_t* /*handle*/, int /*flags*/, int /*argc*/, const char** /*argv*/) {
    return PAM_SUCCESS;
}
}
