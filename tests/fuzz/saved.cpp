// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Saved maps, and whose a save is, from files that somebody has changed.
#include "input.hpp"

#include "admin/save_owners.hpp"
#include "admin/saved_map.hpp"
#include "common/failure.hpp"

namespace {

void read_map(std::string text) {
    // An empty file cannot be opened so, and is not worth another way.
    fsctl::file_handle file(text.empty() ? nullptr : ::fmemopen(text.data(), text.size(), "r"),
                            std::fclose);
    if (!file) {
        return;
    }
    fsctl::map_reader reader(std::move(file), "f");
    try {
        const fsctl::saved_map what = reader.verify();
        fuzz::demand(!what.place.empty() && fsctl::can_be_saved(what.info.kind),
                     "what is restored has a name and a kind");
        for (const fsctl::saved_name& each : what.place) {
            fuzz::demand(!each.name.empty() && each.name != ".." &&
                             each.name.find('/') == std::string::npos,
                         "a name stays where it is restored");
        }
        std::size_t keys = 0;
        std::size_t values = 0;
        reader.for_each_block(what, [&](bpffs::const_bytes some, bpffs::const_bytes more) {
            keys += some.size();
            values += more.size();
        });
        fuzz::demand(keys * what.value_bytes == values * what.info.key_size,
                     "each key has its value");
    } catch (const fsctl::failure&) {
        return;
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input given(data, size);
    const std::string text = given.text();
    read_map(text);
    if (const auto owners = fsctl::parse_owners(text)) {
        fuzz::demand(owners->users.contains(owners->directory), "a save is somebody's");
    }
    return 0;
}
