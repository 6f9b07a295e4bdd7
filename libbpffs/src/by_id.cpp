// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Look-ups by id; see by_id.hpp.
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

} // namespace bpffs
