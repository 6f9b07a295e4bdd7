// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Rows of cells for people: two blanks between cells, columns aligned where
// somebody looks at them on a terminal, and as they are in a pipe.
#pragma once

#include "env.hpp"
#include "output.hpp"

#include <string>
#include <vector>

namespace fsctl {

class table {
public:
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

    // The last cell of a row is never padded.
    void print(output& out, const env& process) const;

private:
    std::vector<std::vector<std::string>> rows_;
};

} // namespace fsctl
