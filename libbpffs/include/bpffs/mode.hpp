// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// File modes as values. A mode is bits; a mode_change is what chmod's first operand says, and
// applies to a mode without touching any file.
#pragma once

#include <bpffs/error.hpp>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bpffs {

struct failure;

/// Permission bits, 0 to 07777. BPF objects use 0777; directories also set-group-id and sticky.
class BPFFS_API mode {
public:
    constexpr mode() noexcept = default;

    /// Only the lowest 12 bits of `bits` are kept.
    explicit constexpr mode(unsigned bits) noexcept
        : bits_{static_cast<std::uint16_t>(bits & 07777U)} {}

    /// Octal digits only, "640" or "0640", up to 07777. Otherwise errc::bad_mode.
    [[nodiscard]] static mode parse(std::string_view text);
    [[nodiscard]] static mode parse(std::string_view text, error_code& code) noexcept;

    [[nodiscard]] constexpr unsigned bits() const noexcept { return bits_; }

    /// The bits that are in both: `mode & mode{~umask}`.
    [[nodiscard]] constexpr mode without(mode umask) const noexcept {
        return mode{static_cast<unsigned>(bits_) & ~static_cast<unsigned>(umask.bits_)};
    }

    /// "rw-r-----"; set-id and sticky as in ls: "rwxr-s--T".
    [[nodiscard]] std::string to_string() const;
    /// "0640", at least four digits.
    [[nodiscard]] std::string octal() const;

    friend constexpr auto operator<=>(mode, mode) noexcept = default;

private:
    std::uint16_t bits_ = 0;
};

/// Whether X in a symbolic mode means x: for a directory always, for a file where x is set.
enum class file_type : std::uint8_t { file, directory, symlink, other };

/// A change to a mode: an octal mode ("0640", sets all bits) or chmod's symbolic clauses
/// ("u=rw,g-w", "a+r", "o=", "g=u", "+X", "u+s,+t").
class BPFFS_API mode_change {
public:
    /// errc::bad_mode where the text is neither.
    [[nodiscard]] static mode_change parse(std::string_view text);
    [[nodiscard]] static mode_change parse(std::string_view text, error_code& code) noexcept;

    /// The mode that results. Pure. `umask` matters only for clauses without u, g, o or a.
    [[nodiscard]] mode apply(mode current, file_type type, mode umask) const noexcept;

private:
    struct step {
        char action = '='; ///< one of = + -
        unsigned who = 0;  ///< mask over 07777 of the classes named
        bool implicit_who = false;
        unsigned bits = 0;  ///< rwxst bits, for every class
        char copy_from = 0; ///< u, g or o: copy that class's bits
        bool conditional_x = false;
    };
    BPFFS_LOCAL static mode_change parse_body(std::string_view text, failure& why);
    BPFFS_LOCAL bool parse_clause(std::string_view clause);
    BPFFS_LOCAL static unsigned step_bits(const step& one, unsigned current,
                                          file_type type) noexcept;

    std::vector<step> steps_;
    bool absolute_ = false;
    mode value_;
};

} // namespace bpffs
