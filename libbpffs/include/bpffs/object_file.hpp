// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// BPF object files: what a compiler writes for the target bpf (ELF), loaded into the kernel by the
// authority of a directory, and pinned whole or not at all.
//
//     load_pinned("filter.bpf.o", "/run/bpffs/alice/filter");
//
// makes the directory `filter` with one pin for each program and each map of the file. An ordinary
// user may, where the directory's mount delegates prog_load and the kinds in the file.
#pragma once

#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/kinds.hpp>
#include <bpffs/map.hpp>
#include <bpffs/pin.hpp>
#include <bpffs/program.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bpffs {

/// A program in an object file.
struct file_program {
    std::string name;    ///< of the function
    std::string section; ///< "cgroup_skb/egress"
    program_kind kind = program_kind::unspec;
    attach_kind attach{}; ///< what it expects to be attached to (a number of its own for each kind)
    bool loads = true;    ///< false after skip()
};

/// A map in an object file; global variables are maps, too ("filter.rodata").
struct file_map {
    std::string name;
    map_kind kind = map_kind::unspec;
    std::uint32_t key_size = 0;
    std::uint32_t value_size = 0;
    std::uint32_t max_entries = 0;
    std::uint32_t flags = 0;
};

/// The handles of what was loaded, by name, in the file's order. They are unbound: whoever loads
/// is the owner.
struct loaded_file {
    struct loaded_program {
        std::string name;
        attach_kind attach{};
        program handle;
    };
    struct loaded_map {
        std::string name;
        map handle;
    };
    std::vector<loaded_program> programs;
    std::vector<loaded_map> maps;
};

struct load_options {
    /// What the verifier says about programs that it takes: 0 nothing, 1 what it looks at, 2 every
    /// state, 4 statistics only. About the one it refuses it always says the most useful.
    unsigned log_level = 0;
    /// Where the verifier's log goes, of loading that fails, too. Replaced, never added to.
    std::string* log = nullptr;
};

/// An object file, read and not yet loaded. Move-only.
class BPFFS_API object_file {
public:
    object_file() noexcept;
    object_file(object_file&&) noexcept;
    object_file& operator=(object_file&&) noexcept;
    object_file(const object_file&) = delete;
    object_file& operator=(const object_file&) = delete;
    ~object_file();

    /// Reads a file. Errors of open(2); errc::not_an_object_file with libbpf's words: no ELF file
    /// for bpf, or one that asks for what libbpf does not know. Where its maps want to be pinned
    /// by their own account (LIBBPF_PIN_BY_NAME) they are not.
    [[nodiscard]] static object_file open(const path& file);
    [[nodiscard]] static object_file open(const path& file, error_code& code) noexcept;

    [[nodiscard]] const path& file() const noexcept;
    [[nodiscard]] const std::vector<file_program>& programs() const noexcept;
    [[nodiscard]] const std::vector<file_map>& maps() const noexcept;
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(state_); }

    // Changes before loading. errc::no_such_name where the file has none of that name.

    /// Leaves a program out.
    void skip(std::string_view program);
    void skip(std::string_view program, error_code& code) noexcept;

    /// Loads a program as another kind than its section says.
    void set_kind(std::string_view program, program_kind kind, attach_kind attach);
    void set_kind(std::string_view program, program_kind kind, attach_kind attach,
                  error_code& code) noexcept;

    /// Another size of a map.
    void set_entries(std::string_view map, std::uint32_t entries);
    void set_entries(std::string_view map, std::uint32_t entries, error_code& code) noexcept;

    /// Uses an existing map instead of making one (R and W on it where programs write it). Copies
    /// the descriptor. EINVAL: another kind or other sizes.
    void reuse(std::string_view map, const bpffs::map& existing);
    void reuse(std::string_view map, const bpffs::map& existing, error_code& code) noexcept;

    /// Loads everything, or nothing; once (the file is empty afterwards, whatever comes of it).
    /// By the token of `authority` where its mount delegates prog_load and every kind in the file
    /// (programs of kind syscall: never), else by the plain call, which takes CAP_BPF and what else
    /// the kinds ask for.
    /// errc::not_creatable: neither may; the detail() says why. EACCES, EINVAL, E2BIG, ...: the
    /// verifier refuses a program; the exception's detail() has its last words, `options.log` all.
    [[nodiscard]] loaded_file load(const directory& authority, const load_options& options = {});
    [[nodiscard]] loaded_file load(const directory& authority, const load_options& options,
                                   error_code& code) noexcept;

private:
    friend struct object_file_access;
    struct BPFFS_LOCAL state;
    std::unique_ptr<state> state_;
};

/// How load_pinned pins.
struct load_pinned_options {
    load_options loading;
    std::optional<mode> program_permissions; ///< cut by the umask; without it 0600 & ~umask
    std::optional<mode> map_permissions;
    mode directory_permissions{0700}; ///< cut by the umask
    std::optional<gid_t> group;       ///< of the directory and all pins in it; as map_spec::group
    on_conflict conflict = on_conflict::fail;
};

/// Loads by the authority of the directory that `where` is in and makes the directory `where` with
/// a pin for each program and map, under their names with _ in place of dots: all appear at once,
/// or nothing does. Returns handles. Errors of object_file::load and pin_all.
[[nodiscard]] BPFFS_API loaded_file load_pinned(object_file&& file, const location& where,
                                                const load_pinned_options& options = {});
[[nodiscard]] BPFFS_API loaded_file load_pinned(object_file&& file, const location& where,
                                                const load_pinned_options& options,
                                                error_code& code) noexcept;

} // namespace bpffs
