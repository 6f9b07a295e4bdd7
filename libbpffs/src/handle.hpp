// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The one body of map, program and link: opening with a kind in mind, asking the descriptor for
// its information, pinning. What differs stands in handle_traits, specialised beside each class.
#pragma once

#include "pin.hpp"

namespace bpffs {

/// For each class: `kind`, the verb phrases `opening` and `pinning`, and
/// `describe(handle, failure&)`, which fills the information from the descriptor.
template <class Handle> struct handle_traits;

template <class Handle> struct handle_body {
    using traits = handle_traits<Handle>;

    /// Puts a handle around a descriptor, which is closed where its information cannot be had.
    /// `where`, a path or a location, is left as it was then. `known` is passed to describe() where
    /// some of that is known already.
    template <class Where, class... Known>
    static Handle make(owned_fd fd, access rights, Where&& where, failure& why,
                       const Known&... known) {
        Handle made;
        made.fd_ = std::move(fd);
        made.rights_ = rights;
        traits::describe(made, why, known...);
        if (why) {
            made = {};
        } else {
            made.file_ = shown(std::forward<Where>(where));
        }
        return made; // not moved: this is a part of what opening costs
    }

    static Handle from(object opened, failure& why) {
        check_kind(opened, traits::kind, why);
        if (why) {
            return {};
        }
        const access rights = opened.rights();
        path file = opened.file();
        return make(opened.release(), rights, std::move(file), why);
    }

    static Handle open(const location& where, access rights) {
        return loudly(traits::opening, where, wanted::to_open(rights),
                      [&](failure& why) { return from(open_object(where, rights, why), why); });
    }
    static Handle open(const location& where, access rights, error_code& code) noexcept {
        return quietly(code,
                       [&](failure& why) { return from(open_object(where, rights, why), why); });
    }

    static Handle from(object&& whole) {
        const path file = whole.file();
        return loudly(traits::opening, file, wanted::to_open(whole.rights()),
                      [&](failure& why) { return from(std::move(whole), why); });
    }
    static Handle from(object&& whole, error_code& code) noexcept {
        return quietly(code, [&](failure& why) { return from(std::move(whole), why); });
    }

    static void pin(const Handle& held, const location& where, std::optional<mode> bits) {
        loudly(traits::pinning, where, wanted::to_pin(held.rights()),
               [&](failure& why) { pin(held, where, bits, why); });
    }
    static void pin(const Handle& held, const location& where, std::optional<mode> bits,
                    error_code& code) noexcept {
        quietly(code, [&](failure& why) { pin(held, where, bits, why); });
    }

private:
    static void pin(const Handle& held, const location& where, std::optional<mode> bits,
                    failure& why) {
        if (!held) {
            why.set(errc::empty_handle);
            return;
        }
        pin_body(held.fd().get(), where, bits, why);
    }
};

} // namespace bpffs
