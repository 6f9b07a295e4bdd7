// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Directories that only root can change. Whatever is mounted for a user hangs
// in one, so that nobody can put a link, or another directory, in its place.
#pragma once

#include <bpffs/directory.hpp>
#include <bpffs/fd.hpp>

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

// Opens a file for reading that only root can change, by an absolute path. Links
// are followed, each directory and each link on the way by the descriptor of the
// one before: nobody but root may write any of the directories. /dev/null is as
// good. failure with what is not so, whose it is, and its mode.
bpffs::owned_fd open_roots_file(const bpffs::path& file);

// The same of a directory, which may be missing: then of those that lead to it.
void check_roots_directory(const bpffs::path& directory);

// failure unless the caller may mount: root, with CAP_SYS_ADMIN.
void require_root();

} // namespace fsctl
