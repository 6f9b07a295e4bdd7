// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A walk: steps done by the reference and by the kernel, until they say different things.

#pragma once

#include <optional>
#include <vector>

#include "reference.hpp"
#include "steps.hpp"

namespace bpffs_walk {

struct difference {
    std::vector<step> steps; ///< the last one is where they differ
    answer expected;
    answer found;
};

/// What this machine's kernel can do, by the probes.
features features_here();

/// Draws and does that many steps in a new world.
std::optional<difference> walk(uint64_t seed, unsigned length, const features& kernel,
                               flaw wrong = flaw::none);
/// Does these steps in a new world.
std::optional<difference> repeat(const std::vector<step>& steps, const features& kernel,
                                 flaw wrong = flaw::none);
/// The shortest steps that still differ, as far as leaving out some finds them.
difference shrink(difference d, const features& kernel, flaw wrong = flaw::none);

/// With the words that repeat it.
std::string words(const difference& d);

} // namespace bpffs_walk
