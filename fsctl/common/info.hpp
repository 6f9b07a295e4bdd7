// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What a map is, in bpftool's forms: the line above a dump and the paragraph
// of `show`.
#pragma once

#include "tool.hpp"

#include <bpffs/map.hpp>

#include <string>
#include <vector>

namespace fsctl {

// "7: hash  name x  flags 0x0" and a new line.
void print_header_plain(output& out, const bpffs::map& shown);
// The members id, type, name and flags.
void print_header_json(json_writer& json, const bpffs::map& shown);

// All of it; `pins` are paths to show (option -f).
void print_info(context& with, const bpffs::map& shown, const std::vector<std::string>& pins);

} // namespace fsctl
