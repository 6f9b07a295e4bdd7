// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// All or nothing: the steps that take back what has been done so far.
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace fsctl {

// Takes the steps, the last one first, unless keep() says that all went well.
class undo {
public:
    undo() = default;
    undo(const undo&) = delete;
    undo& operator=(const undo&) = delete;
    undo(undo&&) = delete;
    undo& operator=(undo&&) = delete;
    ~undo() {
        for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
            (*step)();
        }
    }

    // A step throws nothing, and outlives what it refers to.
    void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
    void keep() noexcept { steps_.clear(); }

private:
    std::vector<std::function<void()>> steps_;
};

} // namespace fsctl
