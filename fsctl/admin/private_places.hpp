// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Directories that only their owners see (visible = "owner"). They are mounted in a
// namespace that no process is in. A session of the owner gets, from pam_bpffs, a
// copy of what is theirs, on a directory that is empty for everybody else; what is
// mounted or unmounted here later shows there.
//
//   /run/bpffs-private               a mount that is in no other namespace's group
//   /run/bpffs-private/.admin        0700
//   /run/bpffs-private/.admin/namespace   the namespace, in which there is:
//       /proc
//       /users                       a mount that passes on what is mounted in it
//       /users/alice                 what alice's sessions have on /run/bpffs-private
//       /users/alice/alice           her bpffs
#pragma once

#include "mount_view.hpp"

#include <bpffs/directory.hpp>
#include <bpffs/mount.hpp>

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fsctl {

// Where an owner sees theirs: private_base/alice.
inline constexpr const char* private_base = "/run/bpffs-private";

bool is_private(const bpffs::path& directory);

class private_places {
public:
    // Nothing where none have been made, or for who is not root. failure where they
    // are out of reach.
    static std::optional<private_places> find();
    // The same, and makes what is missing. Nobody else is to do so at the same time.
    static private_places make();

    [[nodiscard]] const mount_view& view() const noexcept { return view_; }

    // What the owner's sessions have on private_base, which is its name in messages.
    // `make` makes it where it is missing; otherwise an empty handle comes back.
    enum class if_none { nothing, make };
    [[nodiscard]] bpffs::directory of(const std::string& user, if_none missing) const;

    // The table of mounts in there, to be read line by line from outside; their
    // places go through shown_as() first.
    [[nodiscard]] std::unique_ptr<std::istream> mounts() const;
    // "/run/bpffs-private/alice" for what is in there "/users/alice/alice"; nothing for
    // all that is no user's.
    static std::optional<bpffs::path> shown_as(const bpffs::path& in_there);

private:
    explicit private_places(bpffs::owned_fd space) : view_(std::move(space)) {}

    mount_view view_;
};

// Calls use(mount) for each that users may have: the caller's, and for root the
// private ones with the places that their owners see. One is held at a time.
void each_mount(const std::optional<private_places>& hidden,
                const std::function<void(bpffs::mount_info&&)>& use);
std::vector<bpffs::mount_info> all_mounts(const std::optional<private_places>& hidden);

// A user's directory, private or not.
bpffs::directory open_users_directory(const std::optional<private_places>& hidden,
                                      const bpffs::path& directory, bpffs::error_code& code);

} // namespace fsctl
