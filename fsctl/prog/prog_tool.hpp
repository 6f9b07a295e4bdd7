// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-prog as a table of verbs: for main(), for the tests, and for whatever
// is generated from the table.
#pragma once

#include "common/tool.hpp"

namespace fsctl {

extern const tool prog_tool;

} // namespace fsctl
