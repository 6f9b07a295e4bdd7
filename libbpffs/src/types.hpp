// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Reading the BTF of an object.
#pragma once

#include <bpffs/types.hpp>

#include "failure.hpp"

namespace bpffs {

/// The BTF with this id (0: nothing) that the object of this descriptor has.
std::vector<std::byte> btf_bytes(int object, std::uint32_t id, failure& why);

} // namespace bpffs
