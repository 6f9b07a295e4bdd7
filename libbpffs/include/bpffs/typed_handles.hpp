// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Programs and links with the access in the type, owned and borrowed, as typed_map.hpp has it for
// maps: a reader has no attach() and no detach(), conversions only narrow.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/attach.hpp>
#include <bpffs/held.hpp>
#include <bpffs/link.hpp>
#include <bpffs/program.hpp>

#include <utility>

namespace bpffs {

/// What can be done with a program through `Held`, an owned or a borrowed handle: each operation is
/// there where the access allows it. The forms with an error_code are noexcept.
template <class Held> class program_operations : public Held {
    static constexpr access A = Held::rights;

public:
    /// See program::code.
    [[nodiscard]] program_code code() const requires readable<A> { return this->held().code(); }
    [[nodiscard]] program_code code(error_code& code) const noexcept requires readable<A> {
        return this->held().code(code);
    }

    /// See bpffs::attach.
    [[nodiscard]] link attach(attach_kind kind,
                              const attach_target& target) const requires writable<A> {
        return bpffs::attach(this->held(), kind, target);
    }
    [[nodiscard]] link attach(attach_kind kind, const attach_target& target,
                              error_code& code) const noexcept requires writable<A> {
        return bpffs::attach(this->held(), kind, target, code);
    }

    /// See program::test_run.
    test_run_result test_run(const test_run_input& input) const
        requires(readable<A>&& writable<A>) {
        return this->held().test_run(input);
    }
    test_run_result test_run(const test_run_input& input, error_code& code) const noexcept
        requires(readable<A>&& writable<A>) {
        return this->held().test_run(input, code);
    }

protected:
    using Held::Held;
};

/// What can be done with a link, in the same way.
template <class Held> class link_operations : public Held {
    static constexpr access A = Held::rights;

public:
    /// See link::start_iterator.
    [[nodiscard]] owned_fd start_iterator() const requires readable<A> {
        return this->held().start_iterator();
    }
    [[nodiscard]] owned_fd start_iterator(error_code& code) const noexcept requires readable<A> {
        return this->held().start_iterator(code);
    }

    /// See link::update.
    void update(const program& by, const program* expected = nullptr) requires writable<A> {
        this->held().update(by, expected);
    }
    void update(const program& by, const program* expected,
                error_code& code) noexcept requires writable<A> {
        this->held().update(by, expected, code);
    }

    /// See link::detach.
    void detach() requires writable<A> { this->held().detach(); }
    void detach(error_code& code) noexcept requires writable<A> { this->held().detach(code); }

protected:
    using Held::Held;
};

/// An open program with the right A. Owns its handle; move-only.
template <access A> class typed_program : public program_operations<owned_handle<program, A>> {
    using operations = program_operations<owned_handle<program, A>>;

public:
    typed_program() noexcept = default;

    /// Errors of program::open.
    [[nodiscard]] static typed_program open(const location& where) {
        return typed_program{program::open(where, A)};
    }
    [[nodiscard]] static typed_program open(const location& where, error_code& code) noexcept {
        return typed_program{program::open(where, A, code)};
    }
    /// Puts the type over an open program, which stays the caller's where that fails.
    /// errc::wrong_access where it has less than A.
    [[nodiscard]] static typed_program from(program&& opened) {
        check_access<A>(opened);
        return typed_program{std::move(opened)};
    }
    [[nodiscard]] static typed_program from(program&& opened, error_code& code) noexcept {
        check_access<A>(opened, code);
        return code ? typed_program{} : typed_program{std::move(opened)};
    }
    /// From a handle with more rights. There is no conversion the other way.
    template <access B>
    requires(B != A && narrows(B, A)) typed_program(typed_program<B>&& wider)
    noexcept // NOLINT: narrowing is implicit on purpose
        : operations{std::move(wider)} {}

private:
    explicit typed_program(program&& opened) noexcept : operations{std::move(opened)} {}
};

/// An open program with the right A that somebody else owns and keeps open: a parameter type, which
/// takes any typed_program or borrowed_program with at least the right A.
template <access A>
class borrowed_program : public program_operations<borrowed_handle<program, A>> {
    using operations = program_operations<borrowed_handle<program, A>>;

public:
    template <access B>
    requires(narrows(B, A)) borrowed_program(const typed_program<B>& owned)
    noexcept // NOLINT: a parameter type
        : operations{owned} {}
    template <access B>
    requires(B != A && narrows(B, A)) borrowed_program(const borrowed_program<B>& wider)
    noexcept // NOLINT: a parameter type
        : operations{wider} {}

    /// Puts the type over a program that somebody else owns. errc::wrong_access where it has less
    /// than A.
    [[nodiscard]] static borrowed_program from(const program& opened) {
        check_access<A>(opened);
        return borrowed_program{opened};
    }

private:
    explicit borrowed_program(const program& opened) noexcept : operations{&opened} {}
};

/// An open link with the right A. Owns its handle; move-only.
template <access A> class typed_link : public link_operations<owned_handle<link, A>> {
    using operations = link_operations<owned_handle<link, A>>;

public:
    typed_link() noexcept = default;

    /// Errors of link::open.
    [[nodiscard]] static typed_link open(const location& where) {
        return typed_link{link::open(where, A)};
    }
    [[nodiscard]] static typed_link open(const location& where, error_code& code) noexcept {
        return typed_link{link::open(where, A, code)};
    }
    /// Puts the type over an open link, which stays the caller's where that fails.
    /// errc::wrong_access where it has less than A.
    [[nodiscard]] static typed_link from(link&& opened) {
        check_access<A>(opened);
        return typed_link{std::move(opened)};
    }
    [[nodiscard]] static typed_link from(link&& opened, error_code& code) noexcept {
        check_access<A>(opened, code);
        return code ? typed_link{} : typed_link{std::move(opened)};
    }
    /// From a handle with more rights. There is no conversion the other way.
    template <access B>
    requires(B != A && narrows(B, A)) typed_link(typed_link<B>&& wider)
    noexcept // NOLINT: narrowing is implicit on purpose
        : operations{std::move(wider)} {}

private:
    explicit typed_link(link&& opened) noexcept : operations{std::move(opened)} {}
};

/// An open link with the right A that somebody else owns and keeps open: a parameter type, which
/// takes any typed_link or borrowed_link with at least the right A.
template <access A> class borrowed_link : public link_operations<borrowed_handle<link, A>> {
    using operations = link_operations<borrowed_handle<link, A>>;

public:
    template <access B>
    requires(narrows(B, A)) borrowed_link(typed_link<B>& owned)
    noexcept // NOLINT: a parameter type
        : operations{owned} {}
    template <access B>
    requires(narrows(B, A) && !can_write(A)) borrowed_link(const typed_link<B>& owned)
    noexcept // NOLINT: a parameter type
        : operations{owned} {}
    template <access B>
    requires(B != A && narrows(B, A)) borrowed_link(const borrowed_link<B>& wider)
    noexcept // NOLINT: a parameter type
        : operations{wider} {}

    /// Puts the type over a link that somebody else owns. errc::wrong_access where it has less
    /// than A.
    [[nodiscard]] static borrowed_link from(link& opened) {
        check_access<A>(opened);
        return borrowed_link{opened};
    }

private:
    explicit borrowed_link(link& opened) noexcept : operations{&opened} {}
};

using program_reader = typed_program<access::read>;
using program_writer = typed_program<access::write>;
using program_owner = typed_program<access::read_write>;
using link_reader = typed_link<access::read>;
using link_writer = typed_link<access::write>;
using link_owner = typed_link<access::read_write>;

} // namespace bpffs
