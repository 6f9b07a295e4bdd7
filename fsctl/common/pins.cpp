// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Walking; see pins.hpp.
#include "pins.hpp"

#include <algorithm>
#include <vector>

namespace fsctl {

namespace {

// maps.debug and progs.debug, which a kernel may put into a new bpffs; nobody
// else can make a name with a dot there.
bool is_kernels_own(const std::string& name) {
    return name.find('.') != std::string::npos;
}

} // namespace

void walk_pins(const bpffs::directory& top, const std::function<void(const found_pin&)>& visit,
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
                walk_pins(bpffs::directory::open(place), visit, refused);
            } else if (entry.type == bpffs::file_type::file && !is_kernels_own(entry.name)) {
                visit({top.name() / entry.name, bpffs::inspect(place)});
            }
        } catch (const bpffs::error& error) {
            refused(error);
        }
    }
}

std::multimap<std::uint32_t, std::string> pins_by_id(bpffs::object_kind kind) {
    std::multimap<std::uint32_t, std::string> pins;
    for (const bpffs::mount_info& mount : bpffs::list_mounts()) {
        bpffs::error_code none;
        const bpffs::directory top = mount.type == "bpf"
                                         ? bpffs::directory::open(mount.mount_point, none)
                                         : bpffs::directory();
        if (!top) {
            continue;
        }
        walk_pins(
            top,
            [&](const found_pin& pin) {
                if (pin.info.kind == kind) {
                    pins.emplace(pin.info.id, pin.file.native());
                }
            },
            [](const bpffs::error&) {});
    }
    return pins;
}

} // namespace fsctl
