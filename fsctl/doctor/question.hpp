// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What bpffs-doctor is asked: about which path, for whom, and which deeds.
#pragma once

#include "common/words.hpp"

#include <bpffs/bpffs.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fsctl {

// Something one may want to do with a path.
struct deed {
    std::string_view word;
    bpffs::wanted wish;
    std::optional<bpffs::object_kind> only = std::nullopt; // what the pin must hold
};

// All that --for takes.
std::span<const deed> all_deeds();

struct question {
    bpffs::path file;
    std::string who; // "alice"
    bpffs::identity identity;
    std::optional<deed> wanted; // --for; without it everything that can be done is looked at
};

// Reads the words. usage_error for wrong ones, failure where --as is not allowed.
question take_question(words& given);

} // namespace fsctl
