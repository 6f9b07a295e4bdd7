// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A walk over BTF beside a JSON document: the other way round than types.cpp, case by case. Every
// access to the bytes is checked against their end: the types come from whoever made the map.
#include "typed_text.hpp"

#include "json.hpp"
#include "types.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <sstream>

#include <bpf/btf.h>
#include <rapidjson/document.h>

namespace fsctl {

namespace {

__extension__ using wide = unsigned __int128;
using json = rapidjson::Value;
using room = std::span<std::byte>;

std::string_view text_of(const json& value) {
    return {value.GetString(), value.GetStringLength()};
}

template <typename Number> bool store(Number number, room into) {
    std::memcpy(into.data(), &number, sizeof(number));
    return true;
}

// A number that has been checked against its type's range, in the machine's order.
bool store_whole(std::uint64_t number, room into) {
    switch (into.size()) {
    case 1:
        return store(static_cast<std::uint8_t>(number), into);
    case 2:
        return store(static_cast<std::uint16_t>(number), into);
    case 4:
        return store(static_cast<std::uint32_t>(number), into);
    case 8:
        return store(number, into);
    default:
        return false;
    }
}

bool store_unsigned(const json& value, room into) {
    if (!value.IsUint64() || into.size() > sizeof(std::uint64_t)) {
        return false;
    }
    const unsigned unused = 64U - static_cast<unsigned>(into.size()) * 8U;
    const std::uint64_t number = value.GetUint64();
    return number <= std::numeric_limits<std::uint64_t>::max() >> unused &&
           store_whole(number, into);
}

bool store_signed(const json& value, room into) {
    if (!value.IsInt64() || into.size() > sizeof(std::int64_t)) {
        return false;
    }
    const unsigned unused = 64U - static_cast<unsigned>(into.size()) * 8U;
    const std::int64_t most = std::numeric_limits<std::int64_t>::max() >> unused;
    const std::int64_t number = value.GetInt64();
    return number <= most && number >= -most - 1 &&
           store_whole(static_cast<std::uint64_t>(number), into);
}

// "a", or "\u00ff", which is two bytes of UTF-8.
bool store_character(const json& value, room into) {
    if (!value.IsString()) {
        return false;
    }
    const std::string_view text = text_of(value);
    if (text.size() == 1) {
        into[0] = static_cast<std::byte>(text[0]);
        return true;
    }
    if (text.size() != 2 || (static_cast<unsigned char>(text[0]) & 0xfcU) != 0xc0U) {
        return false;
    }
    const unsigned high = static_cast<unsigned char>(text[0]) & 3U;
    into[0] = static_cast<std::byte>(high << 6U | (static_cast<unsigned char>(text[1]) & 0x3fU));
    return true;
}

std::optional<wide> wide_of(std::string_view text) {
    if (!text.starts_with("0x") || text.size() < 3 || text.size() > 34) {
        return std::nullopt;
    }
    wide number = 0;
    for (const char letter : text.substr(2)) {
        unsigned digit = 0;
        const auto [stop, code] = std::from_chars(&letter, &letter + 1, digit, 16);
        if (code != std::errc()) {
            return std::nullopt;
        }
        number = number << 4U | digit;
    }
    return number;
}

// "0x1f" into `count` bits from `bit_offset` on, in the machine's order of bits.
bool store_bits(const json& value, unsigned count, unsigned bit_offset, room into) {
    constexpr bool little = std::endian::native == std::endian::little;
    into = into.subspan(std::min<std::size_t>(bit_offset / 8, into.size()));
    bit_offset %= 8;
    const std::size_t size = (bit_offset + count + 7) / 8;
    const auto number = value.IsString() ? wide_of(text_of(value)) : std::nullopt;
    if (count == 0 || count > 128 || size > into.size() || !number ||
        (count < 128 && *number >> count != 0)) {
        return false;
    }
    const std::size_t below = little ? bit_offset : size * 8 - bit_offset - count;
    for (unsigned i = 0; i < count; ++i) {
        const std::size_t place = below + i;
        const std::size_t at = little ? place / 8 : size - 1 - place / 8;
        const auto bit = static_cast<std::byte>(1U << place % 8);
        into[at] = (*number >> i & 1U) != 0 ? into[at] | bit : into[at] & ~bit;
    }
    return true;
}

class typed_reader {
public:
    explicit typed_reader(const btf& types) : types_(types) {}

    // Sets the bytes of the value; false where it is none of that type.
    bool read(std::uint32_t type_id, const json& value, room into) {
        return read(type_id, 0, value, into);
    }

private:
    bool read(std::uint32_t type_id, unsigned bit_offset, const json& value, room into);
    bool read_number(const btf_type& type, unsigned bit_offset, const json& value, room into);
    bool read_enum(const btf_type& type, const json& value, room into);
    bool read_array(const btf_type& type, const json& value, room into);
    bool read_member(const btf_type& type, unsigned index, const json& value, room into);
    bool read_struct(const btf_type& type, const json& value, room into);
    bool read_union(const btf_type& type, const json& value, room into);
    bool read_section(const btf_type& type, const json& value, room into);
    bool read_named(const btf_type& type, std::uint32_t inner, const json& value, room into);
    bool agrees(const btf_type& type, unsigned index, const json& value, bytes data);

    [[nodiscard]] const btf_type* at(std::uint32_t type_id) const {
        return btf__type_by_id(&types_, type_id);
    }
    [[nodiscard]] std::string_view name(std::uint32_t offset) const {
        const char* text = btf__name_by_offset(&types_, offset);
        return text != nullptr ? text : "";
    }

    const btf& types_;
};

bool typed_reader::read(std::uint32_t type_id, unsigned bit_offset, const json& value, room into) {
    const btf_type* named = at(type_id);
    if (named != nullptr && btf_is_var(named)) {
        return read_named(*named, named->type, value, into);
    }
    const int resolved = btf__resolve_type(&types_, type_id);
    const btf_type* type = resolved < 0 ? nullptr : at(static_cast<std::uint32_t>(resolved));
    if (type == nullptr) {
        return false;
    }
    const bool sized = btf_is_int(type) || btf_is_any_enum(type) || btf_is_float(type);
    if (sized && (type->size > into.size() || type->size == 0)) {
        return false;
    }
    switch (btf_kind(type)) {
    case BTF_KIND_INT:
        return read_number(*type, bit_offset, value, into);
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
        return read_enum(*type, value, into.first(type->size));
    case BTF_KIND_FLOAT:
        return value.IsNumber() &&
               ((type->size == sizeof(float) &&
                 store(static_cast<float>(value.GetDouble()), into)) ||
                (type->size == sizeof(double) && store(value.GetDouble(), into)));
    case BTF_KIND_STRUCT:
        return read_struct(*type, value, into);
    case BTF_KIND_UNION:
        return read_union(*type, value, into);
    case BTF_KIND_ARRAY:
        return read_array(*type, value, into);
    case BTF_KIND_PTR:
        return into.size() >= sizeof(void*) && store_unsigned(value, into.first(sizeof(void*)));
    case BTF_KIND_DATASEC:
        return read_section(*type, value, into);
    default:
        return false;
    }
}

bool typed_reader::read_number(const btf_type& type, unsigned bit_offset, const json& value,
                               room into) {
    const unsigned bits = btf_int_bits(&type);
    const unsigned offset = bit_offset + btf_int_offset(&type);
    const room whole = into.first(type.size);
    const int encoding = btf_int_encoding(&type);
    const bool odd = offset != 0 || bits != type.size * 8U || type.size > sizeof(std::uint64_t) ||
                     !std::has_single_bit(type.size);
    if (odd && encoding != BTF_INT_BOOL) {
        return store_bits(value, bits, offset, into);
    }
    if ((encoding & BTF_INT_BOOL) != 0) {
        whole[0] = static_cast<std::byte>(value.IsTrue());
        return value.IsBool();
    }
    if ((encoding & BTF_INT_CHAR) != 0) {
        return store_character(value, whole);
    }
    return (encoding & BTF_INT_SIGNED) != 0 ? store_signed(value, whole)
                                            : store_unsigned(value, whole);
}

bool typed_reader::read_enum(const btf_type& type, const json& value, room into) {
    if (!value.IsString()) {
        return store_signed(value, into);
    }
    for (unsigned i = 0; i < btf_vlen(&type); ++i) {
        const bool small = btf_is_enum(&type);
        const std::uint32_t called =
            small ? btf_enum(&type)[i].name_off : btf_enum64(&type)[i].name_off;
        if (name(called) == text_of(value)) {
            const std::int64_t number =
                small ? btf_enum(&type)[i].val
                      : static_cast<std::int64_t>(btf_enum64_value(&btf_enum64(&type)[i]));
            return store_whole(static_cast<std::uint64_t>(number), into);
        }
    }
    return false;
}

bool typed_reader::read_array(const btf_type& type, const json& value, room into) {
    const struct btf_array* array = btf_array(&type);
    const std::int64_t size = btf__resolve_size(&types_, array->type);
    const std::size_t step = size > 0 ? static_cast<std::size_t>(size) : 0;
    if (step == 0 || array->nelems > into.size() / step) {
        return false;
    }
    if (value.IsString()) { // of letters, with a zero at its end
        const std::string_view text = text_of(value);
        if (step != 1 || text.size() >= array->nelems) {
            return false;
        }
        std::fill_n(into.begin(), array->nelems, std::byte{0});
        std::memcpy(into.data(), text.data(), text.size());
        return true;
    }
    if (!value.IsArray() || value.Size() != array->nelems) {
        return false;
    }
    for (std::uint32_t i = 0; i < array->nelems; ++i) {
        if (!read(array->type, value[i], into.subspan(i * step, step))) {
            return false;
        }
    }
    return true;
}

bool typed_reader::read_member(const btf_type& type, unsigned index, const json& value, room into) {
    const unsigned offset = btf_member_bit_offset(&type, index);
    const unsigned bits = btf_member_bitfield_size(&type, index);
    const room rest = into.subspan(std::min<std::size_t>(offset / 8, into.size()));
    return bits != 0 ? store_bits(value, bits, offset % 8, rest)
                     : read(btf_members(&type)[index].type, offset % 8, value, rest);
}

// Members in any order; those without a name in the order of the type.
bool typed_reader::read_struct(const btf_type& type, const json& value, room into) {
    if (!value.IsObject() || value.MemberCount() != btf_vlen(&type)) {
        return false;
    }
    std::vector<bool> used(value.MemberCount());
    for (unsigned i = 0; i < btf_vlen(&type); ++i) {
        const std::string_view wanted = name(btf_members(&type)[i].name_off);
        std::size_t place = 0;
        while (
            place < used.size() &&
            (used[place] ||
             text_of((value.MemberBegin() + static_cast<std::ptrdiff_t>(place))->name) != wanted)) {
            ++place;
        }
        if (place == used.size() ||
            !read_member(type, i, (value.MemberBegin() + static_cast<std::ptrdiff_t>(place))->value,
                         into)) {
            return false;
        }
        used[place] = true;
    }
    return true;
}

// Whether the bytes, as this member of the union, are shown as the value.
bool typed_reader::agrees(const btf_type& type, unsigned index, const json& value, bytes data) {
    std::vector<std::byte> other(data.begin(), data.end());
    return read_member(type, index, value, other) && std::ranges::equal(other, data);
}

bool typed_reader::read_union(const btf_type& type, const json& value, room into) {
    if (!value.IsObject() || value.ObjectEmpty()) {
        return false;
    }
    std::vector<std::pair<unsigned, const json*>> given;
    for (auto each = value.MemberBegin(); each != value.MemberEnd(); ++each) {
        unsigned index = 0;
        while (index < btf_vlen(&type) &&
               name(btf_members(&type)[index].name_off) != text_of(each->name)) {
            ++index;
        }
        if (index == btf_vlen(&type)) {
            return false;
        }
        given.emplace_back(index, &each->value);
    }
    // The one that sets every byte that any sets is the one that all others agree with.
    const room whole = into.first(std::min<std::size_t>(type.size, into.size()));
    return std::ranges::any_of(given, [&](const auto& first) {
        std::ranges::fill(whole, std::byte{0});
        return read_member(type, first.first, *first.second, whole) &&
               std::ranges::all_of(given, [&](const auto& each) {
                   return agrees(type, each.first, *each.second, whole);
               });
    });
}

bool typed_reader::read_named(const btf_type& type, std::uint32_t inner, const json& value,
                              room into) {
    return value.IsObject() && value.MemberCount() == 1 &&
           text_of(value.MemberBegin()->name) == name(type.name_off) &&
           read(inner, value.MemberBegin()->value, into);
}

// {"name":[{"variable":…},…]}
bool typed_reader::read_section(const btf_type& type, const json& value, room into) {
    if (!value.IsObject() || value.MemberCount() != 1 ||
        text_of(value.MemberBegin()->name) != name(type.name_off)) {
        return false;
    }
    const json& all = value.MemberBegin()->value;
    if (!all.IsArray() || all.Size() != btf_vlen(&type)) {
        return false;
    }
    for (unsigned i = 0; i < btf_vlen(&type); ++i) {
        const btf_var_secinfo& variable = btf_var_secinfos(&type)[i];
        const room rest = into.subspan(std::min<std::size_t>(variable.offset, into.size()));
        if (!read(variable.type, all[i], rest)) {
            return false;
        }
    }
    return true;
}

} // namespace

std::string typed_text::write(bytes data) const {
    std::ostringstream text;
    output to(text);
    json_writer writer(to);
    typed_printer(*types_, writer, typed_style::json).print(type_, data);
    to.flush();
    return text.str();
}

std::optional<std::vector<std::byte>> typed_text::read(std::string_view text) const {
    rapidjson::Document document;
    constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;
    if (document.Parse<flags>(text.data(), text.size()).HasParseError()) {
        return std::nullopt;
    }
    std::vector<std::byte> data(size_);
    return typed_reader(*types_).read(type_, document, data) ? std::optional(std::move(data))
                                                             : std::nullopt;
}

} // namespace fsctl
