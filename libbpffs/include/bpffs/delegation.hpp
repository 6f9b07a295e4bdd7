// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What a bpffs mount lets those do who may write its directories, and the token that is made from
// such a directory. Texts are those of the mount options: "map_create:btf_load", "any", "0x40000".
#pragma once

#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/kinds.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bpffs {

class directory;

/// A set of values of one of the kernel's enumerations, one bit for each number below 64.
template <class Enum> class delegated_set {
public:
    constexpr delegated_set() noexcept = default;
    constexpr delegated_set(std::initializer_list<Enum> values) noexcept {
        for (auto value : values) {
            insert(value);
        }
    }
    [[nodiscard]] static constexpr delegated_set from_bits(std::uint64_t bits) noexcept {
        delegated_set set;
        set.bits_ = bits;
        return set;
    }
    /// Everything, also what is not known yet: the word "any".
    [[nodiscard]] static constexpr delegated_set any() noexcept { return from_bits(~0ULL); }

    constexpr void insert(Enum value) noexcept { bits_ |= bit(value); }
    [[nodiscard]] constexpr bool contains(Enum value) const noexcept {
        return (bits_ & bit(value)) != 0;
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
    [[nodiscard]] constexpr bool is_any() const noexcept { return bits_ == ~0ULL; }
    [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }

    friend constexpr bool operator==(delegated_set, delegated_set) noexcept = default;

private:
    static constexpr std::uint64_t bit(Enum value) noexcept {
        return static_cast<std::uint64_t>(value) < 64 ? 1ULL << static_cast<unsigned>(value) : 0;
    }
    std::uint64_t bits_ = 0;
};

/// "hash:array", "any", "0x.." for bits without a word (last); "" for the empty set.
template <class Enum> [[nodiscard]] BPFFS_API std::string to_string(delegated_set<Enum> set);

/// Reads what to_string writes: words, "any", numbers (decimal, 0x or 0-octal masks), joined by
/// ':'. The kernel's words for retired map kinds ("cgroup_storage_deprecated") are known too.
/// errc::bad_word for anything else, with the word in the exception's detail().
template <class Enum> [[nodiscard]] BPFFS_API delegated_set<Enum> parse_set(std::string_view text);
template <class Enum>
[[nodiscard]] BPFFS_API delegated_set<Enum> parse_set(std::string_view text,
                                                      error_code& code) noexcept;

/// False for the kinds whose programs no token of a directory loads, whatever its mount delegates:
/// syscall, which has no target that could agree. They take the capabilities of whoever loads them.
[[nodiscard]] BPFFS_API bool can_be_delegated(program_kind kind) noexcept;

/// All that a mount delegates. A value; by default nothing.
struct BPFFS_API delegation {
    delegated_set<command> commands;        ///< delegate_cmds
    delegated_set<map_kind> maps;           ///< delegate_maps
    delegated_set<program_kind> programs;   ///< delegate_progs
    delegated_set<attach_kind> attachments; ///< delegate_attachs
    delegated_set<capability> capabilities; ///< delegate_caps (needs our kernel patches)

    /// True if nothing is delegated.
    [[nodiscard]] bool empty() const noexcept;

    /// True if the command prog_load, this kind and this attachment are delegated, and the kind
    /// `can_be_delegated`.
    [[nodiscard]] bool allows_program(program_kind kind, attach_kind attach) const noexcept;

    /// True if commands and kinds allow such a map to be made. Which capabilities the kernel then
    /// asks for (bpf for all kinds where unprivileged_bpf_disabled is set, net_admin for sockmap,
    /// sockhash, devmap, devmap_hash, xskmap) is `capability_for`'s answer.
    [[nodiscard]] bool allows_map(map_kind kind) const noexcept;

    /// "delegate_cmds=map_create,delegate_maps=hash:array", the sets that are not empty.
    [[nodiscard]] std::string to_options() const;

    friend bool operator==(const delegation&, const delegation&) noexcept = default;
};

/// The capability that the kernel asks of the maker of such a map, beside command and kind.
[[nodiscard]] BPFFS_API capability capability_for(map_kind kind) noexcept;

/// A BPF token made from a directory the caller may write: the right to make what the directory's
/// mount delegates. Owns its descriptor.
class BPFFS_API directory_token {
public:
    directory_token() noexcept = default;

    /// Asks the kernel for a token (BPF_TOKEN_CREATE). Needs a mount with delegate_caps (our
    /// kernel patches) and write and search permission on the directory; no capability.
    /// EACCES: not writable or searchable. EROFS: read-only mount. ENOENT: the directory was
    /// removed, or the mount delegates nothing. EPERM: another user namespace, or an LSM.
    /// errc::not_delegated: a mount or kernel without delegation to directories.
    /// errc::not_a_bpffs: a directory of another file system.
    [[nodiscard]] static directory_token create(const directory& where);
    [[nodiscard]] static directory_token create(const directory& where, error_code& code) noexcept;

    /// Loads BTF (BPF_BTF_LOAD) by this token: needs btf_load among the commands and the capability
    /// bpf. The descriptor is for map_spec::btf. EPERM: not delegated. EINVAL: no BTF.
    [[nodiscard]] owned_fd load_types(std::span<const std::byte> btf) const;
    [[nodiscard]] owned_fd load_types(std::span<const std::byte> btf,
                                      error_code& code) const noexcept;

    /// What this token stands for, read back from the kernel (/proc/self/fdinfo).
    [[nodiscard]] delegation allowed() const;
    [[nodiscard]] delegation allowed(error_code& code) const noexcept;

    [[nodiscard]] borrowed_fd fd() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

private:
    explicit directory_token(owned_fd fd) noexcept : fd_{std::move(fd)} {}
    owned_fd fd_;
};

/// What somebody may make in a directory without a capability of their own.
struct allowance {
    delegation delegated; ///< what a token of the directory stands for; empty where there is none
    /// Files and directories that the mount still takes; nothing where it sets no limit.
    std::optional<std::uint64_t> inodes_left;
    std::string why_nothing; ///< a clause, where `delegated` is empty
};

/// What a directory lets the calling thread make: asks for a token, and the token what it stands
/// for. That the caller may not write the directory, or that its mount delegates nothing, is an
/// answer and no error.
[[nodiscard]] BPFFS_API allowance allowance_of(const directory& where);
[[nodiscard]] BPFFS_API allowance allowance_of(const directory& where, error_code& code) noexcept;

} // namespace bpffs
