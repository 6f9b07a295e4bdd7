// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The answer: what was found, and its two forms.
#pragma once

#include "common/tool.hpp"
#include "question.hpp"

#include <bpffs/kernel.hpp>

namespace fsctl {

// One deed, or several of the same sort that come to the same: "create" of
// "hash array".
struct finding_of {
    std::string deed;
    std::vector<std::string> kinds;
    bool works = false;
    bpffs::diagnosis why;
};

struct report {
    bpffs::kernel_info kernel;
    std::optional<bpffs::mount_info> mount;
    std::optional<bpffs::pin_info> pin; // where the path is, and as the caller sees it
    std::vector<finding_of> findings;

    // That what was asked for would work.
    [[nodiscard]] bool works() const;
};

report look(const question& asked);

void print(context& with, const question& asked, const report& found);

} // namespace fsctl
