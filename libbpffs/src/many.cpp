// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Many elements at once: in one call where the kernel has a batch command for the kind, one by one
// where it has not.
#include <bpffs/map.hpp>

#include "failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace bpffs {
namespace {

/// Keys, and values where there are any (`values_size` bytes), cut into elements.
class elements {
public:
    elements(const map& of, const_bytes keys, std::optional<std::size_t> values_size, failure& why)
        : key_size_{of.key_size()}, value_bytes_{of.value_bytes()}, keys_{keys} {
        if (!of) {
            why.set(errc::empty_handle);
        } else if (key_size_ == 0) {
            why.set(errc::unsupported, fmt::format("a {} has no keys", to_string(of.kind())));
        } else if (keys.size() % key_size_ != 0) {
            why.set(errc::wrong_size,
                    fmt::format("{} bytes are no keys of {}", keys.size(), key_size_));
        } else if (values_size && *values_size != count() * value_bytes_) {
            why.set(errc::wrong_size,
                    fmt::format("{} values of {} bytes take {}, got {}", count(), value_bytes_,
                                count() * value_bytes_, *values_size));
        }
    }

    [[nodiscard]] std::size_t count() const noexcept { return keys_.size() / key_size_; }
    [[nodiscard]] std::size_t value_bytes() const noexcept { return value_bytes_; }
    [[nodiscard]] const std::byte* key(std::size_t index) const noexcept {
        return keys_.data() + index * key_size_;
    }

private:
    std::size_t key_size_;
    std::size_t value_bytes_;
    const_bytes keys_;
};

/// The most elements in one call: the kernel does not come to the caller's signals in between.
constexpr std::size_t most_in_a_call = std::size_t{1} << 16;

std::uint32_t chunk(std::size_t left) noexcept {
    return static_cast<std::uint32_t>(std::min(left, most_in_a_call));
}

/// A kernel or kind without the command.
bool has_no_batch(sys::status status) noexcept {
    return status == EOPNOTSUPP || status == EINVAL;
}

std::size_t lookup_many_body(const map& from, const_bytes keys, bytes values,
                             std::span<std::uint8_t> found, failure& why) {
    const elements all{from, keys, values.size(), why};
    if (!why && found.size() != all.count()) {
        why.set(errc::wrong_size, fmt::format("{} keys, and room to say of {} whether they are "
                                              "there",
                                              all.count(), found.size()));
    }
    std::size_t there = 0;
    for (std::size_t i = 0; !why && i < all.count(); ++i) {
        const sys::status status =
            sys::map_lookup(from.fd().get(), all.key(i), values.data() + i * all.value_bytes());
        found[i] = status == 0 ? 1 : 0;
        there += found[i];
        if (status != 0 && status != ENOENT) {
            why.set(status, fmt::format("after {} of {} keys", i, all.count()));
        }
    }
    return there;
}

std::size_t update_one_by_one(const map& to, const elements& all, const_bytes values,
                              update_flag flag, std::size_t done, failure& why) {
    for (; done < all.count(); ++done) {
        const sys::status status =
            sys::map_update(to.fd().get(), all.key(done), values.data() + done * all.value_bytes(),
                            static_cast<std::uint64_t>(flag));
        if (status != 0) {
            why.set(status, fmt::format("after {} of {} elements", done, all.count()));
            break;
        }
    }
    return done;
}

std::size_t update_many_body(const map& to, const_bytes keys, const_bytes values, update_flag flag,
                             failure& why) {
    const elements all{to, keys, values.size(), why};
    std::size_t done = 0;
    // The batch command takes no condition.
    while (!why && done < all.count() && flag == update_flag::any) {
        std::uint32_t count = chunk(all.count() - done);
        const sys::status status =
            sys::map_change_batch(BPF_MAP_UPDATE_BATCH, to.fd().get(), all.key(done),
                                  values.data() + done * all.value_bytes(), count, 0);
        if (has_no_batch(status)) {
            break;
        }
        done += count;
        if (status != 0 && status != EINTR) {
            why.set(status, fmt::format("after {} of {} elements", done, all.count()));
        }
    }
    return why ? done : update_one_by_one(to, all, values, flag, done, why);
}

std::size_t erase_one_by_one(const map& from, const elements& all, std::size_t done,
                             std::size_t there, failure& why) {
    for (; done < all.count() && !why; ++done) {
        const sys::status status = sys::map_delete(from.fd().get(), all.key(done));
        there += status == 0 ? 1 : 0;
        if (status != 0 && status != ENOENT) {
            why.set(status, fmt::format("after {} of {} keys", done, all.count()));
        }
    }
    return there;
}

std::size_t erase_many_body(const map& from, const_bytes keys, failure& why) {
    const elements all{from, keys, std::nullopt, why};
    std::size_t done = 0;
    std::size_t there = 0;
    while (!why && done < all.count()) {
        std::uint32_t count = chunk(all.count() - done);
        const sys::status status = sys::map_change_batch(BPF_MAP_DELETE_BATCH, from.fd().get(),
                                                         all.key(done), nullptr, count, 0);
        if (has_no_batch(status)) {
            return erase_one_by_one(from, all, done, there, why);
        }
        done += count;
        there += count;
        if (status == ENOENT) {
            ++done; // it stopped at a key that is not there
        } else if (status != 0 && status != EINTR) {
            why.set(status, fmt::format("after {} of {} keys", done, all.count()));
        }
    }
    return there;
}

} // namespace

std::size_t map::lookup_many(const_bytes keys, bytes values, std::span<std::uint8_t> found) const {
    return loudly("look up in map", file_, wanted::to_open(access::read),
                  [&](failure& why) { return lookup_many_body(*this, keys, values, found, why); });
}

std::size_t map::lookup_many(const_bytes keys, bytes values, std::span<std::uint8_t> found,
                             error_code& code) const noexcept {
    return quietly(code,
                   [&](failure& why) { return lookup_many_body(*this, keys, values, found, why); });
}

std::size_t map::update_many(const_bytes keys, const_bytes values, update_flag flag) {
    return loudly("update map", file_, wanted::to_open(access::write),
                  [&](failure& why) { return update_many_body(*this, keys, values, flag, why); });
}

std::size_t map::update_many(const_bytes keys, const_bytes values, update_flag flag,
                             error_code& code) noexcept {
    return quietly(code,
                   [&](failure& why) { return update_many_body(*this, keys, values, flag, why); });
}

std::size_t map::erase_many(const_bytes keys) {
    return loudly("delete from map", file_, wanted::to_open(access::write),
                  [&](failure& why) { return erase_many_body(*this, keys, why); });
}

std::size_t map::erase_many(const_bytes keys, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return erase_many_body(*this, keys, why); });
}

} // namespace bpffs
