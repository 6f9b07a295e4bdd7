// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What can come next on a command line, for the completion of shells: read from
// the verb table, whose operands are the grammar ("MAP [key DATA]"): words in
// small letters are keywords, in capital letters what a person puts there. The
// shells' scripts ask the tool itself, so that what it completes is what it takes:
//
//   bpffs-map __complete dump /sys/fs/bpf/s      the last word is the unfinished one
#pragma once

#include "tool.hpp"

#include <span>
#include <string>
#include <vector>

namespace fsctl {

// The first argument that asks for completion.
constexpr std::string_view completion_word = "__complete";

// All that may stand in the place of the last word and begins as it does. A
// directory ends in a slash: the word goes on behind it. Never throws for what
// cannot be looked at; there is nothing to complete then.
std::vector<std::string> complete(const tool& which, std::span<const std::string> arguments);

} // namespace fsctl
