// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What an administrator gives: the delegation of a user's directory, from the
// words of the command line, with a default that is safe to give to anybody.
#pragma once

#include "common/words.hpp"

#include <bpffs/delegation.hpp>
#include <bpffs/mode.hpp>

#include <optional>

namespace fsctl {

enum class home_link_policy { make, leave };

struct grant {
    bpffs::delegation delegated; // by default default_delegation()
    bpffs::mode bits{0700};
    bpffs::path base = "/run/bpffs";
    home_link_policy link = home_link_policy::make;
};

// To create maps that only hold data, and BTF that describes them.
//
// Left out on purpose: kinds that hold programs or let the kernel call one
// (prog_array, devmap, cpumap, sockmap, struct_ops, ...), kinds that attach to
// kernel objects (*_storage), user_ringbuf and arena, which are of use to
// programs only.
bpffs::delegation default_delegation();

// A mount takes any command and any kind, also one that is not known yet, but of
// the capabilities only those that it knows: "any" is all of these. Nothing where
// a mask holds others.
template <class Enum>
std::optional<bpffs::delegated_set<Enum>> without_impossible(bpffs::delegated_set<Enum> set) {
    return set;
}
std::optional<bpffs::delegated_set<bpffs::capability>>
without_impossible(bpffs::delegated_set<bpffs::capability> set);

constexpr const char* impossible_capabilities =
    "holds other capabilities than bpf, net_admin and perfmon";

// The words behind USER of `add`. usage_error for anything wrong.
grant take_grant(words& given);

// The directory behind "dir", absolute. usage_error when it is empty.
bpffs::path take_base(words& given);

} // namespace fsctl
