// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// How the bodies of operations report: into a failure, which the throwing form turns into a
// bpffs::error and the noexcept form into an error_code. One body, two forms.
#pragma once

#include <bpffs/diagnosis.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>

#include "sys.hpp"

#include <cerrno>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bpffs {

/// What went wrong, or nothing.
struct failure {
    error_code code;
    std::string detail;
    std::vector<attempt> attempts;

    [[nodiscard]] explicit operator bool() const noexcept { return code.failed(); }

    void set(error_code why, std::string words = {}) {
        code = why;
        detail = std::move(words);
    }
    void set(sys::status error, std::string words = {}) {
        set(error_code{error, boost::system::system_category()}, std::move(words));
    }
    /// The value of a system call, its error noted here.
    template <class T> T take(sys::result<T> got) {
        if (!got) {
            set(got.error);
        }
        return std::move(got.value);
    }
    [[nodiscard]] bool is(sys::status error) const noexcept {
        return code.category() == boost::system::system_category() && code.value() == error;
    }
};

[[noreturn]] void raise(failure&& why, const char* operation, path file,
                        const std::optional<wanted>& wish = std::nullopt);

/// What an error says it is about: nothing is copied before there is one.
inline path shown(const location& where) {
    return where.display();
}
inline const path& shown(const path& file) noexcept {
    return file;
}
inline path shown(location&& where) {
    return std::move(where).display();
}

template <class Body>
concept notes_only = std::is_void_v<std::invoke_result_t<Body&, failure&>>;

/// The throwing form: runs `body(failure&)` and throws what it noted. `where` is a location or a
/// path.
template <class Where, notes_only Body>
void loudly(const char* operation, const Where& where, const std::optional<wanted>& wish,
            Body body) {
    failure why;
    body(why);
    if (why) {
        raise(std::move(why), operation, shown(where), wish);
    }
}

template <class Where, class Body>
auto loudly(const char* operation, const Where& where, const std::optional<wanted>& wish,
            Body body) {
    failure why;
    auto value = body(why);
    if (why) {
        raise(std::move(why), operation, shown(where), wish);
    }
    return value;
}

/// What an exception that left a body comes to as a code.
error_code code_of_current_exception() noexcept;

/// The noexcept form: runs `body(failure&)` and hands out the code only.
template <class Body> auto quietly(error_code& code, Body body) noexcept {
    using value_type = std::invoke_result_t<Body&, failure&>;
    try {
        failure why;
        if constexpr (notes_only<Body>) {
            body(why);
            code = why.code;
            return;
        } else {
            auto value = body(why);
            code = why.code;
            return value;
        }
    } catch (...) {
        code = code_of_current_exception();
    }
    if constexpr (!notes_only<Body>) {
        return value_type{};
    }
}

} // namespace bpffs
