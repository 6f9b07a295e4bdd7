// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// ~USER/bpf, the symbolic link that leads a user to their directory.
//
// A home is the user's: what stands in it may be a trap. So everything here is
// done as the user (who could do it anyway), follows no symbolic link, and
// never replaces anything.
#pragma once

#include "account.hpp"

#include <bpffs/error.hpp>

namespace fsctl {

enum class link_state { absent, ours };

class home_link {
public:
    home_link(account whose, bpffs::path target)
        : whose_(std::move(whose)), target_(std::move(target)) {}

    // Where it is: ~USER/bpf.
    [[nodiscard]] bpffs::path file() const { return whose_.home / "bpf"; }

    // False where there is no home at all: nothing to link from.
    [[nodiscard]] bool has_home() const;

    // Looks. failure when there is no home that the user can use, when the home
    // is reached through a symbolic link, or when something else has the name.
    [[nodiscard]] link_state look() const;

    // Makes it. failure as in look(), or when the name has been taken meanwhile.
    void make() const;

    // Removes it if it is ours; true if so. Anything else is left alone.
    [[nodiscard]] bool remove() const noexcept;

private:
    account whose_;
    bpffs::path target_;
};

} // namespace fsctl
