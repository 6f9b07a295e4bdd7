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

/// Known probes: root, namespaces, bpf, bpffs, fmode, token (directory tokens), pin_mode, nr_inodes,
/// upstream_token (the command exists), unprivileged_load (the system lets everybody load
/// programs), reader_programs (a program may refer to a map through a reader's handle). Any other
/// name is an error of the test.
bool probe(const std::string& name);

/// Is the name in BPFFS_REQUIRE?
bool required(const std::string& name);

/// "" to go on; otherwise the reason not to. A reason that BPFFS_REQUIRE forbids is reported as a
/// failure.
std::string missing(const std::string& name);
/// The same for something that is no fixed probe: the test itself found out why not ("": it works).
std::string missing(const std::string& name, const std::string& obstacle);

} // namespace bpffs_test

#define BPFFS_NEEDS(...)                                                                           \
    do {                                                                                           \
        if (const std::string bpffs_skip = ::bpffs_test::missing(__VA_ARGS__);                     \
            !bpffs_skip.empty())                                                                   \
            GTEST_SKIP() << bpffs_skip;                                                            \
    } while (false)
