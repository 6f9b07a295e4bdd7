// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The raw bpf(2) calls of bpf_call.hpp: fill a block, call, give back the value or -errno.

#include "bpf_call.hpp"

#include <cerrno>
#include <cstring>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "instructions.hpp"

namespace bpffs_test {

namespace {

uint64_t address(const void* p) {
    return reinterpret_cast<uintptr_t>(p);
}

struct elem_attr {
    uint32_t map_fd = 0;
    uint32_t pad = 0;
    uint64_t key = 0;
    uint64_t value = 0;
    uint64_t flags = 0;
};

int elem_call(int command, int map, const void* key, const void* value, uint64_t flags = 0) {
    elem_attr attr;
    attr.map_fd = static_cast<uint32_t>(map);
    attr.key = address(key);
    attr.value = address(value);
    attr.flags = flags;
    return bpf_call(command, &attr, sizeof(attr));
}

/// r0 = address of the value of key 0 in the map; r0 = 0 and `skip` instructions further when
/// absent.
program_text looks_up_first(int map, int16_t skip) {
    return {
        insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, 0),
        insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -8, 0),
        insn(BPF_LD | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
        insn(0, 0, 0, 0, 0),
        insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0),
        insn(BPF_ALU64 | BPF_ADD, BPF_REG_2, 0, 0, -8),
        insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
        insn(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, skip, 0),
    };
}

struct info_attr {
    uint32_t bpf_fd = 0;
    uint32_t info_len = 0;
    uint64_t info = 0;
};

} // namespace

handle& handle::operator=(handle&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = other.release();
    }
    return *this;
}

int handle::release() {
    const int fd = fd_;
    fd_ = -EBADF;
    return fd;
}

void handle::close() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
    fd_ = -EBADF;
}

int bpf_call(int command, void* attr, unsigned size) {
    const long value = ::syscall(__NR_bpf, command, attr, size);
    return value < 0 ? -errno : static_cast<int>(value);
}

handle create_map(const map_create_attr& attr) {
    map_create_attr copy = attr;
    return handle(bpf_call(BPF_MAP_CREATE, &copy, sizeof(copy)));
}

handle create_map(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
                  uint32_t flags) {
    map_create_attr attr;
    attr.map_type = type;
    attr.key_size = key_size;
    attr.value_size = value_size;
    attr.max_entries = max_entries;
    attr.map_flags = flags;
    return create_map(attr);
}

handle create_map_of_maps(uint32_t type, int inner) {
    map_create_attr attr;
    attr.map_type = type;
    attr.key_size = sizeof(uint32_t);
    attr.value_size = sizeof(uint32_t);
    attr.max_entries = 1;
    attr.inner_map_fd = static_cast<uint32_t>(inner);
    return create_map(attr);
}

int map_lookup(int map, const void* key, void* value) {
    return elem_call(BPF_MAP_LOOKUP_ELEM, map, key, value);
}

int map_update(int map, const void* key, const void* value, uint64_t flags) {
    return elem_call(BPF_MAP_UPDATE_ELEM, map, key, value, flags);
}

int map_delete(int map, const void* key) {
    return elem_call(BPF_MAP_DELETE_ELEM, map, key, nullptr);
}

int map_next_key(int map, const void* key, void* next) {
    return elem_call(BPF_MAP_GET_NEXT_KEY, map, key, next);
}

int map_lookup_and_delete(int map, const void* key, void* value) {
    return elem_call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, key, value);
}

int map_freeze(int map) {
    uint32_t attr = static_cast<uint32_t>(map);
    return bpf_call(BPF_MAP_FREEZE, &attr, sizeof(attr));
}

int map_batch(int command, int map, void* keys, void* values, uint32_t& count) {
    struct {
        uint64_t in_batch, out_batch, keys, values;
        uint32_t count, map_fd;
        uint64_t elem_flags, flags;
    } attr = {};
    uint64_t cursor = 0;
    attr.out_batch = address(&cursor);
    attr.keys = address(keys);
    attr.values = address(values);
    attr.count = count;
    attr.map_fd = static_cast<uint32_t>(map);
    if (command == BPF_MAP_UPDATE_BATCH || command == BPF_MAP_DELETE_BATCH) {
        attr.out_batch = 0;
    }
    const int value = bpf_call(command, &attr, sizeof(attr));
    count = attr.count;
    return value;
}

handle map_by_id(uint32_t id, uint32_t open_flags) {
    uint32_t attr[3] = {id, 0, open_flags};
    return handle(bpf_call(BPF_MAP_GET_FD_BY_ID, attr, sizeof(attr)));
}

int obj_command(int command, obj_attr attr, const std::string& path) {
    attr.pathname = address(path.c_str());
    return bpf_call(command, &attr, sizeof(attr));
}

handle open_file(const std::string& path, int flags, unsigned mode) {
    const int fd =
        ::open(path.c_str(), flags | O_CLOEXEC, mode); // NOLINT(cppcoreguidelines-pro-type-vararg)
    return handle(fd < 0 ? -errno : fd);
}

handle get(const std::string& path, uint32_t file_flags) {
    obj_attr attr;
    attr.file_flags = file_flags;
    attr.pathname = address(path.c_str());
    return handle(bpf_call(BPF_OBJ_GET, &attr, 16)); // the size that every kernel knows
}

int pin(int fd, const std::string& path) {
    obj_attr attr;
    attr.bpf_fd = static_cast<uint32_t>(fd);
    attr.pathname = address(path.c_str());
    return bpf_call(BPF_OBJ_PIN, &attr, 16);
}

int pin_with_mode(int fd, const std::string& path, uint32_t mode) {
    obj_attr attr;
    attr.bpf_fd = static_cast<uint32_t>(fd);
    attr.file_flags = flag_pin_mode;
    attr.pin_mode = mode;
    return obj_command(BPF_OBJ_PIN, attr, path);
}

program_text returns(int32_t value) {
    return {
        insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value),
        insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
}

program_text writes_first_value(int map) {
    program_text text = looks_up_first(map, 1);
    text.push_back(insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_0, 0, 0, 42));
    const program_text tail = returns(-1);
    text.insert(text.end(), tail.begin(), tail.end());
    return text;
}

program_text reads_first_value(int map) {
    program_text text = looks_up_first(map, 1);
    text.push_back(insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_0, BPF_REG_0, 0, 0));
    text.push_back(insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    return text;
}

program_text returns_pointer() {
    return {
        insn(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0),
        insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
}

program_text reads_at_unknown_offset(int map) {
    program_text text = looks_up_first(map, 4);
    text.push_back(insn(BPF_LDX | BPF_MEM | BPF_B, BPF_REG_1, BPF_REG_0, 0, 0));
    text.push_back(insn(BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_1, 0, 0, 0x7f));
    text.push_back(insn(BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_0, BPF_REG_1, 0, 0));
    text.push_back(insn(BPF_LDX | BPF_MEM | BPF_B, BPF_REG_0, BPF_REG_0, 0, 0));
    text.push_back(insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    return text;
}

namespace {

/// r1 is a struct bpf_iter__bpf_map_elem: meta, map, key, value.
program_text on_each_value(const bpf_insn& access) {
    program_text text = {
        insn(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_1, 24, 0),
        insn(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 1, 0),
        access,
    };
    const program_text tail = returns(0);
    text.insert(text.end(), tail.begin(), tail.end());
    return text;
}

} // namespace

program_text iterator_reads_value() {
    return on_each_value(insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1, 0, 0));
}

program_text iterator_writes_value() {
    return on_each_value(insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_1, 0, 0, 42));
}

handle load_traced(uint32_t type, uint32_t attach_type, const char* function,
                   const program_text& text, int token) {
    const int id = libbpf_find_vmlinux_btf_id(function, static_cast<bpf_attach_type>(attach_type));
    if (id < 0) {
        return handle(id);
    }
    load_options options;
    options.expected_attach_type = attach_type;
    options.attach_btf_id = static_cast<uint32_t>(id);
    options.token = token;
    return load_program(type, text, options);
}

handle load_iterator(const char* target, const program_text& text) {
    return load_traced(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, target, text);
}

handle load_program(uint32_t type, const program_text& text, const load_options& options) {
    prog_load_attr attr;
    attr.prog_type = type;
    attr.insn_cnt = static_cast<uint32_t>(text.size());
    attr.insns = address(text.data());
    attr.license = address("GPL");
    attr.expected_attach_type = options.expected_attach_type;
    attr.prog_flags = options.flags;
    attr.attach_btf_id = options.attach_btf_id;
    attr.fd_array = options.maps.empty() ? 0 : address(options.maps.data());
    if (options.types >= 0) {
        attr.prog_btf_fd = static_cast<uint32_t>(options.types);
        attr.func_info_rec_size = sizeof(bpf_func_info);
        attr.func_info = address(options.functions.data());
        attr.func_info_cnt = static_cast<uint32_t>(options.functions.size());
        attr.line_info_rec_size = sizeof(bpf_line_info);
        attr.line_info = address(options.lines.data());
        attr.line_info_cnt = static_cast<uint32_t>(options.lines.size());
    }
    if (options.attach_program >= 0) {
        attr.attach_prog_fd = static_cast<uint32_t>(options.attach_program);
    }
    if (options.token >= 0) {
        attr.prog_flags |= flag_token_fd;
        attr.prog_token_fd = options.token;
    }
    if (options.log != nullptr) {
        options.log->assign(65536, '\0');
        attr.log_level = 1;
        attr.log_buf = address(options.log->data());
        attr.log_size = static_cast<uint32_t>(options.log->size());
    }
    handle program(bpf_call(BPF_PROG_LOAD, &attr, sizeof(attr)));
    if (options.log != nullptr) {
        options.log->resize(std::strlen(options.log->c_str()));
    }
    return program;
}

int prog_attach(const attach_attr& attr) {
    attach_attr copy = attr;
    return bpf_call(BPF_PROG_ATTACH, &copy, sizeof(copy));
}

int prog_detach(const attach_attr& attr) {
    attach_attr copy = attr;
    return bpf_call(BPF_PROG_DETACH, &copy, sizeof(copy));
}

int prog_query_count(uint32_t target, uint32_t attach_type) {
    uint32_t ids[64] = {};
    struct {
        uint32_t target, attach_type, query_flags, attach_flags;
        uint64_t prog_ids;
        uint32_t count, pad;
    } attr = {};
    attr.target = target;
    attr.attach_type = attach_type;
    attr.prog_ids = address(ids);
    attr.count = 64;
    const int value = bpf_call(BPF_PROG_QUERY, &attr, sizeof(attr));
    return value < 0 ? value : static_cast<int>(attr.count);
}

int prog_test_run(int program, run_input input, uint32_t* retval) {
    uint8_t packet[64] = {};
    uint8_t out[256] = {};
    struct {
        uint32_t prog_fd, retval, data_size_in, data_size_out;
        uint64_t data_in, data_out;
        uint32_t repeat, duration, ctx_size_in, ctx_size_out;
        uint64_t ctx_in, ctx_out;
    } attr = {};
    attr.prog_fd = static_cast<uint32_t>(program);
    if (input == run_input::packet) {
        attr.data_in = address(packet);
        attr.data_size_in = sizeof(packet);
        attr.data_out = address(out);
        attr.data_size_out = sizeof(out);
        attr.repeat = 1;
    } else {
        attr.ctx_in = address(packet);
        attr.ctx_size_in = 16;
    }
    const int value = bpf_call(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
    if (retval != nullptr) {
        *retval = attr.retval;
    }
    return value;
}

int prog_bind_map(int program, int map) {
    uint32_t attr[3] = {static_cast<uint32_t>(program), static_cast<uint32_t>(map), 0};
    return bpf_call(BPF_PROG_BIND_MAP, attr, sizeof(attr));
}

handle raw_tracepoint_open(const char* name, int program) {
    struct {
        uint64_t name;
        uint32_t prog_fd, pad;
    } attr = {address(name), static_cast<uint32_t>(program), 0};
    return handle(bpf_call(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr)));
}

handle link_create(const link_create_attr& attr) {
    link_create_attr copy = attr;
    return handle(bpf_call(BPF_LINK_CREATE, &copy, sizeof(copy)));
}

int link_update(int link, int new_program, int old_program) {
    uint32_t attr[4] = {static_cast<uint32_t>(link), static_cast<uint32_t>(new_program), 0, 0};
    if (old_program >= 0) {
        attr[2] = BPF_F_REPLACE;
        attr[3] = static_cast<uint32_t>(old_program);
    }
    return bpf_call(BPF_LINK_UPDATE, attr, sizeof(attr));
}

int link_detach(int link) {
    uint32_t attr = static_cast<uint32_t>(link);
    return bpf_call(BPF_LINK_DETACH, &attr, sizeof(attr));
}

handle iter_create(int link) {
    uint32_t attr[2] = {static_cast<uint32_t>(link), 0};
    return handle(bpf_call(BPF_ITER_CREATE, attr, sizeof(attr)));
}

int object_info(int fd, void* info, uint32_t size) {
    info_attr attr;
    attr.bpf_fd = static_cast<uint32_t>(fd);
    attr.info_len = size;
    attr.info = address(info);
    return bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

int map_ids(int map, object_ids& out) {
    bpf_map_info info = {};
    const int value = object_info(map, &info, sizeof(info));
    out.id = info.id;
    out.second = info.max_entries;
    return value;
}

int prog_ids(int program, object_ids& out) {
    bpf_prog_info info = {};
    const int value = object_info(program, &info, sizeof(info));
    out.id = info.id;
    out.second = info.nr_map_ids;
    return value;
}

uint32_t verified_instructions(int program) {
    bpf_prog_info info = {};
    return object_info(program, &info, sizeof(info)) == 0 ? info.xlated_prog_len / 8 : 0;
}

int link_ids(int link, object_ids& out) {
    bpf_link_info info = {};
    const int value = object_info(link, &info, sizeof(info));
    out.id = info.id;
    out.second = info.prog_id;
    return value;
}

handle btf_load(const std::vector<uint8_t>& data, int token) {
    struct {
        uint64_t btf, log_buf;
        uint32_t size, log_size, log_level, log_true_size, flags;
        int32_t token_fd;
    } attr = {};
    attr.btf = address(data.data());
    attr.size = static_cast<uint32_t>(data.size());
    if (token >= 0) {
        attr.flags = flag_token_fd;
        attr.token_fd = token;
    }
    return handle(bpf_call(BPF_BTF_LOAD, &attr, sizeof(attr)));
}

handle open_by_id(int command, const by_id_attr& attr) {
    by_id_attr copy = attr;
    return handle(bpf_call(command, &copy, sizeof(copy)));
}

handle btf_of_object(uint32_t id, int object) {
    by_id_attr attr;
    attr.id = id;
    attr.open_flags = flag_object_fd;
    attr.object = object;
    return open_by_id(BPF_BTF_GET_FD_BY_ID, attr);
}

std::vector<uint8_t> small_btf() {
    struct {
        btf_header header = {};
        btf_type type = {};
        uint32_t encoding = (BTF_INT_SIGNED << 24U) | 32U;
        char strings[5] = {'\0', 'i', 'n', 't', '\0'};
    } __attribute__((packed)) image;
    image.header.magic = BTF_MAGIC;
    image.header.version = 1;
    image.header.hdr_len = sizeof(btf_header);
    image.header.type_len = sizeof(btf_type) + sizeof(uint32_t);
    image.header.str_off = image.header.type_len;
    image.header.str_len = sizeof(image.strings);
    image.type.name_off = 1;
    image.type.info = BTF_KIND_INT << 24U;
    image.type.size = 4;
    std::vector<uint8_t> bytes(sizeof(image));
    std::memcpy(bytes.data(), &image, sizeof(image));
    return bytes;
}

handle token_create(int directory, uint32_t flags) {
    uint32_t attr[2] = {flags, static_cast<uint32_t>(directory)};
    return handle(bpf_call(cmd_token_create, attr, sizeof(attr)));
}

} // namespace bpffs_test
