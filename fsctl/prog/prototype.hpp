// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Functions as BTF has them: "int count(struct __sk_buff * skb)", as bpftool
// writes them above a function's instructions.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

struct btf;

namespace fsctl {

class prototypes {
public:
    prototypes() = default;
    // Of a program's types; without any there are no prototypes.
    explicit prototypes(const std::vector<std::byte>& types);

    // Of the function of that name, or an empty text.
    [[nodiscard]] std::string of(const std::string& function) const;

private:
    std::shared_ptr<const btf> types_;
};

} // namespace fsctl
