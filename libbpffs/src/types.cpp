// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// BTF of objects, and C++ types compared with it.
#include "types.hpp"

#include <bpf/btf.h>
#include <fmt/format.h>

#include <memory>
#include <string_view>

namespace bpffs {
namespace {

struct free_types {
    void operator()(btf* types) const noexcept { ::btf__free(types); }
};

sys::result<owned_fd> open_btf(int object, std::uint32_t id) {
    auto lent = sys::btf_of_object(object, id);
    // A kernel without this way knows neither flag nor field: EINVAL or E2BIG.
    return lent ? std::move(lent) : sys::fd_by_id(BPF_BTF_GET_FD_BY_ID, id);
}

std::string_view words(type_shape::family kind) noexcept {
    switch (kind) {
    case type_shape::family::signed_integer:
        return "a signed integer";
    case type_shape::family::unsigned_integer:
        return "an unsigned integer";
    case type_shape::family::real:
        return "a floating-point number";
    case type_shape::family::compound:
        break;
    }
    return "a compound type";
}

/// The families of C++ types that a BTF type can be; nothing where any will do.
std::vector<type_shape::family> families_of(const btf_type* type) {
    using family = type_shape::family;
    switch (btf_kind(type)) {
    case BTF_KIND_INT: {
        const auto encoding = btf_int_encoding(type);
        if ((encoding & (BTF_INT_CHAR | BTF_INT_BOOL)) != 0) {
            return {family::signed_integer, family::unsigned_integer, family::compound};
        }
        return {(encoding & BTF_INT_SIGNED) != 0 ? family::signed_integer
                                                 : family::unsigned_integer,
                family::compound};
    }
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
        return {family::signed_integer, family::unsigned_integer};
    case BTF_KIND_FLOAT:
        return {family::real};
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_ARRAY:
        return {family::compound};
    default:
        return {};
    }
}

void compare(const btf* types, const char* what, std::uint32_t id, type_shape wanted_shape,
             failure& why) {
    const int resolved = ::btf__resolve_type(types, id);
    const btf_type* type = resolved > 0 ? ::btf__type_by_id(types, resolved) : nullptr;
    if (type == nullptr || why) {
        return;
    }
    const auto families = families_of(type);
    for (const auto one : families) {
        if (one == wanted_shape.kind) {
            return;
        }
    }
    if (!families.empty()) {
        const char* name = ::btf__name_by_offset(types, type->name_off);
        why.set(errc::wrong_type,
                fmt::format("the map's {} is {}{}{}, not {}", what, words(families.front()),
                            name == nullptr || *name == 0 ? "" : ", ", name == nullptr ? "" : name,
                            words(wanted_shape.kind)));
    }
}

void check_types_body(const map& opened, type_shape key, type_shape value, failure& why) {
    const map_info& info = opened.info();
    if (info.btf_id == 0 || (info.btf_key_type == 0 && info.btf_value_type == 0)) {
        return;
    }
    failure refused;
    const auto raw = btf_bytes(opened.fd().get(), info.btf_id, refused);
    if (raw.empty()) {
        return;
    }
    const std::unique_ptr<btf, free_types> types{
        ::btf__new(raw.data(), static_cast<std::uint32_t>(raw.size()))};
    if (types) {
        compare(types.get(), "key", info.btf_key_type, key, why);
        compare(types.get(), "value", info.btf_value_type, value, why);
    }
}

} // namespace

std::vector<std::byte> btf_bytes(int object, std::uint32_t id, failure& why) {
    if (id == 0) {
        return {};
    }
    const owned_fd fd = why.take(open_btf(object, id));
    // Once for the size, once for the bytes.
    bpf_btf_info info{};
    if (!why) {
        why.take(sys::obj_info(fd.get(), &info, sizeof info));
    }
    if (why) {
        return {};
    }
    std::vector<std::byte> raw(info.btf_size);
    info = {};
    info.btf = reinterpret_cast<std::uint64_t>(raw.data());
    info.btf_size = static_cast<std::uint32_t>(raw.size());
    why.take(sys::obj_info(fd.get(), &info, sizeof info));
    return why ? std::vector<std::byte>{} : raw;
}

std::vector<std::byte> types_of(const map& some) {
    return loudly(
        "read the types of map", some.file(), wanted::to_open(access::read),
        [&](failure& why) { return btf_bytes(some.fd().get(), some.info().btf_id, why); });
}

std::vector<std::byte> types_of(const map& some, error_code& code) noexcept {
    return quietly(
        code, [&](failure& why) { return btf_bytes(some.fd().get(), some.info().btf_id, why); });
}

std::vector<std::byte> types_of(const program& some) {
    return loudly(
        "read the types of program", some.file(), wanted::to_open(access::read),
        [&](failure& why) { return btf_bytes(some.fd().get(), some.info().btf_id, why); });
}

std::vector<std::byte> types_of(const program& some, error_code& code) noexcept {
    return quietly(
        code, [&](failure& why) { return btf_bytes(some.fd().get(), some.info().btf_id, why); });
}

void check_types(const map& opened, type_shape key, type_shape value) {
    loudly("open map", opened.file(), {},
           [&](failure& why) { check_types_body(opened, key, value, why); });
}

void check_types(const map& opened, type_shape key, type_shape value, error_code& code) noexcept {
    quietly(code, [&](failure& why) { check_types_body(opened, key, value, why); });
}

} // namespace bpffs
