// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the walk does next.

#pragma once

#include "reference.hpp"
#include "steps.hpp"

namespace bpffs_walk {

/// Any step, but with names and handles that are likely to be there, as `now` knows.
step draw(dice& d, const reference& now);

} // namespace bpffs_walk
