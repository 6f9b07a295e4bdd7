// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// dump: every element of a map. Elements come in batches and leave in large
// writes; neither side holds more than one batch, whatever the map's size.
#include "element.hpp"
#include "info.hpp"
#include "operand.hpp"
#include "verbs.hpp"

#include <bpffs/kinds.hpp>

namespace fsctl {

namespace {

// On a terminal: how far a dump into a file or pipe has come.
class progress_line {
public:
    progress_line(env& process, std::uint32_t total) : process_(process), total_(total) {}
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;
    progress_line(progress_line&&) = delete;
    progress_line& operator=(progress_line&&) = delete;
    ~progress_line() {
        if (shown_) {
            process_.err << "\r\x1b[K" << std::flush;
        }
    }

    void at(std::size_t count) {
        constexpr std::size_t every = 100'000;
        if (process_.progress && count / every != last_) {
            last_ = count / every;
            shown_ = true;
            process_.err << fmt::format("\r{} of at most {} entries", count, total_) << std::flush;
        }
    }

private:
    env& process_;
    std::uint32_t total_;
    std::size_t last_ = 0;
    bool shown_ = false;
};

std::size_t dump_batches(const bpffs::map& from, element_printer& printer, progress_line& line) {
    bpffs::batch some;
    std::size_t count = 0;
    while (from.lookup_batch(some)) {
        for (std::size_t i = 0; i < some.size(); ++i) {
            printer.print(some.key(i), some.value(i));
        }
        count += some.size();
        line.at(count);
    }
    return count;
}

std::string unreadable(const bpffs::map& from, const bpffs::error_code& why, bool json) {
    if (!json && from.kind() == bpffs::map_kind::reuseport_sockarray &&
        why == boost::system::errc::no_space_on_device) {
        return "<cannot read>";
    }
    return why.message();
}

// Kinds with elements whose values user space cannot read, or can but one by
// one: key by key, and each that cannot be read is named.
std::size_t dump_keys(const bpffs::map& from, element_printer& printer) {
    std::vector<std::byte> key(from.key_size());
    std::vector<std::byte> value(from.value_bytes());
    std::vector<std::byte> previous;
    std::size_t count = 0;
    while (from.next_key(previous, key)) {
        bpffs::error_code why;
        if (from.lookup(key, value, why)) {
            printer.print(key, value);
            ++count;
        } else if (why) {
            printer.print_error(key, unreadable(from, why, printer.in_json()));
        } else if (!bpffs::traits_of(from.kind()).holds_objects) {
            printer.print_error(key,
                                printer.in_json() ? "No such file or directory" : "<no entry>");
        }
        previous = key;
    }
    return count;
}

void refuse_keyless(const bpffs::map& from) {
    if (bpffs::traits_of(from.kind()).keyless) {
        throw failure(fmt::format("dump '{}': a {} has no keys to go through", from.file().native(),
                                  to_string(from.kind())),
                      "The next element of a queue or stack is had with peek or pop.");
    }
}

void dump_elements(context& with, const bpffs::map& from) {
    element_printer printer(with, from);
    progress_line line(with.process, from.info().max_entries);
    if (printer.in_json()) {
        printer.json().start_array();
    }
    const bool batches = bpffs::traits_of(from.kind()).batch;
    const std::size_t count =
        batches ? dump_batches(from, printer, line) : dump_keys(from, printer);
    if (printer.in_json()) {
        printer.json().end_array();
    }
    if (!printer.in_json()) {
        with.out.print("Found {} element{}\n", count, count == 1 ? "" : "s");
    } else if (!with.chosen.json) {
        with.out.put('\n');
    }
}

// Several maps of one name: each with a line, or in an object, that says which.
void dump_several(context& with, const std::vector<bpffs::map>& maps) {
    if (with.chosen.json) {
        with.json.start_array();
    }
    for (const bpffs::map& each : maps) {
        if (with.chosen.json) {
            with.json.start_object();
            print_header_json(with.json, each);
            with.json.name("elements");
            dump_elements(with, each);
            with.json.end_object();
        } else {
            print_header_plain(with.out, each);
            dump_elements(with, each);
            with.out.write(&each == &maps.back() ? "" : "\n");
        }
    }
    if (with.chosen.json) {
        with.json.end_array();
    }
}

} // namespace

void map_dump(context& with, words& given) {
    const operand named = take_map(given);
    given.end();
    const std::vector<bpffs::map> maps = open_maps(named, bpffs::access::read);
    for (const bpffs::map& each : maps) {
        refuse_keyless(each);
    }
    if (maps.size() == 1) {
        dump_elements(with, maps.front());
    } else {
        dump_several(with, maps);
    }
}

} // namespace fsctl
