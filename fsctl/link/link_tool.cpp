// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The verb table of bpffs-link.
#include "link_tool.hpp"

#include "verbs.hpp"

namespace fsctl {

namespace {

constexpr verb verbs[] = {
    {"show|list", "[LINK | DIRECTORY]", link_show},
    {"update", "LINK PROG [old PROG]", link_update},
    {"detach", "LINK", link_detach, effect::destructive},
    {"pin", "LINK FILE [mode MODE]", link_pin},
    {"chmod", "MODE FILE...", pin_chmod},
    {"chown", "[OWNER][:GROUP] FILE...", pin_chown},
    {"rm", "FILE...", link_remove, effect::destructive},
};

constexpr std::string_view notes =
    "LINK := { [pinned] FILE | id N }\n"
    "PROG := { [pinned] FILE | id N | name NAME | tag TAG }\n"
    "update needs w on link and program, detach w on the link, pin rw, show either.\n"
    "An attachment ends with its last pin and handle: so can 'rm'.";

constexpr std::string_view examples = "  bpffs-link list /sys/fs/bpf\n"
                                      "  bpffs-link -p list /sys/fs/bpf";

} // namespace

const tool link_tool = {"bpffs-link", verbs, notes, examples};

} // namespace fsctl
