// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The two hexadecimal forms, made by hand because a dump spends its time
// here, and the write to the sink; see output.hpp.
#include "output.hpp"

#include "failure.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace fsctl {

namespace {

// The two digits of every byte, side by side.
constexpr auto digit_pairs = [] {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> pairs{};
    for (std::size_t value = 0; value < pairs.size(); ++value) {
        pairs[value] = {digits[value >> 4U], digits[value & 0xfU]};
    }
    return pairs;
}();

char* put_byte(char* to, std::byte value) {
    std::memcpy(to, digit_pairs[std::to_integer<unsigned>(value)].data(), 2);
    return to + 2;
}

constexpr std::size_t group = 8; // bytes between two wider gaps
constexpr std::size_t line = 16; // bytes on a line

// Up to eight bytes with one blank between each two.
char* put_group(char* to, bytes part) {
    for (const std::byte value : part) {
        to = put_byte(to, value);
        *to++ = ' ';
    }
    return to - 1;
}

} // namespace

void hex_form::add_bytes(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) {
            text_ += i % line == 0 ? "\n" : i % group == 0 ? "  " : " ";
        }
        places_.push_back(static_cast<std::uint32_t>(text_.size()));
        text_ += "00";
    }
}

void output::fill(const hex_form& form, bytes first, bytes second) {
    char* const to = room(form.text_.size());
    form.text_.copy(to, form.text_.size());
    const std::uint32_t* place = form.places_.data();
    for (const std::byte value : first) {
        put_byte(to + *place++, value);
    }
    for (const std::byte value : second) {
        put_byte(to + *place++, value);
    }
    used_ += form.text_.size();
}

void output::write(std::string_view text) {
    while (!text.empty()) {
        const std::size_t part = std::min(text.size(), std::size_t{4096});
        text.copy(room(part), part);
        used_ += part;
        text.remove_prefix(part);
    }
}

void output::hex(bytes data) {
    for (std::size_t at = 0; at < data.size(); at += group) {
        char* const start = room(group * 3 + 2);
        char* to = start;
        if (at % line != 0) {
            *to++ = ' ';
            *to++ = ' ';
        } else if (at > 0) {
            *to++ = '\n';
        }
        to = put_group(to, data.subspan(at, std::min(group, data.size() - at)));
        used_ += static_cast<std::size_t>(to - start);
    }
}

void output::json_hex(bytes data) {
    constexpr std::string_view shape = "\"0x00\",";
    for (std::size_t at = 0; at < data.size(); at += line) {
        char* const start = room(line * shape.size());
        char* to = start;
        for (const std::byte value : data.subspan(at, std::min(line, data.size() - at))) {
            shape.copy(to, shape.size());
            put_byte(to + 3, value);
            to += shape.size();
        }
        used_ += static_cast<std::size_t>(to - start);
    }
    used_ -= data.empty() ? 0 : 1; // the last comma
}

void output::flush() {
    errno = 0;
    sink_.write(buffer_.data(), static_cast<std::streamsize>(used_));
    sink_.flush();
    used_ = 0;
    if (!sink_) {
        const int why = errno;
        sink_.clear(); // say it once
        throw failure(fmt::format("cannot write the output: {}",
                                  why != 0 ? std::strerror(why) : "the write failed"));
    }
}

} // namespace fsctl
