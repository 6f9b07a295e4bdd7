// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Reading and opening targets; see target.hpp.
#include "target.hpp"

#include "common/failure.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <net/if.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

namespace fsctl {

namespace {

bpffs::owned_fd open_file(const std::string& file, int flags, const std::string& remedy) {
    const int fd = ::open(file.c_str(), flags | O_CLOEXEC);
    if (fd < 0) {
        throw failure(fmt::format("open '{}': {}", file, std::strerror(errno)), remedy);
    }
    return bpffs::owned_fd::adopt(fd);
}

// "17" or "4711:17".
void parse_socket(target_words& to, const std::string& word) {
    const std::size_t colon = word.find(':');
    if (colon != std::string::npos) {
        to.pid = parse_u32(word.substr(0, colon), "PID");
    }
    to.fd = parse_u32(colon == std::string::npos ? word : word.substr(colon + 1), "FD");
}

} // namespace

target_words take_target(words& given) {
    target_words taken;
    const std::string_view sort =
        given.keyword({"cgroup", "dev", "netns", "map", "socket", "tracepoint", "loaded"});
    const std::string_view next = given.peek();
    // As in bpftool: a map's own words, without "map".
    const bool bare_map = sort.empty() && (next == "pinned" || next == "id" || next == "name");
    if (sort == "cgroup") {
        taken.sort = target_sort::cgroup;
        taken.text = given.next("the DIRECTORY of a cgroup");
    } else if (sort == "dev") {
        taken.sort = target_sort::device;
        taken.text = given.next("the NAME of a network device");
    } else if (sort == "netns") {
        taken.sort = target_sort::netns;
        const bool named = given.peek().find('/') != std::string_view::npos;
        taken.text = named ? given.next("a FILE") : "/proc/self/ns/net";
    } else if (sort == "map" || bare_map) {
        taken.sort = target_sort::map;
        taken.map = take_map(given);
    } else if (sort == "socket") {
        taken.sort = target_sort::socket;
        parse_socket(taken, given.next("[PID:]FD"));
    } else if (sort == "tracepoint") {
        taken.sort = target_sort::tracepoint;
        taken.text = given.next("the NAME of a raw tracepoint");
    } else if (sort.empty()) {
        throw usage_error(given.empty() ? std::string("expected a TARGET")
                                        : fmt::format("'{}' is no TARGET", given.peek()),
                          "A TARGET is cgroup DIR, dev NAME, netns [FILE], map MAP, socket "
                          "[PID:]FD, tracepoint NAME or loaded.");
    }
    return taken;
}

bpffs::attach_kind parse_attach(const std::string& word) {
    for (const char* prefix : {"", "cgroup_inet_", "cgroup_"}) {
        if (const auto found = bpffs::from_word<bpffs::attach_kind>(prefix + word)) {
            return *found;
        }
    }
    std::vector<std::string_view> all;
    for (const bpffs::attach_kind each : bpffs::all_of<bpffs::attach_kind>()) {
        all.push_back(bpffs::word(each));
    }
    throw usage_error(
        fmt::format("invalid attach type '{}'{}", word, did_you_mean(word, all)),
        "Attach types are the kernel's words, such as cgroup_inet_egress, tcx_ingress "
        "or sk_skb_stream_verdict; for sockets filter and reuseport.");
}

void open_target::open_cgroup(const std::string& directory) {
    // Who was given the cgroup may write this file, and needs no capability.
    const std::string file = directory + "/cgroup.bpf";
    const int fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
    held_ = fd >= 0 ? bpffs::owned_fd::adopt(fd)
                    : open_file(directory, O_RDONLY | O_DIRECTORY,
                                "A cgroup is a directory of the cgroup2 file system, such as "
                                "/sys/fs/cgroup.");
    value_ = bpffs::attach_target::cgroup(held_);
}

void open_target::open_socket(const target_words& named) {
    if (named.pid == 0) {
        held_ = bpffs::owned_fd::adopt(::fcntl(static_cast<int>(named.fd), F_DUPFD_CLOEXEC, 3));
        if (!held_) {
            throw failure(fmt::format("socket {}: {}", named.fd, std::strerror(errno)),
                          "The shell hands a descriptor on: bpffs-prog attach ... 5<&5");
        }
        return;
    }
    const auto process = bpffs::owned_fd::adopt(
        static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(named.pid), 0)));
    if (process) {
        held_ = bpffs::owned_fd::adopt(
            static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), named.fd, 0)));
    }
    if (!held_) {
        throw failure(
            fmt::format("socket {}:{}: {}", named.pid, named.fd, std::strerror(errno)),
            "It takes a process of your own that may be traced (kernel.yama.ptrace_scope), "
            "and a descriptor that it has open: ls -l /proc/PID/fd");
    }
}

open_target::open_target(const target_words& named) {
    switch (named.sort) {
    case target_sort::cgroup:
        open_cgroup(named.text);
        return;
    case target_sort::device: {
        const unsigned index = ::if_nametoindex(named.text.c_str());
        if (index == 0) {
            throw failure(fmt::format("dev '{}': {}", named.text, std::strerror(errno)),
                          "Devices of this network namespace are those of 'ip link'.");
        }
        value_ = bpffs::attach_target::network_device(index);
        return;
    }
    case target_sort::netns:
        held_ = open_file(named.text, O_RDONLY, "Network namespaces are in /run/netns and /proc.");
        value_ = bpffs::attach_target::network_namespace(held_);
        return;
    case target_sort::map:
        map_ = open_map(named.map, bpffs::access::write);
        value_ = bpffs::attach_target::socket_map(map_.fd());
        return;
    case target_sort::socket:
        open_socket(named);
        return;
    case target_sort::tracepoint:
        value_ = bpffs::attach_target::raw_tracepoint(named.text);
        return;
    case target_sort::loaded:
        value_ = bpffs::attach_target::as_loaded();
        return;
    }
}

} // namespace fsctl
