// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Counting a child's system calls with ptrace(2), and killing it; see kill_everywhere.hpp.
#include "kill_everywhere.hpp"

#include <csignal>

#include <gtest/gtest.h>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

enum class end { killed, by_itself, not_traced };

// What changes nothing outside of the process is no place of its own to be killed at.
bool counts(pid_t child) {
    user_regs_struct registers = {};
    if (::ptrace(PTRACE_GETREGS, child, nullptr, &registers) != 0) {
        return true;
    }
    switch (registers.orig_rax) {
    case SYS_brk:
    case SYS_mmap:
    case SYS_munmap:
    case SYS_read:
    case SYS_pread64:
    case SYS_lseek:
    case SYS_close:
    case SYS_newfstatat:
    case SYS_statx:
    case SYS_readlink:
    case SYS_readlinkat:
    case SYS_getdents64:
    case SYS_futex:
        return false;
    default:
        return true;
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
