// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Values with their types as text that can be read back: a line of JSON, in the form that
// typed_printer (and bpftool) gives it.
#pragma once

#include "output.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct btf;

namespace fsctl {

class typed_text {
public:
    // A value of `size` bytes with this type in the BTF, which outlives this object.
    typed_text(const btf& types, std::uint32_t type_id, std::size_t size)
        : types_(&types), type_(type_id), size_(size) {}

    // Not every value can be read back from this: padding, what stands behind the end of a string
    // and NaN are not in it. read() tells.
    [[nodiscard]] std::string write(bytes data) const;

    // The bytes; what the type leaves open is 0. Nothing where the text is no value of the type:
    // members that are missing or that it has not, numbers that do not fit. Of a union one member
    // is enough; where there are more, they agree.
    [[nodiscard]] std::optional<std::vector<std::byte>> read(std::string_view text) const;

private:
    const btf* types_;
    std::uint32_t type_;
    std::size_t size_;
};

} // namespace fsctl
