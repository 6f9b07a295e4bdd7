// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Mounts: what the mount that a directory is on says (from /proc/self/mountinfo), and mounting a
// bpffs with the mount API on descriptors, so that no path is resolved twice.
#pragma once

#include <bpffs/delegation.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/mode.hpp>

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bpffs {

/// Whether handles opened from the mount are bound to the right they were opened with.
enum class fmode_option : std::uint8_t { off, on };

/// Whether a mount may be written.
enum class write_protection : std::uint8_t { writable, read_only };

/// One mount. Owner, group, mode, fmode and delegation mean something for bpffs only.
struct BPFFS_API mount_info {
    std::uint64_t id = 0; ///< of this mount, while it lasts
    std::uint64_t parent_id = 0;
    path root;        ///< the directory of the file system that is mounted
    path mount_point; ///< as seen from the caller's root
    std::string type; ///< "bpf" for a bpffs
    std::string source;
    write_protection protection = write_protection::writable;
    fmode_option fmode = fmode_option::off;
    uid_t owner = 0;        ///< option uid=
    gid_t group = 0;        ///< option gid=
    mode permissions{0777}; ///< option mode=; chmod of the root later shows here too
    delegation delegated;
    std::vector<std::string> options; ///< all: the mount's, then the file system's

    /// True if directories of this mount give out tokens: bpffs, fmode, delegate_caps.
    [[nodiscard]] bool gives_tokens() const noexcept;

    /// The mount that an open file or directory is on. ENOENT without /proc, or for a mount that
    /// is in no namespace the caller sees.
    [[nodiscard]] static mount_info of(borrowed_fd fd);
    [[nodiscard]] static mount_info of(borrowed_fd fd, error_code& code) noexcept;

    /// The `id` alone: what is on the same mount has the same. One call, where of() reads the whole
    /// table of mounts.
    [[nodiscard]] static std::uint64_t id_of(borrowed_fd fd);
    [[nodiscard]] static std::uint64_t id_of(borrowed_fd fd, error_code& code) noexcept;

    /// Reads one line of /proc/self/mountinfo. EINVAL where it is none.
    [[nodiscard]] static mount_info parse(std::string_view line);
    [[nodiscard]] static mount_info parse(std::string_view line, error_code& code) noexcept;
};

/// All mounts of the caller's namespace, in the kernel's order (a later one may cover an earlier).
[[nodiscard]] BPFFS_API std::vector<mount_info> list_mounts();
[[nodiscard]] BPFFS_API std::vector<mount_info> list_mounts(error_code& code) noexcept;

/// A bpffs to mount.
struct mount_spec {
    std::string source = "bpf"; ///< shown in the first column of mount(8)
    uid_t owner = 0;
    gid_t group = 0;
    mode permissions{0700};
    fmode_option fmode = fmode_option::on;
    write_protection protection = write_protection::writable;
    delegation delegated;          ///< capabilities in it need fmode and a mode without o+w
    std::vector<std::string> more; ///< further options: "name" or "name=value"
};

/// Mounts a new bpffs on an existing directory (fsopen, fsconfig, fsmount, move_mount) and checks
/// that the kernel took every option: a kernel that does not know `fmode` ignores it silently.
/// Then nothing stays mounted and the error is errc::no_fmode (errc::unsupported for delegation).
/// EPERM without CAP_SYS_ADMIN. EINVAL with the kernel's words in the exception's detail().
/// nosuid, nodev and noexec are always set.
BPFFS_API void mount_bpffs(const location& where, const mount_spec& spec);
BPFFS_API void mount_bpffs(const location& where, const mount_spec& spec,
                           error_code& code) noexcept;

/// A new bpffs that is mounted nowhere: only who holds the directory that comes back, its root, can
/// reach it, so it can be filled before anybody sees it. It is gone when the last descriptor is,
/// unless attach_mount() gives it a place. Errors of mount_bpffs, but whether the kernel took the
/// options shows only on the mount table: ask mount_info::of() once it is attached.
[[nodiscard]] BPFFS_API directory make_bpffs(const mount_spec& spec);
[[nodiscard]] BPFFS_API directory make_bpffs(const mount_spec& spec, error_code& code) noexcept;

/// Where a mount goes on a directory that is a mount point already: over what is there, or under
/// it, to come to light when that is taken down (Linux 6.5; EINVAL before, or where nothing is
/// there).
enum class mount_place : std::uint8_t { on_top, beneath };

/// Gives what make_bpffs() made a place. Symbolic links are not followed. EPERM without
/// CAP_SYS_ADMIN. ENOENT, ENOTDIR, ELOOP.
BPFFS_API void attach_mount(const directory& root, const location& where,
                            mount_place at = mount_place::on_top);
BPFFS_API void attach_mount(const directory& root, const location& where, mount_place at,
                            error_code& code) noexcept;

/// Whether a whole file system may be written, by whatever mount it is reached: nothing can be
/// made, changed or removed in a read-only one, and no pin in it be opened for writing. EPERM
/// without CAP_SYS_ADMIN.
BPFFS_API void protect_file_system(const directory& in, write_protection protection);
BPFFS_API void protect_file_system(const directory& in, write_protection protection,
                                   error_code& code) noexcept;

/// Turns fmode on for a bpffs that is in use; nothing turns it off. errc::no_fmode where the kernel
/// does not know it, errc::not_a_bpffs. EPERM without CAP_SYS_ADMIN.
BPFFS_API void turn_fmode_on(const directory& in);
BPFFS_API void turn_fmode_on(const directory& in, error_code& code) noexcept;

/// True if somebody works in the mount on a directory, or has something of it open, so that
/// unmount() would fail. The caller's own descriptors count. EINVAL: not a mount point.
[[nodiscard]] BPFFS_API bool mount_in_use(const location& where);
[[nodiscard]] BPFFS_API bool mount_in_use(const location& where, error_code& code) noexcept;

/// Takes down the topmost mount on a directory, not following a symbolic link at the end.
/// EINVAL: not a mount point. EBUSY: in use (never detached lazily).
BPFFS_API void unmount(const location& where);
BPFFS_API void unmount(const location& where, error_code& code) noexcept;

/// The same, at once: who works in it keeps it until they leave, and nobody else finds it any more.
BPFFS_API void detach_mount(const location& where);
BPFFS_API void detach_mount(const location& where, error_code& code) noexcept;

} // namespace bpffs
