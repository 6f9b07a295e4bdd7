// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// How a request ends other than well: with the errno that a file system gives for it.
#pragma once

#include <bpffs/error.hpp>

#include <cerrno>
#include <exception>

namespace fsctl::view {

struct refused : std::exception {
    explicit refused(int errno_value) : number(errno_value) {}
    int number;
};

// The errno of a library's error. A map that is full is a file system that is full.
inline int errno_of(const bpffs::error_code& why) {
    const int number = why.default_error_condition().value();
    return number == E2BIG ? ENOSPC : number;
}

inline void check(const bpffs::error_code& why) {
    if (why) {
        throw refused(errno_of(why));
    }
}

} // namespace fsctl::view
