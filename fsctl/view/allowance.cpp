// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Counting what each user has open; see allowance.hpp.
#include "allowance.hpp"

#include "refused.hpp"

#include <cerrno>
#include <utility>

namespace fsctl::view {

allowances::claim::claim(claim&& other) noexcept
    : of_(std::exchange(other.of_, nullptr)), user_(other.user_), bytes_(other.bytes_) {}

allowances::claim& allowances::claim::operator=(claim&& other) noexcept {
    std::swap(of_, other.of_);
    std::swap(user_, other.user_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

allowances::claim::~claim() {
    if (of_ != nullptr) {
        of_->end(*this);
    }
}

void allowances::claim::keep(std::size_t bytes) {
    if (of_ == nullptr) {
        return;
    }
    const std::scoped_lock lock(of_->mutex_);
    taken& user = of_->users_[user_];
    const std::size_t others = user.bytes - bytes_;
    if (bytes > bytes_ && (bytes > of_->most_.bytes || others > of_->most_.bytes - bytes)) {
        throw refused(EDQUOT);
    }
    user.bytes = others + bytes;
    bytes_ = bytes;
}

allowances::claim allowances::open(uid_t user) {
    const std::scoped_lock lock(mutex_);
    taken& so_far = users_[user];
    if (so_far.files >= most_.files) {
        throw refused(EMFILE);
    }
    ++so_far.files;
    return {*this, user};
}

void allowances::end(const claim& which) noexcept {
    const std::scoped_lock lock(mutex_);
    const auto user = users_.find(which.user_);
    user->second.bytes -= which.bytes_;
    if (--user->second.files == 0) {
        users_.erase(user);
    }
}

} // namespace fsctl::view
