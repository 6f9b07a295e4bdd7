// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Taking a user's bpffs away again. Never with pins inside, unless told to: they
// would be gone with it; and never while somebody works in it.
#pragma once

#include "mount_view.hpp"

#include <bpffs/directory.hpp>

#include <string>

namespace fsctl {

enum class with_pins { refuse, drop };

struct withdrawn {
    bool mount = false;
    bool directory = false;
};

// Takes down the mount on `name` in a trusted directory, in the namespace that it is in, if there
// is one, and removes the mount point. The file system is read-only from then on, also where it is
// mounted in another namespace; where there is a failure it stays writable, and where the process
// is killed the next one makes it so. `forced` is the command that drops pins, for messages.
// failure where there are pins, somebody works in it, or something else is mounted there.
withdrawn withdraw(const bpffs::directory& base, const mount_view& view, const std::string& name,
                   with_pins pins, const std::string& forced);

// failure where there are pins, naming some of them.
void check_no_pins(const bpffs::directory& top, const std::string& remedy);

} // namespace fsctl
