// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The two hexadecimal forms, made by hand because a dump spends its time
// here, and the write to the sink; see output.hpp.
#include "output.hpp"

#include "failure.hpp"

#include <cerrno>
#include <cstring>

namespace fsctl {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

char* put_byte(char* to, std::byte value) {
    const auto number = std::to_integer<unsigned>(value);
    *to++ = digits[number >> 4U];
    *to++ = digits[number & 0xfU];
    return to;
}

// Between byte i-1 and byte i, for i > 0.
char* put_gap(char* to, std::size_t i) {
    if (i % 16 == 0) {
        *to++ = '\n';
    } else {
        *to++ = ' ';
        if (i % 8 == 0) {
            *to++ = ' ';
        }
    }
    return to;
}

} // namespace

void output::hex(bytes data) {
    // Two digits and at most two blanks a byte.
    const std::size_t start = buffer_.size();
    buffer_.resize(start + data.size() * 4);
    char* to = buffer_.data() + start;
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (i > 0) {
            to = put_gap(to, i);
        }
        to = put_byte(to, data[i]);
    }
    buffer_.resize(static_cast<std::size_t>(to - buffer_.data()));
    spill();
}

void output::json_hex(bytes data) {
    constexpr std::string_view shape = "\"0x00\",";
    const std::size_t start = buffer_.size();
    buffer_.resize(start + data.size() * shape.size());
    char* to = buffer_.data() + start;
    for (const std::byte value : data) {
        shape.copy(to, shape.size());
        put_byte(to + 3, value);
        to += shape.size();
    }
    if (!data.empty()) {
        buffer_.pop_back(); // the last comma
    }
    spill();
}

void output::flush() {
    errno = 0;
    sink_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    sink_.flush();
    buffer_.clear();
    if (!sink_) {
        const int why = errno;
        sink_.clear(); // say it once
        throw failure(fmt::format("cannot write the output: {}",
                                  why != 0 ? std::strerror(why) : "the write failed"));
    }
}

} // namespace fsctl
