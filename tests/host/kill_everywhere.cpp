// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Counting a child's system calls with ptrace(2), and killing it; see kill_everywhere.hpp.
#include "kill_everywhere.hpp"

#include <csignal>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

enum class end { killed, by_itself, not_traced };

// Whether the call that the child enters can change something outside of it.
bool counts(pid_t child) {
    user_regs_struct registers = {};
    if (::ptrace(PTRACE_GETREGS, child, nullptr, &registers) != 0) {
        return true;
    }
    switch (registers.orig_rax) {
    case SYS_openat:
        return (registers.rdx & O_CREAT) != 0;
    case SYS_write:
    case SYS_fsync:
    case SYS_ftruncate:
    case SYS_mkdir:
    case SYS_mkdirat:
    case SYS_mknodat:
    case SYS_symlinkat:
    case SYS_linkat:
    case SYS_unlink:
    case SYS_rmdir:
    case SYS_unlinkat:
    case SYS_rename:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_chmod:
    case SYS_fchmod:
    case SYS_fchmodat:
    case SYS_fchown:
    case SYS_fchownat:
    case SYS_fsconfig:
    case SYS_mount:
    case SYS_move_mount:
    case SYS_mount_setattr:
    case SYS_umount2:
    case SYS_bpf:
        return true;
    default:
        return false;
    }
}

end run_until(int call, const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
            ::_exit(99);
        }
        ::raise(SIGSTOP);
        work();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) {
        return end::not_traced;
    }
    int entered = 0;
    for (bool entering = true;; entering = !entering) {
        ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
        ::waitpid(child, &status, 0);
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            return end::by_itself;
        }
        if (entering && counts(child) && ++entered == call) {
            ::kill(child, SIGKILL);
            ::waitpid(child, &status, 0);
            return end::killed;
        }
    }
}

} // namespace

int kill_at_every_call(const std::function<void()>& work, const std::function<void(int)>& check) {
    for (int call = 1;; call++) {
        const end how = run_until(call, work);
        if (how == end::not_traced) {
            return -1;
        }
        check(call);
        if (how == end::by_itself || testing::Test::HasFailure()) {
            return call - 1;
        }
    }
}

} // namespace bpffs_test
