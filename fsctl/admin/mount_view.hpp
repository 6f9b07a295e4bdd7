// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The mount namespace that a place is in: mounting there, unmounting and reading its
// table of mounts is done from within. Opening what is in it is not: that goes by
// descriptors, from anywhere.
#pragma once

#include <bpffs/fd.hpp>

#include <memory>

namespace fsctl {

class mount_view {
public:
    mount_view() = default; // the caller's own
    explicit mount_view(bpffs::owned_fd of);

    // The process is in there as long as this lives. There is no /etc in there, nor
    // anything else of the system but /proc: nothing is to be looked up meanwhile.
    class inside {
    public:
        explicit inside(const bpffs::owned_fd* where);
        inside(const inside&) = delete;
        inside& operator=(const inside&) = delete;
        inside(inside&&) = delete;
        inside& operator=(inside&&) = delete;
        ~inside();

    private:
        bpffs::owned_fd own_;
        bpffs::owned_fd root_;
        bpffs::owned_fd directory_;
    };
    // failure where it cannot be entered.
    [[nodiscard]] inside enter() const { return inside(of_.get()); }
    [[nodiscard]] bool is_own() const noexcept { return of_ == nullptr; }

private:
    std::shared_ptr<const bpffs::owned_fd> of_;
};

} // namespace fsctl
