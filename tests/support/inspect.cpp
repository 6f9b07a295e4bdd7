// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Information about programs, and BTF, of inspect.hpp.

#include "inspect.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <bpf/btf.h>
#include <linux/btf.h>

namespace bpffs_test {

namespace {

/// Where the kernel is to write, and how much of it it filled.
template <typename Item> class place {
public:
    place(std::vector<Item>& items, uint32_t room) : items_(items) { items_.assign(room, Item{}); }

    [[nodiscard]] uint64_t address() const { return reinterpret_cast<uintptr_t>(items_.data()); }
    [[nodiscard]] uint32_t room() const { return static_cast<uint32_t>(items_.size()); }
    /// `count` is how many there are. The kernel takes the address back where it shows none.
    void keep(uint64_t address, uint32_t count) {
        items_.resize(address == 0 ? 0 : std::min<size_t>(count, items_.size()));
    }

private:
    std::vector<Item>& items_;
};

} // namespace

int view_program(int program, program_view& out) {
    place text(out.text, 1024);
    place functions(out.functions, 32);
    place lines(out.lines, 64);
    place code(out.machine_code, 65536);
    place symbols(out.symbols, 32);
    place machine_lines(out.machine_lines, 64);
    bpf_prog_info& info = out.info;
    info = {};
    info.xlated_prog_insns = text.address();
    info.xlated_prog_len = text.room() * sizeof(bpf_insn);
    info.func_info = functions.address();
    info.func_info_rec_size = sizeof(bpf_func_info);
    info.nr_func_info = functions.room();
    info.line_info = lines.address();
    info.line_info_rec_size = sizeof(bpf_line_info);
    info.nr_line_info = lines.room();
    info.jited_prog_insns = code.address();
    info.jited_prog_len = code.room();
    info.jited_ksyms = symbols.address();
    info.nr_jited_ksyms = symbols.room();
    info.jited_line_info = machine_lines.address();
    info.jited_line_info_rec_size = sizeof(uint64_t);
    info.nr_jited_line_info = machine_lines.room();
    const int value = object_info(program, &info, sizeof(info));
    text.keep(info.xlated_prog_insns, info.xlated_prog_len / sizeof(bpf_insn));
    functions.keep(info.func_info, info.nr_func_info);
    lines.keep(info.line_info, info.nr_line_info);
    code.keep(info.jited_prog_insns, info.jited_prog_len);
    symbols.keep(info.jited_ksyms, info.nr_jited_ksyms);
    machine_lines.keep(info.jited_line_info, info.nr_jited_line_info);
    return value;
}

int view_types(int btf, std::vector<uint8_t>& out) {
    place bytes(out, 65536);
    bpf_btf_info info = {};
    info.btf = bytes.address();
    info.btf_size = bytes.room();
    const int value = object_info(btf, &info, sizeof(info));
    bytes.keep(info.btf, value < 0 ? 0 : info.btf_size);
    return value;
}

namespace {

/// struct `name` { struct `special` { bytes }; }: what the kernel knows by the inner name.
int add_special(btf* types, const char* name, const char* special, int content, uint32_t size) {
    const int inner = btf__add_struct(types, special, size);
    btf__add_field(types, "opaque", content, 0, 0);
    const int outer = btf__add_struct(types, name, size);
    btf__add_field(types, "field", inner, 0, 0);
    return outer;
}

test_types make_types() {
    const std::unique_ptr<btf, void (*)(btf*)> types(btf__new_empty(), btf__free);
    test_types all;
    const int number = btf__add_int(types.get(), "int", 4, BTF_INT_SIGNED);
    const int large = btf__add_int(types.get(), "unsigned long", 8, 0);
    const int pair = btf__add_array(types.get(), number, large, 2);
    const int pointer = btf__add_ptr(types.get(), 0);
    const int prototype = btf__add_func_proto(types.get(), number);
    btf__add_func_param(types.get(), "argument", pointer);
    const auto id = [](int value) { return static_cast<uint32_t>(value); };
    all.number = id(number);
    all.entry = id(btf__add_func(types.get(), "entry", BTF_FUNC_GLOBAL, prototype));
    all.callback = id(btf__add_func(types.get(), "callback", BTF_FUNC_STATIC, prototype));
    all.locked = id(add_special(types.get(), "locked", "bpf_spin_lock", number, 4));
    all.timed = id(add_special(types.get(), "timed", "bpf_timer", pair, 16));
    all.queued = id(add_special(types.get(), "queued", "bpf_wq", pair, 16));
    all.file = id(btf__add_str(types.get(), "test.c"));
    all.source = id(btf__add_str(types.get(), "return 0;"));
    uint32_t size = 0;
    const auto* raw = static_cast<const uint8_t*>(btf__raw_data(types.get(), &size));
    all.data.assign(raw, raw + size);
    return all;
}

} // namespace

const test_types& types_of_tests() {
    static const test_types all = make_types();
    return all;
}

handle load_typed(uint32_t type, const program_text& text, const std::vector<uint32_t>& callbacks,
                  std::string* log) {
    const test_types& all = types_of_tests();
    const handle types = btf_load(all.data);
    if (!types.good()) {
        return handle(-types.error());
    }
    load_options options;
    options.types = types.get();
    options.log = log;
    options.functions.push_back({0, all.entry});
    options.lines.push_back({0, all.file, all.source, 1U << 10U});
    for (const uint32_t start : callbacks) {
        options.functions.push_back({start, all.callback});
        options.lines.push_back({start, all.file, all.source, start << 10U});
    }
    return load_program(type, text, options);
}

handle create_typed_array(uint32_t value_type, uint32_t value_size) {
    const handle types = btf_load(types_of_tests().data);
    map_create_attr attr;
    attr.map_type = BPF_MAP_TYPE_ARRAY;
    attr.key_size = 4;
    attr.value_size = value_size;
    attr.max_entries = 1;
    attr.btf_fd = static_cast<uint32_t>(types.get());
    attr.btf_key_type_id = types_of_tests().number;
    attr.btf_value_type_id = value_type;
    return create_map(attr);
}

int kernel_type(const char* name, uint32_t kind) {
    static const std::unique_ptr<btf, void (*)(btf*)> types(btf__load_vmlinux_btf(), btf__free);
    return types ? btf__find_by_name_kind(types.get(), name, kind) : -ENOENT;
}

} // namespace bpffs_test
