// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The verb table of bpffs-prog.
#include "prog_tool.hpp"

#include "verbs.hpp"

namespace fsctl {

namespace {

constexpr verb verbs[] = {
    {"load",
     "OBJ FILE [type TYPE] [map {name NAME | idx N} MAP]\n"
     "[mode MODE] [--log FILE]",
     prog_load},
    {"loadall",
     "OBJ DIRECTORY [type TYPE] [map {name NAME | idx N} MAP]\n"
     "[mode MODE] [--log FILE]",
     prog_load_all},
    {"show|list", "[PROG | DIRECTORY]", prog_show},
    {"dump", "xlated PROG [file FILE | opcodes | linum]", prog_dump},
    {"run",
     "PROG data_in FILE [data_out FILE [data_size_out N]]\n"
     "[ctx_in FILE [ctx_out FILE [ctx_size_out N]]] [repeat N]",
     prog_run},
    {"attach", "PROG [ATTACH_TYPE] TARGET\n[link FILE [mode MODE]] [multi|override]", prog_attach},
    {"detach", "PROG [ATTACH_TYPE] TARGET", prog_detach, effect::destructive},
    {"pin", "PROG FILE [mode MODE]", prog_pin},
    {"chmod", "MODE FILE...", pin_chmod},
    {"chown", "[OWNER][:GROUP] FILE...", pin_chown},
    {"rm", "FILE...", prog_remove, effect::destructive},
};

constexpr std::string_view notes =
    "PROG := { [pinned] FILE | id N | tag TAG | name NAME }\n"
    "TARGET := { cgroup DIR | dev NAME | netns [FILE] | map MAP | socket [PID:]FD\n"
    "            | tracepoint NAME | loaded }";

constexpr std::string_view examples = "  bpffs-prog list /sys/fs/bpf\n"
                                      "  bpffs-prog -p list /sys/fs/bpf";

} // namespace

const tool prog_tool = {"bpffs-prog", verbs, notes, examples, dashed_keywords::accepted};

} // namespace fsctl
