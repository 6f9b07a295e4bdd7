// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The verbs of bpffs-link, one file a family. Each reads its words, opens the
// link with no more than the right it needs, and throws what goes wrong.
#pragma once

#include "common/files.hpp" // pin_chmod, pin_chown
#include "common/tool.hpp"

namespace fsctl {

void link_show(context& with, words& given);   // show.cpp: show, list
void link_update(context& with, words& given); // change.cpp
void link_detach(context& with, words& given); // change.cpp
void link_pin(context& with, words& given);    // pin.cpp
void link_remove(context& with, words& given); // pin.cpp: rm

} // namespace fsctl
