// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The words of a command line, read from left to right in bpftool's way:
// keywords in any order, each of which may be abbreviated as long as it is
// clear which one is meant. A verb reads all its words, calls end(), and only
// then acts, so that wrong words change nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fsctl {

class words {
public:
    words() = default;
    explicit words(std::vector<std::string> list) : list_(std::move(list)) {}

    [[nodiscard]] bool empty() const noexcept { return at_ == list_.size(); }
    [[nodiscard]] std::size_t size() const noexcept { return list_.size() - at_; }

    // The word `ahead` places on, or an empty view past the end.
    [[nodiscard]] std::string_view peek(std::size_t ahead = 0) const noexcept;

    // Takes one word. usage_error "expected <what>" when there is none.
    std::string next(std::string_view what);

    // Takes the next word if it is one of `keywords` or an unambiguous
    // abbreviation of one, and returns the keyword in full; else takes nothing
    // and returns an empty view. usage_error when it abbreviates several.
    std::string_view keyword(std::span<const std::string_view> keywords);
    std::string_view keyword(std::initializer_list<std::string_view> keywords) {
        return keyword(std::span(keywords.begin(), keywords.size()));
    }

    // usage_error unless every word has been taken.
    void end() const;

private:
    std::vector<std::string> list_;
    std::size_t at_ = 0;
};

// A number as bpftool takes it: decimal, 0x hexadecimal or 0 octal, no sign.
// usage_error naming `what` when it is none or exceeds `max`.
std::uint64_t parse_number(std::string_view word, std::string_view what, std::uint64_t max);
std::uint32_t parse_u32(std::string_view word, std::string_view what);

// Splits "show|list" into its parts.
std::vector<std::string_view> split(std::string_view text, char separator);

// The candidate most like `word`, or an empty view where none is close.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// " (did you mean 'hash'?)" for an error message, or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

} // namespace fsctl
