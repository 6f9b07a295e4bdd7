// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Runs a command and writes what it has spent to a file: microseconds of processor time, its own,
// the kernel's for it, and of the processes it has waited for, and the most memory that one of them
// has had, in KiB. In a machine where one instruction takes a nanosecond that is a count.
//   bench_spent FILE COMMAND [ARGUMENT]...
#include <cstdio>
#include <cstdlib>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

long long microseconds(const timeval& time) {
    return static_cast<long long>(time.tv_sec) * 1000000 + time.tv_usec;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fputs("usage: bench_spent FILE COMMAND [ARGUMENT]...\n", stderr);
        return 2;
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::execv(argv[2], argv + 2);
        std::perror(argv[2]);
        ::_exit(127);
    }
    int status = 0;
    rusage used = {};
    if (child < 0 || ::wait4(child, &status, 0, &used) != child) {
        std::perror("bench_spent");
        return 1;
    }
    std::FILE* file = std::fopen(argv[1], "w");
    if (file == nullptr) {
        std::perror(argv[1]);
        return 1;
    }
    std::fprintf(file, "%lld %ld\n", microseconds(used.ru_utime) + microseconds(used.ru_stime),
                 used.ru_maxrss);
    return std::fclose(file) == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
