// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The verb table of bpffs-admin.
#include "admin_tool.hpp"

#include "verbs.hpp"

namespace fsctl {

namespace {

constexpr verb verbs[] = {
    {"check", "[FILE]...", admin_check},
    {"show", "USER", admin_show},
    {"diff", "", admin_diff},
    {"apply", "[USER]... [force]", admin_apply, effect::destructive},
    {"login", "[USER]", admin_login},
    {"clean", "[force]", admin_clean, effect::destructive},
    {"save", "[DIR]", admin_save},
    {"restore", "[DIR]", admin_restore},
    {"add",
     "USER [mode MODE] [caps CAPS] [cmds COMMANDS] [maps KINDS]\n"
     "[progs KINDS] [attachs KINDS] [dir DIRECTORY] [nolink]",
     admin_add},
    {"list", "[USER] [dir DIRECTORY]", admin_list},
    {"remove", "USER [force] [dir DIRECTORY]", admin_remove, effect::destructive},
};

constexpr std::string_view notes =
    "FILE := a policy file (those of /etc/bpffs.d, /run/bpffs.d, /usr/lib/bpffs.d)\n"
    "DIR := where saves are (/var/lib/bpffs; of one's own, ~/.local/state/bpffs)\n"
    "USER := a name or number; DIRECTORY/USER is a bpffs, ~USER/bpf leads to it\n"
    "CAPS := { bpf | net_admin | perfmon }:... | any | none   (bpf)\n"
    "COMMANDS, KINDS := the kernel's words joined by ':' | any | none";

constexpr std::string_view examples = "  bpffs-admin add bob mode 0750 maps hash:array:ringbuf\n"
                                      "  bpffs-admin check && bpffs-admin apply";

} // namespace

const tool admin_tool = {"bpffs-admin", verbs, notes, examples, dashed_keywords::accepted};

} // namespace fsctl
