// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-doctor as a table of one verb that has no name: for main(), for the
// tests, and for whatever is generated from the table.
#pragma once

#include "common/tool.hpp"

#include <span>
#include <string_view>

namespace fsctl {

extern const tool doctor_tool;

// The words that --for takes.
std::span<const std::string_view> doctor_deeds();

} // namespace fsctl
