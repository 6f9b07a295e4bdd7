// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Programs and links with the access in the type, as typed_map.hpp has it for maps: a reader has no
// attach() and no detach(), conversions only narrow. get() is the handle underneath.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/attach.hpp>
#include <bpffs/link.hpp>
#include <bpffs/program.hpp>
#include <bpffs/typed_map.hpp>

#include <utility>

namespace bpffs {

/// What typed_program and typed_link share. Owns its handle; move-only.
template <class Handle, access A> class typed_handle {
public:
    static constexpr access rights = A;

    typed_handle() noexcept = default;

    [[nodiscard]] const Handle& get() const noexcept { return held_; }
    [[nodiscard]] const auto& info() const noexcept { return held_.info(); }
    [[nodiscard]] borrowed_fd fd() const noexcept { return held_.fd(); }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(held_); }

    /// Pins it under a further name; see pin_object.
    void pin(const location& where, std::optional<mode> bits = std::nullopt) const
        requires(readable<A>&& writable<A>) {
        held_.pin(where, bits);
    }

protected:
    template <class, access> friend class typed_handle;

    /// errc::wrong_access where `opened` has less than A.
    explicit typed_handle(Handle&& opened) : held_{std::move(opened)} {
        if (held_ && !narrows(held_.rights(), A)) {
            throw error{errc::wrong_access, "open", held_.file()};
        }
    }
    template <access B>
    requires(B != A &&
             narrows(B, A)) explicit typed_handle(typed_handle<Handle, B>&& wider) noexcept
        : held_{std::move(wider.held_)} {}

    Handle held_;
};

/// An open program with the right A.
template <access A> class typed_program : public typed_handle<program, A> {
public:
    typed_program() noexcept = default;

    /// Errors of program::open.
    [[nodiscard]] static typed_program open(const location& where) {
        return typed_program{program::open(where, A)};
    }
    /// Puts the type over an open program. errc::wrong_access where it has less than A.
    [[nodiscard]] static typed_program from(program&& opened) {
        return typed_program{std::move(opened)};
    }
    template <access B>
    requires(B != A && narrows(B, A)) typed_program(typed_program<B>&& wider)
    noexcept // NOLINT: narrowing is implicit on purpose
        : typed_handle<program, A>{std::move(wider)} {}

    /// See program::code.
    [[nodiscard]] program_code code() const requires readable<A> { return this->held_.code(); }

    /// See bpffs::attach.
    [[nodiscard]] link attach(attach_kind kind,
                              const attach_target& target) const requires writable<A> {
        return bpffs::attach(this->held_, kind, target);
    }

    /// See program::test_run.
    test_run_result test_run(const test_run_input& input) const
        requires(readable<A>&& writable<A>) {
        return this->held_.test_run(input);
    }

private:
    explicit typed_program(program&& opened) : typed_handle<program, A>{std::move(opened)} {}
};

/// An open link with the right A.
template <access A> class typed_link : public typed_handle<link, A> {
public:
    typed_link() noexcept = default;

    /// Errors of link::open.
    [[nodiscard]] static typed_link open(const location& where) {
        return typed_link{link::open(where, A)};
    }
    /// Puts the type over an open link. errc::wrong_access where it has less than A.
    [[nodiscard]] static typed_link from(link&& opened) { return typed_link{std::move(opened)}; }
    template <access B>
    requires(B != A && narrows(B, A)) typed_link(typed_link<B>&& wider)
    noexcept // NOLINT: narrowing is implicit on purpose
        : typed_handle<link, A>{std::move(wider)} {}

    /// See link::start_iterator.
    [[nodiscard]] owned_fd start_iterator() const requires readable<A> {
        return this->held_.start_iterator();
    }

    /// See link::update.
    void update(const program& by, const program* expected = nullptr) requires writable<A> {
        this->held_.update(by, expected);
    }

    /// See link::detach.
    void detach() requires writable<A> { this->held_.detach(); }

private:
    explicit typed_link(link&& opened) : typed_handle<link, A>{std::move(opened)} {}
};

using program_reader = typed_program<access::read>;
using program_writer = typed_program<access::write>;
using program_owner = typed_program<access::read_write>;
using link_reader = typed_link<access::read>;
using link_writer = typed_link<access::write>;
using link_owner = typed_link<access::read_write>;

} // namespace bpffs
