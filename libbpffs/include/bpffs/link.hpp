// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Links: a handle on a program's attachment with an access; what it is, putting another program in
// place, ending it, pinning it. attach.hpp makes them.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/kinds.hpp>
#include <bpffs/pin.hpp>
#include <bpffs/program.hpp>

#include <cstdint>
#include <string>

namespace bpffs {

template <class> struct handle_body;
template <class> struct handle_traits;

/// What the kernel says about a link to whoever has a handle.
struct link_info {
    std::uint32_t id = 0;
    link_kind kind = link_kind::unspec;
    std::uint32_t program_id = 0;
    // What it is attached to, as far as the kind has it.
    attach_kind attach{};               ///< cgroup, netns, tcx, netkit, tracing, sockmap
    std::uint64_t cgroup_id = 0;        ///< cgroup: inode number of its directory
    std::uint32_t ifindex = 0;          ///< xdp, tcx, netkit
    std::uint32_t netns_inode = 0;      ///< netns
    std::uint32_t map_id = 0;           ///< struct_ops, sockmap; iterator over a map's elements
    std::uint32_t target_object_id = 0; ///< tracing: BTF
    std::uint32_t target_type_id = 0;   ///< and function in it
    std::string target_name;            ///< raw tracepoint; what an iterator goes over
};

/// An open link. Owns its descriptor; move-only.
class BPFFS_API link {
public:
    link() noexcept = default;

    /// Opens a pinned link. Errors of open_pin; errc::wrong_kind for a map or program. A kernel
    /// without fmode opens links read-write only: errc::unsupported for less.
    [[nodiscard]] static link open(const location& where, access rights);
    [[nodiscard]] static link open(const location& where, access rights, error_code& code) noexcept;

    /// Makes a link of an object that open_pin returned. errc::wrong_kind (it is closed).
    [[nodiscard]] static link from(object&& opened);
    [[nodiscard]] static link from(object&& opened, error_code& code) noexcept;

    [[nodiscard]] const link_info& info() const noexcept { return info_; }
    [[nodiscard]] access rights() const noexcept { return rights_; }
    [[nodiscard]] const path& file() const noexcept { return file_; }
    [[nodiscard]] borrowed_fd fd() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

    /// Pins the link under a further name. See pin_object. Needs R and W.
    void pin(const location& where, std::optional<mode> bits = std::nullopt) const;
    void pin(const location& where, std::optional<mode> bits, error_code& code) const noexcept;

    /// Puts another program of the same kind in the place of the one that is attached, in one step.
    /// Needs W on both. With `expected` only where that one is attached (EPERM otherwise; no right
    /// on it is needed). EINVAL: another kind of program. errc::unsupported: links of this kind
    /// cannot.
    void update(const program& by, const program* expected = nullptr);
    void update(const program& by, const program* expected, error_code& code) noexcept;

    /// Ends the attachment; the link stays, with nothing behind it. Needs W. errc::unsupported:
    /// links of this kind end with their last handle and pin only.
    void detach();
    void detach(error_code& code) noexcept;

    /// Starts an iterator: a file of which read(2) gives what the program writes. Needs R. EINVAL:
    /// no link of an iterator.
    [[nodiscard]] owned_fd start_iterator() const;
    [[nodiscard]] owned_fd start_iterator(error_code& code) const noexcept;

    /// Gives the descriptor away; this handle is empty afterwards.
    [[nodiscard]] owned_fd release() noexcept { return std::move(fd_); }

private:
    template <class> friend struct handle_body;
    template <class> friend struct handle_traits;

    owned_fd fd_;
    access rights_ = access::read;
    link_info info_;
    path file_;
};

} // namespace bpffs
