// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A tool's result on its way out: collected in one buffer and handed on in
// large writes, so that a dump of a million entries is a few hundred writes
// and no more memory than one buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace fsctl {

using bytes = std::span<const std::byte>;

// Text with places for bytes, laid out once and filled in for every element
// of a dump.
class hex_form {
public:
    void add_text(std::string_view text) { text_ += text; }
    // Places for `count` bytes, as output::hex() lays them out.
    void add_bytes(std::size_t count);

    [[nodiscard]] std::size_t size() const noexcept { return text_.size(); }

private:
    friend class output;
    std::string text_;
    std::vector<std::uint32_t> places_;
};

class output {
public:
    static constexpr std::size_t longest_form = std::size_t{64} * 1024;

    explicit output(std::ostream& sink) : sink_(sink), buffer_(capacity) {}

    void put(char letter) {
        *room(1) = letter;
        ++used_;
    }

    void write(std::string_view text);

    template <typename... Args> void print(fmt::format_string<Args...> format, Args&&... args) {
        write(fmt::format(format, std::forward<Args>(args)...));
    }

    // Bytes as bpftool prints them: "00 01 …", two blanks after eight, a new
    // line after sixteen.
    void hex(bytes data);

    // Bytes as bpftool's JSON has them, without the brackets: "0x00","0x01".
    void json_hex(bytes data);

    // The form with these bytes in its places, the first ones before the second.
    // It is at most `longest_form` long and has as many places as there are bytes.
    void fill(const hex_form& form, bytes first, bytes second);

    // Hands on what is collected. failure when it cannot be written.
    void flush();

private:
    static constexpr std::size_t capacity = std::size_t{256} * 1024;

    // Where the next `size` letters (far below the capacity) go.
    char* room(std::size_t size) {
        if (capacity - used_ < size) {
            flush();
        }
        return buffer_.data() + used_;
    }

    std::ostream& sink_;
    std::vector<char> buffer_; // of fixed size
    std::size_t used_ = 0;
};

} // namespace fsctl
