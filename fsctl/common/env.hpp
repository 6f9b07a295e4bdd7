// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What a tool takes from the process it runs in. Every tool is a function
// run(env&, arguments), so tests call it in-process and look at what it wrote.
#pragma once

#include <ostream>

namespace fsctl {

struct env {
    std::ostream& out;     // results
    std::ostream& err;     // errors, warnings and progress
    bool progress = false; // somebody watches err, and the results go elsewhere
    bool terminal = false; // somebody watches out: tables are aligned
    bool colours = false;  // and wants to see colours
};

} // namespace fsctl
