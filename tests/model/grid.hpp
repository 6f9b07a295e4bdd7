// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The grid: every kind of map, program and link × what can be done with it × the handle it is done
// with × who does it × the mount. matrix_test.cpp tries each use where it has its effect, with one
// kind of object; this asks of all kinds whether the right counts, and nothing else does.
//
// What a handle that is enough has to give is what the maker's own handle gives to the same person:
// a kind that cannot be iterated cannot be iterated with any right. So nothing is said of kinds
// twice.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "rights.hpp"
#include "support/bpf_call.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

/// What a use may need beside the object, made anew for each person and handle.
struct surroundings {
    std::string own_directory;       ///< a directory in which everybody may create
    const handle* partner = nullptr; ///< a map of maps, a program array, a program to be linked
    const handle* cgroup = nullptr;
};

/// One use of an object, without any care for its effect.
struct grid_use {
    const char* use; ///< the row of the rights table
    const char* name;
    std::function<int(int fd, const surroundings& s)> call; ///< 0 or an errno
    bool of_elements = false; ///< the opening's flags count on every mount, for maps
    int refused = 1;          ///< EPERM
    /// It shows what the maker's handle shows to the privileged only.
    bool by_right_alone = false;
};

/// One kind of object.
struct grid_kind {
    object_kind object;
    std::string name;
    std::function<handle()> make;
    std::function<handle(int object)> make_partner = nullptr;
    std::vector<grid_use> uses;
};

std::vector<grid_kind> map_kinds();
std::vector<grid_kind> program_kinds();
std::vector<grid_kind> link_kinds();

} // namespace bpffs_test
