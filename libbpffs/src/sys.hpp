// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// System calls, one to one: each function here makes exactly the call it is named after and
// returns its value or its errno. Nothing else in the library or the tools makes a system call.
// All of them go through one replaceable backend, so that a test can count, fail or fake them.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/fd.hpp>

#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace bpffs::sys {

/// What syscall(2) does: six arguments, -1 and errno on failure.
using backend = long (*)(long number, long a, long b, long c, long d, long e, long f);

/// Replaces the backend for all threads and returns the old one. For tests.
backend replace_backend(backend other) noexcept;

/// A value or an errno. `error` 0 means that `value` counts.
template <class T> struct result {
    T value{};
    int error = 0;
    [[nodiscard]] explicit operator bool() const noexcept { return error == 0; }
};

/// Only an errno: 0 is success.
using status = int;

// bpf(2). The kernel's header of Debian 12 ends at Linux 6.1, so the newer fields are ours.

constexpr std::uint32_t flag_path_fd = 1U << 14;  ///< BPF_F_PATH_FD, Linux 6.5
constexpr std::uint32_t flag_token_fd = 1U << 16; ///< BPF_F_TOKEN_FD, Linux 6.9
constexpr std::uint32_t flag_pin_mode = 1U << 24; ///< BPF_F_PIN_MODE, our kernel patches
constexpr int command_token_create = 36;          ///< BPF_TOKEN_CREATE, Linux 6.9

/// union bpf_attr for BPF_MAP_CREATE as of Linux 6.12.
struct map_create_attr {
    std::uint32_t map_type;
    std::uint32_t key_size;
    std::uint32_t value_size;
    std::uint32_t max_entries;
    std::uint32_t map_flags;
    std::uint32_t inner_map_fd;
    std::uint32_t numa_node;
    char map_name[16];
    std::uint32_t map_ifindex;
    std::uint32_t btf_fd;
    std::uint32_t btf_key_type_id;
    std::uint32_t btf_value_type_id;
    std::uint32_t btf_vmlinux_value_type_id;
    alignas(8) std::uint64_t map_extra;
    std::int32_t value_type_btf_obj_fd;
    std::int32_t map_token_fd;
};
static_assert(offsetof(map_create_attr, map_extra) == offsetof(bpf_attr, map_extra));
static_assert(offsetof(map_create_attr, map_token_fd) == 76);

/// union bpf_attr for BPF_OBJ_PIN and BPF_OBJ_GET, with the mode that our patches add.
struct obj_attr {
    alignas(8) std::uint64_t pathname;
    std::uint32_t bpf_fd;
    std::uint32_t file_flags;
    std::int32_t path_fd;
    std::uint32_t pin_mode;
};
static_assert(offsetof(obj_attr, path_fd) == 16 && offsetof(obj_attr, pin_mode) == 20);

/// BPF_MAP_CREATE. A token that is not needed is left out with -1; the flag is set here.
result<owned_fd> map_create(map_create_attr attr, int token_fd) noexcept;
/// BPF_TOKEN_CREATE.
result<owned_fd> token_create(int directory_fd) noexcept;
/// BPF_OBJ_GET relative to a directory (BPF_F_PATH_FD), or without it where directory_fd is -1.
result<owned_fd> obj_get(int directory_fd, const char* name, access rights) noexcept;
/// BPF_OBJ_PIN; mode -1 leaves BPF_F_PIN_MODE out, directory_fd -1 leaves BPF_F_PATH_FD out.
status obj_pin(int object_fd, int directory_fd, const char* name, int mode) noexcept;
/// BPF_{MAP,PROG,LINK,BTF}_GET_FD_BY_ID, by the command's number.
result<owned_fd> fd_by_id(int command, std::uint32_t id) noexcept;
/// BPF_{MAP,PROG,LINK}_GET_NEXT_ID; ENOENT at the end.
result<std::uint32_t> next_id(int command, std::uint32_t after) noexcept;
/// BPF_OBJ_GET_INFO_BY_FD; returns how many bytes the kernel filled.
result<std::uint32_t> obj_info(int fd, void* info, std::uint32_t size) noexcept;

status map_lookup(int fd, const void* key, void* value) noexcept;
status map_update(int fd, const void* key, const void* value, std::uint64_t flags) noexcept;
status map_delete(int fd, const void* key) noexcept;
status map_next_key(int fd, const void* key, void* next) noexcept;
status map_lookup_and_delete(int fd, const void* key, void* value) noexcept;
status map_freeze(int fd) noexcept;
/// BPF_MAP_LOOKUP_BATCH; `count` is read and written, also where an errno is returned.
status map_lookup_batch(int fd, const void* in, void* out, void* keys, void* values,
                        std::uint32_t& count) noexcept;

// Files. Names are NUL-terminated and relative to directory_fd.

result<owned_fd> openat(int directory_fd, const char* name, int flags) noexcept;
/// openat2(2) with RESOLVE_NO_SYMLINKS.
result<owned_fd> openat_no_symlinks(int directory_fd, const char* name, int flags) noexcept;
status close(int fd) noexcept;
result<std::size_t> read(int fd, std::span<char> buffer) noexcept;
/// getdents64(2): bytes filled, 0 at the end.
result<std::size_t> getdents(int fd, std::span<char> buffer) noexcept;
/// f_type of fstatfs(2).
result<std::uint64_t> file_system_magic(int fd) noexcept;
/// fstatat(2) with AT_SYMLINK_NOFOLLOW; an empty name asks for the descriptor itself.
result<struct ::stat> fstatat(int directory_fd, const char* name) noexcept;
/// stx_mnt_id of statx(2).
result<std::uint64_t> mount_id(int fd) noexcept;
/// chmod(2), following links: for /proc/self/fd/N.
status chmod(const char* name, unsigned mode) noexcept;
/// fchownat(2) with AT_SYMLINK_NOFOLLOW; an empty name means the descriptor; -1 leaves an id alone.
status fchownat(int directory_fd, const char* name, uid_t owner, gid_t group) noexcept;
status mkdirat(int directory_fd, const char* name, unsigned mode) noexcept;
status symlinkat(const char* target, int directory_fd, const char* name) noexcept;
result<std::size_t> readlinkat(int directory_fd, const char* name, std::span<char> buffer) noexcept;
status unlinkat(int directory_fd, const char* name, int flags) noexcept;
/// flock(2).
status flock(int fd, int operation) noexcept;
status renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) noexcept;
result<std::size_t> getrandom(std::span<std::byte> buffer) noexcept;

// Mounts.

result<owned_fd> fsopen(const char* type) noexcept;
status fsconfig_string(int context_fd, const char* key, const char* value) noexcept;
status fsconfig_flag(int context_fd, const char* key) noexcept;
status fsconfig_create(int context_fd) noexcept;
result<owned_fd> fsmount(int context_fd, unsigned attributes) noexcept;
/// move_mount(2) of what mount_fd is onto the directory directory_fd.
status move_mount(int mount_fd, int directory_fd) noexcept;
/// umount2(2).
status umount(const char* target, int flags) noexcept;

// The calling thread's identity. The set functions change this thread only.

uid_t setfsuid(uid_t user) noexcept; ///< returns the one before, like the call itself
gid_t setfsgid(gid_t group) noexcept;
status setgroups(std::span<const gid_t> groups) noexcept;
result<std::size_t> getgroups(std::span<gid_t> groups) noexcept;

} // namespace bpffs::sys
