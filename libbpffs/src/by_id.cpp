// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Look-ups by id, and the BTF of a map, which today is one of them; see by_id.hpp.
#include <bpffs/by_id.hpp>

#include "pin.hpp"

namespace bpffs {
namespace {

struct id_commands {
    int next;
    int open;
};

id_commands commands_for(object_kind kind) noexcept {
    switch (kind) {
    case object_kind::map:
        return {BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID};
    case object_kind::program:
        return {BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID};
    case object_kind::link:
        break;
    }
    return {BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID};
}

object open_by_id_body(object_kind kind, std::uint32_t id, failure& why) {
    auto fd = why.take(sys::fd_by_id(commands_for(kind).open, id));
    return why ? object{} : adopt_object(std::move(fd), access::read_write, {}, why);
}

std::optional<std::uint32_t> next_id_body(object_kind kind, std::uint32_t after, failure& why) {
    const auto next = sys::next_id(commands_for(kind).next, after);
    if (next) {
        return next.value;
    }
    if (next.error != ENOENT) {
        why.set(next.error);
    }
    return std::nullopt;
}

std::vector<std::byte> types_body(const map& some, failure& why) {
    if (some.info().btf_id == 0) {
        return {};
    }
    const auto fd = why.take(sys::fd_by_id(BPF_BTF_GET_FD_BY_ID, some.info().btf_id));
    if (why) {
        return {};
    }
    // Once for the size, once for the bytes.
    bpf_btf_info info{};
    (void)why.take(sys::obj_info(fd.get(), &info, sizeof info));
    if (why) {
        return {};
    }
    std::vector<std::byte> raw(info.btf_size);
    info = {};
    info.btf = reinterpret_cast<std::uint64_t>(raw.data());
    info.btf_size = static_cast<std::uint32_t>(raw.size());
    (void)why.take(sys::obj_info(fd.get(), &info, sizeof info));
    return raw;
}

} // namespace

object open_by_id(object_kind kind, std::uint32_t id) {
    return loudly("look up by id", path{}, std::nullopt,
                  [&](failure& why) { return open_by_id_body(kind, id, why); });
}

object open_by_id(object_kind kind, std::uint32_t id, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return open_by_id_body(kind, id, why); });
}

std::optional<std::uint32_t> next_id(object_kind kind, std::uint32_t after) {
    return loudly("look up the next id", path{}, std::nullopt,
                  [&](failure& why) { return next_id_body(kind, after, why); });
}

std::optional<std::uint32_t> next_id(object_kind kind, std::uint32_t after,
                                     error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return next_id_body(kind, after, why); });
}

std::vector<std::byte> types_of(const map& some) {
    return loudly("read the types of map", some.file(), std::nullopt,
                  [&](failure& why) { return types_body(some, why); });
}

std::vector<std::byte> types_of(const map& some, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return types_body(some, why); });
}

} // namespace bpffs
