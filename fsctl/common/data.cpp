// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// One function for each kind of typed word, in a table; see data.hpp.
#include "data.hpp"

#include "failure.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <string>

#include <arpa/inet.h>

#include <fmt/format.h>

namespace fsctl {

namespace {

using blob = std::vector<std::byte>;

// The `size` low bytes of a number, in the machine's order or reversed.
blob number_bytes(std::uint64_t number, std::size_t size, std::endian order) {
    blob data(size);
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t place = order == std::endian::little ? i : size - 1 - i;
        data[place] = static_cast<std::byte>(number >> (8 * i) & 0xffU);
    }
    return data;
}

template <typename Number>
blob unsigned_number(std::string_view type, std::string_view text, std::endian order) {
    const auto number = parse_number(text, type, std::numeric_limits<Number>::max());
    return number_bytes(number, sizeof(Number), order);
}

template <typename Number> blob host_number(std::string_view type, std::string_view text) {
    return unsigned_number<Number>(type, text, std::endian::native);
}

template <typename Number> blob network_number(std::string_view type, std::string_view text) {
    return unsigned_number<Number>(type, text, std::endian::big);
}

template <typename Number> blob signed_number(std::string_view type, std::string_view text) {
    Number number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, number);
    if (code != std::errc() || stop != end) {
        throw usage_error(fmt::format("can't parse {}: '{}' is not a number from {} to {}", type,
                                      text, std::int64_t{std::numeric_limits<Number>::min()},
                                      std::int64_t{std::numeric_limits<Number>::max()}));
    }
    return number_bytes(static_cast<std::uint64_t>(number), sizeof(Number), std::endian::native);
}

template <int Family, std::size_t Size> blob address(std::string_view type, std::string_view text) {
    blob data(Size);
    if (inet_pton(Family, std::string(text).c_str(), data.data()) != 1) {
        throw usage_error(fmt::format("can't parse {}: '{}' is not such an address", type, text));
    }
    return data;
}

blob hex_bytes(std::string_view type, std::string_view text) {
    blob data;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned value = 0;
        const std::string_view pair = text.substr(i, 2);
        const char* end = pair.data() + pair.size();
        const auto [stop, code] = std::from_chars(pair.data(), end, value, 16);
        if (pair.size() != 2 || code != std::errc() || stop != end) {
            throw usage_error(fmt::format(
                "can't parse {}: '{}' is not made of pairs of hexadecimal digits", type, text));
        }
        data.push_back(static_cast<std::byte>(value));
    }
    return data;
}

struct typed_form {
    std::string_view type;
    blob (*parse)(std::string_view type, std::string_view text);
};

constexpr std::array typed_forms = {
    typed_form{"u8", host_number<std::uint8_t>},
    typed_form{"u16", host_number<std::uint16_t>},
    typed_form{"u32", host_number<std::uint32_t>},
    typed_form{"u64", host_number<std::uint64_t>},
    typed_form{"s8", signed_number<std::int8_t>},
    typed_form{"s16", signed_number<std::int16_t>},
    typed_form{"s32", signed_number<std::int32_t>},
    typed_form{"s64", signed_number<std::int64_t>},
    typed_form{"be16", network_number<std::uint16_t>},
    typed_form{"be32", network_number<std::uint32_t>},
    typed_form{"be64", network_number<std::uint64_t>},
    typed_form{"ip4", address<AF_INET, 4>},
    typed_form{"ip6", address<AF_INET6, 16>},
    typed_form{"hex", hex_bytes},
};

constexpr std::string_view typed_form_list =
    "Types are u8 u16 u32 u64, s8 s16 s32 s64, be16 be32 be64, ip4, ip6, hex and str.";

// Text and the zeros that fill the field; `room` is what is left of it.
blob text_bytes(std::string_view what, std::string_view text, std::size_t room) {
    if (text.size() > room) {
        throw usage_error(fmt::format("str:{} has {} bytes, and the {} has room for {}", text,
                                      text.size(), what, room));
    }
    blob data(room);
    std::transform(text.begin(), text.end(), data.begin(),
                   [](char letter) { return static_cast<std::byte>(letter); });
    return data;
}

// A byte as bpftool takes it, in base 16 behind the word hex.
bool parse_byte(std::string_view word, bool hex, std::uint64_t& value) {
    try {
        const bool prefixed = word.starts_with("0x") || word.starts_with("0X");
        const std::string with_prefix =
            hex && !prefixed ? fmt::format("0x{}", word) : std::string(word);
        value = parse_number(with_prefix, "byte", std::numeric_limits<std::uint64_t>::max());
        return true;
    } catch (const usage_error&) {
        return false;
    }
}

bool is_keyword(std::string_view word) {
    constexpr std::array<std::string_view, 5> after_data = {"key", "value", "any", "exist",
                                                            "noexist"};
    return std::find(after_data.begin(), after_data.end(), word) != after_data.end();
}

[[noreturn]] void wrong_count(std::string_view what, std::size_t expected, std::size_t got) {
    throw usage_error(fmt::format("{} expected {} bytes got {}", what, expected, got));
}

// The next word as bytes; empty, and no word taken, where the DATA ends.
blob next_bytes(words& given, bool hex, std::string_view what, std::size_t room) {
    const std::string_view word = given.peek();
    if (given.empty() || is_keyword(word)) {
        return {};
    }
    if (word.find(':') != std::string_view::npos) {
        const std::size_t colon = word.find(':');
        blob data = typed_bytes(word.substr(0, colon), word.substr(colon + 1), what, room);
        given.next(what);
        return data;
    }
    std::uint64_t value = 0;
    if (!parse_byte(word, hex, value)) {
        throw usage_error(fmt::format("error parsing byte: {}", word));
    }
    if (value > 0xff) {
        throw usage_error(fmt::format("error parsing byte: {} is larger than 255", word),
                          fmt::format("A larger number needs a type: u32:{}, for example.", word));
    }
    given.next(what);
    return {static_cast<std::byte>(value)};
}

// How many more bytes follow where none should: for the error message.
std::size_t surplus(words given, bool hex, std::string_view what) {
    std::size_t count = 0;
    try {
        for (;;) {
            const blob more = next_bytes(given, hex, what, 0);
            if (more.empty()) {
                return count;
            }
            count += more.size();
        }
    } catch (const usage_error&) {
        return count; // another word: whoever reads on complains of it
    }
}

} // namespace

std::vector<std::byte> typed_bytes(std::string_view type, std::string_view text,
                                   std::string_view what, std::size_t room) {
    if (type == "str") {
        return text_bytes(what, text, room);
    }
    const auto* form = std::find_if(typed_forms.begin(), typed_forms.end(),
                                    [&](const typed_form& each) { return each.type == type; });
    if (form == typed_forms.end()) {
        throw usage_error(fmt::format("unknown type '{}' in {} '{}:{}'", type, what, type, text),
                          std::string(typed_form_list));
    }
    return form->parse(type, text);
}

std::vector<std::byte> parse_data(words& given, std::string_view what, std::size_t size) {
    const bool hex = given.keyword({"hex"}) == "hex";
    blob data;
    while (data.size() < size) {
        const blob more = next_bytes(given, hex, what, size - data.size());
        if (more.empty()) {
            break;
        }
        data.insert(data.end(), more.begin(), more.end());
    }
    const std::size_t got = data.size() + surplus(given, hex, what);
    if (got != size) {
        wrong_count(what, size, got);
    }
    return data;
}

} // namespace fsctl
