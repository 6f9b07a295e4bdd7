// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// One line for whatever is given, changed, refused or taken away: to the
// journal, with fields to search by, or to stderr where none runs.
#pragma once

#include "policy.hpp"

#include <exception>
#include <ostream>
#include <string>
#include <string_view>

namespace fsctl {

enum class audited { granted, changed, refused, withdrawn };

struct audit_entry {
    audited what = audited::granted;
    std::string user; // or the name of a shared directory
    bpffs::path directory;
    origin from;       // the line of the policy; none: asked for on the command line
    std::string words; // what has changed, or why it was refused; may be empty
};

// The fields are BPFFS_EVENT, BPFFS_USER, BPFFS_DIRECTORY and BPFFS_POLICY.
void audit(const audit_entry& entry, std::ostream& without_journal);

// Does what somebody asked for on the command line; where it fails, one line says
// that it was refused, and why.
template <class Work>
void audit_refusal(const std::string& user, const bpffs::path& directory,
                   std::ostream& without_journal, Work work) {
    try {
        work();
    } catch (const std::exception& error) {
        audit({audited::refused, user, directory, {}, describe(error).message}, without_journal);
        throw;
    }
}

// In one line, whatever names are in it:
// "bpffs-admin: granted alice '/run/bpffs/alice' by /etc/bpffs.d/10.conf:3: ..."
std::string to_line(const audit_entry& entry);

// "granted"
std::string_view word(audited what);

} // namespace fsctl
