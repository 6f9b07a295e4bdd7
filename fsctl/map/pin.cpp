// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// pin, rm and freeze: a further name for a map, one less, and the end of its
// writing.
#include "common/identity.hpp"
#include "common/operand.hpp"
#include "remedy.hpp"
#include "verbs.hpp"

namespace fsctl {

void map_pin(context& /*with*/, words& given) {
    const operand named = take_map(given);
    const std::string file = given.next("the FILE to pin it as");
    std::optional<bpffs::mode> bits;
    if (!given.keyword({"mode"}).empty()) {
        bits = parse_mode(given.next("a mode"));
    }
    given.end();
    open_map(named, bpffs::access::read_write).pin(file, bits);
}

void map_remove(context& /*with*/, words& given) {
    remove_pins(given, bpffs::object_kind::map);
}

void map_freeze(context& /*with*/, words& given) {
    const operand named = take_map(given);
    given.end();
    bpffs::map frozen = open_map(named, bpffs::access::write);
    on_map(step::freeze, frozen, [&] { frozen.freeze(); });
}

} // namespace fsctl
