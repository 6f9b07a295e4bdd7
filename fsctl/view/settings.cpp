// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The command line; -o takes the same words as options, for fstab.
#include "settings.hpp"

#include "common/failure.hpp"
#include "common/text_form.hpp"
#include "common/words.hpp"

#include <algorithm>
#include <array>
#include <iostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace fsctl::view {

namespace {

constexpr std::string_view help_text = R"(Usage: bpffs-view [OPTIONS] SOURCE MOUNTPOINT

Shows the pins below SOURCE, a directory on a bpffs, as directories of files: a map x as
x/entries/KEY, x/all.json and x/info.json. Unmount with: fusermount3 -u MOUNTPOINT

  --shared       for all users, each with the rights they have on the pins (root only)
  --key FORM     how to write keys that have no type, where the size fits: u8 to u64, s8 to
  --value FORM   s64, be16 to be64, ip4, ip6, str; and values. Without it: hexadecimal
  -o WORDS       shared, key=FORM, value=FORM, ro, as in /etc/fstab
  -f             stay in the foreground
  -d             the same, and say why text was refused
  -h, -V         this text; the version

Examples:
  bpffs-view ~/bpf ~/bpf-view
  bpffs-view --key ip4 --value u64 /sys/fs/bpf/net /mnt/net
  watch cat /mnt/net/packets/entries/10.0.0.1
)";

// What mount(8) passes on that is the kernel's or nobody's business.
bool is_of_mount(std::string_view word) {
    constexpr std::array words = {"rw",     "dev",    "nodev",  "suid",     "nosuid",  "exec",
                                  "noexec", "auto",   "noauto", "defaults", "nofail",  "_netdev",
                                  "user",   "nouser", "atime",  "noatime",  "relatime"};
    return std::find(words.begin(), words.end(), word) != words.end() || word.starts_with("x-");
}

void take_mount_words(settings& chosen, std::string_view list) {
    for (const std::string_view word : split(list, ',')) {
        if (word == "shared") {
            chosen.shared = true;
        } else if (word == "ro") {
            chosen.read_only = true;
        } else if (word.starts_with("key=")) {
            chosen.key = word.substr(4);
        } else if (word.starts_with("value=")) {
            chosen.value = word.substr(6);
        } else if (!word.empty() && !is_of_mount(word)) {
            throw usage_error(fmt::format("unknown option '-o {}'", word),
                              "Options are shared, key=FORM, value=FORM and ro.");
        }
    }
}

void check_form(std::string_view what, const std::string& name) {
    if (!name.empty() && !text_form::is_name(name)) {
        throw usage_error(fmt::format("unknown form '{}' of {}s", name, what),
                          "Forms are u8 u16 u32 u64, s8 s16 s32 s64, be16 be32 be64, ip4, ip6, "
                          "str and hex.");
    }
}

} // namespace

std::optional<settings> parse_settings(int argc, char** argv) {
    settings chosen;
    bool help = false;
    bool version = false;
    std::vector<std::string> mount_words;
    std::vector<std::string> paths;
    CLI::App parser;
    parser.set_help_flag();
    parser.add_flag("--shared", chosen.shared);
    parser.add_option("--key", chosen.key);
    parser.add_option("--value", chosen.value);
    parser.add_option("-o", mount_words)->allow_extra_args(false);
    parser.add_flag("-f,--foreground", chosen.foreground);
    parser.add_flag("-d,--debug", chosen.debug);
    parser.add_flag("-h,--help", help);
    parser.add_flag("-V,--version", version);
    parser.add_option("paths", paths);
    try {
        parser.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        throw usage_error(error.what(), "'bpffs-view --help' lists the options.");
    }
    if (help || version) {
        std::cout << (help ? help_text : "bpffs-view v" BPFFS_VERSION "\n");
        return std::nullopt;
    }
    if (paths.size() != 2) {
        throw usage_error("expected SOURCE and MOUNTPOINT",
                          "usage: bpffs-view [OPTIONS] SOURCE MOUNTPOINT");
    }
    chosen.source = paths[0];
    chosen.mountpoint = paths[1];
    for (const std::string& list : mount_words) {
        take_mount_words(chosen, list);
    }
    check_form("key", chosen.key);
    check_form("value", chosen.value);
    return chosen;
}

} // namespace fsctl::view
