// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The table of bpffs-doctor, whose only verb has no name, and that verb.
#include "doctor_tool.hpp"

#include "report.hpp"

namespace fsctl {

namespace {

void examine(context& with, words& given) {
    const question asked = take_question(given);
    const report found = look(asked);
    print(with, asked, found);
    if (asked.wanted && !found.works()) {
        throw nothing_found();
    }
}

constexpr verb verbs[] = {
    {"", "[PATH] [--as USER]\n[--for DEED [--type KIND] [--attach TYPE]]", examine},
};

constexpr std::string_view notes =
    "Says what a pin or directory lets you do, why not, and what would help.\n"
    "PATH := a pin, a directory or a name that is free (~/bpf, else /sys/fs/bpf)\n"
    "DEED := read | write | open (both) | chmod | chown | rm\n"
    "        attach | run (a program)   update | detach (a link)\n"
    "        pin | create | load (a new name; KIND hash and socket_filter)\n"
    "USER := somebody else: for root, who looks without becoming them\n"
    "Exit status with --for: 0 it would work, 1 it would not. -v prints every reason.";

constexpr std::string_view examples = "  bpffs-doctor /sys/fs/bpf\n"
                                      "  bpffs-doctor /sys/fs/bpf/x --for create --type array";

template <class Enum> void add_words(std::vector<std::string>& to) {
    for (const Enum each : bpffs::all_of<Enum>()) {
        to.emplace_back(bpffs::word(each));
    }
}

// --type takes kinds of maps and of programs, --attach attach types.
std::vector<std::string> words_for(std::string_view place) {
    std::vector<std::string> all;
    if (place == "DEED") {
        const auto deeds = doctor_deeds();
        all.assign(deeds.begin(), deeds.end());
    } else if (place == "KIND") {
        add_words<bpffs::map_kind>(all);
        add_words<bpffs::program_kind>(all);
    } else if (place == "TYPE") {
        add_words<bpffs::attach_kind>(all);
    }
    return all;
}

} // namespace

const tool doctor_tool = {"bpffs-doctor", verbs, notes, examples, dashed_keywords::accepted,
                          words_for};

} // namespace fsctl
