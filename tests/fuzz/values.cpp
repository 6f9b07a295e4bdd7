// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Keys and values as text, both ways: what is written reads as the same bytes.
#include "input.hpp"

#include "common/text_form.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace {

struct form {
    const char* name; // null: a prefix
    std::size_t size;
};

constexpr std::array forms = {
    form{"u8", 1},    form{"u16", 2},    form{"u32", 4},   form{"u64", 8},  form{"s8", 1},
    form{"s16", 2},   form{"s32", 4},    form{"s64", 8},   form{"be16", 2}, form{"be32", 4},
    form{"be64", 8},  form{"ip4", 4},    form{"ip6", 16},  form{"hex", 5},  form{"str", 12},
    form{nullptr, 8}, form{nullptr, 20}, form{nullptr, 7},
};

using blob = std::vector<std::byte>;

blob write_and_read(const fsctl::text_form& with, const blob& data) {
    const std::string text = with.write(data);
    fuzz::demand(!text.empty() && text.find('/') == std::string::npos &&
                     text.find('\0') == std::string::npos && text != "." && text != "..",
                 "the text is a file's name");
    const auto read = with.read(text);
    fuzz::demand(read.has_value(), "what is written can be read");
    return *read;
}

/// Of a prefix, bits behind it are no part of the key, and longer ones than the address are none.
bool is_whole(const fsctl::text_form& with, const blob& data) {
    std::uint32_t prefix = 0;
    if (with.is_prefix()) {
        std::memcpy(&prefix, data.data(), sizeof prefix);
    }
    return prefix <= (with.size() - sizeof prefix) * 8;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input given(data, size);
    const form& chosen = forms[given.below(forms.size())];
    const auto with = chosen.name == nullptr ? fsctl::text_form::prefix(chosen.size)
                                             : *fsctl::text_form::named(chosen.name, chosen.size);
    const auto read = with.read(given.text());
    if (read) {
        fuzz::demand(read->size() == with.size(), "a text reads as as many bytes as the form has");
        const blob again = write_and_read(with, *read);
        fuzz::demand(with.is_prefix() || again == *read, "a text's bytes are written and read");
    }
    blob raw(given.bytes().begin(), given.bytes().end());
    raw.resize(with.size());
    if (!with.is_prefix()) {
        fuzz::demand(write_and_read(with, raw) == raw, "bytes are read as they were written");
    } else if (is_whole(with, raw)) {
        const blob once = write_and_read(with, raw);
        fuzz::demand(write_and_read(with, once) == once, "a prefix is read as it was written");
    }
    return 0;
}
