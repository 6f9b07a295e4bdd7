// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Counts allocations: whoever links this (bpffs_test_allocations) has an operator new that counts.
#pragma once

#include <cstddef>

namespace bpffs_test {

/// How often operator new was called so far, by all threads.
std::size_t allocations() noexcept;

} // namespace bpffs_test
