// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Pins: the files in a bpffs that hold BPF objects. Opening one (of any kind), looking at one, and
// what can be done to the file itself: mode, owner, name, removal.
//
// Opening follows a symbolic link at the end of the path, as open(2) does: the object's own
// mode decides. Everything that changes a file or a name refuses to follow one.
//
// Call rename and remove by their full names: an unqualified remove(some_path) finds
// boost::filesystem::remove, because path is Boost's.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/kinds.hpp>
#include <bpffs/mode.hpp>

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace bpffs {

/// An open BPF object of whatever kind. Owns its descriptor. map, program and link are made from
/// it.
class BPFFS_API object {
public:
    object() noexcept = default;

    [[nodiscard]] object_kind kind() const noexcept { return kind_; }
    /// The right it was opened with. On a mount without fmode the kernel may not enforce it for
    /// programs and links.
    [[nodiscard]] access rights() const noexcept { return rights_; }
    /// As it was opened, for messages.
    [[nodiscard]] const path& file() const noexcept { return file_; }
    [[nodiscard]] borrowed_fd fd() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

    /// Takes over a descriptor of an object. The kind is asked of the descriptor;
    /// errc::not_a_pin where it is no map, program or link (fd is closed then).
    [[nodiscard]] static object adopt(owned_fd fd, access rights, path file);
    [[nodiscard]] static object adopt(owned_fd fd, access rights, path file,
                                      error_code& code) noexcept;

    /// Takes over a descriptor of an object whose kind is known.
    [[nodiscard]] static object adopt(owned_fd fd, object_kind kind, access rights,
                                      path file) noexcept;

    /// Gives the descriptor away; this handle is empty afterwards.
    [[nodiscard]] owned_fd release() noexcept { return std::move(fd_); }

private:
    owned_fd fd_;
    object_kind kind_ = object_kind::map;
    access rights_ = access::read;
    path file_;
};

/// Opens a pin with exactly this right (BPF_OBJ_GET).
/// EACCES: the mode refuses (or a directory on the way does). EROFS: writing through a read-only
/// mount. ENOENT. ELOOP. errc::not_a_bpffs, errc::not_a_pin: the file is no pin. errc::bad_name,
/// errc::dot_in_name: no name that a pin can have. errc::unsupported: a kernel without fmode opens
/// links read-write only.
[[nodiscard]] BPFFS_API object open_pin(const location& where, access rights);
[[nodiscard]] BPFFS_API object open_pin(const location& where, access rights,
                                        error_code& code) noexcept;

/// What ls -l and the object itself say about a pin.
struct pin_info {
    std::optional<object_kind> kind; ///< nothing where the caller may not open it
    std::uint32_t id = 0;            ///< of the object; 0 where kind is unknown
    file_type type = file_type::file;
    uid_t owner = 0;
    gid_t group = 0;
    mode permissions;
    std::uint64_t inode = 0;
    std::uint64_t names = 0; ///< number of hard links
    /// Bytes that the object takes in memory, as the kernel counts them; 0 where kind is unknown,
    /// and for links.
    std::uint64_t bytes = 0;
};

/// What stat(2) says about a pin, a directory or a symbolic link.
struct file_info {
    file_type type = file_type::file;
    uid_t owner = 0;
    gid_t group = 0;
    mode permissions;
    std::uint64_t inode = 0;
    std::uint64_t names = 0; ///< number of hard links
    ::timespec changed{};    ///< st_ctime
};

/// Looks at a name without following a symbolic link and without opening the object. "." is the
/// directory itself. Needs search permission on the directory. ENOENT, EACCES, ENOTDIR.
[[nodiscard]] BPFFS_API file_info look_at(const location& where);
[[nodiscard]] BPFFS_API file_info look_at(const location& where, error_code& code) noexcept;

/// Looks at a name without following a symbolic link. Needs search permission on the directory
/// only; the kind is found where the caller may read (or write) the object.
[[nodiscard]] BPFFS_API pin_info inspect(const location& where);
[[nodiscard]] BPFFS_API pin_info inspect(const location& where, error_code& code) noexcept;

/// A name in a directory, and what inspect() says about it.
struct listed_pin {
    std::string name;
    pin_info info;
};

/// Calls `visit` for each name in a directory, pins, links and directories, in no order, until it
/// returns false. What disappears meanwhile is left out. Needs read and search permission on the
/// directory (EACCES).
BPFFS_API void for_each_pin(const directory& where,
                            const std::function<bool(const listed_pin&)>& visit);
BPFFS_API void for_each_pin(const directory& where,
                            const std::function<bool(const listed_pin&)>& visit,
                            error_code& code) noexcept;

/// Pins an open object under a new name: never over another one (EEXIST). With `bits` the file is
/// born with `bits & ~umask`, without with `0600 & ~umask`; the name appears with its final mode.
/// EPERM: the handle lacks R or W (bound handles), or the directory is no bpffs. EACCES, EROFS,
/// ENOSPC, ENOENT as creating any file. errc::dot_in_name, errc::bad_name, errc::not_a_bpffs,
/// errc::bad_mode (bits outside 0777). All or nothing.
/// On a kernel without BPF_F_PIN_MODE the file is pinned in a private directory beside its place,
/// given its mode, and renamed into place.
BPFFS_API void pin_object(borrowed_fd object, const location& where,
                          std::optional<mode> bits = std::nullopt);
BPFFS_API void pin_object(borrowed_fd object, const location& where, std::optional<mode> bits,
                          error_code& code) noexcept;

/// Like pin_object, but takes the place of a pin that has the name, in one step: whoever opens it
/// gets the old object or the new one. EISDIR: the name is a directory's.
BPFFS_API void replace_object(borrowed_fd object, const location& where,
                              std::optional<mode> bits = std::nullopt);
BPFFS_API void replace_object(borrowed_fd object, const location& where, std::optional<mode> bits,
                              error_code& code) noexcept;

/// What rename does with a name that is already there.
enum class on_conflict : std::uint8_t { fail, replace, exchange };

/// An object and the name it is to have.
struct named_pin {
    std::string name;
    borrowed_fd object;
    std::optional<mode> permissions = std::nullopt; ///< cut by the umask; else 0600 & ~umask
    std::optional<gid_t> group = std::nullopt;      ///< as map_spec::group
};

/// Makes the directory `where`, of mode `directory_bits & ~umask`, with these pins in it: it
/// appears with all of them or not at all. Where the name is taken: `fail` EEXIST; `replace`
/// exchanges a directory of pins for the new one in one step and removes the old one (ENOTEMPTY
/// where it holds directories: nothing has changed then). Errors of pin_object for each pin.
BPFFS_API void pin_all(std::span<const named_pin> pins, const location& where, mode directory_bits,
                       on_conflict conflict = on_conflict::fail);
BPFFS_API void pin_all(std::span<const named_pin> pins, const location& where, mode directory_bits,
                       on_conflict conflict, error_code& code) noexcept;

/// chmod on a pin or directory. errc::is_a_symlink for a symbolic link. EPERM: not the owner.
BPFFS_API void permissions(const location& where, mode bits);
BPFFS_API void permissions(const location& where, mode bits, error_code& code) noexcept;

/// chmod relative to what the file has: opens the file once, reads its mode and sets the result of
/// `change.apply(mode, type, umask)`, which is returned.
BPFFS_API mode permissions(const location& where, const mode_change& change);
BPFFS_API mode permissions(const location& where, const mode_change& change,
                           error_code& code) noexcept;

/// chown; a missing owner or group stays. Does not follow a symbolic link: it changes the link.
/// EPERM without CAP_CHOWN (owner) or for a group the caller is not in.
BPFFS_API void change_owner(const location& where, std::optional<uid_t> owner,
                            std::optional<gid_t> group);
BPFFS_API void change_owner(const location& where, std::optional<uid_t> owner,
                            std::optional<gid_t> group, error_code& code) noexcept;

/// Gives a pin another name on the same mount (EXDEV otherwise). `fail`: EEXIST.
BPFFS_API void rename(const location& from, const location& to,
                      on_conflict conflict = on_conflict::fail);
BPFFS_API void rename(const location& from, const location& to, on_conflict conflict,
                      error_code& code) noexcept;

/// Removes a name (unlink; a symbolic link itself). EISDIR for a directory.
BPFFS_API void remove(const location& where);
BPFFS_API void remove(const location& where, error_code& code) noexcept;

/// Removes an empty directory. ENOTEMPTY, ENOTDIR, EBUSY (a mount point).
BPFFS_API void remove_directory(const location& where);
BPFFS_API void remove_directory(const location& where, error_code& code) noexcept;

} // namespace bpffs
