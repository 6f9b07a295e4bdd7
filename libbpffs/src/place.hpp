// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A location resolved: the directory, opened, and the last name in it.
#pragma once

#include "failure.hpp"

#include <fcntl.h>

#include <string>

namespace bpffs {

/// Where a name is, or will be.
struct place {
    owned_fd opened;    ///< the directory, where it had to be opened
    int directory = -1; ///< the directory, owned here or borrowed from the location
    std::string name;   ///< one component, never empty, "." or ".."

    [[nodiscard]] const char* c_name() const noexcept { return name.c_str(); }
};

/// Opens the directory that the last name of `where` is in. Notes errc::bad_name, ENAMETOOLONG,
/// errc::dot_in_name (a directory name with a dot below a bpffs), or the errno of the way there.
place resolve(const location& where, failure& why);

/// Notes what is wrong with the text of a path that is to lead to a name, before any of it is
/// looked up.
void check_path(const location& where, failure& why);

/// The descriptor that relative names of `where` start from.
int base_of(const location& where) noexcept;

/// True if the descriptor is of a file on a bpffs.
bool on_bpffs(int fd, failure& why);

/// Before a name is made: it must be on a bpffs and have no dot.
void check_new_name(const place& here, failure& why);

/// "/proc/self/fd/N/NAME", or "/proc/self/fd/N" for an empty name: how a call that takes no
/// directory descriptor is kept to one.
std::string through_proc(int directory, const std::string& name = {});

} // namespace bpffs
