// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A walk over BTF beside the bytes it describes; see types.hpp. Every access to
// the data is checked against its end: the types come from whoever made the map.
#include "types.hpp"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstring>
#include <string>

#include <bpf/btf.h>

namespace fsctl {

namespace {

__extension__ using wide = unsigned __int128;

// The first bytes of the data as a number; the caller has checked the size.
template <typename Number> Number load(bytes data) {
    Number number{};
    std::memcpy(&number, data.data(), sizeof(number));
    return number;
}

// A whole number of 1, 2, 4 or 8 bytes, sign-extended where it has a sign.
std::int64_t load_signed(bytes data) {
    switch (data.size()) {
    case 1:
        return load<std::int8_t>(data);
    case 2:
        return load<std::int16_t>(data);
    case 4:
        return load<std::int32_t>(data);
    default:
        return load<std::int64_t>(data);
    }
}

std::uint64_t load_unsigned(bytes data) {
    const unsigned unused = 64U - static_cast<unsigned>(data.size()) * 8U;
    return static_cast<std::uint64_t>(load_signed(data)) << unused >> unused;
}

bool is_plain_size(std::size_t size) {
    return size == 1 || size == 2 || size == 4 || size == 8;
}

std::string wide_hex(wide number) {
    const auto high = static_cast<std::uint64_t>(number >> 64U);
    const auto low = static_cast<std::uint64_t>(number);
    return high == 0 ? fmt::format("0x{:x}", low) : fmt::format("0x{:x}{:016x}", high, low);
}

const char* name_at(const btf& types, std::uint32_t offset) {
    const char* name = btf__name_by_offset(&types, offset);
    return name != nullptr ? name : "";
}

bytes from(bytes data, std::size_t offset) {
    return data.subspan(std::min(offset, data.size()));
}

} // namespace

void typed_printer::print(std::uint32_t type_id, unsigned bit_offset, bytes data) {
    const btf_type* named = btf__type_by_id(&types_, type_id);
    if (named != nullptr && btf_is_var(named)) { // resolving would lose its name
        return print_variable(type_id, data);
    }
    const int resolved = btf__resolve_type(&types_, type_id);
    const btf_type* type =
        resolved < 0 ? nullptr : btf__type_by_id(&types_, static_cast<std::uint32_t>(resolved));
    if (type == nullptr) {
        to_.null();
        return;
    }
    const auto id = static_cast<std::uint32_t>(resolved);
    const bool sized = btf_is_int(type) || btf_is_any_enum(type) || btf_is_float(type);
    if (sized && (type->size > data.size() || type->size == 0)) {
        to_.null();
        return;
    }
    switch (btf_kind(type)) {
    case BTF_KIND_INT:
        return print_number(id, bit_offset, data);
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
        return print_enum(id, data.first(type->size));
    case BTF_KIND_FLOAT:
        return print_float(data.first(type->size));
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        return print_members(id, data);
    case BTF_KIND_ARRAY:
        return print_array(id, data);
    case BTF_KIND_PTR:
        return print_pointer(data);
    case BTF_KIND_DATASEC:
        return print_section(id, data);
    default:
        to_.null();
    }
}

void typed_printer::print_number(std::uint32_t type_id, unsigned bit_offset, bytes data) {
    const btf_type* type = btf__type_by_id(&types_, type_id);
    const unsigned bits = btf_int_bits(type);
    const unsigned offset = bit_offset + btf_int_offset(type);
    const bytes whole = data.first(type->size);
    const bool odd = offset != 0 || bits != type->size * 8U || !is_plain_size(type->size);
    const int encoding = btf_int_encoding(type);
    if (odd && encoding != BTF_INT_BOOL) {
        return print_bits(bits, offset, data);
    }
    if ((encoding & BTF_INT_BOOL) != 0) {
        to_.boolean(whole[0] != std::byte{0});
    } else if ((encoding & BTF_INT_CHAR) != 0) {
        print_character(whole[0]);
    } else if ((encoding & BTF_INT_SIGNED) != 0) {
        to_.signed_number(load_signed(whole));
    } else {
        to_.number(load_unsigned(whole));
    }
}

void typed_printer::print_character(std::byte value) {
    const auto letter = std::to_integer<unsigned char>(value);
    if (std::isprint(letter) != 0) {
        const char text = static_cast<char>(letter);
        to_.string(std::string_view(&text, 1));
    } else if (style_ == typed_style::plain) {
        to_.raw(fmt::format("{:#x}", letter));
    } else {
        to_.raw(fmt::format("\"\\u00{:02x}\"", letter));
    }
}

// `count` bits from `bit_offset` on, in the machine's order of bits.
void typed_printer::print_bits(unsigned count, unsigned bit_offset, bytes data) {
    data = from(data, bit_offset / 8);
    bit_offset %= 8;
    const std::size_t size = (bit_offset + count + 7) / 8;
    if (count == 0 || count > 128 || size > sizeof(wide) || size > data.size()) {
        to_.null();
        return;
    }
    wide number = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t place = std::endian::native == std::endian::little ? size - 1 - i : i;
        number = number << 8U | std::to_integer<unsigned>(data[place]);
    }
    const std::size_t below =
        std::endian::native == std::endian::little ? bit_offset : size * 8 - bit_offset - count;
    number >>= below;
    if (count < 128) {
        number &= (wide{1} << count) - 1;
    }
    const std::string text = wide_hex(number);
    to_.raw(style_ == typed_style::plain ? text : fmt::format("\"{}\"", text));
}

void typed_printer::print_pointer(bytes data) {
    if (data.size() < sizeof(void*)) {
        to_.null();
        return;
    }
    const auto value = load<std::uintptr_t>(data);
    if (style_ == typed_style::json) {
        to_.number(value);
    } else {
        to_.raw(value == 0 ? "(nil)" : fmt::format("{:#x}", value)); // as printf("%p")
    }
}

void typed_printer::print_enum(std::uint32_t type_id, bytes data) {
    const btf_type* type = btf__type_by_id(&types_, type_id);
    if (!is_plain_size(data.size())) {
        to_.null();
        return;
    }
    const std::int64_t value = load_signed(data);
    for (unsigned i = 0; i < btf_vlen(type); ++i) {
        const bool small = btf_is_enum(type);
        const std::int64_t candidate =
            small ? btf_enum(type)[i].val
                  : static_cast<std::int64_t>(btf_enum64_value(&btf_enum64(type)[i]));
        if (candidate == value) {
            to_.string(
                name_at(types_, small ? btf_enum(type)[i].name_off : btf_enum64(type)[i].name_off));
            return;
        }
    }
    to_.signed_number(value);
}

void typed_printer::print_float(bytes data) {
    double value = NAN;
    if (data.size() == sizeof(float)) {
        value = static_cast<double>(load<float>(data));
    } else if (data.size() == sizeof(double)) {
        value = load<double>(data);
    }
    std::isfinite(value) ? to_.raw(fmt::format("{}", value)) : to_.null(); // JSON has no NaN
}

// An array of char that holds printable text up to a zero is written as text.
bool typed_printer::print_text(std::uint32_t element_type, bytes data) {
    const btf_type* type = btf__type_by_id(&types_, element_type);
    while (type != nullptr && btf_is_mod(type)) { // a typedef of char is no text
        type = btf__type_by_id(&types_, type->type);
    }
    if (type == nullptr || !btf_is_int(type) || type->size != 1) {
        return false;
    }
    if (btf_int_encoding(type) != BTF_INT_CHAR &&
        std::string_view(name_at(types_, type->name_off)) != "char") {
        return false;
    }
    const auto zero = std::find(data.begin(), data.end(), std::byte{0});
    const bool printable = std::all_of(data.begin(), zero, [](std::byte value) {
        return value > std::byte{0x1f} && value < std::byte{0x7f};
    });
    if (zero == data.end() || !printable) {
        return false;
    }
    std::string text;
    std::for_each(data.begin(), zero, [&](std::byte value) {
        text.push_back(static_cast<char>(std::to_integer<unsigned char>(value)));
    });
    to_.string(text);
    return true;
}

void typed_printer::print_array(std::uint32_t type_id, bytes data) {
    const struct btf_array* array = btf_array(btf__type_by_id(&types_, type_id));
    const std::int64_t size = btf__resolve_size(&types_, array->type);
    const std::size_t step = size > 0 ? static_cast<std::size_t>(size) : 0;
    if (step == 0 || array->nelems > data.size() / step) {
        to_.null();
        return;
    }
    if (print_text(array->type, data.first(step * array->nelems))) {
        return;
    }
    to_.start_array();
    for (std::uint32_t i = 0; i < array->nelems; ++i) {
        print(array->type, data.subspan(i * step, step));
    }
    to_.end_array();
}

void typed_printer::print_members(std::uint32_t type_id, bytes data) {
    const btf_type* type = btf__type_by_id(&types_, type_id);
    to_.start_object();
    for (unsigned i = 0; i < btf_vlen(type); ++i) {
        const unsigned offset = btf_member_bit_offset(type, i);
        const unsigned bits = btf_member_bitfield_size(type, i);
        const bytes rest = from(data, offset / 8);
        to_.name(name_at(types_, btf_members(type)[i].name_off));
        if (bits != 0) {
            print_bits(bits, offset % 8, rest);
        } else {
            print(btf_members(type)[i].type, offset % 8, rest);
        }
    }
    to_.end_object();
}

void typed_printer::print_variable(std::uint32_t type_id, bytes data) {
    const btf_type* type = btf__type_by_id(&types_, type_id);
    to_.start_object();
    to_.name(name_at(types_, type->name_off));
    print(type->type, data);
    to_.end_object();
}

void typed_printer::print_section(std::uint32_t type_id, bytes data) {
    const btf_type* type = btf__type_by_id(&types_, type_id);
    to_.start_object();
    to_.name(name_at(types_, type->name_off));
    to_.start_array();
    for (unsigned i = 0; i < btf_vlen(type); ++i) {
        const btf_var_secinfo& variable = btf_var_secinfos(type)[i];
        print(variable.type, from(data, variable.offset));
    }
    to_.end_array();
    to_.end_object();
}

} // namespace fsctl
