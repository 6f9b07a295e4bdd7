// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Errors: the aliases for Boost's path and error_code, the library's own error
// codes, and the exception that knows the operation, the file and the diagnosis.
//
// Every operation of the library is a pair over one body:
//     f(args)                        throws bpffs::error
//     f(args, error_code&) noexcept  reports through the last argument, cleared on success
// Codes are errno values (boost::system::system_category()) where the kernel refused, and
// bpffs::errc where the library knows better; each errc equals, as a condition, the errno that
// comes closest, so `code == boost::system::errc::invalid_argument` works for both.
#pragma once

#include <bpffs/export.hpp>

#include <boost/filesystem/path.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace bpffs {

using path = boost::filesystem::path;
using error_code = boost::system::error_code;

struct diagnosis;
struct wanted;

/// What the library finds wrong by itself, before or after asking the kernel.
/// In brackets: the errno that the code is equivalent to.
enum class errc {
    not_a_bpffs = 1,    ///< the directory is not on a BPF file system [EINVAL]
    not_a_pin,          ///< the path leads to something that holds no BPF object [EINVAL]
    wrong_kind,         ///< an object of another kind than asked for [EINVAL]
    wrong_size,         ///< a key or value of another size than the map's [EINVAL]
    wrong_access,       ///< the handle was opened without the right this needs [EPERM]
    dot_in_name,        ///< bpffs reserves names with a dot [EPERM]
    bad_name,           ///< no file name: empty, ".", "..", or ends in a slash [EINVAL]
    bad_object_name,    ///< an object name is up to 15 of A-Z a-z 0-9 _ . [EINVAL]
    bad_mode,           ///< a mode that does not parse, or bits outside 0777 [EINVAL]
    bad_word,           ///< an unknown kind, command, type or capability name [EINVAL]
    not_creatable,      ///< every way to create the object was refused [EPERM]
    not_delegated,      ///< the directory's mount does not delegate this [EPERM]
    token_lacks_kind,   ///< the directory's token does not cover this kind [EPERM]
    no_fmode,           ///< the kernel does not know the mount option fmode [EOPNOTSUPP]
    unsupported,        ///< this kernel or this kind of map has no such operation [EOPNOTSUPP]
    is_a_symlink,       ///< a symbolic link where following one would be unsafe [ELOOP]
    changing_too_fast,  ///< a walk restarted too often because others delete [EBUSY]
    empty_handle,       ///< a default-constructed or moved-from handle was used [EBADF]
    not_an_object_file, ///< no ELF file for the target bpf, or one libbpf cannot read [ENOEXEC]
    no_such_name,       ///< an object file has no program or map of that name [ENOENT]
    wrong_type          ///< a key or value of another type than the map's BTF says [EINVAL]
};

/// The category of errc; its name is "bpffs".
BPFFS_API const boost::system::error_category& bpffs_category() noexcept;

inline error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), bpffs_category()};
}

/// One way that was tried to create an object, and why it did not work.
enum class creation_way { directory_token, plain_call };

struct attempt {
    creation_way way;
    error_code code;
    std::string reason; ///< for people: "the delegation covers hash:array, not lru_hash"
};

/// The exception of every throwing operation. Copying it is cheap and cannot fail.
class BPFFS_API error : public boost::system::system_error {
public:
    /// `operation` as a verb phrase ("create map"), `file` the path it was asked for (may be
    /// empty where there is none), `detail` words that add to the code (may be empty).
    error(error_code code, std::string operation, path file, std::string detail = {});

    /// With what the caller wanted, so that diagnosis() can say what stands in its way, and the
    /// ways that were tried.
    error(error_code code, std::string operation, path file, std::string detail, const wanted& wish,
          std::vector<attempt> attempts = {});

    error(const error&) noexcept = default;
    error(error&&) noexcept = default;
    error& operator=(const error&) noexcept = default;
    error& operator=(error&&) noexcept = default;
    ~error() override;

    [[nodiscard]] const std::string& operation() const noexcept;
    [[nodiscard]] const path& file() const noexcept;

    /// Words that add to the code, e.g. "the map holds 8-byte keys, got 4"; empty if none.
    [[nodiscard]] const std::string& detail() const noexcept;

    /// For a failed creation: each way that was tried, in order. Empty for other operations.
    [[nodiscard]] const std::vector<attempt>& attempts() const noexcept;

    /// "create map '/x/y': Permission denied", built when first asked; with ": DETAIL" if any.
    [[nodiscard]] const char* what() const noexcept override;

    /// Why it failed and who can change that, worked out when first asked by walking the path as
    /// the calling thread. Reflects the system at that moment. Where the library cannot tell
    /// (the file was not one, or nothing in the way is found) `findings` is empty and
    /// `sentence` repeats the error. Throws std::bad_alloc only.
    [[nodiscard]] const bpffs::diagnosis& diagnosis() const;

private:
    struct BPFFS_LOCAL state;
    std::shared_ptr<state> state_;
};

} // namespace bpffs

/// @cond
template <> struct boost::system::is_error_code_enum<bpffs::errc> : std::true_type {};
/// @endcond
