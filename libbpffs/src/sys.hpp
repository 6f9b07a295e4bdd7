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
#include <sys/vfs.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

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

constexpr std::uint32_t flag_path_fd = 1U << 14;   ///< BPF_F_PATH_FD, Linux 6.5
constexpr std::uint32_t flag_token_fd = 1U << 16;  ///< BPF_F_TOKEN_FD, Linux 6.9
constexpr std::uint32_t flag_pin_mode = 1U << 24;  ///< BPF_F_PIN_MODE, our kernel patches
constexpr std::uint32_t flag_object_fd = 1U << 25; ///< BPF_F_OBJECT_FD, our kernel patches
constexpr int command_token_create = 36;           ///< BPF_TOKEN_CREATE, Linux 6.9

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

/// union bpf_attr for BPF_PROG_LOAD as of Linux 6.12.
struct prog_load_attr {
    std::uint32_t prog_type;
    std::uint32_t insn_cnt;
    alignas(8) std::uint64_t insns;
    alignas(8) std::uint64_t license;
    std::uint32_t log_level;
    std::uint32_t log_size;
    alignas(8) std::uint64_t log_buf;
    std::uint32_t kern_version;
    std::uint32_t prog_flags;
    char prog_name[16];
    std::uint32_t prog_ifindex;
    std::uint32_t expected_attach_type;
    std::uint32_t prog_btf_fd;
    std::uint32_t func_info_rec_size;
    alignas(8) std::uint64_t func_info;
    std::uint32_t func_info_cnt;
    std::uint32_t line_info_rec_size;
    alignas(8) std::uint64_t line_info;
    std::uint32_t line_info_cnt;
    std::uint32_t attach_btf_id;
    std::uint32_t attach_prog_fd;
    std::uint32_t core_relo_cnt;
    alignas(8) std::uint64_t fd_array;
    alignas(8) std::uint64_t core_relos;
    std::uint32_t core_relo_rec_size;
    std::uint32_t log_true_size;
    std::int32_t prog_token_fd;
    std::uint32_t unused;
};
static_assert(offsetof(prog_load_attr, fd_array) == offsetof(bpf_attr, fd_array));
static_assert(offsetof(prog_load_attr, prog_token_fd) == 144);

/// union bpf_attr for BPF_BTF_LOAD as of Linux 6.12.
struct btf_load_attr {
    alignas(8) std::uint64_t btf;
    alignas(8) std::uint64_t btf_log_buf;
    std::uint32_t btf_size;
    std::uint32_t btf_log_size;
    std::uint32_t btf_log_level;
    std::uint32_t btf_log_true_size;
    std::uint32_t btf_flags;
    std::int32_t btf_token_fd;
};
static_assert(offsetof(btf_load_attr, btf_size) == offsetof(bpf_attr, btf_size));
static_assert(offsetof(btf_load_attr, btf_token_fd) == 36);

/// union bpf_attr for BPF_LINK_CREATE as of Linux 6.12. The union's use depends on the program.
struct link_create_attr {
    std::uint32_t prog_fd;
    std::uint32_t target_fd; ///< or the index of a network device
    std::uint32_t attach_type;
    std::uint32_t flags;
    union {
        std::uint32_t target_btf_id;
        struct {
            alignas(8) std::uint64_t info;
            std::uint32_t info_len;
        } iter;
        struct {
            alignas(8) std::uint64_t bpf_cookie;
        } perf_event;
        struct {
            std::uint32_t flags;
            std::uint32_t cnt;
            alignas(8) std::uint64_t syms;
            alignas(8) std::uint64_t addrs;
            alignas(8) std::uint64_t cookies;
        } kprobe_multi;
        struct {
            std::uint32_t pf;
            std::uint32_t hooknum;
            std::int32_t priority;
            std::uint32_t flags;
        } netfilter;
        struct {
            alignas(8) std::uint64_t path;
            alignas(8) std::uint64_t offsets;
            alignas(8) std::uint64_t ref_ctr_offsets;
            alignas(8) std::uint64_t cookies;
            std::uint32_t cnt;
            std::uint32_t flags;
            std::uint32_t pid;
        } uprobe_multi;
    } of;
};
static_assert(offsetof(link_create_attr, of) == 16 && sizeof(link_create_attr) == 64);

/// union bpf_attr for BPF_PROG_ATTACH and BPF_PROG_DETACH as every kernel knows it.
struct prog_attach_attr {
    std::uint32_t target_fd; ///< or the index of a network device
    std::uint32_t attach_bpf_fd;
    std::uint32_t attach_type;
    std::uint32_t attach_flags;
    std::uint32_t replace_bpf_fd;
};

/// union bpf_attr for BPF_PROG_QUERY.
struct prog_query_attr {
    std::uint32_t target_fd; ///< or the index of a network device
    std::uint32_t attach_type;
    std::uint32_t query_flags;
    std::uint32_t attach_flags; ///< the kernel's answer
    alignas(8) std::uint64_t prog_ids;
    std::uint32_t prog_cnt; ///< in: room; out: how many there are
    std::uint32_t unused;
};

/// union bpf_attr for BPF_PROG_TEST_RUN.
struct test_run_attr {
    std::uint32_t prog_fd;
    std::uint32_t retval;
    std::uint32_t data_size_in;
    std::uint32_t data_size_out;
    alignas(8) std::uint64_t data_in;
    alignas(8) std::uint64_t data_out;
    std::uint32_t repeat;
    std::uint32_t duration; ///< nanoseconds for one run, on average
    std::uint32_t ctx_size_in;
    std::uint32_t ctx_size_out;
    alignas(8) std::uint64_t ctx_in;
    alignas(8) std::uint64_t ctx_out;
};
static_assert(offsetof(test_run_attr, ctx_out) == offsetof(bpf_attr, test.ctx_out));

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

/// BPF_BTF_GET_FD_BY_ID in the name of an object that has this BTF and that the caller may read.
result<owned_fd> btf_of_object(int object_fd, std::uint32_t btf_id) noexcept;

/// BPF_BTF_LOAD by a token.
result<owned_fd> btf_load(std::span<const std::byte> btf, int token_fd) noexcept;

result<owned_fd> link_create(link_create_attr attr) noexcept;
/// BPF_LINK_UPDATE; old_program -1 replaces whatever there is.
status link_update(int link_fd, int new_program, int old_program) noexcept;
status link_detach(int link_fd) noexcept;
/// BPF_ITER_CREATE.
result<owned_fd> iter_create(int link_fd) noexcept;
/// BPF_RAW_TRACEPOINT_OPEN; no name for programs whose target was chosen at load.
result<owned_fd> raw_tracepoint_open(const char* name, int program_fd) noexcept;
status prog_attach(prog_attach_attr attr) noexcept;
status prog_detach(prog_attach_attr attr) noexcept;
status prog_query(prog_query_attr& attr) noexcept;
status prog_test_run(test_run_attr& attr) noexcept;
status prog_bind_map(int program_fd, int map_fd) noexcept;
/// setsockopt(2) at SOL_SOCKET with an int.
status set_socket_option(int socket_fd, int option, int value) noexcept;

status map_lookup(int fd, const void* key, void* value) noexcept;
status map_update(int fd, const void* key, const void* value, std::uint64_t flags) noexcept;
status map_delete(int fd, const void* key) noexcept;
status map_next_key(int fd, const void* key, void* next) noexcept;
status map_lookup_and_delete(int fd, const void* key, void* value) noexcept;
status map_freeze(int fd) noexcept;
/// BPF_MAP_LOOKUP_BATCH; `count` is read and written, also where an errno is returned.
status map_lookup_batch(int fd, const void* in, void* out, void* keys, void* values,
                        std::uint32_t& count) noexcept;

/// BPF_MAP_UPDATE_BATCH and BPF_MAP_DELETE_BATCH (no values), by the command's number; `count`
/// becomes how many were done.
status map_change_batch(int command, int fd, const void* keys, const void* values,
                        std::uint32_t& count, std::uint64_t flags) noexcept;

// What libbpf asks. It is linked in with its calls of syscall(2) led here, so that they pass
// through the backend, too.

/// What is being loaded for libbpf's calls on one thread, and by whose authority.
struct loading {
    int token_fd = -1;          ///< added to whatever it makes; -1: none
    std::uint64_t maps = 0;     ///< the kinds of maps of the object file, a bit each
    std::uint64_t programs = 0; ///< and its kinds of programs
    std::uint32_t btf_size = 0; ///< and the bytes of its BTF
};

/// While it lives, libbpf's calls on this thread carry the token. A kernel that gives out such
/// tokens has everything that libbpf probes for, but the token stands for delegated kinds only: a
/// probe with other kinds than the object's own is answered with a descriptor without asking.
class loading_scope {
public:
    explicit loading_scope(const loading& now) noexcept;
    loading_scope(const loading_scope&) = delete;
    loading_scope& operator=(const loading_scope&) = delete;
    loading_scope(loading_scope&&) = delete;
    loading_scope& operator=(loading_scope&&) = delete;
    ~loading_scope();

private:
    loading now_;
};

// Files. Names are NUL-terminated and relative to directory_fd.

result<owned_fd> openat(int directory_fd, const char* name, int flags) noexcept;
/// openat2(2) with RESOLVE_NO_SYMLINKS.
result<owned_fd> openat_no_symlinks(int directory_fd, const char* name, int flags) noexcept;
status close(int fd) noexcept;
/// F_DUPFD_CLOEXEC.
result<owned_fd> duplicate(int fd) noexcept;
result<std::size_t> read(int fd, std::span<char> buffer) noexcept;
/// getdents64(2): bytes filled, 0 at the end.
result<std::size_t> getdents(int fd, std::span<char> buffer) noexcept;
/// f_type of fstatfs(2).
result<std::uint64_t> file_system_magic(int fd) noexcept;
/// fstatfs(2).
result<struct ::statfs> fstatfs(int fd) noexcept;
/// poll(2) of one descriptor for reading: true where something is there. -1: no time limit.
result<bool> wait_readable(int fd, int milliseconds) noexcept;

/// mmap(2), MAP_SHARED.
result<void*> map_memory(int fd, std::size_t length, int protection, std::size_t offset) noexcept;
status unmap_memory(void* at, std::size_t length) noexcept;
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
/// fspick(2) of the file system that a directory is the root of.
result<owned_fd> fspick(int directory_fd) noexcept;
status fsconfig_reconfigure(int context_fd) noexcept;
constexpr unsigned move_mount_beneath = 0x200; ///< MOVE_MOUNT_BENEATH, Linux 6.5
/// move_mount(2) of what mount_fd is onto the directory directory_fd; `flags` 0 or
/// move_mount_beneath.
status move_mount(int mount_fd, int directory_fd, unsigned flags) noexcept;
/// umount2(2).
status umount(const char* target, int flags) noexcept;

/// statmount(2) of the mount that a descriptor is on: its file system's own options, as mountinfo
/// has them ("uid=1000,fmode"), in `buffer`. EOPNOTSUPP before Linux 6.12.
result<std::string_view> mount_options(int fd, std::span<char> buffer) noexcept;

// The calling thread's identity. The set functions change this thread only.

uid_t setfsuid(uid_t user) noexcept; ///< returns the one before, like the call itself
gid_t setfsgid(gid_t group) noexcept;
status setgroups(std::span<const gid_t> groups) noexcept;
result<std::size_t> getgroups(std::span<gid_t> groups) noexcept;

/// Capabilities, bit by number.
struct capability_sets {
    std::uint64_t effective = 0;
    std::uint64_t permitted = 0;
    std::uint64_t inheritable = 0;
};
result<capability_sets> capget() noexcept;
status capset(const capability_sets& sets) noexcept;

} // namespace bpffs::sys
