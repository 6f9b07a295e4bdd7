// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The private directory of stage.hpp.
#include "stage.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace bpffs {
namespace {

constexpr int directory_flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;

/// Tries twice: what is left behind stays for ever.
template <class Undo> void clean(Undo undo) noexcept {
    if (undo() != 0) {
        undo();
    }
}

/// The names in a directory of pins. ENOTEMPTY where it holds directories.
std::vector<std::string> pins_in(const directory& old, failure& why) {
    std::vector<std::string> names;
    bool nested = false;
    error_code code;
    old.for_each(
        [&](const directory_entry& one) {
            nested = one.type == file_type::directory;
            names.push_back(one.name);
            return !nested;
        },
        code);
    if (nested) {
        why.set(ENOTEMPTY, fmt::format("'{}' in it is a directory", names.back()));
    } else if (code) {
        why.set(code);
    }
    return names;
}

} // namespace

stage::stage(const place& beside, failure& why) : beside_{beside.directory} {
    std::array<std::byte, 8> random{};
    why.take(sys::getrandom(random));
    for (const std::byte one : random) {
        name_ += fmt::format("{:02x}", static_cast<unsigned>(one));
    }
    if (!why) {
        why.set(sys::mkdirat(beside_, name_.c_str(), 0700));
        made_ = !why;
    }
    if (!why) {
        fd_ = why.take(sys::openat(beside_, name_.c_str(), directory_flags));
    }
}

stage::~stage() {
    for (const std::string& one : pins_) {
        clean([&] { return sys::unlinkat(fd_.get(), one.c_str(), 0); });
    }
    if (made_) {
        clean([&] { return sys::unlinkat(beside_, name_.c_str(), AT_REMOVEDIR); });
    }
}

void stage::set_mode(const std::string& name, mode bits, failure& why) {
    const mode umask = current_umask(why);
    if (!why) {
        why.set(sys::chmod(through_proc(fd_.get(), name).c_str(), bits.without(umask).bits()));
    }
}

void stage::set_group(const std::string& name, const birth& as, failure& why) {
    if (!why && as.group) {
        why.set(sys::fchownat(fd_.get(), name.c_str(), static_cast<uid_t>(-1), as.group.value()));
    }
}

void stage::pin(int object, const std::string& name, const birth& as, failure& why) {
    const std::optional<mode>& bits = as.permissions;
    // Noted before it is there: then nothing that fails in between can leave it behind.
    pins_.push_back(name);
    const auto pin_at = [&](int directory, const std::string& at, int mode_bits) {
        return sys::obj_pin(object, directory, at.c_str(), mode_bits);
    };
    sys::status pinned = pin_at(fd_.get(), name, bits ? static_cast<int>(bits->bits()) : -1);
    const bool without_mode = pinned == EINVAL && bits;
    if (without_mode) {
        pinned = pin_at(fd_.get(), name, -1);
    }
    if (pinned == EINVAL) {
        pinned = pin_at(-1, through_proc(fd_.get(), name), -1);
    }
    why.set(pinned);
    if (why) {
        pins_.pop_back();
    } else if (without_mode) {
        set_mode(name, *bits, why);
    }
    set_group(name, as, why);
}

void stage::move_out(const std::string& name, const place& to, unsigned flags, failure& why) {
    why.set(sys::renameat2(fd_.get(), name.c_str(), to.directory, to.c_name(), flags));
    if (!why) {
        pins_.erase(std::remove(pins_.begin(), pins_.end(), name), pins_.end());
    }
}

void stage::become(const place& to, const birth& as, on_conflict conflict, failure& why) {
    set_group({}, as, why);
    if (!why) {
        set_mode({}, as.permissions.value_or(mode{0700}), why);
    }
    if (why) {
        return;
    }
    why.set(sys::renameat2(beside_, name_.c_str(), to.directory, to.c_name(), RENAME_NOREPLACE));
    if (why.is(EEXIST) && conflict == on_conflict::replace) {
        why.set(0);
        exchange(to, why);
    } else if (!why) {
        made_ = false;
        pins_.clear();
    }
}

/// Takes the place of a directory that is there, which gets this one's name and is emptied.
void stage::exchange(const place& with, failure& why) {
    // Opened before: what fails afterwards would leave the old directory behind.
    owned_fd old = why.take(sys::openat(with.directory, with.c_name(), directory_flags));
    owned_fd walked = why ? owned_fd{} : why.take(sys::duplicate(old.get()));
    if (why) {
        return;
    }
    std::vector<std::string> names = pins_in(directory::adopt(std::move(walked), with.name), why);
    if (!why) {
        why.set(
            sys::renameat2(beside_, name_.c_str(), with.directory, with.c_name(), RENAME_EXCHANGE));
    }
    if (why) {
        return;
    }
    // What there is to clean up is the old directory now.
    pins_ = std::move(names);
    fd_ = std::move(old);
}

} // namespace bpffs
