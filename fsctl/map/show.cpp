// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// show and list: one map, the maps pinned below a directory, or all maps of
// the machine (for the privileged).
#include "common/show.hpp"
#include "common/info.hpp"
#include "verbs.hpp"

namespace fsctl {

template <> struct showing<bpffs::map> {
    static constexpr bpffs::object_kind kind = bpffs::object_kind::map;
    static constexpr std::string_view tool = "bpffs-map";

    static operand take(words& given) { return take_map(given); }
    static std::vector<bpffs::map> open_all(const operand& named, bpffs::access rights) {
        return open_maps(named, rights);
    }
    static void print(context& with, const bpffs::map& shown,
                      const std::vector<std::string>& pins) {
        print_info(with, shown, pins);
    }
    static void members(json_writer& json, const bpffs::map& shown) {
        print_header_json(json, shown);
    }
    static std::vector<std::string> cells(const bpffs::map& shown) {
        return {fmt::format("{}: {}", shown.info().id, to_string(shown.kind())),
                fmt::format("name {}", shown.info().name)};
    }
};

void map_show(context& with, words& given) {
    show_objects<bpffs::map>(with, given);
}

} // namespace fsctl
