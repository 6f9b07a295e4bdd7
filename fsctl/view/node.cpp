// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Finding, counting and forgetting nodes; see node.hpp.
#include "node.hpp"

#include "refused.hpp"

namespace fsctl::view {

const node& node::object() const {
    const node* each = this;
    while (each->kind != node_kind::object && each->parent) {
        each = each->parent.get();
    }
    return *each;
}

std::shared_ptr<const object_shape> node::shape() const {
    const std::scoped_lock lock(mutex_);
    return shape_;
}

void node::set_shape(std::shared_ptr<const object_shape> found) const {
    const std::scoped_lock lock(mutex_);
    shape_ = std::move(found);
}

std::uint64_t number_below(std::uint64_t parent, std::string_view name) {
    // FNV-1a; the highest bit keeps it apart from the numbers that a bpffs counts up.
    constexpr std::uint64_t prime = 0x100000001b3;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (unsigned i = 0; i < sizeof(parent); ++i) {
        hash = (hash ^ (parent >> (8 * i) & 0xffU)) * prime;
    }
    for (const char letter : name) {
        hash = (hash ^ static_cast<unsigned char>(letter)) * prime;
    }
    return hash | 1ULL << 63U;
}

node_table::node_table(bpffs::directory source) {
    auto root = std::make_shared<node>();
    root->id = root_id;
    root->opened = std::move(source);
    root->lookups_ = 1;
    by_id_.emplace(root_id, std::move(root));
}

node_ref node_table::find(std::uint64_t id) const {
    const std::scoped_lock lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) {
        throw refused(ESTALE);
    }
    return found->second;
}

node_ref node_table::enter(const node_ref& parent, std::string_view name, node_kind kind,
                           std::uint64_t number, const std::function<void(node&)>& fill) {
    const std::scoped_lock lock(mutex_);
    const place at{parent->id, std::string(name)};
    const auto found = by_place_.find(at);
    if (found != by_place_.end() && found->second->kind == kind &&
        found->second->number == number) {
        ++found->second->lookups_;
        return found->second;
    }
    auto made = std::make_shared<node>();
    made->id = next_id_++;
    made->parent = parent;
    made->name = name;
    made->kind = kind;
    made->number = number;
    made->lookups_ = 1;
    if (fill) {
        fill(*made);
    }
    by_id_.emplace(made->id, made);
    by_place_.insert_or_assign(at, made);
    return made;
}

void node_table::forget(std::uint64_t id, std::uint64_t lookups) {
    node_ref last; // let go outside of the lock: parents may follow
    const std::scoped_lock lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || id == root_id) {
        return;
    }
    node& known = *found->second;
    known.lookups_ -= std::min(known.lookups_, lookups);
    if (known.lookups_ > 0) {
        return;
    }
    last = found->second;
    by_id_.erase(found);
    const auto at = by_place_.find({known.parent->id, known.name});
    if (at != by_place_.end() && at->second == last) {
        by_place_.erase(at);
    }
}

std::size_t node_table::size() const {
    const std::scoped_lock lock(mutex_);
    return by_id_.size();
}

} // namespace fsctl::view
