// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// update, push and enqueue: one element in. Writing is all that is needed, so
// that is all the map is opened for.
#include "common/operand.hpp"
#include "parse.hpp"
#include "remedy.hpp"
#include "verbs.hpp"

namespace fsctl {

namespace {

// Puts an object into a map that holds such; the kernel wants both rights on it.
void put_held(bpffs::map& into, bytes key, const operand& named, bpffs::update_flag flag) {
    const auto update = [&](bpffs::borrowed_fd held) {
        on_map(step::update, into, [&] { into.update(key, held, flag); });
    };
    if (into.kind() == bpffs::map_kind::prog_array) {
        update(open_program(named, bpffs::access::read_write).fd());
    } else {
        update(open_map(named, bpffs::access::read_write).fd());
    }
}

void put(bpffs::map& into, const element_words& given) {
    if (given.value->held) {
        put_held(into, *given.key, *given.value->held, given.flag);
    } else if (into.key_size() == 0) {
        on_map(step::update, into, [&] { into.push(given.value->data, given.flag); });
    } else {
        on_map(step::update, into, [&] { into.update(*given.key, given.value->data, given.flag); });
    }
}

} // namespace

void map_update(context& /*with*/, words& given) {
    bpffs::map into = open_map(take_map(given), bpffs::access::write);
    put(into, take_element(given, into, value_part::required));
}

} // namespace fsctl
