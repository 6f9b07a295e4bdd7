// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// delete, pop and dequeue: one element out, unseen or shown.
#include "common/element.hpp"
#include "common/operand.hpp"
#include "parse.hpp"
#include "remedy.hpp"
#include "verbs.hpp"

namespace fsctl {

void map_delete(context& /*with*/, words& given) {
    bpffs::map from = open_map(take_map(given), bpffs::access::write);
    if (from.key_size() == 0) {
        throw failure(fmt::format("delete '{}': a {} has no keys", from.file().native(),
                                  to_string(from.kind())),
                      "pop takes the next element out of a queue or stack.");
    }
    const std::vector<std::byte> key = take_key(given, from);
    if (!on_map(step::erase, from, [&] { return from.erase(key); })) {
        throw failure("delete failed: No such file or directory",
                      fmt::format("'{}' has no such key.", from.file().native()));
    }
}

void map_pop(context& with, words& given) {
    bpffs::map from = open_map(take_map(given), bpffs::access::read_write);
    const std::vector<std::byte> key = take_key(given, from);
    std::vector<std::byte> value(from.value_bytes());
    const bool found = on_map(step::take_out, from, [&] {
        return from.key_size() == 0 ? from.pop(value) : from.lookup_and_delete(key, value);
    });
    if (!found && with.chosen.json) {
        throw nothing_found();
    }
    if (!found) {
        throw failure(from.key_size() == 0 ? "empty map" : "pop failed: No such file or directory");
    }
    print_element(with, from, key, value);
}

} // namespace fsctl
