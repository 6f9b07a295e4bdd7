// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// chmod, chown and rm: what is done to the file and not to the object in it, the
// same for every tool. They work on a bpffs only, and with several files look at
// all of them before they change the first, so that a slip of the fingers
// changes none.
#pragma once

#include "tool.hpp"

#include <bpffs/kinds.hpp>

namespace fsctl {

void pin_chmod(context& with, words& given);
void pin_chown(context& with, words& given);

// rm, of pins of one kind only; a pin that may not be opened may be of it.
void remove_pins(words& given, bpffs::object_kind only);

} // namespace fsctl
