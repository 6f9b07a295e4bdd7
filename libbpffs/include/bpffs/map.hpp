// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Maps: creating one as a file, opening one, and working with its elements as bytes.
// typed_map.hpp puts types over this.
//
// A handle keeps the right it was opened with. Reads need R, writes W, look-up-and-delete and
// pinning both; a missing right is EPERM (from the kernel). Keys and values are spans of exactly
// key_size() and value_bytes() bytes: anything else is errc::wrong_size and reaches no kernel.
// Functions that can find nothing (an absent key, an empty queue, the end) return false for that
// and report errors only for failures.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/kinds.hpp>
#include <bpffs/mode.hpp>
#include <bpffs/pin.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bpffs {

using bytes = std::span<std::byte>;
using const_bytes = std::span<const std::byte>;

/// A map to create. The defaults make a small hash from 8 bytes to 8 bytes.
struct map_spec {
    map_kind kind = map_kind::hash;
    std::uint32_t key_size = 8;   ///< bytes
    std::uint32_t value_size = 8; ///< bytes; for one CPU where the kind is per-CPU
    std::uint32_t max_entries = 64;
    std::uint32_t flags = 0; ///< BPF_F_NO_PREALLOC and so on, as in <linux/bpf.h>
    std::uint64_t extra = 0; ///< bloom filter: number of hash functions; arena: address
    /// The object's name in the kernel (not the file's): up to 15 of A-Z a-z 0-9 _ . ; otherwise
    /// errc::bad_object_name. Without it: the file name, other characters as _, cut to 15.
    std::optional<std::string> name = std::nullopt;
    /// Mode of the pin, cut by the umask. Without it 0600 & ~umask.
    std::optional<mode> permissions = std::nullopt;
    /// Group of the pin, which appears with it. Without it the caller's, or that of a directory
    /// that is setgid. EPERM: a group the caller is not in, without CAP_CHOWN.
    std::optional<gid_t> group = std::nullopt;
    /// Template for array_of_maps and hash_of_maps; borrowed for the call. No right is needed on
    /// it.
    std::optional<borrowed_fd> inner_map = std::nullopt;
    std::uint32_t ifindex = 0; ///< network device to create the map on; 0: none
    std::optional<std::uint32_t> numa_node = std::nullopt;
    /// Types of key and value in a loaded BTF (borrowed for the call).
    std::optional<borrowed_fd> btf = std::nullopt;
    std::uint32_t btf_key_type = 0;
    std::uint32_t btf_value_type = 0;
};

/// A specification that the kernel takes for this kind: the sizes, entries and flags that the kind
/// insists on, and the defaults of map_spec for the rest. Kinds that hold maps still need their
/// inner_map, storages their BTF.
[[nodiscard]] BPFFS_API map_spec default_spec(map_kind kind);

/// The file name as an object name: what create_map uses where the specification has none.
[[nodiscard]] BPFFS_API std::string object_name_for(const path& file);

/// What the kernel says about a map.
struct map_info {
    std::uint32_t id = 0;
    map_kind kind = map_kind::unspec;
    std::uint32_t key_size = 0;
    std::uint32_t value_size = 0; ///< for one CPU where the kind is per-CPU
    std::uint32_t max_entries = 0;
    std::uint32_t flags = 0;
    std::uint64_t extra = 0;
    std::string name;
    std::uint32_t btf_id = 0;
    std::uint32_t btf_key_type = 0;
    std::uint32_t btf_value_type = 0;
    std::uint32_t ifindex = 0;
};

/// What only /proc/self/fdinfo tells, and costs more to ask.
struct map_usage {
    std::uint64_t memlock = 0; ///< bytes that the map takes
    bool frozen = false;
    std::optional<program_kind> owner_kind; ///< program array: the kind it is bound to, once it is
    bool owner_jited = false;
};

/// What update does with a key that is there, or is not.
enum class update_flag : std::uint64_t {
    any = 0,     ///< insert or replace
    noexist = 1, ///< insert; EEXIST where the key is there (queues: "any" only)
    exist = 2    ///< replace; ENOENT where it is not (queue and stack: drop the oldest when full)
};

class map;
class entry_range;
struct failure;
template <class> struct handle_body;
template <class> struct handle_traits;

/// Entries of a map, as many as fit, and the place to go on from. Reused from call to call: after
/// the first few nothing is allocated.
class BPFFS_API batch {
public:
    /// `want` entries at a time (the kernel may need a larger buffer; it grows then).
    explicit batch(std::size_t want = 4096);
    ~batch();
    batch(batch&&) noexcept;
    batch& operator=(batch&&) noexcept;
    batch(const batch&) = delete;
    batch& operator=(const batch&) = delete;

    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] const_bytes key(std::size_t index) const noexcept {
        return {keys_ + index * key_size_, key_size_};
    }
    [[nodiscard]] const_bytes value(std::size_t index) const noexcept {
        return {values_ + index * value_bytes_, value_bytes_};
    }
    /// All keys, one after the other; and all values.
    [[nodiscard]] const_bytes keys() const noexcept { return {keys_, count_ * key_size_}; }
    [[nodiscard]] const_bytes values() const noexcept { return {values_, count_ * value_bytes_}; }

    /// Forgets the place: the next look-up starts from the beginning. Keeps the memory.
    void rewind() noexcept;

private:
    friend class map;
    struct BPFFS_LOCAL state;
    std::unique_ptr<state> state_;
    const std::byte* keys_ = nullptr;
    const std::byte* values_ = nullptr;
    std::size_t key_size_ = 0;
    std::size_t value_bytes_ = 0;
    std::size_t count_ = 0;
};

/// An open map. Owns its descriptor. Move-only; an empty one answers errc::empty_handle.
/// One handle may be used by several threads, each with buffers of its own.
class BPFFS_API map {
public:
    map() noexcept = default;

    /// Opens a pinned map with exactly this right. Errors of open_pin;
    /// errc::wrong_kind where the pin holds a program or link. The handle keeps the path.
    [[nodiscard]] static map open(location where, access rights);
    [[nodiscard]] static map open(location where, access rights, error_code& code) noexcept;

    /// Makes a map of an object that open_pin returned. errc::wrong_kind (the object is closed).
    [[nodiscard]] static map from(object&& opened);
    [[nodiscard]] static map from(object&& opened, error_code& code) noexcept;

    [[nodiscard]] const map_info& info() const noexcept { return info_; }
    [[nodiscard]] map_kind kind() const noexcept { return info_.kind; }
    [[nodiscard]] std::uint32_t key_size() const noexcept { return info_.key_size; }
    /// Bytes of a value as look-up and update take it: for per-CPU kinds the size rounded up to 8,
    /// times possible_cpus(); 4 for kinds that hold objects.
    [[nodiscard]] std::size_t value_bytes() const noexcept { return value_bytes_; }
    [[nodiscard]] access rights() const noexcept { return rights_; }
    [[nodiscard]] const path& file() const noexcept { return file_; }
    [[nodiscard]] borrowed_fd fd() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

    /// Asks again what may change or is not in info().
    [[nodiscard]] map_usage usage() const;
    [[nodiscard]] map_usage usage(error_code& code) const noexcept;

    /// Copies the value of `key` to `value`; false where there is none. For kinds that hold
    /// objects the value is the object's id. Bloom filter: `value` is what to test, key empty.
    [[nodiscard]] bool lookup(const_bytes key, bytes value) const;
    [[nodiscard]] bool lookup(const_bytes key, bytes value, error_code& code) const noexcept;

    /// Sets a value. E2BIG: the map is full. EEXIST, ENOENT by the flag. EPERM: no W, or frozen.
    void update(const_bytes key, const_bytes value, update_flag flag = update_flag::any);
    void update(const_bytes key, const_bytes value, update_flag flag, error_code& code) noexcept;

    /// Puts an object into a kind that holds objects (program array: R and W on the program;
    /// map-in-map: R and W on the inner map).
    void update(const_bytes key, borrowed_fd held, update_flag flag = update_flag::any);
    void update(const_bytes key, borrowed_fd held, update_flag flag, error_code& code) noexcept;

    /// Removes a key; false where it was not there. Arrays cannot (EINVAL).
    bool erase(const_bytes key);
    bool erase(const_bytes key, error_code& code) noexcept;

    /// The key after `key` (an empty span: the first); false at the end. A key that is gone starts
    /// again from the first in hashes.
    [[nodiscard]] bool next_key(const_bytes key, bytes next) const;
    [[nodiscard]] bool next_key(const_bytes key, bytes next, error_code& code) const noexcept;

    /// Takes a key's value out in one step; false where it was not there. Needs R and W.
    /// errc::unsupported where the kind or kernel has none.
    [[nodiscard]] bool lookup_and_delete(const_bytes key, bytes value);
    [[nodiscard]] bool lookup_and_delete(const_bytes key, bytes value, error_code& code) noexcept;

    /// Queue and stack. push: E2BIG when full (flag exist: the oldest is dropped). pop takes the
    /// next value out (R and W), peek leaves it; both return false where empty. Bloom filter: push.
    void push(const_bytes value, update_flag flag = update_flag::any);
    void push(const_bytes value, update_flag flag, error_code& code) noexcept;
    [[nodiscard]] bool pop(bytes value);
    [[nodiscard]] bool pop(bytes value, error_code& code) noexcept;
    [[nodiscard]] bool peek(bytes value) const;
    [[nodiscard]] bool peek(bytes value, error_code& code) const noexcept;

    /// Ends all writing from user space, for every handle, for ever. EPERM: no W, or frozen
    /// already. EBUSY: mapped writable.
    void freeze();
    void freeze(error_code& code) noexcept;

    /// Fills `some` with the next entries; false (and size 0) at the end. Entries that others
    /// insert or delete meanwhile may or may not be seen; one that stays is seen at least once
    /// (kinds with a batch look-up: hashes, arrays, LPM) . Falls back to next-key and look-up, with
    /// keys that have gone meanwhile skipped, where the kind or kernel has no batch look-up.
    /// An entry whose value cannot be read (an empty slot of an object array) is left out.
    /// errc::unsupported: the kind has no keys. errc::changing_too_fast: the fall-back restarted
    /// too often because keys it stood on were deleted.
    [[nodiscard]] bool lookup_batch(batch& some) const;
    [[nodiscard]] bool lookup_batch(batch& some, error_code& code) const noexcept;

    /// Looks many keys up: `keys` one after the other, `values` room for as many, `found[i]`
    /// becomes 1 where key i is there and 0 where not (its value stays as it was). Returns how many
    /// are there. On an error the first of them have been done: `found` says so.
    std::size_t lookup_many(const_bytes keys, bytes values, std::span<std::uint8_t> found) const;
    std::size_t lookup_many(const_bytes keys, bytes values, std::span<std::uint8_t> found,
                            error_code& code) const noexcept;

    /// Sets many values, in the order given, in as few calls as the kernel can. Returns how many
    /// were done, on an error too (the exception's detail() says it): those before the one that
    /// failed. Errors of update().
    std::size_t update_many(const_bytes keys, const_bytes values,
                            update_flag flag = update_flag::any);
    std::size_t update_many(const_bytes keys, const_bytes values, update_flag flag,
                            error_code& code) noexcept;

    /// Removes many keys; those that are not there are passed over. Returns how many were there.
    std::size_t erase_many(const_bytes keys);
    std::size_t erase_many(const_bytes keys, error_code& code) noexcept;

    /// All entries for a range-for, by lookup_batch with all that is said there: every entry that
    /// stays is seen, at least once.
    ///     for (const map_entry& one : some_map.entries()) ...
    [[nodiscard]] entry_range entries(std::size_t at_a_time = 4096) const;

    /// Calls `visit(key, value)` for every entry (both const_bytes, valid during the call). Memory
    /// stays flat. Stops early where `visit` returns false (it may also return nothing).
    template <class Visit> void for_each(Visit&& visit) const;

    /// Pins the map under a further name. See pin_object. Needs R and W.
    void pin(const location& where, std::optional<mode> bits = std::nullopt) const;
    void pin(const location& where, std::optional<mode> bits, error_code& code) const noexcept;

    /// Gives the descriptor away; this handle is empty afterwards.
    [[nodiscard]] owned_fd release() noexcept { return std::move(fd_); }

private:
    template <class> friend struct handle_body;
    template <class> friend struct handle_traits;
    BPFFS_LOCAL bool lookup_batch_body(batch& some, failure& why) const;

    owned_fd fd_;
    access rights_ = access::read;
    map_info info_;
    std::size_t value_bytes_ = 0;
    path file_;
};

/// Creates a map as a file, all or nothing: `where` must not exist (EEXIST), its directory must be
/// on a bpffs. The name appears once, with its final owner and mode. Returns a handle that may read
/// and write. The ways, in order:
///  1. where the directory's mount gives out tokens (mount_info::gives_tokens), a token of that
///     directory: needs write permission on the directory and the kind delegated;
///  2. the plain call: CAP_BPF (CAP_NET_ADMIN for device and socket maps), or a system with
///     kernel.unprivileged_bpf_disabled=0 and a kind that is open to all.
/// errc::not_creatable: both refused; the exception's attempts() say why, each.
/// EACCES, EROFS, ENOSPC, ENOENT: the directory. EINVAL, E2BIG, ENOMEM: the kernel refuses such a
/// map. errc::dot_in_name, errc::bad_name, errc::bad_object_name, errc::bad_mode,
/// errc::not_a_bpffs: before anything is made.
[[nodiscard]] BPFFS_API map create_map(const location& where, const map_spec& spec = {});
[[nodiscard]] BPFFS_API map create_map(const location& where, const map_spec& spec,
                                       error_code& code) noexcept;

/// The number of CPUs that per-CPU values have slots for (/sys/devices/system/cpu/possible).
/// Asked once. 0 where it cannot be found out.
[[nodiscard]] BPFFS_API std::size_t possible_cpus() noexcept;

/// A key and its value, valid until the iterator moves on.
struct map_entry {
    const_bytes key;
    const_bytes value;
};

/// What map::entries() returns. Borrows the map. One walk at a time.
class entry_range {
public:
    explicit entry_range(const map& of, std::size_t at_a_time) : of_{&of}, some_{at_a_time} {}

    /// An input iterator. Moving it on can throw what lookup_batch throws.
    class iterator {
    public:
        using value_type = map_entry;
        using difference_type = std::ptrdiff_t;

        explicit iterator(entry_range& range) : range_{&range} {}
        [[nodiscard]] map_entry operator*() const noexcept {
            return {range_->some_.key(index_), range_->some_.value(index_)};
        }
        iterator& operator++() {
            if (++index_ == range_->some_.size()) {
                index_ = 0;
                (void)range_->of_->lookup_batch(range_->some_);
            }
            return *this;
        }
        void operator++(int) { ++*this; }
        [[nodiscard]] bool operator==(std::default_sentinel_t) const noexcept {
            return range_->some_.size() == 0;
        }

    private:
        entry_range* range_;
        std::size_t index_ = 0;
    };

    [[nodiscard]] iterator begin() {
        some_.rewind();
        (void)of_->lookup_batch(some_);
        return iterator{*this};
    }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

private:
    const map* of_;
    batch some_;
};

inline entry_range map::entries(std::size_t at_a_time) const {
    return entry_range{*this, at_a_time};
}

template <class Visit> void map::for_each(Visit&& visit) const {
    batch some;
    while (lookup_batch(some)) {
        for (std::size_t i = 0; i < some.size(); ++i) {
            if constexpr (std::is_void_v<decltype(visit(some.key(i), some.value(i)))>) {
                visit(some.key(i), some.value(i));
            } else if (!visit(some.key(i), some.value(i))) {
                return;
            }
        }
    }
}

} // namespace bpffs
