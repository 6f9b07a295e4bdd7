// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "allocations.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> counted{0};

} // namespace

std::size_t bpffs_test::allocations() noexcept {
    return counted;
}

// Not inlined: the compiler would pair somebody's new with the free() in here, and object.
[[gnu::noinline]] void* operator new(std::size_t size) {
    ++counted;
    if (void* got = std::malloc(size)) { // NOLINT(cppcoreguidelines-no-malloc)
        return got;
    }
    throw std::bad_alloc{};
}
// Without it AddressSanitizer's would be paired with the free() below.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++counted;
    return std::malloc(size); // NOLINT(cppcoreguidelines-no-malloc)
}
[[gnu::noinline]] void operator delete(void* some) noexcept {
    std::free(some); // NOLINT(cppcoreguidelines-no-malloc)
}
[[gnu::noinline]] void operator delete(void* some, std::size_t) noexcept {
    std::free(some); // NOLINT(cppcoreguidelines-no-malloc)
}
