// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Raw bpf(2) for the kernel's own tests: tests/attack and tests/model ask the kernel directly, so
// that a fault of the library cannot hide a fault of the kernel.
//
// The argument blocks are laid out as in include/uapi/linux/bpf.h of Linux 6.12 plus the fields of
// the series; the installed headers may be older. Every function returns what the system call
// returned, or -errno. Zeroed tails are legal on every kernel (CHECK_ATTR looks at what it does not
// know only).

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <linux/bpf.h>

namespace bpffs_test {

/// A descriptor that is closed once. Holds -errno when the call that made it failed.
class handle {
public:
    handle() = default;
    explicit handle(int fd) : fd_(fd) {}
    handle(handle&& other) noexcept : fd_(other.release()) {}
    handle& operator=(handle&& other) noexcept;
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;
    ~handle() { close(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool good() const { return fd_ >= 0; }
    /// 0, or the errno of the call that made it.
    [[nodiscard]] int error() const { return fd_ < 0 ? -fd_ : 0; }
    int release();
    void close();

private:
    int fd_ = -9; // EBADF
};

// Numbers that Debian 12's linux/bpf.h does not know.
constexpr int cmd_token_create = 36;
constexpr uint32_t flag_path_fd = 1U << 14;
constexpr uint32_t flag_token_fd = 1U << 16;
constexpr uint32_t flag_pin_mode = 1U << 24;
constexpr uint32_t flag_object_fd = 1U << 25;
constexpr uint32_t attach_netfilter = 45;
constexpr uint32_t attach_tcx_ingress = 46;
constexpr uint32_t attach_tcx_egress = 47;
constexpr uint32_t attach_uprobe_multi = 48;
constexpr uint32_t attach_netkit_primary = 54;
constexpr uint32_t attach_netkit_peer = 55;
constexpr uint32_t prog_type_netfilter = 32;
constexpr uint32_t map_type_arena = 33;

struct map_create_attr {
    uint32_t map_type = 0;
    uint32_t key_size = 0;
    uint32_t value_size = 0;
    uint32_t max_entries = 0;
    uint32_t map_flags = 0;
    uint32_t inner_map_fd = 0;
    uint32_t numa_node = 0;
    char map_name[16] = {};
    uint32_t map_ifindex = 0;
    uint32_t btf_fd = 0;
    uint32_t btf_key_type_id = 0;
    uint32_t btf_value_type_id = 0;
    uint32_t btf_vmlinux_value_type_id = 0;
    uint64_t map_extra = 0;
    int32_t value_type_btf_obj_fd = 0;
    int32_t map_token_fd = 0;
};

struct prog_load_attr {
    uint32_t prog_type = 0;
    uint32_t insn_cnt = 0;
    uint64_t insns = 0;
    uint64_t license = 0;
    uint32_t log_level = 0;
    uint32_t log_size = 0;
    uint64_t log_buf = 0;
    uint32_t kern_version = 0;
    uint32_t prog_flags = 0;
    char prog_name[16] = {};
    uint32_t prog_ifindex = 0;
    uint32_t expected_attach_type = 0;
    uint32_t prog_btf_fd = 0;
    uint32_t func_info_rec_size = 0;
    uint64_t func_info = 0;
    uint32_t func_info_cnt = 0;
    uint32_t line_info_rec_size = 0;
    uint64_t line_info = 0;
    uint32_t line_info_cnt = 0;
    uint32_t attach_btf_id = 0;
    uint32_t attach_prog_fd = 0;
    uint32_t core_relo_cnt = 0;
    uint64_t fd_array = 0;
    uint64_t core_relos = 0;
    uint32_t core_relo_rec_size = 0;
    uint32_t log_true_size = 0;
    int32_t prog_token_fd = 0;
    uint32_t pad = 0;
};

struct obj_attr {
    uint64_t pathname = 0;
    uint32_t bpf_fd = 0;
    uint32_t file_flags = 0;
    int32_t path_fd = 0;
    uint32_t pin_mode = 0;
};

struct link_create_attr {
    uint32_t prog_fd = 0;
    uint32_t target_fd = 0; // or an interface's index
    uint32_t attach_type = 0;
    uint32_t flags = 0;
    union {
        uint64_t raw[6];
        struct {
            uint64_t iter_info;
            uint32_t iter_info_len;
        } iter;
        struct {
            uint32_t pf;
            uint32_t hooknum;
            int32_t priority;
            uint32_t flags;
        } netfilter;
        struct {
            uint32_t flags;
            uint32_t cnt;
            uint64_t syms;
            uint64_t addrs;
            uint64_t cookies;
        } kprobe_multi;
        struct {
            uint64_t path;
            uint64_t offsets;
            uint64_t ref_ctr_offsets;
            uint64_t cookies;
            uint32_t cnt;
            uint32_t flags;
            uint32_t pid;
        } uprobe_multi;
    } u = {};
};

/// bpf(2): the value or -errno.
int bpf_call(int command, void* attr, unsigned size);

// Maps.
handle create_map(const map_create_attr& attr);
handle create_map(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
                  uint32_t flags = 0);
/// An array or hash of maps like `inner`, with room for one.
handle create_map_of_maps(uint32_t type, int inner);
int map_lookup(int map, const void* key, void* value);
int map_update(int map, const void* key, const void* value, uint64_t flags = 0);
int map_delete(int map, const void* key);
int map_next_key(int map, const void* key, void* next);
int map_lookup_and_delete(int map, const void* key, void* value);
int map_freeze(int map);
/// Any of the BPF_MAP_*_BATCH commands over all entries (at most `count`); count is what was done.
int map_batch(int command, int map, void* keys, void* values, uint32_t& count);

/// By id, which is privileged.
handle map_by_id(uint32_t id, uint32_t open_flags = 0);

// Files.
/// open(2), CLOEXEC added.
handle open_file(const std::string& path, int flags, unsigned mode = 0);
handle get(const std::string& path, uint32_t file_flags = 0);
int pin(int fd, const std::string& path);
int pin_with_mode(int fd, const std::string& path, uint32_t mode);
int obj_command(int command, obj_attr attr, const std::string& path);

// Programs.
using program_text = std::vector<bpf_insn>;
/// r0 = value; exit
program_text returns(int32_t value);
/// Looks up key 0 of the map and, where there is one, writes 42 into its first 4 bytes; returns -1
/// (a socket filter keeps the packet).
program_text writes_first_value(int map);
/// Looks up key 0 and returns its first 4 bytes (or 0): only reads.
program_text reads_first_value(int map);
/// Returns the address of its context: a pointer leak.
program_text returns_pointer();
/// Adds up to 0x7f, as key 0's value says, to the address of that value and reads there: what
/// speculation could do out of bounds. For values of 128 bytes and more.
program_text reads_at_unknown_offset(int map);

/// For iterators over a map's elements: look at, or write 42 into, the first 4 bytes of each value.
program_text iterator_reads_value();
program_text iterator_writes_value();

struct load_options {
    uint32_t expected_attach_type = 0;
    uint32_t flags = 0;
    int token = -1;
    uint32_t attach_btf_id = 0;
    int attach_program = -1;
    int types = -1; ///< BTF, which `functions` and `lines` refer to
    std::vector<bpf_func_info> functions = {};
    std::vector<bpf_line_info> lines = {};
    std::vector<int> maps = {}; ///< what BPF_PSEUDO_MAP_IDX counts in
    std::string* log = nullptr;
};
handle load_program(uint32_t type, const program_text& text, const load_options& options = {});

/// An iterator over this target: "bpf_map", "bpf_map_elem".
handle load_iterator(const char* target, const program_text& text);
/// A tracing program for this kernel function (BPF_TRACE_FENTRY) or LSM hook (BPF_LSM_MAC).
handle load_traced(uint32_t type, uint32_t attach_type, const char* function,
                   const program_text& text, int token = -1);

struct attach_attr {
    uint32_t target = 0; // a descriptor or an interface's index
    uint32_t program = 0;
    uint32_t attach_type = 0;
    uint32_t flags = 0;
    uint32_t replaced = 0; // with BPF_F_REPLACE: a program
};
int prog_attach(const attach_attr& attr);
int prog_detach(const attach_attr& attr);
/// How many programs are attached there, or -errno. Wants the privileges of BPF_PROG_QUERY.
int prog_query_count(uint32_t target, uint32_t attach_type);
/// Runs it on 64 bytes of data (`context`: on 16 bytes of context instead, for
/// BPF_PROG_TYPE_SYSCALL).
enum class run_input { packet, context };
int prog_test_run(int program, run_input input, uint32_t* retval = nullptr);
int prog_bind_map(int program, int map);
handle raw_tracepoint_open(const char* name, int program);

// Links.
handle link_create(const link_create_attr& attr);
int link_update(int link, int new_program, int old_program = -1);
int link_detach(int link);
handle iter_create(int link);

// Information.
/// Into a struct bpf_*_info, which may name places for more.
int object_info(int fd, void* info, uint32_t size);
struct object_ids {
    uint32_t id = 0;
    uint32_t second = 0; // a program's number of maps; a link's program id; a map's entries
};
int map_ids(int map, object_ids& out);
int prog_ids(int program, object_ids& out);
int link_ids(int link, object_ids& out);
/// How many instructions a program has after verification; 0 for whoever may not know.
uint32_t verified_instructions(int program);

// BTF and tokens.
handle btf_load(const std::vector<uint8_t>& data, int token = -1);
/// The arguments of BPF_BTF_GET_FD_BY_ID and its like.
struct by_id_attr {
    uint32_t id = 0;
    uint32_t next_id = 0;
    uint32_t open_flags = 0;
    uint32_t reserved = 0;
    int32_t object = 0;
    uint32_t pad = 0;
};
handle open_by_id(int command, const by_id_attr& attr);
/// By the program or map that it belongs to.
handle btf_of_object(uint32_t id, int object);
/// The smallest BTF: one `int`.
std::vector<uint8_t> small_btf();
handle token_create(int directory, uint32_t flags = 0);

} // namespace bpffs_test
