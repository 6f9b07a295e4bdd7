// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Looking and opening, always by name relative to the directory that was opened; see pins.hpp.
#include "pins.hpp"

#include "refused.hpp"

#include <bpffs/link.hpp>
#include <bpffs/mount.hpp>

#include <mutex>
#include <unordered_map>

namespace fsctl::view {

namespace {

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

// What stays the same for a pin, by the number of its file: a bpffs gives each a new one, out of 32
// bits. After they have been used up a map is seen to have another id (open_shown), and the pin of
// an inner map is opened before it is shown.
template <typename What> class by_number {
public:
    std::optional<What> find(std::uint64_t number) const {
        const std::scoped_lock lock(mutex_);
        const auto found = known_.find(number);
        return found == known_.end() ? std::nullopt : std::optional(found->second);
    }
    void remember(std::uint64_t number, What what) {
        constexpr std::size_t most = 16384;
        const std::scoped_lock lock(mutex_);
        if (known_.size() >= most) {
            known_.clear();
        }
        known_.insert_or_assign(number, std::move(what));
    }

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, What> known_;
};

by_number<std::shared_ptr<const object_shape>>& known_shapes() {
    static by_number<std::shared_ptr<const object_shape>> all;
    return all;
}

// Of maps their id, of others 0.
by_number<std::uint32_t>& known_ids() {
    static by_number<std::uint32_t> all;
    return all;
}

std::shared_ptr<const object_shape> shape_of_map(const bpffs::map& map, const settings& chosen) {
    auto shape = std::make_shared<object_shape>();
    shape->id = map.info().id;
    shape->map = std::make_shared<const map_shape>(map, chosen);
    return shape;
}

std::shared_ptr<const object_shape> make_shape(bpffs::object opened, const settings& chosen) {
    bpffs::error_code why;
    if (opened.kind() == bpffs::object_kind::map) {
        const bpffs::map map = bpffs::map::from(std::move(opened), why);
        check(why);
        return shape_of_map(map, chosen);
    }
    auto shape = std::make_shared<object_shape>();
    shape->kind = opened.kind();
    if (opened.kind() == bpffs::object_kind::link) {
        const bpffs::link link = bpffs::link::from(std::move(opened), why);
        check(why);
        shape->iterator = link.info().kind == bpffs::link_kind::iter;
    }
    return shape;
}

// Whether the pin is of this map. It is opened as whoever asks, to learn what it is and before it
// is shown; after that it costs nothing to know that it is not.
bool is_pin_of(const bpffs::directory& in, const bpffs::directory_entry& entry, std::uint32_t id) {
    const std::optional<std::uint32_t> known = known_ids().find(entry.inode);
    if (known && *known != id) {
        return false;
    }
    bpffs::error_code why;
    const bpffs::pin_info info = bpffs::inspect({in, entry.name}, why);
    if (why || !info.kind) {
        return false;
    }
    const std::uint32_t found = info.kind == bpffs::object_kind::map ? info.id : 0;
    known_ids().remember(info.inode, found);
    return found == id;
}

std::optional<std::string> find_map(const bpffs::directory& below, const std::string& prefix,
                                    std::uint32_t id);

std::optional<std::string> find_below(const bpffs::directory& in, const std::string& name,
                                      const std::string& prefix, std::uint32_t id) {
    try {
        const auto next = open_below(in, name);
        return next ? find_map(*next, prefix + name + '/', id) : std::nullopt;
    } catch (const refused&) {
        return std::nullopt;
    }
}

// Depth first; what cannot be read is passed by.
std::optional<std::string> find_map(const bpffs::directory& below, const std::string& prefix,
                                    std::uint32_t id) {
    std::optional<std::string> found;
    bpffs::error_code ignored;
    below.for_each(
        [&](const bpffs::directory_entry& entry) {
            if (entry.type == bpffs::file_type::directory) {
                found = find_below(below, entry.name, prefix, id);
            } else if (entry.type == bpffs::file_type::file && is_pin_of(below, entry, id)) {
                found = prefix + entry.name;
            }
            return !found;
        },
        ignored);
    return found;
}

} // namespace

std::optional<bpffs::directory> open_below(const bpffs::directory& in, const std::string& name) {
    bpffs::error_code why;
    bpffs::directory opened = bpffs::directory::open({in, name}, bpffs::symlinks::refuse, why);
    const int number = errno_of(why);
    if (number == ENOTDIR || number == ELOOP) {
        return std::nullopt;
    }
    check(why);
    // Asked of the kernel alone: whose file system it is need not answer.
    if (bpffs::mount_info::id_of(opened.fd()) != bpffs::mount_info::id_of(in.fd()) &&
        bpffs::mount_info::of(opened.fd()).type != "bpf") {
        throw refused(ENOENT);
    }
    return opened;
}

bpffs::location place_of(const node& of) {
    return of.parent ? bpffs::location(of.parent->opened, of.name)
                     : bpffs::location(of.opened, ".");
}

bpffs::file_info look_at_source(const node& of) {
    const bool own = of.kind == node_kind::directory || of.kind == node_kind::symlink;
    const node& there = own ? of : of.object();
    bpffs::error_code why;
    // A directory is held open, so it is the same one wherever it has been moved to.
    const bpffs::location where =
        of.kind == node_kind::directory ? bpffs::location(of.opened, ".") : place_of(there);
    const bpffs::file_info info = bpffs::look_at(where, why);
    check(why);
    if (of.kind != node_kind::directory && info.inode != there.number) {
        throw refused(ESTALE);
    }
    return info;
}

struct stat attributes(const node& of) {
    return attributes(of, look_at_source(of));
}

struct stat attributes(const node& of, const bpffs::file_info& pin) {
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

namespace {

// `seen` is what the pin is after that: another one may have taken its name before.
bpffs::object open_and_look(const node& of, bpffs::access rights, bpffs::file_info& seen) {
    const node& pin = of.object();
    bpffs::error_code why;
    bpffs::object opened = bpffs::open_pin(place_of(pin), rights, why);
    if (why == bpffs::errc::unsupported && rights == bpffs::access::read) {
        opened = bpffs::open_pin(place_of(pin), bpffs::access::read_write, why);
    }
    check(why);
    seen = look_at_source(pin);
    return opened;
}

bpffs::map as_map(bpffs::object opened) {
    bpffs::error_code why;
    bpffs::map map = bpffs::map::from(std::move(opened), why);
    check(why);
    return map;
}

} // namespace

bpffs::object open_object(const node& of, bpffs::access rights) {
    bpffs::file_info seen;
    return open_and_look(of, rights, seen);
}

bpffs::map open_map(const node& of, bpffs::access rights) {
    return as_map(open_object(of, rights));
}

namespace {

// Whether it comes out the same for the next one who asks, and the next time.
bool lasts(const object_shape& shape) {
    return !shape.map || !shape.map->lacks_types();
}

// One that has just been made.
void remember_shape(const node& pin, const std::shared_ptr<const object_shape>& made) {
    if (lasts(*made)) {
        known_shapes().remember(pin.number, made);
    }
}

} // namespace

std::shared_ptr<const object_shape> shape_of(const node& of, const settings& chosen) {
    const node& pin = of.object();
    std::shared_ptr<const object_shape> shape = pin.shape();
    if (!shape) {
        shape = known_shapes().find(pin.number).value_or(nullptr);
        if (!shape) {
            shape = make_shape(open_object(pin, bpffs::access::read), chosen);
            remember_shape(pin, shape);
        }
        if (lasts(*shape)) {
            pin.set_shape(shape);
        }
    }
    return shape;
}

shown_map open_shown(const node& of, bpffs::access rights, const settings& chosen) {
    bpffs::file_info seen;
    bpffs::map map = as_map(open_and_look(of, rights, seen));
    const node& pin = of.object();
    std::shared_ptr<const object_shape> shape = pin.shape();
    if (!shape) {
        shape = known_shapes().find(pin.number).value_or(nullptr);
    }
    if (!shape || shape->id != map.info().id) {
        shape = bpffs::can_read(rights) ? shape_of_map(map, chosen)
                                        : make_shape(open_object(pin, bpffs::access::read), chosen);
        remember_shape(pin, shape);
    }
    if (!shape->map || shape->id != map.info().id) {
        throw refused(ESTALE);
    }
    if (lasts(*shape)) {
        pin.set_shape(shape);
    }
    return {std::move(map), seen, shape->map};
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
