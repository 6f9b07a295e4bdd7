// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Objects by the kernel's own numbers. Look-ups by id pass by every file and its mode, so the
// kernel keeps them for CAP_SYS_ADMIN; whoever has only a file opens the file.
#pragma once

#include <bpffs/error.hpp>
#include <bpffs/export.hpp>
#include <bpffs/kinds.hpp>
#include <bpffs/pin.hpp>
#include <bpffs/types.hpp>

#include <cstdint>
#include <optional>

namespace bpffs {

/// Opens the object with this id, to read and write; the handle is not bound to a file's mode.
/// EPERM without CAP_SYS_ADMIN. ENOENT: there is none (any more).
[[nodiscard]] BPFFS_API object open_by_id(object_kind kind, std::uint32_t id);
[[nodiscard]] BPFFS_API object open_by_id(object_kind kind, std::uint32_t id,
                                          error_code& code) noexcept;

/// The smallest id above `after` (0: the first of all), or nothing at the end. The object may be
/// gone by the time it is opened. EPERM without CAP_SYS_ADMIN.
[[nodiscard]] BPFFS_API std::optional<std::uint32_t> next_id(object_kind kind, std::uint32_t after);
[[nodiscard]] BPFFS_API std::optional<std::uint32_t> next_id(object_kind kind, std::uint32_t after,
                                                             error_code& code) noexcept;

} // namespace bpffs
