// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// pin and rm: a further name for a program, and one less.
#include "common/identity.hpp"
#include "common/operand.hpp"
#include "verbs.hpp"

namespace fsctl {

void prog_pin(context& /*with*/, words& given) {
    const operand named = take_program(given);
    const std::string file = given.next("the FILE to pin it as");
    std::optional<bpffs::mode> bits;
    if (!given.keyword({"mode"}).empty()) {
        bits = parse_mode(given.next("a mode"));
    }
    given.end();
    open_program(named, bpffs::access::read_write).pin(file, bits);
}

void prog_remove(context& /*with*/, words& given) {
    remove_pins(given, bpffs::object_kind::program);
}

} // namespace fsctl
