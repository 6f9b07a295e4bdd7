// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Texts from /proc.
#include "text.hpp"

#include <fmt/format.h>

#include <fcntl.h>

namespace bpffs {

std::optional<std::string_view> field(std::string_view lines, std::string_view key) noexcept {
    while (!lines.empty()) {
        std::string_view line = cut(lines, '\n');
        if (!line.starts_with(key) || line.substr(key.size(), 1) != ":") {
            continue;
        }
        line.remove_prefix(key.size() + 1);
        const auto first = line.find_first_not_of(" \t");
        if (first == std::string_view::npos) {
            return std::string_view{};
        }
        return line.substr(first, line.find_last_not_of(" \t") - first + 1);
    }
    return std::nullopt;
}

std::string read_file(const char* name, failure& why) {
    const owned_fd file = why.take(sys::openat(AT_FDCWD, name, O_RDONLY));
    if (why) {
        why.detail = fmt::format("reading {}", name);
        return {};
    }
    std::string text;
    char buffer[4096];
    for (;;) {
        const auto got = sys::read(file.get(), buffer);
        if (got.error == EINTR) {
            continue;
        }
        if (!got) {
            why.set(got.error, fmt::format("reading {}", name));
            return {};
        }
        if (got.value == 0) {
            return text;
        }
        text.append(buffer, got.value);
    }
}

std::string read_fdinfo(int fd, failure& why) {
    return read_file(fmt::format("/proc/self/fdinfo/{}", fd).c_str(), why);
}

mode current_umask(failure& why) {
    const std::string status = read_file("/proc/self/status", why);
    const auto umask = number<unsigned>(field(status, "Umask").value_or(""), 8);
    if (!why && !umask) {
        why.set(errc::unsupported, "/proc/self/status shows no umask");
    }
    return mode{umask.value_or(0777)};
}

} // namespace bpffs
