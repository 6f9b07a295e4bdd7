// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Making map handles, for the files that open and create them.
#pragma once

#include <bpffs/map.hpp>

#include "handle.hpp"

namespace bpffs {

template <> struct handle_traits<map> {
    static constexpr object_kind kind = object_kind::map;
    static constexpr const char* opening = "open map";
    static constexpr const char* pinning = "pin map";

    static void describe(map& made, failure& why);
    /// The same where the descriptor has been asked already.
    static void describe(map& made, failure& why, const bpf_map_info& raw);
};

} // namespace bpffs
