// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The verb show (list) of the tools for maps, programs and links: one object,
// the pins below a directory, or all objects of the machine (for the
// privileged). What differs between the three is in showing<Handle>.
#pragma once

#include "identity.hpp"
#include "operand.hpp"
#include "pins.hpp"
#include "table.hpp"
#include "tool.hpp"

#include <bpffs/bpffs.hpp>
#include <bpffs/by_id.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fsctl {

// Specialised by each tool for its kind of object, with the static members
//   kind, tool      bpffs::object_kind and the tool's name
//   take(words)     reads an operand
//   open_all(operand, access)   vector of handles
//   print(context, handle, pins)  all about it, as bpftool's show
//   members(json, handle)       the members that say what it is, for lists
//   cells(handle)               the same as columns
template <class Handle> struct showing;

// Any right will do to ask what an object is: reading first.
template <class Handle> Handle open_to_look(const bpffs::path& file, bpffs::error_code& code) {
    Handle opened = Handle::open(file, bpffs::access::read, code);
    if (code == boost::system::errc::permission_denied) {
        bpffs::error_code also;
        opened = Handle::open(file, bpffs::access::write, also);
        code = also ? code : also;
    } else if (code == bpffs::errc::unsupported) { // a link, where there is no fmode
        opened = Handle::open(file, bpffs::access::read_write, code);
    }
    return opened;
}

template <class Handle> class shower {
    using kind = showing<Handle>;

public:
    explicit shower(context& with) : with_(with) {
        if (with.chosen.pins) {
            pins_ = pins_by_id(kind::kind);
        }
    }

    void show(const Handle& each) {
        std::vector<std::string> files;
        const auto [first, last] = pins_.equal_range(each.info().id);
        std::transform(first, last, std::back_inserter(files),
                       [](const auto& pin) { return pin.second; });
        kind::print(with_, each, files);
    }

    // Every object of the machine.
    void show_all() {
        std::optional<std::uint32_t> id = 0;
        bpffs::error_code refused;
        start_array(true);
        while ((id = bpffs::next_id(kind::kind, *id, refused))) {
            bpffs::object found = bpffs::open_by_id(kind::kind, *id, refused);
            if (!refused) {
                show(Handle::from(std::move(found)));
            } else if (refused != boost::system::errc::no_such_file_or_directory) {
                break;
            }
            refused.clear();
        }
        if (refused) {
            const std::string_view noun = bpffs::to_string(kind::kind);
            throw failure(fmt::format("can't get next {}: {}", noun, refused.message()),
                          fmt::format("A list of all {0}s of the machine is kept for "
                                      "CAP_SYS_ADMIN; '{1} list DIRECTORY' lists the {0}s pinned "
                                      "in a directory.",
                                      noun, kind::tool));
        }
        end_array(true);
    }

    void show_each(const std::vector<Handle>& list) {
        start_array(list.size() > 1);
        for (const Handle& each : list) {
            show(each);
        }
        end_array(list.size() > 1);
    }

    // Pins of this kind, and what may be one but cannot be opened.
    void list_directory(const bpffs::directory& top) {
        failures unreadable;
        start_array(true);
        walk_pins(
            top,
            [&](const found_pin& pin) {
                if (!pin.info.kind || *pin.info.kind == kind::kind) {
                    bpffs::error_code none;
                    list_pin(pin, open_to_look<Handle>(pin.file, none));
                }
            },
            [&](const bpffs::error& error) { unreadable.add(error); });
        rows_.print(with_.out, with_.process);
        unreadable.throw_any();
        end_array(true);
    }

private:
    void start_array(bool wanted) {
        if (wanted && with_.chosen.json) {
            with_.json.start_array();
        }
    }
    void end_array(bool wanted) {
        if (wanted && with_.chosen.json) {
            with_.json.end_array();
        }
    }

    void list_pin(const found_pin& pin, const Handle& opened) {
        if (with_.chosen.json) {
            json_writer& json = with_.json;
            json.start_object();
            json.member("path", pin.file.native());
            if (opened) {
                kind::members(json, opened);
            }
            json.member("owner", user_name(pin.info.owner));
            json.member("group", group_name(pin.info.group));
            json.member("mode", pin.info.permissions.octal());
            json.end_object();
            return;
        }
        std::vector<std::string> row = {"-" + pin.info.permissions.to_string(),
                                        user_name(pin.info.owner), group_name(pin.info.group)};
        const std::vector<std::string> about =
            opened ? kind::cells(opened) : std::vector<std::string>{"(not yours to open)", ""};
        row.insert(row.end(), about.begin(), about.end());
        row.push_back(pin.file.native());
        rows_.add(std::move(row));
    }

    context& with_;
    std::multimap<std::uint32_t, std::string> pins_;
    table rows_;
};

template <class Handle> std::vector<Handle> open_to_show(const operand& named) {
    bpffs::error_code refused;
    if (named.by == naming::path) {
        std::vector<Handle> one(1);
        one[0] = open_to_look<Handle>(named.text, refused);
        if (!refused) {
            return one;
        }
    }
    return showing<Handle>::open_all(named, bpffs::access::read);
}

// The body of the verb.
template <class Handle> void show_objects(context& with, words& given) {
    if (given.empty()) {
        shower<Handle>(with).show_all();
        return;
    }
    const operand named = showing<Handle>::take(given);
    given.end();
    bpffs::error_code not_a_directory;
    const bpffs::directory top = named.by == naming::path
                                     ? bpffs::directory::open(named.text, not_a_directory)
                                     : bpffs::directory();
    if (!top) {
        shower<Handle>(with).show_each(open_to_show<Handle>(named));
    } else if (top.is_bpffs()) {
        shower<Handle>(with).list_directory(top);
    } else {
        throw failure(fmt::format("list '{}': not on a bpffs", named.text),
                      "Pins live on a mount of the type bpf, such as /sys/fs/bpf.");
    }
}

} // namespace fsctl
