// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Directories and places in them. A directory is resolved once; everything after that is relative
// to its descriptor, so nobody can swap a path component in between. A location is what every
// function that takes a path takes: a path, or a name relative to an open directory.
#pragma once

#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/mode.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace bpffs {

class directory;

/// A path, alone or relative to a directory that the caller keeps open. Cheap to make from either;
/// the directory is borrowed for the call.
class BPFFS_API location {
public:
    location(path file) : file_{std::move(file)} {}    // NOLINT: a parameter type
    location(const std::string& file) : file_{file} {} // NOLINT
    location(const char* file) : file_{file} {}        // NOLINT
    location(const directory& base, path name) : base_{&base}, file_{std::move(name)} {}

    /// The directory it is relative to; null for the working directory (or an absolute path).
    [[nodiscard]] const directory* base() const noexcept { return base_; }
    [[nodiscard]] const path& file() const noexcept { return file_; }

    /// The whole path, for messages. From a location that is not needed any more without a copy.
    [[nodiscard]] path display() const&;
    [[nodiscard]] path display() && {
        return base_ == nullptr ? std::move(file_) : std::as_const(*this).display();
    }

private:
    const directory* base_ = nullptr;
    path file_;
};

/// Whether symbolic links on the way to a directory are followed. `refuse` fails with ELOOP at any
/// link in any component (openat2, Linux 5.6): for the privileged who walk where others may write.
enum class symlinks : std::uint8_t { follow, refuse };

/// One name in a directory.
struct directory_entry {
    std::string name;
    file_type type; ///< pins are file_type::file
    std::uint64_t inode;
};

/// A handle on a directory. It needs search permission only (O_PATH), so a directory that may be
/// searched and not read can be used too. Owns its descriptor.
class BPFFS_API directory {
public:
    directory() noexcept = default;

    /// Opens an existing directory of any file system. ENOENT, ENOTDIR, EACCES, ELOOP,
    /// ENAMETOOLONG as open(2). errc::unsupported where symlinks::refuse needs a newer kernel.
    [[nodiscard]] static directory open(const location& where, symlinks links = symlinks::follow);
    [[nodiscard]] static directory open(const location& where, error_code& code) noexcept;
    [[nodiscard]] static directory open(const location& where, symlinks links,
                                        error_code& code) noexcept;

    /// Takes over an O_PATH or readable descriptor of a directory; `name` is used in messages.
    [[nodiscard]] static directory adopt(owned_fd fd, path name) noexcept;

    /// True if the directory is on a BPF file system: fstatfs(2) of the descriptor, BPF_FS_MAGIC.
    [[nodiscard]] bool is_bpffs() const;
    [[nodiscard]] bool is_bpffs(error_code& code) const noexcept;

    /// Calls `visit` for each entry except "." and "..", in no order, until it returns false.
    /// Memory stays flat. Needs read permission on the directory (EACCES).
    void for_each(const std::function<bool(const directory_entry&)>& visit) const;
    void for_each(const std::function<bool(const directory_entry&)>& visit,
                  error_code& code) const noexcept;

    /// As it was opened, for messages; the directory may have been renamed since.
    [[nodiscard]] const path& name() const noexcept { return name_; }
    [[nodiscard]] borrowed_fd fd() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

private:
    owned_fd fd_;
    path name_;
};

/// Makes a directory with mode `bits & ~umask`, owned by the caller. EEXIST, EACCES, ENOSPC, ...
BPFFS_API void make_directory(const location& where, mode bits);
BPFFS_API void make_directory(const location& where, mode bits, error_code& code) noexcept;

/// Makes a symbolic link `where` with the text `target`. Never follows or replaces: EEXIST.
BPFFS_API void make_symlink(const path& target, const location& where);
BPFFS_API void make_symlink(const path& target, const location& where, error_code& code) noexcept;

/// The text of a symbolic link. EINVAL where it is none.
[[nodiscard]] BPFFS_API path read_symlink(const location& where);
[[nodiscard]] BPFFS_API path read_symlink(const location& where, error_code& code) noexcept;

/// Waits until nobody else holds a directory that is locked this way (flock(2), so among those who
/// ask), and holds it until the descriptor is closed. Needs read permission on the directory.
[[nodiscard]] BPFFS_API owned_fd lock(const directory& where);
[[nodiscard]] BPFFS_API owned_fd lock(const directory& where, error_code& code) noexcept;

} // namespace bpffs
