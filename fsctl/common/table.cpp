// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Layout of rows; see table.hpp.
#include "table.hpp"

#include <algorithm>

namespace fsctl {

void table::print(output& out, const env& process) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; process.terminal && i + 1 < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const bool last = i + 1 == row.size();
            out.print("{:{}}{}", row[i], last ? 0 : widths[i], last ? "\n" : "  ");
        }
    }
}

} // namespace fsctl
