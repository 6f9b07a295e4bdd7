// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// With -j the results of a verb that goes over many are one array, and what went
// wrong is in it: so the array is still open when the errors are thrown.
#pragma once

#include "common/tool.hpp"

namespace fsctl {

inline void start_list(context& with) {
    if (with.chosen.json) {
        with.json.start_array();
    }
}

// The end of the verb: throws what has gone wrong.
inline void end_list(context& with, const failures& wrong) {
    wrong.throw_any();
    if (with.chosen.json) {
        with.json.end_array();
    }
}

} // namespace fsctl
