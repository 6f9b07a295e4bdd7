// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The tool bpffs-admin: its verbs, for main() and for tests.
#pragma once

#include "common/tool.hpp"

namespace fsctl {

extern const tool admin_tool;

} // namespace fsctl
