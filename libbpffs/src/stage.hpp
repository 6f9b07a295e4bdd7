// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A private directory beside a place, in which pins get their modes before they get their names.
// From there one pin is moved out, or the whole directory takes the name. What is left goes away.
#pragma once

#include <bpffs/pin.hpp>

#include "place.hpp"

#include <string>
#include <vector>

namespace bpffs {

/// What a file has from the moment its name is there.
struct birth {
    std::optional<mode> permissions = std::nullopt; ///< cut by the umask
    std::optional<gid_t> group = std::nullopt;
};

class stage {
public:
    stage(const place& beside, failure& why);
    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;
    stage(stage&&) = delete;
    stage& operator=(stage&&) = delete;
    ~stage();

    /// Pins with this mode less the umask, 0600 without one.
    void pin(int object, const std::string& name, const birth& as, failure& why);
    /// Renames a pin to its place; `flags` as of renameat2(2).
    void move_out(const std::string& name, const place& to, unsigned flags, failure& why);
    /// The directory itself, with all pins in it, becomes `to`.
    void become(const place& to, const birth& as, on_conflict conflict, failure& why);

private:
    void set_mode(const std::string& name, mode bits, failure& why);
    void set_group(const std::string& name, const birth& as, failure& why);
    void exchange(const place& with, failure& why);

    int beside_;
    std::string name_ = "bpffs-new-";
    owned_fd fd_;
    bool made_ = false;
    std::vector<std::string> pins_;
};

} // namespace bpffs
