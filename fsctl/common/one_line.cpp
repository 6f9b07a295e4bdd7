// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Control bytes as text; see one_line.hpp.
#include "one_line.hpp"

#include <fmt/format.h>

namespace fsctl {

std::string in_one_line(std::string_view words) {
    std::string line;
    line.reserve(words.size());
    for (std::size_t i = 0; i < words.size(); i++) {
        const auto byte = static_cast<unsigned char>(words[i]);
        const auto next = static_cast<unsigned char>(i + 1 < words.size() ? words[i + 1] : 0);
        if (byte == '\n') {
            line += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            line += fmt::format("\\x{:02x}", byte);
        } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) { // U+0080 to U+009F
            line += fmt::format("\\x{:02x}\\x{:02x}", byte, next);
            ++i;
        } else {
            line += words[i];
        }
    }
    return line;
}

} // namespace fsctl
