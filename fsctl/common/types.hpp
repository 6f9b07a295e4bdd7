// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Values with their types: a key or a value of a map that has BTF as JSON, in
// the form that bpftool gives it. Reading only; the BTF itself comes from the
// library.
#pragma once

#include "json.hpp"

#include <cstdint>

struct btf;

namespace fsctl {

// bpftool writes pointers, bit fields and unprintable characters differently
// where the whole output is JSON.
enum class typed_style { plain, json };

class typed_printer {
public:
    // `types` is borrowed and must outlive the printer.
    typed_printer(const btf& types, json_writer& to, typed_style style)
        : types_(types), to_(to), style_(style) {}

    // Writes the value of that type at the start of `data`. What does not fit
    // into the data or has no known form is written as null.
    void print(std::uint32_t type_id, bytes data) { print(type_id, 0, data); }

private:
    void print(std::uint32_t type_id, unsigned bit_offset, bytes data);
    void print_number(std::uint32_t type_id, unsigned bit_offset, bytes data);
    void print_character(std::byte value);
    void print_bits(unsigned count, unsigned bit_offset, bytes data);
    void print_pointer(bytes data);
    void print_enum(std::uint32_t type_id, bytes data);
    void print_float(bytes data);
    void print_array(std::uint32_t type_id, bytes data);
    void print_members(std::uint32_t type_id, bytes data);
    void print_variable(std::uint32_t type_id, bytes data);
    void print_section(std::uint32_t type_id, bytes data);
    bool print_text(std::uint32_t element_type, bytes data);

    const btf& types_;
    json_writer& to_;
    typed_style style_;
};

} // namespace fsctl
