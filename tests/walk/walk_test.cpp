// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The walk: random steps of several users at once, on pins, handles and directories, each step's
// errno as the reference says it has to be. BPFFS_WALK_STEPS says how many, BPFFS_WALK_SEED which
// ones; BPFFS_WALK_SCRIPT names a file with the steps of one walk, to be repeated instead.

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "draw.hpp"
#include "support/probe.hpp"
#include "walk.hpp"

namespace bpffs_walk {

namespace {

/// Steps in one world, before it is made anew.
constexpr unsigned length = 400;

uint64_t number_from(const char* variable, uint64_t otherwise) {
    const char* text = std::getenv(variable); // NOLINT(concurrency-mt-unsafe)
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class walk_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs"}) {
            BPFFS_NEEDS(need);
        }
        BPFFS_NEEDS("privileged_bpf",
                    bpffs_test::probe("unprivileged_load") ? "everybody may load here" : "");
        kernel_ = features_here();
    }

    [[nodiscard]] const features& kernel() const { return kernel_; }

private:
    features kernel_;
};

std::vector<step> steps_of(const std::string& file) {
    std::ifstream in(file);
    std::vector<step> steps;
    std::string line;
    while (std::getline(in, line)) {
        if (!line.empty() && line.front() != '#') {
            steps.push_back(parse(line));
        }
    }
    return steps;
}

TEST_F(walk_test, kernel_says_what_the_reference_says) {
    const char* script = std::getenv("BPFFS_WALK_SCRIPT"); // NOLINT(concurrency-mt-unsafe)
    if (script != nullptr) {
        const auto d = repeat(steps_of(script), kernel());
        EXPECT_FALSE(d) << words(*d);
        return;
    }
    const uint64_t seed = number_from("BPFFS_WALK_SEED", 1);
    const uint64_t steps = number_from("BPFFS_WALK_STEPS", 8000);
    std::printf("walk: BPFFS_WALK_SEED=%llu, %llu steps\n", static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(steps));
    (void)std::fflush(stdout);
    for (uint64_t done = 0; done < steps; done += length) {
        const uint64_t this_seed = seed + done / length;
        const auto d = walk(this_seed, length, kernel());
        ASSERT_FALSE(d) << "with BPFFS_WALK_SEED=" << this_seed << ", shortened from "
                        << d->steps.size() << " steps:\n"
                        << words(shrink(*d, kernel()));
    }
}

// That it finds what it is to find, in BPFFS_WALK_FLAWS walks: the reference is made wrong, so the
// kernel is.

struct known_flaw {
    const char* name;
    flaw wrong;
    bool needs_fmode;
    size_t steps; ///< the most that a shortened walk may have: twice what it takes, as a
                  ///< handle that was copied or passed on is not traced back
};

class flaw_test : public walk_test, public testing::WithParamInterface<known_flaw> {};

TEST_P(flaw_test, is_found_and_shortened) {
    const known_flaw& f = GetParam();
    if (f.needs_fmode) {
        BPFFS_NEEDS("fmode");
    }
    const uint64_t walks = number_from("BPFFS_WALK_FLAWS", 0);
    if (walks == 0) {
        GTEST_SKIP() << "takes minutes: tests/run walk does it";
    }
    constexpr unsigned short_length = 100; // shortening takes less
    for (uint64_t seed = 1; seed <= walks; seed++) {
        if (const auto d = walk(seed, short_length, kernel(), f.wrong)) {
            const difference shortest = shrink(*d, kernel(), f.wrong);
            EXPECT_LE(shortest.steps.size(), f.steps) << words(shortest);
            EXPECT_FALSE(repeat(shortest.steps, kernel()))
                << "it has to be the flaw that they differ in";
            return;
        }
    }
    FAIL() << "not found in " << walks << " walks";
}

INSTANTIATE_TEST_SUITE_P(
    flaws, flaw_test,
    testing::Values(known_flaw{"readers_pin", flaw::readers_pin, true, 8},
                    known_flaw{"writers_run", flaw::writers_run, true, 10},
                    known_flaw{"umask_is_ignored", flaw::umask_is_ignored, false, 8},
                    known_flaw{"sticky_is_ignored", flaw::sticky_is_ignored, false, 10},
                    known_flaw{"groups_are_ignored", flaw::groups_are_ignored, false, 8},
                    known_flaw{"setgid_is_ignored", flaw::setgid_is_ignored, false, 12},
                    known_flaw{"read_only_is_ignored", flaw::read_only_is_ignored, true, 8},
                    known_flaw{"room_is_endless", flaw::room_is_endless, true, 40},
                    known_flaw{"fmode_can_be_turned_off", flaw::fmode_can_be_turned_off, true, 4}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(walk_words, are_read_as_they_were_written) {
    dice d(7);
    const reference start{features{}};
    for (unsigned i = 0; i < 500; i++) {
        const step s = draw(d, start);
        EXPECT_EQ(words(parse(words(s))), words(s));
    }
    EXPECT_THROW(parse("alice flies 0 0 0 - -"), std::runtime_error);
    EXPECT_THROW(parse("alice get"), std::runtime_error);
}

} // namespace

} // namespace bpffs_walk
