// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Files that the tools write for others to read: a memory image, a log.
#pragma once

#include "output.hpp"

#include <string>
#include <string_view>

namespace fsctl {

// The file holds all of the data afterwards, or what it held before, also where the process is
// killed. It keeps its owner, group and mode. What is no regular file (/dev/stdout), or cannot be
// replaced by a file like it, is written as it is. failure, with the reason.
void write_whole(const std::string& file, std::string_view data);
void write_whole(const std::string& file, bytes data);

} // namespace fsctl
