// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What bpftool says in the same words of all objects; see members.hpp.
#include "members.hpp"

#include <net/if.h>

#include <array>

namespace fsctl {

std::string device_name(std::uint32_t index) {
    std::array<char, IF_NAMESIZE> name{};
    return if_indextoname(index, name.data()) != nullptr ? std::string(name.data())
                                                         : fmt::format("ifindex {}", index);
}

void dev_member(json_writer& json, std::uint32_t index) {
    if (index == 0) {
        return;
    }
    json.name("dev");
    json.start_object();
    json.member("ifindex", index);
    json.member("ifname", device_name(index));
    json.end_object();
}

void pinned_member(json_writer& json, const std::vector<std::string>& pins) {
    if (pins.empty()) {
        return;
    }
    json.name("pinned");
    json.start_array();
    for (const std::string& pin : pins) {
        json.string(pin);
    }
    json.end_array();
}

} // namespace fsctl
