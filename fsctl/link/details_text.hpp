// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The details of links in bpftool's words. They come after what is said of all
// links, and of their kinds in show.cpp.
#pragma once

#include "common/json.hpp"
#include "common/symbols.hpp"

#include <bpffs/link_details.hpp>

#include <functional>
#include <string>

namespace fsctl {

// The kernel's symbols are many: they are asked for where something needs them.
using symbol_source = std::function<const kernel_symbols&()>;

// Members of the object that the link is.
void details_json(json_writer& json, const bpffs::link_info& info,
                  const bpffs::link_details& details, const symbol_source& symbols);

// As lines behind the first, each with its line break before it.
std::string details_words(const bpffs::link_info& info, const bpffs::link_details& details);

// The functions of kprobe_multi and uprobe_multi, a line each below a heading.
std::string function_rows(const bpffs::link_details& details, const symbol_source& symbols);

} // namespace fsctl
