// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The two ways a verb can end other than well: the words were wrong (exit 2)
// or the operation failed (exit 1). Each carries one sentence about what is
// wrong, and may carry a second one about what would help. Errors of the
// library (bpffs::error) are printed like a failure, with their diagnosis.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fsctl {

enum class exit_status { ok = 0, failed = 1, usage = 2 };

// Base of both; remedy() is empty where nothing useful can be said.
class complaint : public std::runtime_error {
public:
    explicit complaint(const std::string& message, std::string remedy = {})
        : std::runtime_error(message), remedy_(std::move(remedy)) {}

    [[nodiscard]] const std::string& remedy() const noexcept { return remedy_; }
    [[nodiscard]] virtual exit_status status() const noexcept = 0;

private:
    std::string remedy_;
};

// The words were wrong; nothing was tried.
class usage_error : public complaint {
public:
    using complaint::complaint;
    [[nodiscard]] exit_status status() const noexcept override { return exit_status::usage; }
};

// The words were right and the operation failed.
class failure : public complaint {
public:
    using complaint::complaint;
    [[nodiscard]] exit_status status() const noexcept override { return exit_status::failed; }
};

// The answer was "there is none", and has been given: exit 1 and not a word
// more (with -j: null).
struct nothing_found : std::exception {};

// What a person is told about one error.
struct trouble {
    std::string message;
    std::string remedy;
    std::vector<std::string> findings = {}; // all that stands in the way, for -v
};

// The error in words: the message of any exception, and the remedy of a
// complaint or the diagnosis of a bpffs::error.
trouble describe(const std::exception& error);

// A verb with several operands goes on after a failure, adds it here, and ends
// with throw_any(), so that each operand that failed is named.
class failures : public std::exception {
public:
    void add(const std::exception& error) { list_.push_back(describe(error)); }
    [[nodiscard]] const std::vector<trouble>& list() const noexcept { return list_; }
    void throw_any() const {
        if (!list_.empty()) {
            throw failures(*this);
        }
    }

private:
    std::vector<trouble> list_;
};

} // namespace fsctl
