// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Values with types as JSON, both ways, over one structure that has a member of each kind.
#include "input.hpp"

#include "common/typed_text.hpp"

#include <vector>

#include <bpf/btf.h>

namespace {

class types {
public:
    types() : all_(btf__new_empty()) {
        const int number = btf__add_int(all_, "int", 4, BTF_INT_SIGNED);
        const int letter = btf__add_int(all_, "char", 1, BTF_INT_CHAR);
        const int flag = btf__add_int(all_, "_Bool", 1, BTF_INT_BOOL);
        const int wide = btf__add_int(all_, "__int128", 16, 0);
        const int real = btf__add_float(all_, "double", 8);
        const int text = btf__add_array(all_, number, letter, 8);
        const int few = btf__add_array(all_, number, number, 2);
        const int colour = btf__add_enum(all_, "colour", 4);
        btf__add_enum_value(all_, "RED", 0);
        btf__add_enum_value(all_, "GREEN", 5);
        const int either = btf__add_union(all_, "either", 8);
        btf__add_field(all_, "number", number, 0, 0);
        btf__add_field(all_, "letters", text, 0, 0);
        const int pointer = btf__add_ptr(all_, number);
        whole_ = btf__add_struct(all_, "whole", size);
        const struct {
            const char* name;
            int type;
            std::uint32_t bit;
            std::uint32_t bits;
        } members[] = {
            {"number", number, 0, 0},   {"letter", letter, 32, 0},  {"flag", flag, 40, 0},
            {"low", number, 48, 3},     {"high", number, 51, 13},   {"wide", wide, 128, 0},
            {"real", real, 256, 0},     {"text", text, 320, 0},     {"few", few, 384, 0},
            {"colour", colour, 448, 0}, {"either", either, 512, 0}, {"pointer", pointer, 576, 0},
            {"", either, 640, 0}};
        for (const auto& each : members) {
            fuzz::demand(btf__add_field(all_, each.name, each.type, each.bit, each.bits) == 0,
                         "the target's own types are types");
        }
    }

    static constexpr std::size_t size = 96;
    [[nodiscard]] fsctl::typed_text whole() const {
        return {*all_, static_cast<std::uint32_t>(whole_), size};
    }

private:
    btf* all_; // for as long as the process
    int whole_ = 0;
};

// Not every value can be read back: the sign of a zero and what is behind the end of a string are
// not in the text. What comes of it stays.
void keeps(const fsctl::typed_text& with, const std::vector<std::byte>& data) {
    const auto once = with.read(with.write(data));
    fuzz::demand(!once || with.read(with.write(*once)) == once, "a value that was read stays");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const types known;
    const fsctl::typed_text with = known.whole();
    fuzz::input given(data, size);
    const auto read = with.read(given.text());
    if (read) {
        fuzz::demand(read->size() == types::size, "a text reads as as many bytes as the type has");
        keeps(with, *read);
    }
    std::vector<std::byte> raw(given.bytes().begin(), given.bytes().end());
    raw.resize(types::size);
    const std::string text = with.write(raw);
    fuzz::demand(text.find('\n') == std::string::npos, "a value is one line");
    if (const auto once = with.read(text)) {
        keeps(with, *once);
    }
    return 0;
}
