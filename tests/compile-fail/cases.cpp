// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Lines that must not compile, one for each -DCASE_name, between lines that must.
#include <bpffs/bpffs.hpp>

#include <string>
#include <utility>

namespace {

using reader = bpffs::map_reader<int, int>;
using writer = bpffs::map_writer<int, int>;
using owner = bpffs::map_owner<int, int>;

struct point {
    int x, y;
};

void what_compiles(reader& r, writer& w, owner& o) {
    (void)r.lookup(1);
    r.for_each([](int, int) {});
    w.update(1, 2);
    w.erase(1);
    w.freeze();
    (void)o.lookup(1);
    (void)o.lookup_and_delete(1);
    o.update(1, 2);
    o.pin("x");
    const reader narrowed{std::move(o)};
    writer also = owner::create("y", {});
    also.update(1, 2);
}

[[maybe_unused]] void cases([[maybe_unused]] reader& r, [[maybe_unused]] writer& w,
                            [[maybe_unused]] owner& o) {
    what_compiles(r, w, o);
#if defined(CASE_reader_updates)
    r.update(1, 2);
#elif defined(CASE_reader_erases)
    r.erase(1);
#elif defined(CASE_reader_freezes)
    r.freeze();
#elif defined(CASE_reader_pins)
    r.pin("x");
#elif defined(CASE_reader_takes)
    (void)r.lookup_and_delete(1);
#elif defined(CASE_writer_looks_up)
    (void)w.lookup(1);
#elif defined(CASE_writer_walks)
    w.for_each([](int, int) {});
#elif defined(CASE_writer_takes)
    (void)w.lookup_and_delete(1);
#elif defined(CASE_writer_pins)
    w.pin("x");
#elif defined(CASE_reader_to_owner)
    const owner wider = std::move(r);
#elif defined(CASE_reader_to_writer)
    const writer other = std::move(r);
#elif defined(CASE_writer_to_owner)
    const owner wider = std::move(w);
#elif defined(CASE_writer_to_reader)
    const reader other = std::move(w);
#elif defined(CASE_reader_creates)
    (void)reader::create("x", {});
#elif defined(CASE_writer_creates)
    (void)writer::create("x", {});
#elif defined(CASE_key_with_pointers)
    (void)bpffs::map_reader<std::string, int>::open("x");
#elif defined(CASE_value_with_pointers)
    (void)bpffs::map_reader<int, std::string>::open("x");
#elif defined(CASE_copied_map)
    const owner copy = o;
#elif defined(CASE_copied_fd)
    const bpffs::owned_fd fd;
    const bpffs::owned_fd copy = fd;
#elif defined(CASE_other_key_type)
    (void)r.lookup(point{1, 2});
#endif
}

} // namespace
