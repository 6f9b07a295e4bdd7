// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Directories that only root can change. Whatever is mounted for a user hangs
// in one, so that nobody can put a link, or another directory, in its place.
#pragma once

#include <bpffs/directory.hpp>

#include <vector>

namespace fsctl {

enum class if_absent { fail, make };

struct trusted_directory {
    bpffs::directory handle;
    std::vector<bpffs::path> made; // those that were missing, outermost first
};

// Opens an absolute path component by component, each by the descriptor of the
// one before: every one must be a directory (no symbolic link) that belongs to
// root, that nobody else may write, and that everybody may search. `make`
// makes what is missing, 0755. failure with the component that is not so.
trusted_directory open_trusted(const bpffs::path& file, if_absent missing);

// failure unless the caller may mount: root, with CAP_SYS_ADMIN.
void require_root();

} // namespace fsctl
