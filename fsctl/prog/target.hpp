// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What a program is attached to, as words:
//
//   cgroup DIRECTORY      a cgroup: by its file cgroup.bpf where the caller may
//                         write that, else by the directory
//   dev NAME              a network device of the caller's namespace
//   netns [FILE]          a network namespace; the caller's own without FILE
//   map MAP               a sockmap or sockhash; an iterator's map
//   socket [PID:]FD       a socket of the caller's, in this or another process
//   tracepoint NAME       a raw tracepoint
//   loaded                what the program was loaded for (tracing, LSM, iterators)
#pragma once

#include "common/operand.hpp"

#include <bpffs/attach.hpp>

#include <optional>
#include <string>

namespace fsctl {

enum class target_sort { cgroup, device, netns, map, socket, tracepoint, loaded };

struct target_words {
    target_sort sort = target_sort::loaded;
    std::string text;      // directory, name or file
    operand map;           // with target_sort::map
    std::uint32_t pid = 0; // with target_sort::socket; 0: this process
    std::uint32_t fd = 0;
};

// Takes the words of one target. usage_error for none.
target_words take_target(words& given);

// The word for an attach type, in the kernel's words or without their cgroup_ or
// cgroup_inet_ ("egress"). usage_error for an unknown one.
bpffs::attach_kind parse_attach(const std::string& word);

// An open target: what it says, and what must stay open for that.
class open_target {
public:
    // Opens what the words name. A failure of open(2) and the like names it.
    explicit open_target(const target_words& named);

    [[nodiscard]] const bpffs::attach_target& value() const { return *value_; }
    // The socket, with target_sort::socket; there is no value then.
    [[nodiscard]] bpffs::borrowed_fd socket() const { return held_; }

private:
    void open_cgroup(const std::string& directory);
    void open_socket(const target_words& named);

    bpffs::owned_fd held_;
    bpffs::map map_;
    std::optional<bpffs::attach_target> value_;
};

} // namespace fsctl
