// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The check that a typed map makes once, when it is opened.
#include <bpffs/typed_map.hpp>

#include "failure.hpp"

#include <fmt/format.h>

namespace bpffs {
namespace {

void check_shape_body(const map& opened, std::size_t key_size, std::size_t value_size,
                      failure& why) {
    const map_traits traits = traits_of(opened.kind());
    if (!opened) {
        why.set(errc::empty_handle);
    } else if (traits.per_cpu || traits.keyless || traits.holds_objects) {
        why.set(errc::wrong_kind,
                fmt::format("a {} has no plain keys and values", to_string(opened.kind())));
    } else if (opened.key_size() != key_size || opened.value_bytes() != value_size) {
        why.set(errc::wrong_size,
                fmt::format("the map has keys of {} and values of {} bytes, not {} and {}",
                            opened.key_size(), opened.value_bytes(), key_size, value_size));
    }
}

} // namespace

void check_shape(const map& opened, std::size_t key_size, std::size_t value_size) {
    loudly("open map", opened.file(), {},
           [&](failure& why) { check_shape_body(opened, key_size, value_size, why); });
}

void check_shape(const map& opened, std::size_t key_size, std::size_t value_size,
                 error_code& code) noexcept {
    quietly(code, [&](failure& why) { check_shape_body(opened, key_size, value_size, why); });
}

} // namespace bpffs
