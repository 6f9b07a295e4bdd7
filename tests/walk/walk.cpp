// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Walking, repeating and shrinking (walk.hpp).

#include "walk.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "draw.hpp"
#include "support/probe.hpp"
#include "world.hpp"

namespace bpffs_walk {

namespace {

/// The next step, or none.
using source = std::function<std::optional<step>(const reference& now)>;

std::optional<difference> do_steps(const source& next, const features& kernel, flaw wrong) {
    reference model(kernel, wrong);
    world real(kernel);
    if (real.error() != 0) {
        throw std::runtime_error("no world, errno " + std::to_string(real.error()));
    }
    difference d;
    while (const std::optional<step> s = next(model)) {
        d.steps.push_back(*s);
        d.expected = model.apply(*s);
        d.found = real.apply(*s);
        if (!(d.expected == d.found)) {
            return d;
        }
    }
    return std::nullopt;
}

bool hardlinks_are_protected() {
    std::ifstream file("/proc/sys/fs/protected_hardlinks");
    int value = 0;
    return file >> value && value != 0;
}

} // namespace

features features_here() {
    features f;
    f.fmode = bpffs_test::probe("fmode");
    f.token = bpffs_test::probe("token") && bpffs_test::probe("program_tokens");
    f.pin_mode = bpffs_test::probe("pin_mode");
    f.nr_inodes = bpffs_test::probe("nr_inodes");
    f.protected_hardlinks = hardlinks_are_protected();
    return f;
}

std::optional<difference> walk(uint64_t seed, unsigned length, const features& kernel, flaw wrong) {
    dice d(seed);
    unsigned done = 0;
    return do_steps(
        [&](const reference& now) {
            return done++ < length ? std::optional(draw(d, now)) : std::nullopt;
        },
        kernel, wrong);
}

std::optional<difference> repeat(const std::vector<step>& steps, const features& kernel,
                                 flaw wrong) {
    size_t at = 0;
    return do_steps(
        [&](const reference& /*now*/) {
            return at < steps.size() ? std::optional(steps[at++]) : std::nullopt;
        },
        kernel, wrong);
}

difference shrink(difference d, const features& kernel, flaw wrong) {
    // Leave out ever smaller pieces; what follows a difference does not count anyway.
    for (size_t piece = std::max<size_t>(d.steps.size() / 2, 1); piece > 0; piece /= 2) {
        for (size_t at = 0; at < d.steps.size();) {
            std::vector<step> fewer = d.steps;
            const auto begin = fewer.begin() + static_cast<ptrdiff_t>(at);
            fewer.erase(begin, begin + static_cast<ptrdiff_t>(std::min(piece, fewer.size() - at)));
            if (std::optional<difference> still = repeat(fewer, kernel, wrong)) {
                d = *std::move(still);
            } else {
                at += piece;
            }
        }
    }
    return d;
}

std::string words(const difference& d) {
    std::ostringstream text;
    for (const step& s : d.steps) {
        text << words(s) << "\n";
    }
    text << "# the last step: expected " << words(d.expected) << ", the kernel says "
         << words(d.found) << "\n"
         << "# Written to a file, these lines are repeated by BPFFS_WALK_SCRIPT=FILE "
            "bpffs_walk_tests\n";
    return text.str();
}

} // namespace bpffs_walk
