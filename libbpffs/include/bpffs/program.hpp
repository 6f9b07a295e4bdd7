// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Programs: a handle on a pinned program with an access, its base information, and pinning again.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/kinds.hpp>
#include <bpffs/pin.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace bpffs {

template <class> struct handle_body;
template <class> struct handle_traits;

/// What the kernel says about a program to whoever has a handle.
struct program_info {
    std::uint32_t id = 0;
    program_kind kind = program_kind::unspec;
    std::string name;
    std::array<std::uint8_t, 8> tag{}; ///< hash over the instructions
    std::uint32_t created_by = 0;      ///< uid of the loader
    std::uint64_t load_time = 0;       ///< nanoseconds since boot
};

/// An open program. Owns its descriptor; move-only.
class BPFFS_API program {
public:
    program() noexcept = default;

    /// Opens a pinned program. Errors of open_pin; errc::wrong_kind for a map or link. Only on a
    /// mount with fmode does the handle carry no more than `rights`.
    [[nodiscard]] static program open(const location& where, access rights);
    [[nodiscard]] static program open(const location& where, access rights,
                                      error_code& code) noexcept;

    /// Makes a program of an object that open_pin returned. errc::wrong_kind (it is closed).
    [[nodiscard]] static program from(object&& opened);
    [[nodiscard]] static program from(object&& opened, error_code& code) noexcept;

    [[nodiscard]] const program_info& info() const noexcept { return info_; }
    [[nodiscard]] access rights() const noexcept { return rights_; }
    [[nodiscard]] const path& file() const noexcept { return file_; }
    [[nodiscard]] borrowed_fd fd() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

    /// Pins the program under a further name. See pin_object. Needs R and W.
    void pin(const location& where, std::optional<mode> bits = std::nullopt) const;
    void pin(const location& where, std::optional<mode> bits, error_code& code) const noexcept;

    /// Gives the descriptor away; this handle is empty afterwards.
    [[nodiscard]] owned_fd release() noexcept { return std::move(fd_); }

private:
    template <class> friend struct handle_body;
    template <class> friend struct handle_traits;

    owned_fd fd_;
    access rights_ = access::read;
    program_info info_;
    path file_;
};

} // namespace bpffs
