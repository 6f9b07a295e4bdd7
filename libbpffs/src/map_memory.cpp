// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Memory that maps share, and the check that shapes make of a map.
#include <bpffs/map_memory.hpp>

#include "failure.hpp"

#include <fmt/format.h>

#include <linux/bpf.h>
#include <sys/mman.h>

#include <algorithm>

namespace bpffs {
namespace {

struct mapped {
    void* at = nullptr;
    std::size_t length = 0;
};

mapped map_body(const map& some, std::size_t length, access rights, std::size_t offset,
                failure& why) {
    const int protection =
        (can_read(rights) ? PROT_READ : 0) | (can_write(rights) ? PROT_WRITE : 0);
    if (!some) {
        why.set(errc::empty_handle);
        return {};
    }
    return {why.take(sys::map_memory(some.fd().get(), length, protection, offset)), length};
}

mapped map_array_body(const map& array, access rights, failure& why) {
    const map_info& info = array.info();
    if (array && (info.kind != map_kind::array || (info.flags & BPF_F_MMAPABLE) == 0)) {
        why.set(errc::unsupported, "only arrays made with BPF_F_MMAPABLE are memory");
        return {};
    }
    const std::size_t value = (std::size_t{info.value_size} + 7) / 8 * 8;
    return map_body(array, value * info.max_entries, rights, 0, why);
}

} // namespace

shared_memory::~shared_memory() {
    if (at_ != nullptr) {
        sys::unmap_memory(at_, length_);
    }
}

shared_memory shared_memory::of_array(const map& array, access rights) {
    shared_memory made;
    const mapped got = loudly("map array into memory", array.file(), wanted::to_open(rights),
                              [&](failure& why) { return map_array_body(array, rights, why); });
    made.at_ = got.at;
    made.length_ = got.length;
    return made;
}

shared_memory shared_memory::of_array(const map& array, access rights, error_code& code) noexcept {
    shared_memory made;
    const mapped got =
        quietly(code, [&](failure& why) { return map_array_body(array, rights, why); });
    made.at_ = got.at;
    made.length_ = code ? 0 : got.length;
    return made;
}

shared_memory shared_memory::of(const map& some, std::size_t length, access rights,
                                std::size_t offset) {
    shared_memory made;
    const mapped got =
        loudly("map into memory", some.file(), wanted::to_open(rights),
               [&](failure& why) { return map_body(some, length, rights, offset, why); });
    made.at_ = got.at;
    made.length_ = got.length;
    return made;
}

void check_is(const map& opened, std::initializer_list<map_kind> kinds, std::size_t key_size,
              std::size_t value_size, access needed) {
    loudly("open map", opened.file(), wanted::to_open(needed), [&](failure& why) {
        const map_info& info = opened.info();
        if (!opened) {
            why.set(errc::empty_handle);
        } else if (std::find(kinds.begin(), kinds.end(), info.kind) == kinds.end()) {
            why.set(errc::wrong_kind, fmt::format("it is a {}", to_string(info.kind)));
        } else if (info.key_size != key_size || info.value_size != value_size) {
            why.set(errc::wrong_size,
                    fmt::format("the map has keys of {} and values of {} bytes, not {} and {}",
                                info.key_size, info.value_size, key_size, value_size));
        } else if (!narrows(opened.rights(), needed)) {
            why.set(errc::wrong_access);
        }
    });
}

} // namespace bpffs
