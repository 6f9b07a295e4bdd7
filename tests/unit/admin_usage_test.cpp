// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The usage text of bpffs-admin fits a terminal of 24 lines of 80 columns, so
// that nothing of it scrolls away.
#include "admin/admin_tool.hpp"

#include <gtest/gtest.h>

namespace {

TEST(AdminUsage, FitsAScreen) {
    const std::string text = fsctl::usage(fsctl::admin_tool);
    const std::vector<std::string_view> lines = fsctl::split(text, '\n');
    EXPECT_LE(lines.size(), 24U) << text; // the last one is the prompt's
    for (const std::string_view line : lines) {
        EXPECT_LE(line.size(), 80U) << line;
    }
}

} // namespace
