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

using queue_reader = bpffs::queue_map<int, bpffs::access::read>;
using queue_writer = bpffs::queue_map<int, bpffs::access::write>;
using memory_reader = bpffs::array_memory<long, bpffs::access::read>;

void what_compiles_of_programs_and_links(bpffs::program_owner& o, const bpffs::program& other) {
    (void)o.code();
    (void)o.test_run({});
    o.pin("x");
    const bpffs::program_reader reads = bpffs::program_owner::open("x");
    (void)reads.code();
    const bpffs::program_writer attaches{std::move(o)};
    bpffs::link_owner made = bpffs::link_owner::from(
        attaches.attach(bpffs::attach_kind::xdp, bpffs::attach_target::network_device(1)));
    (void)made.start_iterator();
    made.update(other);
    made.detach();
    made.pin("y");
    const bpffs::link_reader looks{std::move(made)};
    (void)looks.start_iterator();
}

void what_compiles_of_shapes(queue_reader& r, queue_writer& w) {
    (void)r.peek();
    w.push(1);
    (void)memory_reader::open("x")[0];
}

using borrowed_reader = bpffs::borrowed_map<int, int, bpffs::access::read>;
using borrowed_writer = bpffs::borrowed_map<int, int, bpffs::access::write>;
using borrowed_owner = bpffs::borrowed_map<int, int, bpffs::access::read_write>;
using borrowed_program_reader = bpffs::borrowed_program<bpffs::access::read>;
using borrowed_program_writer = bpffs::borrowed_program<bpffs::access::write>;
using borrowed_program_owner = bpffs::borrowed_program<bpffs::access::read_write>;
using borrowed_link_reader = bpffs::borrowed_link<bpffs::access::read>;
using borrowed_link_writer = bpffs::borrowed_link<bpffs::access::write>;

void takes_map_reader(borrowed_reader r) {
    (void)r.lookup(1);
    for (const auto& [key, value] : r) {
        (void)(key + value);
    }
}

void takes_map_writer(borrowed_writer w) {
    w.update(1, 2);
    w.erase(1);
}

void takes_map_owner(borrowed_owner o) {
    takes_map_reader(o);
    takes_map_writer(o);
    (void)o.lookup_and_delete(1);
    o.pin("x");
}

void takes_program_reader(borrowed_program_reader r) {
    (void)r.code();
}

void takes_program_writer(borrowed_program_writer w) {
    (void)w.attach(bpffs::attach_kind::xdp, bpffs::attach_target::network_device(1));
}

void takes_link_reader(borrowed_link_reader r) {
    (void)r.start_iterator();
}

void takes_link_writer(borrowed_link_writer w) {
    w.detach();
}

void what_compiles_of_borrowing(owner& o, const owner& const_o, const reader& r, writer& w) {
    takes_map_owner(o);
    takes_map_reader(const_o);
    takes_map_reader(r);
    takes_map_reader(reader::open("x"));
    takes_map_writer(w);
    const bpffs::program_owner p = bpffs::program_owner::open("x");
    takes_program_reader(p);
    takes_program_writer(p);
    takes_program_reader(borrowed_program_owner{p});
    (void)borrowed_program_owner{p}.test_run({});
    bpffs::link_owner l = bpffs::link_owner::open("x");
    takes_link_reader(l);
    takes_link_reader(std::as_const(l));
    takes_link_writer(l);
    bpffs::map untyped = bpffs::map::open("x", bpffs::access::read);
    takes_map_reader(borrowed_reader::from(untyped));
}

void what_compiles(reader& r, writer& w, owner& o) {
    (void)r.lookup(1);
    r.for_each([](int, int) {});
    for (const auto& [key, value] : r) {
        (void)(key + value);
    }
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
    (void)what_compiles_of_programs_and_links;
    (void)what_compiles_of_borrowing;
    (void)what_compiles_of_shapes;
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
#elif defined(CASE_writer_ranges)
    for (const auto& one : w) {
        (void)one;
    }
#elif defined(CASE_reader_changes_many)
    r.erase_many({});
#elif defined(CASE_program_reader_attaches)
    (void)bpffs::program_reader::open("x").attach(bpffs::attach_kind::xdp,
                                                  bpffs::attach_target::as_loaded());
#elif defined(CASE_program_reader_runs)
    (void)bpffs::program_reader::open("x").test_run({});
#elif defined(CASE_program_reader_pins)
    bpffs::program_reader::open("x").pin("y");
#elif defined(CASE_program_writer_dumps)
    (void)bpffs::program_writer::open("x").code();
#elif defined(CASE_program_writer_runs)
    (void)bpffs::program_writer::open("x").test_run({});
#elif defined(CASE_program_reader_to_owner)
    const bpffs::program_owner wider = bpffs::program_reader::open("x");
#elif defined(CASE_link_reader_detaches)
    bpffs::link_reader::open("x").detach();
#elif defined(CASE_link_reader_updates)
    bpffs::link_reader::open("x").update(bpffs::program{});
#elif defined(CASE_link_writer_iterates)
    (void)bpffs::link_writer::open("x").start_iterator();
#elif defined(CASE_link_reader_to_writer)
    const bpffs::link_writer other = bpffs::link_reader::open("x");
#elif defined(CASE_queue_reader_pushes)
    queue_reader::open("x").push(1);
#elif defined(CASE_queue_reader_pops)
    (void)queue_reader::open("x").pop();
#elif defined(CASE_queue_writer_peeks)
    (void)queue_writer::open("x").peek();
#elif defined(CASE_memory_reader_writes)
    memory_reader::open("x")[0] = 1;
#elif defined(CASE_borrowed_reader_updates)
    borrowed_reader{r}.update(1, 2);
#elif defined(CASE_borrowed_writer_looks_up)
    (void)borrowed_writer{w}.lookup(1);
#elif defined(CASE_borrowed_reader_pins)
    borrowed_reader{r}.pin("x");
#elif defined(CASE_borrowed_reader_to_writer)
    takes_map_writer(borrowed_reader{o});
#elif defined(CASE_borrowed_from_reader)
    takes_map_writer(r);
#elif defined(CASE_borrowed_from_const)
    takes_map_writer(std::as_const(o));
#elif defined(CASE_borrowed_from_temporary_writer)
    takes_map_writer(writer::open("x"));
#elif defined(CASE_borrowed_program_reader_attaches)
    (void)borrowed_program_reader{bpffs::program_owner{}}.attach(bpffs::attach_kind::xdp,
                                                                 bpffs::attach_target::as_loaded());
#elif defined(CASE_borrowed_program_writer_dumps)
    (void)borrowed_program_writer{bpffs::program_owner{}}.code();
#elif defined(CASE_borrowed_program_writer_runs)
    (void)borrowed_program_writer{bpffs::program_owner{}}.test_run({});
#elif defined(CASE_borrowed_program_from_reader)
    takes_program_writer(bpffs::program_reader{});
#elif defined(CASE_borrowed_link_reader_detaches)
    borrowed_link_reader{bpffs::link_owner{}}.detach();
#elif defined(CASE_borrowed_link_writer_iterates)
    bpffs::link_owner held;
    (void)borrowed_link_writer{held}.start_iterator();
#elif defined(CASE_borrowed_link_from_const)
    const bpffs::link_owner held;
    takes_link_writer(held);
#elif defined(CASE_other_key_type)
    (void)r.lookup(point{1, 2});
#endif
}

} // namespace
