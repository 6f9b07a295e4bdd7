// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Types: the BTF that an object carries, and C++ types compared with it.
#pragma once

#include <bpffs/error.hpp>
#include <bpffs/export.hpp>
#include <bpffs/map.hpp>
#include <bpffs/program.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace bpffs {

/// The BTF that describes the map's keys and values (map_info::btf_key_type and btf_value_type are
/// ids in it), as the kernel stores it; empty for a map without types. Needs R on the handle where
/// the kernel lends BTF to those who may read its object (our kernel patches); elsewhere BTF is
/// looked up by its id, which needs CAP_SYS_ADMIN. EPERM: neither.
[[nodiscard]] BPFFS_API std::vector<std::byte> types_of(const map& some);
[[nodiscard]] BPFFS_API std::vector<std::byte> types_of(const map& some, error_code& code) noexcept;

/// The BTF that a program was loaded with; as for maps.
[[nodiscard]] BPFFS_API std::vector<std::byte> types_of(const program& some);
[[nodiscard]] BPFFS_API std::vector<std::byte> types_of(const program& some,
                                                        error_code& code) noexcept;

/// What can be compared of a C++ type.
struct type_shape {
    enum class family : std::uint8_t { signed_integer, unsigned_integer, real, compound };
    family kind = family::compound;
    std::size_t size = 0;

    template <class T> [[nodiscard]] static constexpr type_shape of() noexcept {
        if constexpr (std::is_enum_v<T>) {
            return {of<std::underlying_type_t<T>>().kind, sizeof(T)};
        } else if constexpr (std::is_integral_v<T>) {
            return {std::is_signed_v<T> ? family::signed_integer : family::unsigned_integer,
                    sizeof(T)};
        } else {
            return {std::is_floating_point_v<T> ? family::real : family::compound, sizeof(T)};
        }
    }
};

/// Compares with the map's BTF, where it has any that the caller may read: integers with integers
/// of the same signedness (the kernel's char and bool with either), structures with compound
/// types. errc::wrong_type, with both types in the exception's detail(). Sizes are check_shape's.
BPFFS_API void check_types(const map& opened, type_shape key, type_shape value);
BPFFS_API void check_types(const map& opened, type_shape key, type_shape value,
                           error_code& code) noexcept;

} // namespace bpffs
