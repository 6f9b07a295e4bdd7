// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// One of the walk's processes, seen from inside: the handles it holds, and the system call for each
// step.

#pragma once

#include <array>
#include <string>

#include "steps.hpp"
#include "support/bpf_call.hpp"

namespace bpffs_walk {

class hands {
public:
    /// `outer`: a map of maps that everybody may fill.
    explicit hands(int outer);

    /// Does it; paths are real ones. Not for `pass`: see give() and take().
    answer apply(const step& s);

    [[nodiscard]] bool holds(unsigned slot) const { return held_.at(slot).good(); }
    /// The descriptor, or one that is none.
    [[nodiscard]] int give(unsigned slot) const;
    void take(unsigned slot, bpffs_test::handle h) { held_.at(slot) = std::move(h); }

private:
    answer keep(unsigned slot, bpffs_test::handle made);
    answer make(const step& s);
    answer make_token(const step& s);
    answer open(const step& s);
    answer use(const step& s);
    answer use_map(const step& s);
    answer name(const step& s);
    answer oneself(const step& s);

    std::array<bpffs_test::handle, slots> held_;
    bpffs_test::handle socket_;
    int outer_;
};

} // namespace bpffs_walk
