// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// dump: every element of a map, or of several that have one name.
#include "common/dump.hpp"
#include "common/info.hpp"
#include "common/operand.hpp"
#include "verbs.hpp"

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

void dump_elements(context& with, const bpffs::map& from) {
    element_dump dump(with, from);
    progress_line line(with.process, from.info().max_entries);
    while (dump.more()) {
        line.at(dump.count());
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
