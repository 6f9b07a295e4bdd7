// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The files that the kernel knows at the moment. A node lives from the first look-up of its name
// until the kernel forgets it, and stands for one pin: when another one takes the name, that is
// another node, and the old one is stale.
#pragma once

#include "shape.hpp"

#include <bpffs/directory.hpp>
#include <bpffs/kinds.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace fsctl::view {

enum class node_kind : std::uint8_t {
    directory, // one of SOURCE's
    symlink,   // one of SOURCE's
    object,    // a pin, as a directory
    info,      // in it: info.json
    code,      // xlated
    dump,      // all.json
    entries,   // entries/
    stream,    // stream
    entry,     // in entries/: a file
    inner_map  // in entries/: a link to the pin of an inner map
};

struct node;
using node_ref = std::shared_ptr<node>;

// What a pin holds, found out when somebody who may opens it.
struct object_shape {
    bpffs::object_kind kind = bpffs::object_kind::map;
    std::uint32_t id = 0;                 // of the map
    bool iterator = false;                // a link that can be read
    std::shared_ptr<const map_shape> map; // of a map
};

struct node {
    std::uint64_t id = 0; // as the kernel calls it
    node_ref parent;      // null for the root
    std::string name;
    node_kind kind = node_kind::directory;
    std::uint64_t number = 0; // st_ino: SOURCE's for what is there
    bpffs::directory opened;  // of a directory: relative to this everything in it is found
    blob key;                 // of an entry
    std::atomic<unsigned> open_files = 0; // on an entry

    // The nearest object at or above this.
    [[nodiscard]] const node& object() const;

    // What the object holds; null as long as nobody could open it.
    [[nodiscard]] std::shared_ptr<const object_shape> shape() const;
    void set_shape(std::shared_ptr<const object_shape> found) const;

private:
    friend class node_table;
    std::uint64_t lookups_ = 0;
    mutable std::mutex mutex_;
    mutable std::shared_ptr<const object_shape> shape_;
};

// st_ino of something that is in no file system: from where it is and what it is called.
std::uint64_t number_below(std::uint64_t parent, std::string_view name);

class node_table {
public:
    static constexpr std::uint64_t root_id = 1;

    explicit node_table(bpffs::directory source);

    // refused ESTALE for an id that is none.
    [[nodiscard]] node_ref find(std::uint64_t id) const;

    // The node of this name, kind and number in `parent`, made if there is none, and one look-up
    // more to be forgotten. `fill` sets what is left of a new one.
    node_ref enter(const node_ref& parent, std::string_view name, node_kind kind,
                   std::uint64_t number, const std::function<void(node&)>& fill = {});

    void forget(std::uint64_t id, std::uint64_t lookups);

    [[nodiscard]] std::size_t size() const;

private:
    struct place {
        std::uint64_t parent;
        std::string name;
        bool operator==(const place&) const = default;
    };
    struct place_hash {
        std::size_t operator()(const place& at) const {
            return static_cast<std::size_t>(number_below(at.parent, at.name));
        }
    };

    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, node_ref> by_id_;
    std::unordered_map<place, node_ref, place_hash> by_place_;
    std::uint64_t next_id_ = root_id + 1;
};

} // namespace fsctl::view
