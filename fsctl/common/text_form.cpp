// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Writing by hand, reading through the typed words of DATA; see text_form.hpp.
#include "text_form.hpp"

#include "data.hpp"
#include "failure.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <bpf/btf.h>

namespace fsctl {

namespace {

using blob = std::vector<std::byte>;

struct form_size {
    std::string_view type;
    std::size_t size; // 0: any
};

constexpr std::array sizes = {
    form_size{"u8", 1},   form_size{"u16", 2},  form_size{"u32", 4},  form_size{"u64", 8},
    form_size{"s8", 1},   form_size{"s16", 2},  form_size{"s32", 4},  form_size{"s64", 8},
    form_size{"be16", 2}, form_size{"be32", 4}, form_size{"be64", 8}, form_size{"ip4", 4},
    form_size{"ip6", 16}, form_size{"hex", 0},  form_size{"str", 0},
};

const form_size* find_form(std::string_view type) {
    const auto* found = std::find_if(sizes.begin(), sizes.end(),
                                     [&](const form_size& each) { return each.type == type; });
    return found == sizes.end() ? nullptr : found;
}

std::string write_hex(bytes data) {
    std::string text;
    text.reserve(data.size() * 2);
    for (const std::byte each : data) {
        constexpr std::string_view digits = "0123456789abcdef";
        text += digits[std::to_integer<unsigned>(each) >> 4U];
        text += digits[std::to_integer<unsigned>(each) & 0xfU];
    }
    return text;
}

std::string write_address(int family, bytes data) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(family, data.data(), text.data(), text.size());
    return text.data();
}

bool needs_escape(char letter, bool first) {
    const auto value = static_cast<unsigned char>(letter);
    return value < 0x20 || value == 0x7f || letter == '/' || letter == '\\' ||
           (first && letter == '.');
}

void append_escaped(std::string& text, char letter) {
    text += fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
}

// Zeros at the end only fill the field, except that no text would be no name.
std::string write_string(bytes data) {
    const auto last = std::find_if(data.rbegin(), data.rend(),
                                   [](std::byte each) { return each != std::byte{}; });
    const auto length = static_cast<std::size_t>(data.rend() - last);
    std::string text;
    for (std::size_t i = 0; i < length; ++i) {
        const char letter = static_cast<char>(std::to_integer<unsigned char>(data[i]));
        if (needs_escape(letter, i == 0)) {
            append_escaped(text, letter);
        } else {
            text += letter;
        }
    }
    if (text.empty()) {
        append_escaped(text, '\0');
    }
    return text;
}

std::optional<unsigned> hex_pair(std::string_view text) {
    unsigned value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, value, 16);
    return text.size() == 2 && code == std::errc() && stop == end ? std::optional(value)
                                                                  : std::nullopt;
}

std::optional<blob> read_string(std::string_view text, std::size_t size) {
    blob data;
    while (!text.empty()) {
        if (!text.starts_with('\\')) {
            data.push_back(static_cast<std::byte>(text.front()));
            text.remove_prefix(1);
            continue;
        }
        const auto value = text.starts_with("\\x") ? hex_pair(text.substr(2, 2)) : std::nullopt;
        if (!value) {
            return std::nullopt;
        }
        data.push_back(static_cast<std::byte>(*value));
        text.remove_prefix(4);
    }
    if (data.size() > size) {
        return std::nullopt;
    }
    data.resize(size);
    return data;
}

// --- prefixes

constexpr std::size_t length_bytes = sizeof(std::uint32_t);

std::string_view address_type(std::size_t size) {
    return size == 4 ? "ip4" : size == 16 ? "ip6" : "hex";
}

void clear_behind(std::uint32_t prefix, std::span<std::byte> address) {
    for (std::size_t i = 0; i < address.size(); ++i) {
        const std::uint32_t before = static_cast<std::uint32_t>(i) * 8;
        const unsigned kept = prefix <= before ? 0 : std::min(prefix - before, 8U);
        address[i] &= static_cast<std::byte>(0xff00U >> kept);
    }
}

std::string write_prefix(bytes data) {
    std::uint32_t prefix = 0;
    std::memcpy(&prefix, data.data(), length_bytes);
    blob address(data.begin() + length_bytes, data.end());
    clear_behind(prefix, address);
    const auto form = text_form::named(address_type(address.size()), address.size());
    return fmt::format("{}_{}", form ? form->write(address) : std::string(), prefix);
}

std::optional<blob> read_prefix(std::string_view text, std::size_t size) {
    const std::size_t mark = text.rfind('_');
    if (mark == std::string_view::npos) {
        return std::nullopt;
    }
    std::uint32_t prefix = 0;
    const std::string_view digits = text.substr(mark + 1);
    const char* end = digits.data() + digits.size();
    const auto [stop, code] = std::from_chars(digits.data(), end, prefix);
    const std::size_t room = size - length_bytes;
    const auto form = text_form::named(address_type(room), room);
    const auto address = form ? form->read(text.substr(0, mark)) : std::nullopt;
    if (!address || code != std::errc() || stop != end || prefix > room * 8) {
        return std::nullopt;
    }
    blob data(length_bytes);
    std::memcpy(data.data(), &prefix, length_bytes);
    data.insert(data.end(), address->begin(), address->end());
    return data;
}

// --- BTF

std::string_view number_type(std::size_t size, bool is_signed) {
    switch (size) {
    case 1:
        return is_signed ? "s8" : "u8";
    case 2:
        return is_signed ? "s16" : "u16";
    case 4:
        return is_signed ? "s32" : "u32";
    case 8:
        return is_signed ? "s64" : "u64";
    default:
        return "hex";
    }
}

const btf_type* resolve(const btf& types, std::uint32_t type_id) {
    const int id = btf__resolve_type(&types, type_id);
    return id < 0 ? nullptr : btf__type_by_id(&types, static_cast<std::uint32_t>(id));
}

bool is_char(const btf& types, std::uint32_t type_id) {
    const btf_type* type = resolve(types, type_id);
    if (type == nullptr || !btf_is_int(type) || type->size != 1) {
        return false;
    }
    const char* name = btf__name_by_offset(&types, type->name_off);
    return btf_int_encoding(type) == BTF_INT_CHAR ||
           (name != nullptr && std::string_view(name) == "char");
}

std::string_view type_name(const btf& types, std::uint32_t type_id, std::size_t size) {
    const btf_type* type = resolve(types, type_id);
    if (type == nullptr) {
        return "hex";
    }
    if (btf_is_array(type)) {
        const auto* array = btf_array(type);
        return array->nelems == size && is_char(types, array->type) ? "str" : "hex";
    }
    const bool whole_int =
        btf_is_int(type) && btf_int_offset(type) == 0 && btf_int_bits(type) == type->size * 8U;
    if (whole_int && type->size == size) {
        return number_type(size, (btf_int_encoding(type) & BTF_INT_SIGNED) != 0);
    }
    return btf_is_any_enum(type) && type->size == size ? number_type(size, btf_kflag(type)) : "hex";
}

} // namespace

text_form text_form::hexadecimal(std::size_t size) {
    return {"hex", size};
}

std::optional<text_form> text_form::named(std::string_view type, std::size_t size) {
    const form_size* form = find_form(type);
    if (form == nullptr || (form->size != 0 && form->size != size)) {
        return std::nullopt;
    }
    return text_form(form->type, size);
}

bool text_form::is_name(std::string_view type) {
    return find_form(type) != nullptr;
}

text_form text_form::typed(const btf& types, std::uint32_t type_id, std::size_t size) {
    return {type_name(types, type_id, size), size};
}

text_form text_form::prefix(std::size_t size) {
    return size < length_bytes ? hexadecimal(size) : text_form(lpm, size);
}

std::string text_form::write_number(bytes data) const {
    const bool big = type_.starts_with("be") || std::endian::native == std::endian::big;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < data.size(); ++i) {
        number = number << 8U | std::to_integer<unsigned>(data[big ? i : data.size() - 1 - i]);
    }
    if (type_.starts_with('s')) {
        const unsigned unused = 64U - static_cast<unsigned>(data.size()) * 8U;
        return fmt::format("{}", static_cast<std::int64_t>(number << unused) >> unused);
    }
    return fmt::format("{}", number);
}

std::string text_form::write(bytes data) const {
    if (type_ == "hex") {
        return write_hex(data);
    }
    if (type_ == "str") {
        return write_string(data);
    }
    if (type_ == lpm) {
        return write_prefix(data);
    }
    if (type_.starts_with("ip")) {
        return write_address(type_ == "ip4" ? AF_INET : AF_INET6, data);
    }
    return write_number(data);
}

std::optional<std::vector<std::byte>> text_form::read(std::string_view text) const {
    if (type_ == "str") {
        return read_string(text, size_);
    }
    if (type_ == lpm) {
        return read_prefix(text, size_);
    }
    try {
        blob data = typed_bytes(type_, text, "text", size_);
        return data.size() == size_ ? std::optional(std::move(data)) : std::nullopt;
    } catch (const usage_error&) {
        return std::nullopt;
    }
}

} // namespace fsctl
