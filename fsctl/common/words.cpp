// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Reading words and numbers; see words.hpp.
#include "words.hpp"

#include "failure.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace fsctl {

std::string_view words::peek(std::size_t ahead) const noexcept {
    return ahead < size() ? std::string_view(list_[at_ + ahead]) : std::string_view();
}

std::string words::next(std::string_view what) {
    if (empty()) {
        throw usage_error(at_ == 0 ? fmt::format("expected {}", what)
                                   : fmt::format("expected {} after '{}'", what, list_[at_ - 1]));
    }
    return list_[at_++];
}

std::string_view words::keyword(std::span<const std::string_view> keywords) {
    const std::string_view word = peek();
    if (word.empty()) {
        return {};
    }
    std::vector<std::string_view> meant;
    for (const std::string_view candidate : keywords) {
        if (candidate == word) {
            meant = {candidate};
            break;
        }
        if (candidate.starts_with(word)) {
            meant.push_back(candidate);
        }
    }
    if (meant.size() > 1) {
        throw usage_error(fmt::format("'{}' could be {}", word, fmt::join(meant, " or ")));
    }
    if (meant.empty()) {
        return {};
    }
    ++at_;
    return meant.front();
}

void words::end() const {
    if (!empty()) {
        throw usage_error(fmt::format("unexpected word '{}'", peek()));
    }
}

std::uint64_t parse_number(std::string_view word, std::string_view what, std::uint64_t max) {
    int base = 10;
    std::string_view digits = word;
    if (word.starts_with("0x") || word.starts_with("0X")) {
        base = 16;
        digits.remove_prefix(2);
    } else if (word.size() > 1 && word.front() == '0') {
        base = 8;
        digits.remove_prefix(1);
    }
    std::uint64_t number = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, code] = std::from_chars(digits.data(), end, number, base);
    if (code == std::errc::result_out_of_range ||
        (code == std::errc() && stop == end && number > max)) {
        throw usage_error(fmt::format("{} '{}' is too large: it may be 0 to {}", what, word, max));
    }
    if (code != std::errc() || stop != end) {
        throw usage_error(fmt::format("can't parse {}: '{}' is not a number", what, word),
                          "A number is decimal (10), hexadecimal (0x0a) or octal (012).");
    }
    return number;
}

std::uint32_t parse_u32(std::string_view word, std::string_view what) {
    return static_cast<std::uint32_t>(
        parse_number(word, what, std::numeric_limits<std::uint32_t>::max()));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(at + 1);
    }
}

namespace {

// Levenshtein distance: how many letters to add, drop or change.
std::size_t distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, changed});
        }
    }
    return row.back();
}

} // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    std::string_view best;
    // Beyond half of the letters a suggestion is a guess.
    std::size_t least = word.size() / 2 + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t steps = distance(word, candidate);
        if (steps < least) {
            least = steps;
            best = candidate;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    const std::string_view best = nearest(word, candidates);
    return best.empty() ? std::string() : fmt::format(" (did you mean '{}'?)", best);
}

} // namespace fsctl
