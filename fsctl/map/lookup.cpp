// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// lookup, peek and getnext: one element, or the key behind one.
#include "common/element.hpp"
#include "common/operand.hpp"
#include "parse.hpp"
#include "remedy.hpp"
#include "verbs.hpp"

#include <bpffs/kinds.hpp>

namespace fsctl {

namespace {

// Nothing has gone wrong, and there is nothing to show: with -j null.
[[noreturn]] void not_found(context& with, bytes key) {
    if (!with.chosen.json) {
        if (key.empty()) {
            throw failure("empty map");
        }
        with.out.write("key:\n");
        with.out.hex(key);
        with.out.write("\n\nNot found\n");
    }
    throw nothing_found();
}

} // namespace

void map_lookup(context& with, words& given) {
    const bpffs::map from = open_map(take_map(given), bpffs::access::read);
    if (from.kind() == bpffs::map_kind::bloom_filter) {
        throw failure(fmt::format("lookup '{}': a bloom_filter holds no elements that can be shown",
                                  from.file().native()),
                      "It only tells programs whether it may have seen a value.");
    }
    const std::vector<std::byte> key = take_key(given, from);
    std::vector<std::byte> value(from.value_bytes());
    const bool found = on_map(step::lookup, from, [&] {
        return from.key_size() == 0 ? from.peek(value) : from.lookup(key, value);
    });
    if (!found) {
        not_found(with, key);
    }
    print_element(with, from, key, value);
}

void map_getnext(context& with, words& given) {
    const bpffs::map from = open_map(take_map(given), bpffs::access::read);
    const auto key = take_optional_key(given, from);
    std::vector<std::byte> next(from.key_size());
    const bytes after = key ? bytes(*key) : bytes();
    if (!on_map(step::next_key, from, [&] { return from.next_key(after, next); })) {
        const char* plainly = key ? "No key comes after this one." : "The map is empty.";
        throw failure("can't get next key: No such file or directory",
                      with.chosen.json ? "" : plainly); // JSON as bpftool has it
    }
    if (with.chosen.json) {
        with.json.start_object();
        with.json.name("key");
        key ? with.json.hex(*key) : with.json.null();
        with.json.name("next_key");
        with.json.hex(next);
        with.json.end_object();
        return;
    }
    if (key) {
        with.out.write("key:\n");
        with.out.hex(*key);
        with.out.put('\n');
    } else {
        with.out.write("key: None\n");
    }
    with.out.write("next key:\n");
    with.out.hex(next);
    with.out.put('\n');
}

} // namespace fsctl
