// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Named probes: what this machine's kernel can do, asked by doing it, never by its version.
//
// A test starts with BPFFS_NEEDS("fmode"): where the probe says no, the test is skipped and the
// skip names the probe. BPFFS_REQUIRE=fmode,token,... in the environment turns such a skip into a
// failure.

#pragma once

#include <string>

#include <gtest/gtest.h>

namespace bpffs_test {

/// Known probes: root, namespaces, bpf, bpffs, fmode, token (directory tokens), pin_mode,
/// nr_inodes, upstream_token (the command exists), unprivileged_load (the system lets everybody
/// load programs), reader_programs (a program may refer to a map through a reader's handle),
/// program_tokens (directory tokens load programs), detach_asks (detaching by target takes a
/// right), cgroup_bpf (the file), failslab (allocations can be made to fail), dump_by_right (a
/// reader's handle shows a program's instructions), btf_by_handle (an object's BTF is had through
/// its handle). Any other name is an error of the test.
bool probe(const std::string& name);

/// Is the name in BPFFS_REQUIRE?
bool required(const std::string& name);

/// Why a test cannot be done here.
struct obstacle {
    std::string reason;     ///< "" to go on
    bool forbidden = false; ///< BPFFS_REQUIRE asks for it: the test fails instead of being skipped
};

/// Asks a probe.
obstacle missing(const std::string& name);
/// For something that is no fixed probe: the test itself found out why not ("": it works).
obstacle missing(const std::string& name, const std::string& why);

} // namespace bpffs_test

// The failure is a fatal one: a test that is refused its skip does not go on either.
#define BPFFS_NEEDS(...)                                                                           \
    do {                                                                                           \
        const ::bpffs_test::obstacle bpffs_obstacle = ::bpffs_test::missing(__VA_ARGS__);          \
        if (bpffs_obstacle.forbidden) {                                                            \
            FAIL() << bpffs_obstacle.reason << ", and BPFFS_REQUIRE asks for it";                  \
        }                                                                                          \
        if (!bpffs_obstacle.reason.empty()) {                                                      \
            GTEST_SKIP() << bpffs_obstacle.reason;                                                 \
        }                                                                                          \
    } while (false)
