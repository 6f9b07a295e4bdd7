// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the handles share: the kind of a descriptor, opening with a kind in mind, pinning.
#pragma once

#include <bpffs/pin.hpp>

#include "failure.hpp"
#include "place.hpp"
#include "stage.hpp"

namespace bpffs {

/// The descriptor of whatever object is pinned there.
owned_fd open_fd(const location& where, access rights, failure& why);
object open_object(const location& where, access rights, failure& why);
object adopt_object(owned_fd fd, access rights, path file, failure& why);
/// Notes errc::wrong_kind where it is not of that kind.
void check_kind(const object& opened, object_kind kind, failure& why);

void pin_body(int object, const location& where, std::optional<mode> bits, failure& why);
/// The same with the location resolved already.
void pin_at(int object, const place& here, const birth& as, failure& why);
/// pin_all with the location resolved already.
void pin_all_at(std::span<const named_pin> pins, const place& here, const birth& of_directory,
                on_conflict conflict, failure& why);
/// What the fdinfo of a descriptor is of; nothing for other files than BPF objects.
std::optional<object_kind> kind_from(std::string_view fdinfo) noexcept;
/// Notes errc::bad_mode for bits outside 0777.
void check_pin_mode(std::optional<mode> bits, failure& why);

} // namespace bpffs
