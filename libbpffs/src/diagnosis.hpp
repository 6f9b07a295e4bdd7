// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A diagnosis in two halves: facts, gathered by walking the path, and a judgement, which is pure:
// the same facts and identity give the same findings.
#pragma once

#include <bpffs/diagnosis.hpp>
#include <bpffs/kernel.hpp>
#include <bpffs/mount.hpp>

#include "failure.hpp"

namespace bpffs {

/// A file or directory on the way, as fstat(2) has it.
struct waypoint {
    path shown;
    file_type type = file_type::directory;
    mode bits;
    uid_t owner = 0;
    gid_t group = 0;
};

/// How far the walk came.
enum class walk_end : std::uint8_t {
    complete, ///< all directories are in `way`; `file` is there or the name is free
    missing,  ///< `stopped_at` does not exist
    not_a_directory,
    refused, ///< the walker itself may not search the last directory in `way`
    loop,
    bad_name,
    too_long
};

struct facts {
    std::vector<waypoint> way; ///< the directories, from the start of the path to the last
    walk_end end = walk_end::complete;
    path stopped_at;              ///< the component the walk ended at
    path target;                  ///< the whole path, for messages
    std::string name;             ///< its last component
    std::optional<waypoint> file; ///< what the name leads to, if anything
    bool on_bpffs = false;        ///< the file, or where there is none its directory
    std::optional<mount_info> mount;
    std::optional<int> unprivileged_bpf_disabled; ///< the sysctl
    std::optional<std::uint64_t> inodes_left;     ///< of the mount, where it sets a limit
    bool holds_link = false;                      ///< the file holds a link, as far as one can see
    std::string security_modules;                 ///< "apparmor,bpf", as far as one can see
    std::string lockdown;                         ///< "integrity", "confidentiality", or ""
};

/// Walks as the calling thread. Follows a link at the end only where `wish` opens the file.
facts gather(const location& where, const wanted& wish, failure& why);

/// The part of ask_kernel() that files tell.
kernel_info kernel_settings();

diagnosis judge(const facts& known, const wanted& wish, const identity& who);

} // namespace bpffs
