// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Making map handles, for the files that open and create them.
#pragma once

#include <bpffs/map.hpp>

#include "pin.hpp"

namespace bpffs {

/// The private side of map.
struct map_access {
    /// Puts a map around a descriptor: asks for its information. The descriptor is closed where
    /// that fails.
    static map make(owned_fd fd, access rights, path file, failure& why);
    static map from(object opened, failure& why);
};

} // namespace bpffs
