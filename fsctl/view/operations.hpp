// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the kernel asks of the view, as libfuse's table of callbacks. Each answers its request
// exactly once.
#pragma once

#include "allowance.hpp"
#include "node.hpp"
#include "rings.hpp"
#include "settings.hpp"

#include <fuse_lowlevel.h>

namespace fsctl::view {

// The userdata of the session.
struct world {
    const settings& chosen;
    node_table nodes;
    std::string source; // its whole path
    allowances users;   // of a shared view
    ring_waiter rings = {};
};

extern const fuse_lowlevel_ops operations;

} // namespace fsctl::view
