// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Policy files: where they are, which of them count, and reading them. They are
// TOML; whatever is not understood is an error with file, line and column.
#pragma once

#include "policy.hpp"

#include <span>
#include <vector>

namespace fsctl {

class failures;

// Where they are by default, the strongest first: /etc/bpffs.d, /run/bpffs.d,
// /usr/lib/bpffs.d.
std::span<const bpffs::path> policy_directories();

// The files NAME.conf that count, sorted by their names: of several directories
// that have the same name, the first one's. Directories may be missing.
std::vector<bpffs::path> policy_files(std::span<const bpffs::path> directories);

// Reads one file's text on top of what is there. Everything that is wrong goes
// into `wrong`; the policy is not to be used then.
void read_policy_text(const std::string& text, const bpffs::path& shown, policy& into,
                      failures& wrong);

// Whose files count: with `root` one that others may change is wrong, and so is
// one in a directory, or behind a link in a directory, that they may change.
enum class file_owner { root, anybody };

// Reads files in this order. Throws `failures` with all that is wrong in all of
// them.
policy read_policy(const std::vector<bpffs::path>& files, file_owner owner);

// The policy of this machine. Wrong, too, where others than root may change one of
// the directories.
policy read_policy();

} // namespace fsctl
