// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// show and list: one map, the maps pinned below a directory, or all maps of
// the machine (for the privileged).
#include "common/info.hpp"
#include "identity.hpp"
#include "operand.hpp"
#include "verbs.hpp"

#include <bpffs/bpffs.hpp>
#include <bpffs/by_id.hpp>

#include <algorithm>
#include <functional>
#include <map>

namespace fsctl {

namespace {

struct found_pin {
    bpffs::path file;
    bpffs::pin_info info;
};

// maps.debug and progs.debug, which a kernel may put into a new bpffs; nobody
// else can make a name with a dot there.
bool is_kernels_own(const std::string& name) {
    return name.find('.') != std::string::npos;
}

// Every pin at and below the directory, without following symbolic links. A
// directory that may not be read is given to `refused`.
void walk(const bpffs::directory& top, const std::function<void(const found_pin&)>& visit,
          const std::function<void(const bpffs::error&)>& refused) {
    std::vector<bpffs::directory_entry> entries;
    try {
        top.for_each([&](const bpffs::directory_entry& entry) {
            entries.push_back(entry);
            return true;
        });
    } catch (const bpffs::error& error) {
        refused(error);
        return;
    }
    std::sort(entries.begin(), entries.end(),
              [](const auto& one, const auto& other) { return one.name < other.name; });
    for (const bpffs::directory_entry& entry : entries) {
        try {
            const bpffs::location place(top, entry.name);
            if (entry.type == bpffs::file_type::directory) {
                walk(bpffs::directory::open(place), visit, refused);
            } else if (entry.type == bpffs::file_type::file && !is_kernels_own(entry.name)) {
                visit({top.name() / entry.name, bpffs::inspect(place)});
            }
        } catch (const bpffs::error& error) {
            refused(error);
        }
    }
}

// Option -f: the paths of all pins of maps, by the maps' ids, on every bpffs
// that the caller can see. What may not be looked at is left out.
std::multimap<std::uint32_t, std::string> pins_by_id() {
    std::multimap<std::uint32_t, std::string> pins;
    for (const bpffs::mount_info& mount : bpffs::list_mounts()) {
        bpffs::error_code none;
        const bpffs::directory top = mount.type == "bpf"
                                         ? bpffs::directory::open(mount.mount_point, none)
                                         : bpffs::directory();
        if (!top) {
            continue;
        }
        walk(
            top,
            [&](const found_pin& pin) {
                if (pin.info.kind == bpffs::object_kind::map) {
                    pins.emplace(pin.info.id, pin.file.native());
                }
            },
            [](const bpffs::error&) {});
    }
    return pins;
}

class shower {
public:
    explicit shower(context& with) : with_(with) {
        if (with.chosen.pins) {
            pins_ = pins_by_id();
        }
    }

    void show(const bpffs::map& each) {
        std::vector<std::string> files;
        const auto [first, last] = pins_.equal_range(each.info().id);
        std::transform(first, last, std::back_inserter(files),
                       [](const auto& pin) { return pin.second; });
        print_info(with_, each, files);
    }

private:
    context& with_;
    std::multimap<std::uint32_t, std::string> pins_;
};

void show_all(context& with) {
    shower all(with);
    std::optional<std::uint32_t> id = 0;
    bpffs::error_code refused;
    if (with.chosen.json) {
        with.json.start_array();
    }
    while ((id = bpffs::next_id(bpffs::object_kind::map, *id, refused))) {
        bpffs::object found = bpffs::open_by_id(bpffs::object_kind::map, *id, refused);
        if (!refused) {
            all.show(bpffs::map::from(std::move(found)));
        } else if (refused != boost::system::errc::no_such_file_or_directory) {
            break;
        }
        refused.clear();
    }
    if (refused) {
        throw failure(fmt::format("can't get next map: {}", refused.message()),
                      "A list of all maps of the machine is kept for CAP_SYS_ADMIN; "
                      "'bpffs-map list DIRECTORY' lists the maps pinned in a directory.");
    }
    if (with.chosen.json) {
        with.json.end_array();
    }
}

void print_pin_json(json_writer& json, const found_pin& pin, const bpffs::map& opened) {
    json.start_object();
    json.member("path", pin.file.native());
    if (opened) {
        print_header_json(json, opened);
    }
    json.member("owner", user_name(pin.info.owner));
    json.member("group", group_name(pin.info.group));
    json.member("mode", pin.info.permissions.octal());
    json.end_object();
}

void print_pin_plain(output& out, const found_pin& pin, const bpffs::map& opened) {
    out.print("-{} {} {} ", pin.info.permissions.to_string(), user_name(pin.info.owner),
              group_name(pin.info.group));
    if (opened) {
        out.print("{}: {}  name {}  ", opened.info().id, to_string(opened.kind()),
                  opened.info().name);
    } else {
        out.write("(not yours to open)  ");
    }
    out.print("{}\n", pin.file.native());
}

// Maps, and what may be one but cannot be opened.
void list_directory(context& with, const bpffs::directory& top) {
    failures unreadable;
    if (with.chosen.json) {
        with.json.start_array();
    }
    walk(
        top,
        [&](const found_pin& pin) {
            if (pin.info.kind && *pin.info.kind != bpffs::object_kind::map) {
                return;
            }
            bpffs::error_code none;
            const bpffs::map opened = bpffs::map::open(pin.file, bpffs::access::read, none);
            with.chosen.json ? print_pin_json(with.json, pin, opened)
                             : print_pin_plain(with.out, pin, opened);
        },
        [&](const bpffs::error& error) { unreadable.add(error); });
    unreadable.throw_any();
    if (with.chosen.json) {
        with.json.end_array();
    }
}

// A write-only handle can be asked what the map is, too.
std::vector<bpffs::map> open_to_show(const operand& named) {
    bpffs::error_code refused;
    if (named.by == naming::path) {
        std::vector<bpffs::map> one(1);
        one[0] = bpffs::map::open(named.text, bpffs::access::read, refused);
        if (refused == boost::system::errc::permission_denied) {
            bpffs::error_code also;
            one[0] = bpffs::map::open(named.text, bpffs::access::write, also);
            refused = also ? refused : also;
        }
        if (!refused) {
            return one;
        }
    }
    return open_maps(named, bpffs::access::read);
}

void show_maps(context& with, const std::vector<bpffs::map>& maps) {
    shower all(with);
    const bool array = with.chosen.json && maps.size() > 1;
    if (array) {
        with.json.start_array();
    }
    for (const bpffs::map& each : maps) {
        all.show(each);
    }
    if (array) {
        with.json.end_array();
    }
}

} // namespace

void map_show(context& with, words& given) {
    if (given.empty()) {
        show_all(with);
        return;
    }
    const operand named = take_map(given);
    given.end();
    bpffs::error_code not_a_directory;
    const bpffs::directory top = named.by == naming::path
                                     ? bpffs::directory::open(named.text, not_a_directory)
                                     : bpffs::directory();
    if (!top) {
        show_maps(with, open_to_show(named));
    } else if (top.is_bpffs()) {
        list_directory(with, top);
    } else {
        throw failure(fmt::format("list '{}': not on a bpffs", named.text),
                      "Pins live on a mount of the type bpf, such as /sys/fs/bpf.");
    }
}

} // namespace fsctl
