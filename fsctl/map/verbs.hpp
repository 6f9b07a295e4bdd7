// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The verbs of bpffs-map, one file a family. Each reads its words, opens the
// map with no more than the right it needs, and throws what goes wrong; see
// common/tool.hpp for what becomes of that.
#pragma once

#include "common/files.hpp" // pin_chmod, pin_chown
#include "common/tool.hpp"

namespace fsctl {

void map_create(context& with, words& given);  // create.cpp
void map_show(context& with, words& given);    // show.cpp: show, list
void map_dump(context& with, words& given);    // dump.cpp
void map_lookup(context& with, words& given);  // lookup.cpp: lookup, peek
void map_getnext(context& with, words& given); // lookup.cpp
void map_update(context& with, words& given);  // update.cpp: update, push, enqueue
void map_delete(context& with, words& given);  // delete.cpp
void map_pop(context& with, words& given);     // delete.cpp: pop, dequeue
void map_pin(context& with, words& given);     // pin.cpp
void map_freeze(context& with, words& given);  // pin.cpp
void map_remove(context& with, words& given);  // pin.cpp: rm

} // namespace fsctl
