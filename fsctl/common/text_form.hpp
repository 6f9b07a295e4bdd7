// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Keys and values as text of one line that can be read back: numbers in decimal, addresses,
// strings with escapes, prefixes as 10.0.0.0_8, anything else in hexadecimal. Every sequence of
// bytes has exactly one text, so the text can serve as a file's name.
#pragma once

#include "output.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct btf;

namespace fsctl {

class text_form {
public:
    // Two digits a byte.
    static text_form hexadecimal(std::size_t size);

    // As a type of DATA (see data.hpp) says: u8 to u64, s8 to s64, be16 to be64, ip4, ip6, str,
    // hex. Nothing where there is no such type, or it has another size.
    static std::optional<text_form> named(std::string_view type, std::size_t size);
    static bool is_name(std::string_view type);

    // As the type in the BTF is: integers and enumerations as numbers, arrays of char as strings.
    static text_form typed(const btf& types, std::uint32_t type_id, std::size_t size);

    // The key of an LPM trie: the length of the prefix, 4 bytes, and the address. Bits behind the
    // prefix are no part of the key.
    static text_form prefix(std::size_t size);

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool is_hexadecimal() const noexcept { return type_ == "hex"; }
    [[nodiscard]] bool is_prefix() const noexcept { return type_ == lpm; }

    // `data` has size() bytes.
    [[nodiscard]] std::string write(bytes data) const;

    // Nothing where the text is no value of this form.
    [[nodiscard]] std::optional<std::vector<std::byte>> read(std::string_view text) const;

private:
    static constexpr std::string_view lpm = "lpm";

    text_form(std::string_view type, std::size_t size) : type_(type), size_(size) {}

    [[nodiscard]] std::string write_number(bytes data) const;

    std::string_view type_; // a literal
    std::size_t size_;
};

} // namespace fsctl
