// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the typed handles of maps, programs and links are made of: a handle with the access in its
// type, owned or borrowed. typed_map.hpp and typed_handles.hpp put the operations over it.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/mode.hpp>

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

namespace bpffs {

class program;

/// The access types, for `requires`: readable<A>, writable<A>.
template <access A>
concept readable = can_read(A);
template <access A>
concept writable = can_write(A);

/// Owns a map, program or link that has the right A. Move-only.
template <class Handle, access A> class owned_handle {
public:
    static constexpr access rights = A;

    owned_handle() noexcept = default;

    /// The handle underneath, for functions that take any. What it may do is not in its type, and
    /// surfaces as the kernel's EPERM.
    [[nodiscard]] const Handle& get() const noexcept { return held_; }
    [[nodiscard]] const auto& info() const noexcept { return held_.info(); }
    [[nodiscard]] borrowed_fd fd() const noexcept { return held_.fd(); }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(held_); }

    /// Pins it under a further name; see pin_object.
    void pin(const location& where, std::optional<mode> bits = std::nullopt) const
        requires(readable<A>&& writable<A>) {
        get().pin(where, bits);
    }
    void pin(const location& where, std::optional<mode> bits, error_code& code) const noexcept
        requires(readable<A>&& writable<A>) {
        get().pin(where, bits, code);
    }

protected:
    template <class, access> friend class owned_handle;
    template <class, access> friend class borrowed_handle;

    /// `opened` has the right A.
    explicit owned_handle(Handle&& opened) noexcept : held_{std::move(opened)} {}
    template <access B>
    requires(B != A &&
             narrows(B, A)) explicit owned_handle(owned_handle<Handle, B>&& wider) noexcept
        : held_{std::move(wider.held_)} {}

    [[nodiscard]] const Handle& held() const noexcept { return held_; }
    [[nodiscard]] Handle& held() noexcept { return held_; }

private:
    Handle held_;
};

/// A map, program or link with the right A that somebody else owns and keeps open: a parameter
/// type. Cheap to copy. Made from an owned or borrowed handle with at least A, never from one with
/// less.
template <class Handle, access A> class borrowed_handle {
    // A writer is not made from what is const: that has no update() itself. No operation changes a
    // handle on a program.
    using pointer =
        std::conditional_t<writable<A> && !std::same_as<Handle, program>, Handle*, const Handle*>;

public:
    static constexpr access rights = A;

    [[nodiscard]] const Handle& get() const noexcept { return *held_; }
    [[nodiscard]] const auto& info() const noexcept { return held_->info(); }
    [[nodiscard]] borrowed_fd fd() const noexcept { return held_->fd(); }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(*held_); }

    /// Pins it under a further name; see pin_object.
    void pin(const location& where, std::optional<mode> bits = std::nullopt) const
        requires(readable<A>&& writable<A>) {
        get().pin(where, bits);
    }
    void pin(const location& where, std::optional<mode> bits, error_code& code) const noexcept
        requires(readable<A>&& writable<A>) {
        get().pin(where, bits, code);
    }

protected:
    template <class, access> friend class borrowed_handle;

    /// `opened` has the right A.
    explicit borrowed_handle(pointer opened) noexcept : held_{opened} {}
    template <access B>
    requires(narrows(B, A)) explicit borrowed_handle(owned_handle<Handle, B>& wider) noexcept
        : held_{&wider.held_} {}
    template <access B>
    requires(narrows(B, A) &&
             std::is_const_v<std::remove_pointer_t<
                 pointer>>) explicit borrowed_handle(const owned_handle<Handle, B>& wider) noexcept
        : held_{&wider.held_} {}
    template <access B>
    requires(B != A &&
             narrows(B,
                     A)) explicit borrowed_handle(const borrowed_handle<Handle, B>& wider) noexcept
        : held_{wider.held_} {}

    [[nodiscard]] std::remove_pointer_t<pointer>& held() const noexcept { return *held_; }

private:
    pointer held_;
};

/// Checks that an open handle has the right A: errc::wrong_access.
template <access A, class Handle>
void check_access(const Handle& opened, error_code& code) noexcept {
    code = opened && !narrows(opened.rights(), A) ? error_code{errc::wrong_access} : error_code{};
}
template <access A, class Handle> void check_access(const Handle& opened) {
    error_code code;
    check_access<A>(opened, code);
    if (code) {
        throw error{code, "open", opened.file()};
    }
}

} // namespace bpffs
