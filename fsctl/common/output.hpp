// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A tool's result on its way out: collected in one buffer and handed on in
// large writes, so that a dump of a million entries is a few hundred writes
// and no more memory than one buffer.
#pragma once

#include <cstddef>
#include <ostream>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace fsctl {

using bytes = std::span<const std::byte>;

class output {
public:
    explicit output(std::ostream& sink) : sink_(sink) { buffer_.reserve(capacity + slack); }

    void put(char letter) {
        buffer_.push_back(letter);
        spill();
    }

    void write(std::string_view text) {
        buffer_.insert(buffer_.end(), text.begin(), text.end());
        spill();
    }

    template <typename... Args> void print(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(buffer_), format, std::forward<Args>(args)...);
        spill();
    }

    // Bytes as bpftool prints them: "00 01 …", two blanks after eight, a new
    // line after sixteen.
    void hex(bytes data);

    // Bytes as bpftool's JSON has them, without the brackets: "0x00","0x01".
    void json_hex(bytes data);

    // Hands on what is collected. failure when it cannot be written.
    void flush();

private:
    static constexpr std::size_t capacity = std::size_t{256} * 1024;
    static constexpr std::size_t slack = std::size_t{4} * 1024;

    void spill() {
        if (buffer_.size() >= capacity) {
            flush();
        }
    }

    std::ostream& sink_;
    std::vector<char> buffer_;
};

} // namespace fsctl
