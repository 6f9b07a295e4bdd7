// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Making program handles, for the files that open, load and attach.
#pragma once

#include <bpffs/program.hpp>

#include "handle.hpp"

namespace bpffs {

template <> struct handle_traits<program> {
    static constexpr object_kind kind = object_kind::program;
    static constexpr const char* opening = "open program";
    static constexpr const char* pinning = "pin program";

    static void describe(program& made, failure& why);
};

} // namespace bpffs
