// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the command line of bpffs-view says.
#pragma once

#include <optional>
#include <string>

namespace fsctl::view {

struct settings {
    std::string source;
    std::string mountpoint;
    bool shared = false; // for all users, each as what they are
    bool foreground = false;
    bool debug = false; // says why text was refused
    bool read_only = false;
    std::string key; // forms of keys and values without types; empty: hexadecimal
    std::string value;
};

// Reads the words behind the program's name. usage_error for wrong ones; nothing where help or
// the version was asked for, which has been printed then.
std::optional<settings> parse_settings(int argc, char** argv);

} // namespace fsctl::view
