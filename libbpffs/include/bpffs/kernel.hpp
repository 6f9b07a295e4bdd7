// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the running kernel enforces, as far as anybody may ask: the permission model of pins,
// tokens, and what else may say no to bpf(2).
#pragma once

#include <bpffs/export.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace bpffs {

struct kernel_info {
    /// The permission model: mounts take `fmode` and delegate_caps, pins are born with a mode. (Our
    /// kernel patches; asked by BPF_F_OBJECT_FD, which comes with them.)
    bool model = false;
    bool tokens = false; ///< BPF_TOKEN_CREATE (Linux 6.9), which the model needs to delegate
    std::optional<int> unprivileged_bpf_disabled; ///< the sysctl; nothing where it cannot be read
    /// "apparmor,bpf": those that may refuse bpf(2); empty where they cannot be read.
    std::string security_modules;
    std::string lockdown; ///< "integrity", "confidentiality", or ""
};

/// Asks the running kernel. Needs no privilege, and cannot fail: what cannot be found out is left
/// out. Throws std::bad_alloc only.
[[nodiscard]] BPFFS_API kernel_info ask_kernel();

} // namespace bpffs
