// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The verbs of bpffs-prog, one file a family. Each reads its words, opens the
// program with no more than the right it needs, and throws what goes wrong.
#pragma once

#include "common/files.hpp" // pin_chmod, pin_chown
#include "common/tool.hpp"

namespace fsctl {

void prog_load(context& with, words& given);     // load.cpp
void prog_load_all(context& with, words& given); // load.cpp: loadall
void prog_show(context& with, words& given);     // show.cpp: show, list
void prog_dump(context& with, words& given);     // dump.cpp
void prog_run(context& with, words& given);      // run.cpp
void prog_attach(context& with, words& given);   // attach.cpp
void prog_detach(context& with, words& given);   // attach.cpp
void prog_pin(context& with, words& given);      // pin.cpp
void prog_remove(context& with, words& given);   // pin.cpp: rm

} // namespace fsctl
