// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// From a node to its pin: attributes and handles. Nothing is remembered that can change: every call
// looks at SOURCE again, and finds ESTALE where the pin has gone or another one has its name.
// Handles are opened as whoever the calling thread is.
#pragma once

#include "node.hpp"

#include <bpffs/map.hpp>
#include <bpffs/pin.hpp>

#include <optional>

#include <sys/stat.h>

namespace fsctl::view {

// Where a pin, a directory or a link of SOURCE is.
bpffs::location place_of(const node& of);

// A directory of SOURCE, or of another bpffs that is mounted on one; nothing for a name that is no
// directory. refused ENOENT where something else is mounted there: a view that has been mounted
// below its own SOURCE would wait for itself.
std::optional<bpffs::directory> open_below(const bpffs::directory& in, const std::string& name);

// What stat(2) says of the node, apart from the size of files. Owner, group and mode follow the
// pin: r gives r, and x where it is a directory, w gives w.
struct stat attributes(const node& of);
// The same from what has been seen of the pin, directory or link that the node is or belongs to.
struct stat attributes(const node& of, const bpffs::file_info& pin);

// What SOURCE says of the pin, directory or link. refused ESTALE where it is not this node's any
// more.
bpffs::file_info look_at_source(const node& of);

// The object that the node is or belongs to, with exactly this right (links: with both where the
// kernel opens them in no other way). refused with the errno.
bpffs::object open_object(const node& of, bpffs::access rights);
bpffs::map open_map(const node& of, bpffs::access rights);

// The same, and how the map looks.
struct shown_map {
    bpffs::map map;
    bpffs::file_info pin; // as it was when the map had been opened
    std::shared_ptr<const map_shape> shape;
};
shown_map open_shown(const node& of, bpffs::access rights, const settings& chosen);

// What the object holds; opened for reading where that is not known yet.
std::shared_ptr<const object_shape> shape_of(const node& of, const settings& chosen);
// The same where it has to be a map.
std::shared_ptr<const map_shape> map_shape_of(const node& of, const settings& chosen);

// A path from `from`, a node, to the pin of the map with this id, as it is called in the view.
std::optional<std::string> path_to_map(const node& from, std::uint32_t id);

} // namespace fsctl::view
