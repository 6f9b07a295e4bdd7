// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Looking into programs: everything that BPF_OBJ_GET_INFO_BY_FD shows of one, and programs and maps
// that have types to be shown.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <linux/bpf.h>

#include "bpf_call.hpp"

namespace bpffs_test {

/// What was shown of a program. Each list holds what the kernel wrote, and is empty where it says
/// that there is nothing.
struct program_view {
    bpf_prog_info info = {}; ///< pointers in it are stale
    program_text text;
    std::vector<bpf_func_info> functions;
    std::vector<bpf_line_info> lines;
    std::vector<uint8_t> machine_code;
    std::vector<uint64_t> symbols;
    std::vector<uint64_t> machine_lines;
};
/// 0 or -errno. At most 1024 instructions, and of everything else a few.
int view_program(int program, program_view& out);
/// The bytes of the BTF behind this descriptor: 0 or -errno.
int view_types(int btf, std::vector<uint8_t>& out);

/// BTF with everything that the tests' programs speak of.
struct test_types {
    std::vector<uint8_t> data;
    uint32_t number = 0;   ///< int
    uint32_t entry = 0;    ///< int entry(void *), the first function of a program
    uint32_t callback = 0; ///< static int callback(void *)
    uint32_t locked = 0;   ///< struct locked { struct bpf_spin_lock lock; }, can be allocated
    uint32_t timed = 0;    ///< struct timed { struct bpf_timer timer; }, 16 bytes
    uint32_t queued = 0;   ///< struct queued { struct bpf_wq queue; }, 16 bytes
    uint32_t file = 0;     ///< a string, as the name of a source file
    uint32_t source = 0;   ///< a string, as a line of source
};
const test_types& types_of_tests();

/// Loads a program with these types, with `callbacks` the places at which further functions start,
/// and with a line of source for each function.
handle load_typed(uint32_t type, const program_text& text,
                  const std::vector<uint32_t>& callbacks = {}, std::string* log = nullptr);
/// An array of one value of this type (a number of types_of_tests()).
handle create_typed_array(uint32_t value_type, uint32_t value_size);

/// The number of something of the kernel's own (BTF_KIND_FUNC, BTF_KIND_VAR); negative: there is
/// none, or the kernel has no types.
int kernel_type(const char* name, uint32_t kind);

} // namespace bpffs_test
