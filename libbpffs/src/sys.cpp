// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The only file of library and tools that makes a system call. Descriptors come back with
// close-on-exec set and above 2, whatever the kernel's call itself promises.
#include "sys.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace bpffs {

void owned_fd::close(int fd) noexcept {
    sys::close(fd);
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
template <class... Args>
[[gnu::always_inline]] inline result<long> call(long number, Args... args) noexcept {
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

/// union bpf_attr for the commands on one element: its first bytes, which is all they look at.
struct element_attr {
    std::uint32_t map_fd;
    std::uint32_t unused;
    std::uint64_t key;
    std::uint64_t value; ///< or the next key
    std::uint64_t flags;
};
static_assert(offsetof(element_attr, key) == offsetof(bpf_attr, key) &&
              offsetof(element_attr, value) == offsetof(bpf_attr, value) &&
              offsetof(element_attr, flags) == offsetof(bpf_attr, flags));

status element(int command, int fd, const void* key, const void* value,
               std::uint64_t flags) noexcept {
    element_attr attr{static_cast<std::uint32_t>(fd), 0, address(key), address(value), flags};
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

thread_local const loading* loading_now = nullptr;

constexpr bool is_one_of(std::uint32_t kind, std::uint64_t kinds) noexcept {
    return kind < 64 && (kinds >> kind & 1) != 0;
}

/// One of libbpf's calls that make something, with the token added. `Attr` is the layout that has
/// the token's field; libbpf's own may end before it.
template <class Attr, class Add> long make_with_token(long command, long attr, long size, Add add) {
    Attr whole{};
    std::memcpy(&whole, std::bit_cast<const void*>(attr),
                std::min(sizeof whole, static_cast<std::size_t>(size)));
    const bool own = add(whole);
    const auto ask = current_backend.load(std::memory_order_relaxed);
    return own ? ask(SYS_bpf, command, word_of(&whole), sizeof whole, 0, 0, 0)
               : ask(SYS_fcntl, loading_now->token_fd, F_DUPFD_CLOEXEC, 3, 0, 0, 0);
}

long add_token(long command, long attr, long size) {
    const loading& now = *loading_now;
    switch (static_cast<int>(command)) {
    case BPF_MAP_CREATE:
        return make_with_token<map_create_attr>(command, attr, size, [&](map_create_attr& one) {
            one.map_flags |= flag_token_fd;
            one.map_token_fd = now.token_fd;
            return is_one_of(one.map_type, now.maps);
        });
    case BPF_PROG_LOAD:
        return make_with_token<prog_load_attr>(command, attr, size, [&](prog_load_attr& one) {
            one.prog_flags |= flag_token_fd;
            one.prog_token_fd = now.token_fd;
            return is_one_of(one.prog_type, now.programs);
        });
    default:
        return make_with_token<btf_load_attr>(command, attr, size, [&](btf_load_attr& one) {
            one.btf_flags |= flag_token_fd;
            one.btf_token_fd = now.token_fd;
            return one.btf_size == now.btf_size;
        });
    }
}

constexpr bool makes_something(long command) noexcept {
    const int number = static_cast<int>(command);
    return number == BPF_MAP_CREATE || number == BPF_PROG_LOAD || number == BPF_BTF_LOAD;
}

} // namespace

loading_scope::loading_scope(const loading& now) noexcept : now_{now} {
    loading_now = &now_;
}

loading_scope::~loading_scope() {
    loading_now = nullptr;
}

/// Where libbpf would print, if it had not been given a function for its words. A variable of the C
/// library cannot be reached from its archive, which is not compiled for shared libraries.
extern "C" std::FILE* bpffs_libbpf_stderr;
std::FILE* bpffs_libbpf_stderr = nullptr;

/// syscall(2) as libbpf calls it; the archive that is linked in has been given this name for it.
extern "C" long bpffs_libbpf_syscall(long number, ...) {
    va_list rest;
    va_start(rest, number);
    long words[6];
    for (long& word : words) {
        word = va_arg(rest, long);
    }
    va_end(rest);
    if (number == SYS_bpf && loading_now != nullptr && loading_now->token_fd >= 0 &&
        makes_something(words[0])) {
        return add_token(words[0], words[1], words[2]);
    }
    const auto ask = current_backend.load(std::memory_order_relaxed);
    return ask(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}

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
    decltype(bpf_attr::info) attr{static_cast<std::uint32_t>(fd), size, address(info)};
    const auto done = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr);
    return {attr.info_len, done.error};
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

status map_change_batch(int command, int fd, const void* keys, const void* values,
                        std::uint32_t& count, std::uint64_t flags) noexcept {
    bpf_attr attr = blank_attr();
    attr.batch.map_fd = static_cast<std::uint32_t>(fd);
    attr.batch.keys = address(keys);
    attr.batch.values = address(values);
    attr.batch.count = count;
    attr.batch.elem_flags = flags;
    const auto done = bpf(command, &attr, sizeof attr);
    // A call that is refused before its first element leaves the count as it was; one that fails at
    // an element has done fewer.
    count = !done && attr.batch.count == count ? 0 : attr.batch.count;
    return done.error;
}

result<owned_fd> btf_of_object(int object_fd, std::uint32_t btf_id) noexcept {
    struct {
        std::uint32_t id;
        std::uint32_t next_id;
        std::uint32_t open_flags;
        std::uint32_t reserved;
        std::int32_t object_fd;
    } attr{btf_id, 0, flag_object_fd, 0, object_fd};
    return descriptor(bpf(BPF_BTF_GET_FD_BY_ID, &attr, sizeof attr));
}

result<owned_fd> btf_load(std::span<const std::byte> btf, int token_fd) noexcept {
    btf_load_attr attr{};
    attr.btf = address(btf.data());
    attr.btf_size = static_cast<std::uint32_t>(btf.size());
    attr.btf_flags = flag_token_fd;
    attr.btf_token_fd = token_fd;
    return descriptor(bpf(BPF_BTF_LOAD, &attr, sizeof attr));
}

result<owned_fd> link_create(link_create_attr attr) noexcept {
    return descriptor(bpf(BPF_LINK_CREATE, &attr, sizeof attr));
}

status link_update(int link_fd, int new_program, int old_program) noexcept {
    bpf_attr attr = blank_attr();
    attr.link_update.link_fd = static_cast<std::uint32_t>(link_fd);
    attr.link_update.new_prog_fd = static_cast<std::uint32_t>(new_program);
    if (old_program >= 0) {
        attr.link_update.flags = BPF_F_REPLACE;
        attr.link_update.old_prog_fd = static_cast<std::uint32_t>(old_program);
    }
    return bpf(BPF_LINK_UPDATE, &attr, sizeof attr).error;
}

status link_detach(int link_fd) noexcept {
    bpf_attr attr = blank_attr();
    attr.link_detach.link_fd = static_cast<std::uint32_t>(link_fd);
    return bpf(BPF_LINK_DETACH, &attr, sizeof attr).error;
}

result<owned_fd> iter_create(int link_fd) noexcept {
    bpf_attr attr = blank_attr();
    attr.iter_create.link_fd = static_cast<std::uint32_t>(link_fd);
    return descriptor(bpf(BPF_ITER_CREATE, &attr, sizeof attr));
}

result<owned_fd> raw_tracepoint_open(const char* name, int program_fd) noexcept {
    bpf_attr attr = blank_attr();
    attr.raw_tracepoint.name = address(name);
    attr.raw_tracepoint.prog_fd = static_cast<std::uint32_t>(program_fd);
    return descriptor(bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof attr));
}

status prog_attach(prog_attach_attr attr) noexcept {
    return bpf(BPF_PROG_ATTACH, &attr, sizeof attr).error;
}

status prog_detach(prog_attach_attr attr) noexcept {
    return bpf(BPF_PROG_DETACH, &attr, sizeof attr).error;
}

status prog_query(prog_query_attr& attr) noexcept {
    return bpf(BPF_PROG_QUERY, &attr, sizeof attr).error;
}

status prog_test_run(test_run_attr& attr) noexcept {
    return bpf(BPF_PROG_TEST_RUN, &attr, sizeof attr).error;
}

status prog_bind_map(int program_fd, int map_fd) noexcept {
    bpf_attr attr = blank_attr();
    attr.prog_bind_map.prog_fd = static_cast<std::uint32_t>(program_fd);
    attr.prog_bind_map.map_fd = static_cast<std::uint32_t>(map_fd);
    return bpf(BPF_PROG_BIND_MAP, &attr, sizeof attr).error;
}

status set_socket_option(int socket_fd, int option, int value) noexcept {
    return call(SYS_setsockopt, socket_fd, SOL_SOCKET, option, &value, sizeof value).error;
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

result<owned_fd> duplicate(int fd) noexcept {
    return descriptor(call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 3));
}

result<std::size_t> read(int fd, std::span<char> buffer) noexcept {
    return size(call(SYS_read, fd, buffer.data(), buffer.size()));
}

result<std::size_t> getdents(int fd, std::span<char> buffer) noexcept {
    return size(call(SYS_getdents64, fd, buffer.data(), buffer.size()));
}

result<struct ::statfs> fstatfs(int fd) noexcept {
    result<struct ::statfs> about;
    about.error = call(SYS_fstatfs, fd, &about.value).error;
    return about;
}

result<std::uint64_t> file_system_magic(int fd) noexcept {
    const auto about = fstatfs(fd);
    return {static_cast<std::uint32_t>(about.value.f_type), about.error};
}

result<bool> wait_readable(int fd, int milliseconds) noexcept {
    struct ::pollfd one {
        fd, POLLIN, 0
    };
    const auto ready = call(SYS_poll, &one, 1, milliseconds);
    return {ready.value > 0, ready.error};
}

result<void*> map_memory(int fd, std::size_t length, int protection, std::size_t offset) noexcept {
    const auto mapped = call(SYS_mmap, nullptr, length, protection, MAP_SHARED, fd, offset);
    return {mapped ? std::bit_cast<void*>(mapped.value) : nullptr, mapped.error};
}

status unmap_memory(void* at, std::size_t length) noexcept {
    return call(SYS_munmap, at, length).error;
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
    // The kernel knows it: a file system of somebody's need not answer for it.
    constexpr int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
    const auto done = call(SYS_statx, fd, "", flags, STATX_MNT_ID, &about);
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

result<owned_fd> fspick(int directory_fd) noexcept {
    return descriptor(call(SYS_fspick, directory_fd, "",
                           FSPICK_CLOEXEC | FSPICK_EMPTY_PATH | FSPICK_NO_AUTOMOUNT));
}

status fsconfig_reconfigure(int context_fd) noexcept {
    return call(SYS_fsconfig, context_fd, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0).error;
}

status move_mount(int mount_fd, int directory_fd, unsigned flags) noexcept {
    return call(SYS_move_mount, mount_fd, "", directory_fd, "",
                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH | flags)
        .error;
}

namespace {

// From the headers of Linux 6.12, which Debian 12 does not have.
struct mount_id_request {
    std::uint32_t size;
    std::uint32_t spare;
    std::uint64_t id;
    std::uint64_t wanted;
};
struct mount_status { // struct statmount: what is asked for, and its size
    std::uint32_t size;
    std::uint32_t options; // where they are in `text`
    std::uint64_t got;
    std::uint64_t not_asked[62];
    char text[1];
};
static_assert(offsetof(mount_status, text) == 512);
constexpr long number_of_statmount = 457;
constexpr unsigned unique_id = 0x4000; // STATX_MNT_ID_UNIQUE
constexpr std::uint64_t mount_options_wanted = 0x80;

} // namespace

result<std::string_view> mount_options(int fd, std::span<char> buffer) noexcept {
    struct ::statx about {};
    const auto asked = call(SYS_statx, fd, "", AT_EMPTY_PATH, unique_id, &about);
    if (!asked || (about.stx_mask & unique_id) == 0 || buffer.size() <= sizeof(mount_status)) {
        return {{}, asked ? EOPNOTSUPP : asked.error};
    }
    const mount_id_request request{sizeof(mount_id_request), 0, about.stx_mnt_id,
                                   mount_options_wanted};
    const auto done = call(number_of_statmount, &request, buffer.data(), buffer.size(), 0);
    if (!done) {
        return {{}, done.error};
    }
    mount_status status{};
    std::memcpy(&status, buffer.data(), offsetof(mount_status, text));
    if ((status.got & mount_options_wanted) == 0) {
        return {{}, EOPNOTSUPP};
    }
    return {buffer.data() + offsetof(mount_status, text) + status.options, 0};
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

namespace {

__user_cap_header_struct of_this_thread() noexcept {
    return {_LINUX_CAPABILITY_VERSION_3, 0};
}

std::uint64_t joined(std::uint32_t low, std::uint32_t high) noexcept {
    return std::uint64_t{high} << 32 | low;
}

} // namespace

result<capability_sets> capget() noexcept {
    __user_cap_header_struct head = of_this_thread();
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    const auto done = call(SYS_capget, &head, data.data());
    return {{joined(data[0].effective, data[1].effective),
             joined(data[0].permitted, data[1].permitted),
             joined(data[0].inheritable, data[1].inheritable)},
            done.error};
}

status capset(const capability_sets& sets) noexcept {
    __user_cap_header_struct head = of_this_thread();
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    for (std::size_t half = 0; half < data.size(); ++half) {
        data.at(half) = {static_cast<std::uint32_t>(sets.effective >> (half * 32)),
                         static_cast<std::uint32_t>(sets.permitted >> (half * 32)),
                         static_cast<std::uint32_t>(sets.inheritable >> (half * 32))};
    }
    return call(SYS_capset, &head, data.data()).error;
}

} // namespace bpffs::sys
