// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The only file of library and tools that makes a system call. Descriptors come back with
// close-on-exec set and above 2, whatever the kernel's call itself promises.
#include "sys.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace bpffs {

void owned_fd::reset() noexcept {
    if (fd_ >= 0) {
        sys::close(std::exchange(fd_, -1));
    }
}

} // namespace bpffs

namespace bpffs::sys {
namespace {

long ask_kernel(long number, long a, long b, long c, long d, long e, long f) {
    return ::syscall(number, a, b, c, d, e, f);
}

std::atomic<backend> current_backend{&ask_kernel};

/// The kernel's ENOTSUPP, which it lets slip to user space and which has no name there.
constexpr int kernel_enotsupp = 524;

template <class T> long word_of(T argument) noexcept {
    if constexpr (std::is_null_pointer_v<T>) {
        return 0;
    } else if constexpr (std::is_pointer_v<T>) {
        return reinterpret_cast<long>(argument);
    } else {
        return static_cast<long>(argument);
    }
}

/// One system call. The value where it is not negative.
template <class... Args> result<long> call(long number, Args... args) noexcept {
    static_assert(sizeof...(Args) <= 6);
    long words[6] = {word_of(args)...};
    const auto ask = current_backend.load(std::memory_order_relaxed);
    const long value = ask(number, words[0], words[1], words[2], words[3], words[4], words[5]);
    if (value >= 0) {
        return {value, 0};
    }
    return {value, errno == kernel_enotsupp ? EOPNOTSUPP : errno};
}

/// A new descriptor, moved above 2 where somebody runs us without standard streams.
result<owned_fd> descriptor(result<long> made) noexcept {
    if (!made) {
        return {{}, made.error};
    }
    owned_fd fd = owned_fd::adopt(static_cast<int>(made.value));
    if (fd.get() > 2) {
        return {std::move(fd), 0};
    }
    const auto moved = call(SYS_fcntl, fd.get(), F_DUPFD_CLOEXEC, 3);
    if (!moved) {
        return {{}, moved.error};
    }
    return {owned_fd::adopt(static_cast<int>(moved.value)), 0};
}

result<std::size_t> size(result<long> got) noexcept {
    return {got ? static_cast<std::size_t>(got.value) : 0, got.error};
}

result<long> bpf(int command, void* attr, std::size_t bytes) noexcept {
    return call(SYS_bpf, command, attr, bytes);
}

template <class T> std::uint64_t address(T* pointer) noexcept {
    return reinterpret_cast<std::uint64_t>(pointer);
}

/// A zeroed union bpf_attr, padding included: the kernel refuses garbage in unused bytes.
bpf_attr blank_attr() noexcept {
    bpf_attr attr;
    std::memset(&attr, 0, sizeof attr);
    return attr;
}

status element(int command, int fd, const void* key, const void* value,
               std::uint64_t flags) noexcept {
    bpf_attr attr = blank_attr();
    attr.map_fd = static_cast<std::uint32_t>(fd);
    attr.key = address(key);
    attr.value = address(value);
    attr.flags = flags;
    return bpf(command, &attr, sizeof attr).error;
}

std::uint32_t access_flags(access rights) noexcept {
    switch (rights) {
    case access::read:
        return BPF_F_RDONLY;
    case access::write:
        return BPF_F_WRONLY;
    case access::read_write:
        break;
    }
    return 0;
}

} // namespace

backend replace_backend(backend other) noexcept {
    return current_backend.exchange(other);
}

result<owned_fd> map_create(map_create_attr attr, int token_fd) noexcept {
    // Kernels before 6.9 know fewer bytes and accept more only where they are zero, so this size
    // is right for all as long as no token is passed.
    if (token_fd >= 0) {
        attr.map_flags |= flag_token_fd;
        attr.map_token_fd = token_fd;
    }
    return descriptor(bpf(BPF_MAP_CREATE, &attr, sizeof attr));
}

result<owned_fd> token_create(int directory_fd) noexcept {
    struct {
        std::uint32_t flags;
        std::uint32_t bpffs_fd;
    } attr{0, static_cast<std::uint32_t>(directory_fd)};
    return descriptor(bpf(command_token_create, &attr, sizeof attr));
}

result<owned_fd> obj_get(int directory_fd, const char* name, access rights) noexcept {
    obj_attr attr{};
    attr.pathname = address(name);
    attr.file_flags = access_flags(rights);
    if (directory_fd >= 0) {
        attr.file_flags |= flag_path_fd;
        attr.path_fd = directory_fd;
    }
    return descriptor(bpf(BPF_OBJ_GET, &attr, sizeof attr));
}

status obj_pin(int object_fd, int directory_fd, const char* name, int mode) noexcept {
    obj_attr attr{};
    attr.pathname = address(name);
    attr.bpf_fd = static_cast<std::uint32_t>(object_fd);
    if (directory_fd >= 0) {
        attr.file_flags |= flag_path_fd;
        attr.path_fd = directory_fd;
    }
    if (mode >= 0) {
        attr.file_flags |= flag_pin_mode;
        attr.pin_mode = static_cast<std::uint32_t>(mode);
    }
    return bpf(BPF_OBJ_PIN, &attr, sizeof attr).error;
}

result<owned_fd> fd_by_id(int command, std::uint32_t id) noexcept {
    bpf_attr attr = blank_attr();
    attr.map_id = id; // the same place for every kind
    return descriptor(bpf(command, &attr, sizeof attr));
}

result<std::uint32_t> next_id(int command, std::uint32_t after) noexcept {
    bpf_attr attr = blank_attr();
    attr.start_id = after;
    const auto done = bpf(command, &attr, sizeof attr);
    return {attr.next_id, done.error};
}

result<std::uint32_t> obj_info(int fd, void* info, std::uint32_t size) noexcept {
    bpf_attr attr = blank_attr();
    attr.info.bpf_fd = static_cast<std::uint32_t>(fd);
    attr.info.info_len = size;
    attr.info.info = address(info);
    const auto done = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr);
    return {attr.info.info_len, done.error};
}

status map_lookup(int fd, const void* key, void* value) noexcept {
    return element(BPF_MAP_LOOKUP_ELEM, fd, key, value, 0);
}

status map_update(int fd, const void* key, const void* value, std::uint64_t flags) noexcept {
    return element(BPF_MAP_UPDATE_ELEM, fd, key, value, flags);
}

status map_delete(int fd, const void* key) noexcept {
    return element(BPF_MAP_DELETE_ELEM, fd, key, nullptr, 0);
}

status map_next_key(int fd, const void* key, void* next) noexcept {
    return element(BPF_MAP_GET_NEXT_KEY, fd, key, next, 0);
}

status map_lookup_and_delete(int fd, const void* key, void* value) noexcept {
    return element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, fd, key, value, 0);
}

status map_freeze(int fd) noexcept {
    bpf_attr attr = blank_attr();
    attr.map_fd = static_cast<std::uint32_t>(fd);
    return bpf(BPF_MAP_FREEZE, &attr, sizeof attr).error;
}

status map_lookup_batch(int fd, const void* in, void* out, void* keys, void* values,
                        std::uint32_t& count) noexcept {
    bpf_attr attr = blank_attr();
    attr.batch.map_fd = static_cast<std::uint32_t>(fd);
    attr.batch.in_batch = address(in);
    attr.batch.out_batch = address(out);
    attr.batch.keys = address(keys);
    attr.batch.values = address(values);
    attr.batch.count = count;
    const auto done = bpf(BPF_MAP_LOOKUP_BATCH, &attr, sizeof attr);
    count = attr.batch.count;
    return done.error;
}

result<owned_fd> openat(int directory_fd, const char* name, int flags) noexcept {
    return descriptor(call(SYS_openat, directory_fd, name, flags | O_CLOEXEC, 0));
}

result<owned_fd> openat_no_symlinks(int directory_fd, const char* name, int flags) noexcept {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_NO_SYMLINKS;
    return descriptor(call(SYS_openat2, directory_fd, name, &how, sizeof how));
}

status close(int fd) noexcept {
    return call(SYS_close, fd).error;
}

result<std::size_t> read(int fd, std::span<char> buffer) noexcept {
    return size(call(SYS_read, fd, buffer.data(), buffer.size()));
}

result<std::size_t> getdents(int fd, std::span<char> buffer) noexcept {
    return size(call(SYS_getdents64, fd, buffer.data(), buffer.size()));
}

result<std::uint64_t> file_system_magic(int fd) noexcept {
    struct ::statfs about {};
    const auto done = call(SYS_fstatfs, fd, &about);
    return {static_cast<std::uint32_t>(about.f_type), done.error};
}

result<struct ::stat> fstatat(int directory_fd, const char* name) noexcept {
    result<struct ::stat> about;
    about.error = call(SYS_newfstatat, directory_fd, name, &about.value,
                       AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)
                      .error;
    return about;
}

result<std::uint64_t> mount_id(int fd) noexcept {
    struct ::statx about {};
    const auto done = call(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &about);
    if (done && (about.stx_mask & STATX_MNT_ID) == 0) {
        return {0, EOPNOTSUPP};
    }
    return {about.stx_mnt_id, done.error};
}

status chmod(const char* name, unsigned mode) noexcept {
    return call(SYS_fchmodat, AT_FDCWD, name, mode).error;
}

status fchownat(int directory_fd, const char* name, uid_t owner, gid_t group) noexcept {
    constexpr int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    return call(SYS_fchownat, directory_fd, name, owner, group, flags).error;
}

status mkdirat(int directory_fd, const char* name, unsigned mode) noexcept {
    return call(SYS_mkdirat, directory_fd, name, mode).error;
}

status symlinkat(const char* target, int directory_fd, const char* name) noexcept {
    return call(SYS_symlinkat, target, directory_fd, name).error;
}

result<std::size_t> readlinkat(int directory_fd, const char* name,
                               std::span<char> buffer) noexcept {
    return size(call(SYS_readlinkat, directory_fd, name, buffer.data(), buffer.size()));
}

status unlinkat(int directory_fd, const char* name, int flags) noexcept {
    return call(SYS_unlinkat, directory_fd, name, flags).error;
}

status flock(int fd, int operation) noexcept {
    return call(SYS_flock, fd, operation).error;
}

status renameat2(int from_fd, const char* from, int to_fd, const char* to,
                 unsigned flags) noexcept {
    return call(SYS_renameat2, from_fd, from, to_fd, to, flags).error;
}

result<std::size_t> getrandom(std::span<std::byte> buffer) noexcept {
    return size(call(SYS_getrandom, buffer.data(), buffer.size(), 0));
}

result<owned_fd> fsopen(const char* type) noexcept {
    return descriptor(call(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

status fsconfig_string(int context_fd, const char* key, const char* value) noexcept {
    return call(SYS_fsconfig, context_fd, FSCONFIG_SET_STRING, key, value, 0).error;
}

status fsconfig_flag(int context_fd, const char* key) noexcept {
    return call(SYS_fsconfig, context_fd, FSCONFIG_SET_FLAG, key, nullptr, 0).error;
}

status fsconfig_create(int context_fd) noexcept {
    return call(SYS_fsconfig, context_fd, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0).error;
}

result<owned_fd> fsmount(int context_fd, unsigned attributes) noexcept {
    return descriptor(call(SYS_fsmount, context_fd, FSMOUNT_CLOEXEC, attributes));
}

status move_mount(int mount_fd, int directory_fd) noexcept {
    return call(SYS_move_mount, mount_fd, "", directory_fd, "",
                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
        .error;
}

status umount(const char* target, int flags) noexcept {
    return call(SYS_umount2, target, flags).error;
}

uid_t setfsuid(uid_t user) noexcept {
    return static_cast<uid_t>(call(SYS_setfsuid, user).value);
}

gid_t setfsgid(gid_t group) noexcept {
    return static_cast<gid_t>(call(SYS_setfsgid, group).value);
}

status setgroups(std::span<const gid_t> groups) noexcept {
    return call(SYS_setgroups, groups.size(), groups.data()).error;
}

result<std::size_t> getgroups(std::span<gid_t> groups) noexcept {
    return size(call(SYS_getgroups, groups.size(), groups.data()));
}

} // namespace bpffs::sys
