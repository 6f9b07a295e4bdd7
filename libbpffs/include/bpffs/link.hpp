// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Links: a handle on a pinned link (a program's attachment) with an access, its base information,
// and pinning again.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/kinds.hpp>
#include <bpffs/pin.hpp>

#include <cstdint>

namespace bpffs {

template <class> struct handle_body;
template <class> struct handle_traits;

/// What the kernel says about a link to whoever has a handle.
struct link_info {
    std::uint32_t id = 0;
    link_kind kind = link_kind::unspec;
    std::uint32_t program_id = 0;
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
