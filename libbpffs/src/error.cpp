// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The library's error category and its exception.
#include <bpffs/diagnosis.hpp>
#include <bpffs/error.hpp>

#include "failure.hpp"

#include <fmt/format.h>

#include <mutex>

namespace bpffs {
namespace {

struct entry {
    const char* words;
    boost::system::errc::errc_t condition;
};

entry entry_of(errc code) noexcept {
    namespace e = boost::system::errc;
    switch (code) {
    case errc::not_a_bpffs:
        return {"not on a BPF file system", e::invalid_argument};
    case errc::not_a_pin:
        return {"holds no BPF object", e::invalid_argument};
    case errc::wrong_kind:
        return {"a BPF object of another kind", e::invalid_argument};
    case errc::wrong_size:
        return {"a key or value of another size", e::invalid_argument};
    case errc::wrong_access:
        return {"the handle lacks the right for this", e::operation_not_permitted};
    case errc::dot_in_name:
        return {"a bpffs does not take names with a dot", e::operation_not_permitted};
    case errc::bad_name:
        return {"not a file name", e::invalid_argument};
    case errc::bad_object_name:
        return {"not an object name (up to 15 of A-Z a-z 0-9 _ .)", e::invalid_argument};
    case errc::bad_mode:
        return {"not a mode", e::invalid_argument};
    case errc::bad_word:
        return {"unknown word", e::invalid_argument};
    case errc::not_creatable:
        return {"Operation not permitted", e::operation_not_permitted};
    case errc::not_delegated:
        return {"the mount gives out no directory tokens", e::operation_not_permitted};
    case errc::token_lacks_kind:
        return {"the directory's token does not cover this kind", e::operation_not_permitted};
    case errc::no_fmode:
        return {"the kernel does not know the mount option fmode", e::operation_not_supported};
    case errc::unsupported:
        return {"not supported", e::operation_not_supported};
    case errc::is_a_symlink:
        return {"a symbolic link, which is not followed here", e::too_many_symbolic_link_levels};
    case errc::changing_too_fast:
        return {"others delete entries faster than they can be walked", e::device_or_resource_busy};
    case errc::empty_handle:
        return {"an empty handle", e::bad_file_descriptor};
    case errc::not_an_object_file:
        return {"not a BPF object file", e::executable_format_error};
    case errc::no_such_name:
        return {"no such name in the object file", e::no_such_file_or_directory};
    case errc::wrong_type:
        return {"a key or value of another type", e::invalid_argument};
    }
    return {"unknown error", e::invalid_argument};
}

class category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "bpffs"; }
    [[nodiscard]] std::string message(int code) const override {
        return entry_of(static_cast<errc>(code)).words;
    }
    [[nodiscard]] boost::system::error_condition
    default_error_condition(int code) const noexcept override {
        return boost::system::errc::make_error_condition(
            entry_of(static_cast<errc>(code)).condition);
    }
};

} // namespace

const boost::system::error_category& bpffs_category() noexcept {
    static const category the_category;
    return the_category;
}

struct error::state {
    std::string operation;
    path file;
    std::string detail;
    std::optional<wanted> wish;
    std::vector<attempt> attempts;

    std::once_flag described;
    std::string description;
    std::once_flag diagnosed;
    bpffs::diagnosis diagnosis;
};

error::error(error_code code, std::string operation, path file, std::string detail)
    : system_error{code}, state_{std::make_shared<state>()} {
    state_->operation = std::move(operation);
    state_->file = std::move(file);
    state_->detail = std::move(detail);
}

error::error(error_code code, std::string operation, path file, std::string detail,
             const wanted& wish, std::vector<attempt> attempts)
    : error{code, std::move(operation), std::move(file), std::move(detail)} {
    state_->wish = wish;
    state_->attempts = std::move(attempts);
}

error::~error() = default;

const std::string& error::operation() const noexcept {
    return state_->operation;
}

const path& error::file() const noexcept {
    return state_->file;
}

const std::string& error::detail() const noexcept {
    return state_->detail;
}

const std::vector<attempt>& error::attempts() const noexcept {
    return state_->attempts;
}

const char* error::what() const noexcept {
    try {
        std::call_once(state_->described, [this] {
            const std::string file =
                state_->file.empty() ? "" : fmt::format(" '{}'", state_->file.native());
            const std::string detail =
                state_->detail.empty() ? "" : fmt::format(": {}", state_->detail);
            state_->description =
                fmt::format("{}{}: {}{}", state_->operation, file, code().message(), detail);
        });
        return state_->description.c_str();
    } catch (...) {
        return state_->operation.c_str();
    }
}

const diagnosis& error::diagnosis() const {
    std::call_once(state_->diagnosed, [this] {
        if (state_->wish) {
            error_code ignored;
            state_->diagnosis = explain(state_->file, *state_->wish, ignored);
        }
        if (state_->diagnosis.findings.empty()) {
            state_->diagnosis.sentence = what();
        }
    });
    return state_->diagnosis;
}

void raise(failure&& why, const char* operation, path file, const std::optional<wanted>& wish) {
    if (wish) {
        throw error{why.code,        operation,
                    std::move(file), std::move(why.detail),
                    *wish,           std::move(why.attempts)};
    }
    throw error{why.code, operation, std::move(file), std::move(why.detail)};
}

error_code code_of_current_exception() noexcept {
    try {
        throw;
    } catch (const boost::system::system_error& known) {
        return known.code();
    } catch (const std::bad_alloc&) {
        return {ENOMEM, boost::system::system_category()};
    } catch (...) {
        // Nothing else is thrown below a noexcept form, except by a caller's visitor.
        return {ECANCELED, boost::system::system_category()};
    }
}

} // namespace bpffs
