// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// ~USER/bpf, the symbolic link that leads a user to their directory.
//
// A home is the user's: what stands in it may be a trap. So everything here is
// done as the user (who could do it anyway), follows no symbolic link, and
// never replaces anything that is not ours; and by a process of its own, since it may not answer.
#pragma once

#include "account.hpp"
#include "homes.hpp"

#include <bpffs/error.hpp>

namespace fsctl {

class home_link {
public:
    // One to `former`, where the directory was, gives way.
    home_link(account whose, bpffs::path target, homes& by, bpffs::path former = {})
        : whose_(std::move(whose)),
          target_(std::move(target)),
          by_(by),
          former_(std::move(former)) {}

    // Where it is: ~USER/bpf.
    [[nodiscard]] bpffs::path file() const { return whose_.home / "bpf"; }

    // Looks. failure when there is a home that the user cannot use, when it is
    // reached through a symbolic link, when something else has the name, and when
    // the home does not answer.
    [[nodiscard]] link_state look() const;

    // The same, and failure where there is no home at all, nothing to link from.
    [[nodiscard]] link_state look_in_home() const;

    // Makes it; false where it is there already. failure as in look_in_home(), or when
    // the name has been taken meanwhile.
    [[nodiscard]] bool make() const;

    // Removes it if it is ours; true if so. Anything else is left alone.
    [[nodiscard]] bool remove() const noexcept;

private:
    account whose_;
    bpffs::path target_;
    homes& by_;
    bpffs::path former_;
};

// The deed itself, in the process that goes into homes.
home_answer do_in_home(home_deed deed, const account& whose, const bpffs::path& target,
                       const bpffs::path& former);

} // namespace fsctl
