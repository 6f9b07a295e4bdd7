// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the kernel means when it refuses an operation on an open map. The
// library diagnoses paths and permissions; these sentences are about the map:
// full, frozen, of a kind that cannot do this.
#pragma once

#include "common/failure.hpp"

#include <bpffs/error.hpp>
#include <bpffs/map.hpp>

#include <string>

namespace fsctl {

enum class step { lookup, update, erase, take_out, next_key, freeze };

// One sentence, or nothing where the error says all.
std::string remedy_for(step failed, const bpffs::map& in, const bpffs::error_code& why);

// Runs `call`; a library's error gets the sentence that belongs to it.
template <typename Call> auto on_map(step tried, const bpffs::map& in, Call call) {
    try {
        return call();
    } catch (const bpffs::error& error) {
        std::string remedy = remedy_for(tried, in, error.code());
        if (remedy.empty()) {
            throw;
        }
        throw failure(error.what(), std::move(remedy));
    }
}

} // namespace fsctl
