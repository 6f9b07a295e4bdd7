// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the dump benchmark needs beside a shell:
//   scene fill FILE N        a hash of N entries, 8 bytes to 8 bytes, pinned there
//   scene peak COMMAND...    runs it with its output thrown away and prints the
//                            most memory it had, in kB
#include <bpffs/map.hpp>

#include <cstdint>
#include <cstring>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

std::span<const std::byte> bytes_of(const std::uint64_t& number) {
    return std::as_bytes(std::span(&number, 1));
}

int fill(const std::string& file, std::uint32_t entries) {
    bpffs::map_spec spec;
    spec.max_entries = entries;
    bpffs::map made = bpffs::create_map(file, spec);
    for (std::uint64_t i = 0; i < entries; ++i) {
        const std::uint64_t key = i * 0x9e3779b97f4a7c15ULL; // spread, and never twice
        made.update(bytes_of(key), bytes_of(i));
    }
    return 0;
}

int peak(char** command) {
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    if (posix_spawnp(&child, command[0], &quiet, nullptr, command, environ) != 0) {
        std::cerr << "cannot run " << command[0] << '\n';
        return 1;
    }
    posix_spawn_file_actions_destroy(&quiet);
    int status = 0;
    rusage used{};
    if (wait4(child, &status, 0, &used) != child || status != 0) {
        std::cerr << command[0] << " failed\n";
        return 1;
    }
    std::cout << used.ru_maxrss << '\n';
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        const std::vector<std::string> words(argv, argv + argc);
        if (argc == 4 && words[1] == "fill") {
            return fill(words[2], static_cast<std::uint32_t>(std::stoul(words[3])));
        }
        if (argc >= 3 && words[1] == "peak") {
            return peak(argv + 2);
        }
        std::cerr << "usage: scene fill FILE N | scene peak COMMAND...\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
