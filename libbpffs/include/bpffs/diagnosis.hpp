// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Diagnosis: why something on a path would be (or was) refused, whose identity that depends on,
// and who can change it how. The path is walked component by component as the kernel would.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/identity.hpp>
#include <bpffs/kinds.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bpffs {

/// What somebody wants to do with a path.
enum class action : std::uint8_t {
    open,         ///< open the pin with `rights`
    create,       ///< make an object of `kind` and pin it there
    load,         ///< load a program of `program` for `attach`, and pin it there
    pin,          ///< pin an object that is already open with `rights`
    change_mode,  ///< chmod
    change_owner, ///< chown, chgrp
    remove        ///< unlink, or rename away
};

/// An action with what it needs. Made by the named functions.
struct wanted {
    action what = action::open;
    access rights = access::read;
    std::optional<map_kind> kind = std::nullopt;
    std::optional<program_kind> program = std::nullopt;
    attach_kind attach{};

    [[nodiscard]] static wanted to_open(access rights) { return {action::open, rights, {}}; }
    [[nodiscard]] static wanted to_create(map_kind kind) {
        return {action::create, access::read_write, kind};
    }
    [[nodiscard]] static wanted to_load(program_kind program, attach_kind attach) {
        return {action::load, access::read_write, {}, program, attach};
    }
    [[nodiscard]] static wanted to_pin(access rights) { return {action::pin, rights, {}}; }
    [[nodiscard]] static wanted to_change_mode() { return {action::change_mode, access::read, {}}; }
    [[nodiscard]] static wanted to_change_owner() {
        return {action::change_owner, access::read, {}};
    }
    [[nodiscard]] static wanted to_remove() { return {action::remove, access::read, {}}; }
};

/// What stands in the way. More may be added.
enum class obstacle : std::uint8_t {
    bad_name,             ///< no file name, or longer than 255 bytes
    dot_in_name,          ///< bpffs refuses names with a dot
    no_such_file,         ///< a component, or the pin, is not there
    not_a_directory,      ///< a component is a file
    link_loop,            ///< too many symbolic links
    no_search_permission, ///< x is missing on a directory on the way
    no_write_permission,  ///< w is missing on the directory
    sticky_directory,     ///< only the owner of file or directory may remove
    not_a_bpffs,          ///< the directory is on another file system
    not_a_pin,            ///< the file holds no BPF object
    name_exists,          ///< the name to create is taken
    read_only_mount,
    no_read_bit,              ///< the pin's mode refuses R to this identity
    no_write_bit,             ///< the pin's mode refuses W to this identity
    not_the_owner,            ///< chmod and chown are the owner's (chown: CAP_CHOWN)
    handle_lacks_right,       ///< the open handle is bound and may not be pinned again
    no_delegation,            ///< the mount gives out no tokens
    kind_not_delegated,       ///< it does, but not for this kind (or not for map_create), or no
                              ///< mount can (programs of kind syscall)
    capability_not_delegated, ///< it does, but without the capability this kind asks for
    capability_missing,       ///< the plain call needs a capability the caller has not
    sysctl_disables,          ///< kernel.unprivileged_bpf_disabled keeps the plain call shut
    no_inodes_left,           ///< the mount's nr_inodes= is reached
    other_user_namespace,     ///< capabilities count in the initial user namespace only
    links_need_fmode          ///< without fmode, links open for read and write only
};

/// One thing in the way.
struct finding {
    obstacle what;
    path file;          ///< the component, pin, directory or mount point it is about
    std::string words;  ///< a clause: "'/run/bpffs/a' is drwx------ root:root, and uid 1000 may
                        ///< not search it"
    std::string remedy; ///< who can do what: "root can run: chmod o+x '/run/bpffs/a'"; may be empty
};

/// All findings in the order in which the kernel would meet them, and a sentence for people that
/// names the first thing in the way, and the remedy.
struct BPFFS_API diagnosis {
    std::vector<finding> findings;
    /// What may refuse and cannot be asked: "the security modules apparmor,bpf are active".
    std::vector<std::string> circumstances;
    std::string sentence; ///< never empty: "nothing stands in the way of ..." if so
};

/// Diagnoses for the calling thread, or for another identity. What the caller itself may not look
/// at (behind a directory it cannot search) is not seen. Throws bpffs::error only where nothing at
/// all can be said (no /proc), std::bad_alloc otherwise.
[[nodiscard]] BPFFS_API diagnosis explain(const location& where, const wanted& wish);
[[nodiscard]] BPFFS_API diagnosis explain(const location& where, const wanted& wish,
                                          const identity& who);
[[nodiscard]] BPFFS_API diagnosis explain(const location& where, const wanted& wish,
                                          error_code& code) noexcept;
[[nodiscard]] BPFFS_API diagnosis explain(const location& where, const wanted& wish,
                                          const identity& who, error_code& code) noexcept;

} // namespace bpffs
