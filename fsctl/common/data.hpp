// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// DATA, the bytes of a key or a value, as words:
//
//   10 0x0a 012          one byte a word, as in bpftool
//   hex 0a 0b ff         the same without the 0x, as in bpftool
//   u32:5 s64:-1         a number in the machine's order: u8 to u64, s8 to s64
//   be16:443             a number in network order: be16, be32, be64
//   ip4:10.0.0.0 ip6:::1 an address in network order
//   hex:0a0bff           bytes in one word
//   str:text             text, filled up with zeros to the end of the field
//
// Several follow each other: key u32:24 ip4:10.0.0.0
#pragma once

#include "words.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace fsctl {

// Takes the words of one DATA of exactly `size` bytes. `what` is "key" or
// "value", for errors: usage_error "key expected 4 bytes got 3", "error
// parsing byte: x", or why a typed word is wrong. Takes no word behind it.
std::vector<std::byte> parse_data(words& given, std::string_view what, std::size_t size);

// The bytes of one typed word: typed_bytes("u32", "5", …) for u32:5. `room` is what a str fills
// and `what` as above. usage_error for an unknown type and for text that is none of its values.
std::vector<std::byte> typed_bytes(std::string_view type, std::string_view text,
                                   std::string_view what, std::size_t room);

} // namespace fsctl
