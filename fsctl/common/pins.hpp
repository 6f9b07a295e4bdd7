// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Looking through directories of pins, for lists and for option -f.
#pragma once

#include <bpffs/bpffs.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace fsctl {

struct found_pin {
    bpffs::path file;
    bpffs::pin_info info;
};

// Every pin at and below the directory, by name, without following symbolic
// links. What may not be read or looked at is given to `refused`.
void walk_pins(const bpffs::directory& top, const std::function<void(const found_pin&)>& visit,
               const std::function<void(const bpffs::error&)>& refused);

// The paths of all pins of objects of a kind, by the objects' ids, on every bpffs
// that the caller can see. What may not be looked at is left out.
std::multimap<std::uint32_t, std::string> pins_by_id(bpffs::object_kind kind);

} // namespace fsctl
