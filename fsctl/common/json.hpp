// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Streamed JSON, laid out byte for byte as bpftool lays it out, so that what
// reads the one reads the other: compact with -j; with -p each member of an
// object on its own line, elements of an array side by side.
#pragma once

#include "failure.hpp"
#include "output.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <rapidjson/writer.h>

namespace fsctl {

// RapidJSON's idea of a stream, over our buffer.
struct json_sink {
    using Ch = char; // RapidJSON asks for this name
    output* to;
    void Put(char letter) { to->put(letter); }
    void Flush() {}
};

class json_writer : private rapidjson::Writer<json_sink> {
public:
    explicit json_writer(output& to) : sink_{&to} { Reset(sink_); }

    void set_pretty(bool pretty) noexcept { pretty_ = pretty; }

    void start_object();
    void end_object();
    void start_array();
    void end_array();

    void name(std::string_view text); // of the next value: an identifier
    void string(std::string_view text);
    void number(std::uint64_t value);
    void signed_number(std::int64_t value);
    void boolean(bool value);
    void null();
    void raw(std::string_view text); // already JSON
    void hex(bytes data);            // ["0x00","0x01"]

    template <typename Text>
    void member(std::string_view key,
                const Text& text) requires std::convertible_to<Text, std::string_view> {
        name(key);
        string(text);
    }
    void member(std::string_view key, std::uint64_t value) {
        name(key);
        number(value);
    }

    [[nodiscard]] bool untouched() const noexcept { return !written_; }

    // Makes valid JSON of whatever has been written, with the errors where the
    // next value or member would have stood: {"error":"…","diagnosis":"…"}.
    // Several go into an array, unless the place holds only one.
    void fail(const std::vector<trouble>& list);

private:
    using base = rapidjson::Writer<json_sink>;

    [[nodiscard]] std::size_t depth() const { return level_stack_.GetSize() / sizeof(Level); }
    void before_value();
    void new_line();
    void open(bool array);
    void close(bool array);
    void error_members(const trouble& each);

    json_sink sink_;
    bool pretty_ = false;
    bool written_ = false;
};

} // namespace fsctl
