// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Making link handles, for the files that open, load and attach.
#pragma once

#include <bpffs/link.hpp>

#include "handle.hpp"

namespace bpffs {

template <> struct handle_traits<link> {
    static constexpr object_kind kind = object_kind::link;
    static constexpr const char* opening = "open link";
    static constexpr const char* pinning = "pin link";

    static void describe(link& made, failure& why);
};

} // namespace bpffs
