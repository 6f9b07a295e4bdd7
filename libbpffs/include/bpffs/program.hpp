// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Programs: a handle on a pinned program with an access; what it is and consists of, test runs,
// pinning again. attach.hpp attaches it.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/kinds.hpp>
#include <bpffs/pin.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bpffs {

class map;

template <class> struct handle_body;
template <class> struct handle_traits;

/// What the kernel says about a program to whoever has a handle.
struct program_info {
    std::uint32_t id = 0;
    program_kind kind = program_kind::unspec;
    std::string name;
    std::array<std::uint8_t, 8> tag{}; ///< hash over the instructions
    std::uint32_t created_by = 0;      ///< uid of the loader
    std::uint64_t load_time = 0;       ///< nanoseconds since boot
    bool gpl_compatible = false;
    std::uint32_t map_count = 0;
    std::uint32_t btf_id = 0;           ///< of its types; 0: none
    std::uint32_t ifindex = 0;          ///< of the device it is bound to; 0: none
    std::uint32_t translated_bytes = 0; ///< of its instructions; 0 where they may not be read
    std::uint32_t native_bytes = 0;     ///< of its machine code; 0 where it may not be read
    std::uint64_t run_time = 0;         ///< nanoseconds, while kernel.bpf_stats_enabled is set
    std::uint64_t run_count = 0;
    std::uint64_t recursion_misses = 0;
    std::uint32_t verified_instructions = 0; ///< how many the verifier went through
    std::uint32_t target_object_id = 0;      ///< what fentry and the like were loaded for: BTF
    std::uint32_t target_type_id = 0;        ///< and function in it
};

/// A line of source, and the first instruction that came of it.
struct program_line {
    std::uint32_t instruction = 0; ///< index into the translated instructions
    std::string file;
    std::string text;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

/// A function and its first instruction.
struct program_function {
    std::uint32_t instruction = 0;
    std::string name; ///< empty where the types cannot be read
};

/// What a program consists of.
struct program_code {
    std::vector<std::byte> translated; ///< struct bpf_insn after the verifier, 8 bytes each
    std::vector<program_line> lines;
    std::vector<program_function> functions;
    std::vector<std::byte> native; ///< machine code; empty without CAP_BPF
};

/// What a test run is given. Kinds that take packets want `data` (14 bytes at least), syscall
/// programs `context`; others say EINVAL to what they do not take.
struct test_run_input {
    std::span<const std::byte> data = {};
    std::span<const std::byte> context = {};
    std::uint32_t repeat = 0; ///< 0 and 1: once
    std::size_t room = 0;     ///< bytes for what comes out; at least 256 more than `data`
};

/// What came of it.
struct test_run_result {
    std::uint32_t value = 0;       ///< what the program returned
    std::uint32_t nanoseconds = 0; ///< for one run, on average; 0 where the kind measures none
    std::vector<std::byte> data;
    std::vector<std::byte> context;
};

/// An open program. Owns its descriptor; move-only.
class BPFFS_API program {
public:
    program() noexcept = default;

    /// Opens a pinned program. Errors of open_pin; errc::wrong_kind for a map or link. Only on a
    /// mount with fmode does the handle carry no more than `rights`.
    [[nodiscard]] static program open(const location& where, access rights);
    [[nodiscard]] static program open(const location& where, access rights,
                                      error_code& code) noexcept;

    /// Makes a program of an object that open_pin returned. errc::wrong_kind (it is closed).
    [[nodiscard]] static program from(object&& opened);
    [[nodiscard]] static program from(object&& opened, error_code& code) noexcept;

    [[nodiscard]] const program_info& info() const noexcept { return info_; }
    [[nodiscard]] access rights() const noexcept { return rights_; }
    [[nodiscard]] const path& file() const noexcept { return file_; }
    [[nodiscard]] borrowed_fd fd() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

    /// Pins the program under a further name. See pin_object. Needs R and W.
    void pin(const location& where, std::optional<mode> bits = std::nullopt) const;
    void pin(const location& where, std::optional<mode> bits, error_code& code) const noexcept;

    /// Asks again: the counts change, and what is not known to a bound handle without R is 0.
    [[nodiscard]] program_info current_info() const;
    [[nodiscard]] program_info current_info(error_code& code) const noexcept;

    /// The ids of the maps it uses, in the kernel's order.
    [[nodiscard]] std::vector<std::uint32_t> map_ids() const;
    [[nodiscard]] std::vector<std::uint32_t> map_ids(error_code& code) const noexcept;

    /// Its instructions, lines and functions. Kernel addresses in them are zero for callers without
    /// CAP_BPF. Needs R on a bound handle (our kernel patches), CAP_BPF on others: EPERM. Lines and
    /// names of functions are there where the types can be read, too (see types_of).
    [[nodiscard]] program_code code() const;
    [[nodiscard]] program_code code(error_code& code) const noexcept;

    /// Runs it on data of the caller's. Needs R and W: EPERM. errc::unsupported: a kind that cannot
    /// be run so. EINVAL: data or context that the kind does not take.
    test_run_result test_run(const test_run_input& input) const;
    test_run_result test_run(const test_run_input& input, error_code& code) const noexcept;

    /// Adds a map to those that live as long as the program (metadata). Needs R and W here, R on
    /// the map.
    void bind(const map& held) const;
    void bind(const map& held, error_code& code) const noexcept;

    /// Gives the descriptor away; this handle is empty afterwards.
    [[nodiscard]] owned_fd release() noexcept { return std::move(fd_); }

private:
    template <class> friend struct handle_body;
    template <class> friend struct handle_traits;

    owned_fd fd_;
    access rights_ = access::read;
    program_info info_;
    path file_;
};

} // namespace bpffs
