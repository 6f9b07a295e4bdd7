// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// How much of a shared view's process one user may take up: it has descriptors and memory for all,
// and serves everybody or, without them, nobody.
#pragma once

#include <cstddef>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <sys/types.h>

namespace fsctl::view {

class allowances {
public:
    struct limits {
        std::size_t files = 0; // open files and directories
        std::size_t bytes = 0; // of text that they keep: whole programs, maps to be restored
    };

    explicit allowances(limits most) noexcept : most_(most) {}

    // One user's open file, and the text that it keeps. Ends with the file. One that was made from
    // nothing is not counted.
    class claim {
    public:
        claim() = default;
        claim(claim&& other) noexcept;
        claim& operator=(claim&& other) noexcept;
        claim(const claim&) = delete;
        claim& operator=(const claim&) = delete;
        ~claim();

        // The file keeps this many bytes now. refused EDQUOT where that is too much for the user.
        void keep(std::size_t bytes);

    private:
        friend class allowances;
        claim(allowances& of, uid_t user) noexcept : of_(&of), user_(user) {}

        allowances* of_ = nullptr;
        uid_t user_ = 0;
        std::size_t bytes_ = 0;
    };

    // refused EMFILE where the user has as many open as they may.
    claim open(uid_t user);

private:
    struct taken {
        std::size_t files = 0;
        std::size_t bytes = 0;
    };

    void end(const claim& which) noexcept;

    limits most_;
    std::mutex mutex_;
    std::unordered_map<uid_t, taken> users_; // those who have something open
};

// What a user has opened: counts for them, with the text that it keeps.
class counted_for_user {
public:
    counted_for_user() = default;
    counted_for_user(const counted_for_user&) = delete;
    counted_for_user& operator=(const counted_for_user&) = delete;
    counted_for_user(counted_for_user&&) = delete;
    counted_for_user& operator=(counted_for_user&&) = delete;
    virtual ~counted_for_user() = default;

    // Whose it is, as long as it is open. refused EDQUOT where what it keeps is too much.
    void count_for(allowances::claim user) {
        claim_ = std::move(user);
        claim_.keep(kept());
    }

protected:
    // What is kept from the start, in bytes.
    [[nodiscard]] virtual std::size_t kept() const { return 0; }
    // It has become this much.
    void keep(std::size_t bytes) { claim_.keep(bytes); }

private:
    allowances::claim claim_;
};

} // namespace fsctl::view
