// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The verb table of bpffs-map.
#include "map_tool.hpp"

#include "verbs.hpp"

namespace fsctl {

namespace {

constexpr verb verbs[] = {
    {"create",
     "FILE [type KIND] [key N] [value N] [entries N] [name NAME]\n"
     "[mode MODE] [flags FLAGS] [inner_map MAP] [offload_dev NAME]",
     map_create},
    {"show|list", "[MAP | DIRECTORY]", map_show},
    {"dump", "MAP", map_dump},
    {"lookup|peek", "MAP [key DATA]", map_lookup},
    {"getnext", "MAP [key DATA]", map_getnext},
    {"update", "MAP [key DATA] [value DATA|MAP|PROG] [any|exist|noexist]", map_update},
    {"push|enqueue", "MAP value DATA", map_update},
    {"pop|dequeue", "MAP [key DATA]", map_pop, effect::destructive},
    {"delete", "MAP key DATA", map_delete, effect::destructive},
    {"pin", "MAP FILE [mode MODE]", map_pin},
    {"freeze", "MAP", map_freeze, effect::destructive},
    {"chmod", "MODE FILE...", pin_chmod},
    {"chown", "[OWNER][:GROUP] FILE...", pin_chown},
    {"rm", "FILE...", map_remove, effect::destructive},
};

constexpr std::string_view notes =
    "MAP := { [pinned] FILE | id N | name NAME }   PROG := the same, or tag TAG\n"
    "DATA := { [hex] BYTE... | u32:5 s64:-1 be16:443 ip4:10.0.0.1 hex:0af1 str:hi }";

constexpr std::string_view examples = "  bpffs-map create /sys/fs/bpf/seen mode 0640\n"
                                      "  bpffs-map update /sys/fs/bpf/seen key u64:1 value u64:42";

} // namespace

const tool map_tool = {"bpffs-map", verbs, notes, examples};

} // namespace fsctl
