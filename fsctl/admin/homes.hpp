// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Work in homes. A home may be on a network that is down, or behind an automounter,
// and whoever opens it may never come back. So another process goes there, and who
// sends it waits for so long only, and serves the others then.
#pragma once

#include "account.hpp"

#include <bpffs/fd.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

namespace fsctl {

enum class home_deed : unsigned char { look, make, remove };

// `former`: it leads to where the directory was.
enum class link_state : unsigned char { no_home, absent, former, ours };

// What came of it: `wrong` is empty where nothing was.
struct home_answer {
    link_state state = link_state::absent;
    std::string wrong;
    std::string remedy;
};

// In the process that goes into homes: from here on it ends with the one that asks,
// wherever it hangs. To be said again as each user, since the kernel forgets it when the
// file system's user changes.
void end_with_asker();

class homes {
public:
    homes() = default;
    homes(const homes&) = delete;
    homes& operator=(const homes&) = delete;
    homes(homes&&) = delete;
    homes& operator=(homes&&) = delete;
    ~homes();

    // What do_in_home() answers there. failure where it does not come back in time,
    // or where there can be no other process.
    home_answer ask(home_deed deed, const account& whose, const bpffs::path& target,
                    const bpffs::path& former);

private:
    void start();
    void give_up() noexcept;
    [[nodiscard]] std::chrono::milliseconds limit() const;

    pid_t worker_ = -1;
    bpffs::owned_fd line_;
    std::vector<pid_t> stuck_; // killed, and perhaps not gone yet
    // What may be waited in vain in all: whoever has waited for one home that does
    // not answer has less patience with the next.
    std::chrono::milliseconds patience_ = std::chrono::seconds(24);
};

} // namespace fsctl
