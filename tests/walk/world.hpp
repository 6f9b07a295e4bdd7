// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The kernel's side of a walk: the mounts, and one process for each actor, which does on request
// what a step says and tells what came of it.

#pragma once

#include <array>
#include <string>

#include "steps.hpp"
#include "support/bpf_call.hpp"
#include "support/sandbox.hpp"

namespace bpffs_walk {

/// Needs root and private namespaces. Moves the calling process to a new network namespace.
class world {
public:
    explicit world(const features& kernel);
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    world(world&&) = delete;
    world& operator=(world&&) = delete;
    ~world();

    /// 0, or why there is none.
    [[nodiscard]] int error() const { return error_; }
    answer apply(const step& s);

private:
    struct process {
        bpffs_test::handle line;
        pid_t id = -1;
    };

    [[nodiscard]] int start(unsigned who);
    [[nodiscard]] std::string real(const std::string& path) const;

    bpffs_test::bpffs_mount marked_;
    bpffs_test::bpffs_mount plain_;
    bpffs_test::bind_mount view_;
    bpffs_test::handle outer_;
    std::array<process, actor_count> processes_;
    int error_ = 0;
};

} // namespace bpffs_walk
