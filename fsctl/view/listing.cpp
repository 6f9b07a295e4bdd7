// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The three kinds of listings; see listing.hpp.
#include "listing.hpp"

#include "pins.hpp"
#include "refused.hpp"

#include <algorithm>
#include <numeric>

namespace fsctl::view {

namespace {

struct child {
    std::string_view name;
    node_kind kind;
};

std::vector<child> children_of(const object_shape& shape) {
    std::vector<child> all = {{"info.json", node_kind::info}};
    switch (shape.kind) {
    case bpffs::object_kind::program:
        all.push_back({"xlated", node_kind::code});
        break;
    case bpffs::object_kind::link:
        if (shape.iterator) {
            all.push_back({"stream", node_kind::stream});
        }
        break;
    case bpffs::object_kind::map:
        if (shape.map->holds() == store::keys) {
            all.push_back({"all.json", node_kind::dump});
            all.push_back({"entries", node_kind::entries});
        } else if (shape.map->holds() == store::unnamed) {
            all.push_back({"all.json", node_kind::dump});
        } else if (shape.map->holds() == store::stream) {
            all.push_back({"stream", node_kind::stream});
        }
        break;
    }
    return all;
}

class fixed_listing : public listing {
public:
    explicit fixed_listing(std::vector<item> items) : items_(std::move(items)) {}

protected:
    [[nodiscard]] std::size_t kept() const override {
        return std::accumulate(items_.begin(), items_.end(), std::size_t{0},
                               [](std::size_t so_far, const item& each) {
                                   return so_far + sizeof(item) + each.name.size();
                               });
    }
    bool get(std::size_t place, item& out) override {
        if (place >= items_.size()) {
            return false;
        }
        out = items_[place];
        return true;
    }

private:
    std::vector<item> items_;
};

// A place before the batch at hand means going through the map again: the order stays while
// nobody inserts or deletes.
class key_listing : public listing {
public:
    key_listing(std::uint64_t parent, bpffs::map map, std::shared_ptr<const map_shape> shape)
        : parent_(parent), map_(std::move(map)), shape_(std::move(shape)) {}

protected:
    bool get(std::size_t place, item& out) override;
    [[nodiscard]] bool is_further(std::size_t place) const override {
        return place >= first_ + some_.size();
    }

private:
    std::uint64_t parent_;
    bpffs::map map_;
    std::shared_ptr<const map_shape> shape_;
    bpffs::batch some_;
    std::size_t first_ = 0; // place of the first element of the batch
};

bool key_listing::get(std::size_t place, item& out) {
    if (place < first_) {
        some_.rewind();
        first_ = 0;
    }
    while (place >= first_ + some_.size()) {
        first_ += some_.size();
        bpffs::error_code why;
        if (!map_.lookup_batch(some_, why)) {
            check(why);
            return false;
        }
    }
    out.name = shape_->name_of(some_.key(place - first_));
    out.number = number_below(parent_, out.name);
    out.type = shape_->holds_maps() ? 0 : S_IFREG;
    return true;
}

std::unique_ptr<listing> list_directory(const node& of) {
    std::vector<listing::item> items;
    bpffs::error_code why;
    of.opened.for_each(
        [&](const bpffs::directory_entry& entry) {
            const bool link = entry.type == bpffs::file_type::symlink;
            items.push_back({entry.name, entry.inode, link ? mode_t{S_IFLNK} : mode_t{S_IFDIR}});
            return true;
        },
        why);
    check(why);
    return std::make_unique<fixed_listing>(std::move(items));
}

std::unique_ptr<listing> list_object(const node& of, const settings& chosen) {
    open_object(of, bpffs::access::read); // whoever may not read it learns nothing of it
    std::vector<listing::item> items;
    for (const child& each : children_of(*shape_of(of, chosen))) {
        items.push_back({std::string(each.name), number_below(of.number, each.name),
                         each.kind == node_kind::entries ? mode_t{S_IFDIR} : mode_t{S_IFREG}});
    }
    return std::make_unique<fixed_listing>(std::move(items));
}

} // namespace

std::string listing::read(fuse_req_t request, std::size_t size, off_t from) {
    const std::scoped_lock lock(mutex_);
    std::string buffer(size, '\0');
    std::size_t used = 0;
    item next;
    for (off_t at = from;; ++at) {
        // Who has not taken all of a reply asks for the rest of it again.
        if (at > 2 && used > 0 && is_further(static_cast<std::size_t>(at - 2))) {
            break;
        }
        if (at < 2) {
            next = {at == 0 ? "." : "..", 0, S_IFDIR};
        } else if (!get(static_cast<std::size_t>(at - 2), next)) {
            break;
        }
        struct stat about {};
        about.st_ino = next.number;
        about.st_mode = next.type;
        const std::size_t needed = fuse_add_direntry(request, buffer.data() + used, size - used,
                                                     next.name.c_str(), &about, at + 1);
        if (needed > size - used) {
            break;
        }
        used += needed;
    }
    buffer.resize(used);
    return buffer;
}

std::unique_ptr<listing> open_listing(const node_ref& of, const settings& chosen) {
    switch (of->kind) {
    case node_kind::directory:
        return list_directory(*of);
    case node_kind::object:
        return list_object(*of, chosen);
    case node_kind::entries: {
        auto [map, pin, shape] = open_shown(*of, bpffs::access::read, chosen);
        return std::make_unique<key_listing>(of->number, std::move(map), std::move(shape));
    }
    default:
        throw refused(ENOTDIR);
    }
}

std::optional<node_kind> child_of_object(const object_shape& shape, std::string_view name) {
    const std::vector<child> all = children_of(shape);
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const child& each) { return each.name == name; });
    return found == all.end() ? std::nullopt : std::optional(found->kind);
}

} // namespace fsctl::view
