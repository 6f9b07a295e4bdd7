// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Looking and opening, always by name relative to the directory that was opened; see pins.hpp.
#include "pins.hpp"

#include "refused.hpp"

#include <bpffs/link.hpp>

namespace fsctl::view {

namespace {

// Of a pin, directory or link of SOURCE, and still the one that the node stands for.
bpffs::file_info source_info(const node& of) {
    bpffs::error_code why;
    // A directory is held open, so it is the same one wherever it has been moved to.
    const bpffs::location where =
        of.kind == node_kind::directory ? bpffs::location(of.opened, ".") : place_of(of);
    const bpffs::file_info info = bpffs::look_at(where, why);
    check(why);
    if (of.kind != node_kind::directory && info.inode != of.number) {
        throw refused(ESTALE);
    }
    return info;
}

mode_t stream_bits(const node& of, mode_t read, mode_t write) {
    const auto shape = of.object().shape();
    if (shape && shape->kind == bpffs::object_kind::link) {
        return read;
    }
    if (shape && shape->map && shape->map->is_ring()) { // both sides move a mark in the map
        return shape->map->takes_records() ? write & read >> 1U : read & write << 1U;
    }
    return (read & write << 1U) | write; // taking an element changes the map
}

mode_t mode_of(const node& of, bpffs::mode pin) {
    const mode_t read = pin.bits() & 0444U;
    const mode_t write = pin.bits() & 0222U;
    switch (of.kind) {
    case node_kind::directory:
        return S_IFDIR | pin.bits();
    case node_kind::object:
    case node_kind::entries:
        return S_IFDIR | read | write | read >> 2U;
    case node_kind::symlink:
    case node_kind::inner_map:
        return S_IFLNK | 0777;
    case node_kind::dump:
    case node_kind::entry:
        return S_IFREG | read | write;
    case node_kind::stream:
        return S_IFREG | stream_bits(of, read, write);
    case node_kind::info:
    case node_kind::code:
        break;
    }
    return S_IFREG | read;
}

std::shared_ptr<const object_shape> make_shape(bpffs::object opened, const settings& chosen) {
    auto shape = std::make_shared<object_shape>();
    bpffs::error_code why;
    shape->kind = opened.kind();
    if (opened.kind() == bpffs::object_kind::map) {
        const bpffs::map map = bpffs::map::from(std::move(opened), why);
        check(why);
        shape->map = std::make_shared<const map_shape>(map, chosen);
    } else if (opened.kind() == bpffs::object_kind::link) {
        const bpffs::link link = bpffs::link::from(std::move(opened), why);
        check(why);
        shape->iterator = link.info().kind == bpffs::link_kind::iter;
    }
    return shape;
}

// Depth first; what cannot be read is passed by.
std::optional<std::string> find_map(const bpffs::directory& below, const std::string& prefix,
                                    std::uint32_t id) {
    std::optional<std::string> found;
    bpffs::error_code ignored;
    below.for_each(
        [&](const bpffs::directory_entry& entry) {
            bpffs::error_code why;
            const bpffs::location where(below, entry.name);
            if (entry.type == bpffs::file_type::directory) {
                const bpffs::directory next = bpffs::directory::open(where, why);
                found = why ? std::nullopt : find_map(next, prefix + entry.name + '/', id);
            } else if (entry.type == bpffs::file_type::file) {
                const bpffs::pin_info info = bpffs::inspect(where, why);
                if (!why && info.kind == bpffs::object_kind::map && info.id == id) {
                    found = prefix + entry.name;
                }
            }
            return !found;
        },
        ignored);
    return found;
}

} // namespace

bpffs::location place_of(const node& of) {
    return of.parent ? bpffs::location(of.parent->opened, of.name)
                     : bpffs::location(of.opened, ".");
}

struct stat attributes(const node& of) {
    const bool own = of.kind == node_kind::directory || of.kind == node_kind::symlink;
    const bpffs::file_info pin = source_info(own ? of : of.object());
    struct stat about {};
    about.st_ino = of.kind == node_kind::directory ? pin.inode : of.number;
    about.st_mode = mode_of(of, pin.permissions);
    about.st_uid = pin.owner;
    about.st_gid = pin.group;
    about.st_nlink = 1;
    about.st_blksize = 4096;
    about.st_ctim = pin.changed;
    // A map says nothing of when it changed, so whoever goes by this has to look.
    clock_gettime(CLOCK_REALTIME, &about.st_mtim);
    about.st_atim = about.st_mtim;
    return about;
}

bpffs::object open_object(const node& of, bpffs::access rights) {
    const node& pin = of.object();
    bpffs::error_code why;
    bpffs::object opened = bpffs::open_pin(place_of(pin), rights, why);
    if (why == bpffs::errc::unsupported && rights == bpffs::access::read) {
        opened = bpffs::open_pin(place_of(pin), bpffs::access::read_write, why);
    }
    check(why);
    source_info(pin); // another one may have taken the name before it was opened
    return opened;
}

bpffs::map open_map(const node& of, bpffs::access rights) {
    bpffs::error_code why;
    bpffs::map opened = bpffs::map::from(open_object(of, rights), why);
    check(why);
    return opened;
}

std::shared_ptr<const object_shape> shape_of(const node& of, const settings& chosen) {
    const node& pin = of.object();
    std::shared_ptr<const object_shape> shape = pin.shape();
    if (!shape) {
        shape = make_shape(open_object(pin, bpffs::access::read), chosen);
        pin.set_shape(shape);
    }
    return shape;
}

std::shared_ptr<const map_shape> map_shape_of(const node& of, const settings& chosen) {
    std::shared_ptr<const map_shape> shape = shape_of(of, chosen)->map;
    if (!shape) {
        throw refused(ESTALE);
    }
    return shape;
}

std::optional<std::string> path_to_map(const node& from, std::uint32_t id) {
    const node* root = &from;
    std::string up;
    while (root->parent) {
        root = root->parent.get();
        up += "../";
    }
    const auto down = find_map(root->opened, "", id);
    return down ? std::optional(up + *down) : std::nullopt;
}

} // namespace fsctl::view
