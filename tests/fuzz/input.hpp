// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What every fuzz target is given: bytes that choose, and the text behind them. A target is one
// file with one function, which ends the process where the parser breaks its promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

// libFuzzer's name.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

class input {
public:
    input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

    /// A number below `count`: one byte of the input; 0 where there is none.
    std::size_t below(std::size_t count) {
        if (left_.empty()) {
            return 0;
        }
        const std::size_t chosen = left_.front() % count;
        left_ = left_.subspan(1);
        return chosen;
    }

    [[nodiscard]] std::string text() const { return {left_.begin(), left_.end()}; }
    [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(left_); }

private:
    std::span<const std::uint8_t> left_;
};

/// What has to be so. The driver prints the input.
inline void demand(bool holds, const char* promise) {
    if (!holds) {
        std::fprintf(stderr, "broken: %s\n", promise);
        std::abort();
    }
}

} // namespace fuzz
