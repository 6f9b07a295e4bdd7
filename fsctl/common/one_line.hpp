// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Names for messages: they may hold anything but a slash, and others choose them.
#pragma once

#include <string>
#include <string_view>

namespace fsctl {

// The same words with \n, \x1b and the like for control bytes: a name begins no
// line of its own, and commands no terminal. Twice is once.
std::string in_one_line(std::string_view words);

} // namespace fsctl
