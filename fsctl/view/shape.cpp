// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Forms of keys and values by what the map is, what the user says and what its BTF says.
#include "shape.hpp"

#include "refused.hpp"

#include "common/element.hpp"
#include "common/words.hpp"

#include <bpffs/kinds.hpp>

#include <algorithm>
#include <cstring>

namespace fsctl::view {

namespace {

using kind = bpffs::map_kind;

// FUSE's own limit.
constexpr std::size_t longest_name = 1024;
// An escaped letter takes four.
constexpr std::size_t longest_named_string = longest_name / 4;

store store_of(kind which) {
    switch (which) {
    case kind::queue:
    case kind::stack:
    case kind::ringbuf:
    case kind::user_ringbuf:
        return store::stream;
    case kind::bloom_filter:
    case kind::arena:
    case kind::sk_storage: // the keys are descriptors
    case kind::inode_storage:
    case kind::task_storage:
    case kind::cgrp_storage:
        return store::none;
    default:
        return store::keys;
    }
}

bool has_index(kind which) {
    switch (which) {
    case kind::array:
    case kind::percpu_array:
    case kind::prog_array:
    case kind::perf_event_array:
    case kind::cgroup_array:
    case kind::array_of_maps:
    case kind::devmap:
    case kind::cpumap:
    case kind::xskmap:
    case kind::sockmap:
    case kind::reuseport_sockarray:
        return true;
    default:
        return false;
    }
}

text_form form_of(const std::string& told, const map_types& types, std::uint32_t type,
                  std::size_t size) {
    if (const auto form = text_form::named(told, size)) {
        return *form;
    }
    return types && type != 0 ? text_form::typed(types.get(), type, size)
                              : text_form::hexadecimal(size);
}

text_form key_form(const bpffs::map_info& info, const map_types& types, const settings& chosen) {
    const std::size_t size = info.key_size;
    if (info.kind == kind::lpm_trie) {
        return text_form::prefix(size);
    }
    if (has_index(info.kind)) {
        return *text_form::named("u32", sizeof(std::uint32_t));
    }
    const text_form form = form_of(chosen.key, types, info.btf_key_type, size);
    return size > longest_named_string ? text_form::hexadecimal(size) : form;
}

text_form value_form(const bpffs::map_info& info, const map_types& types, const settings& chosen) {
    if (bpffs::traits_of(info.kind).holds_objects && info.value_size == sizeof(std::uint32_t)) {
        return *text_form::named("u32", sizeof(std::uint32_t)); // an id
    }
    return form_of(chosen.value, types, info.btf_value_type, info.value_size);
}

} // namespace

map_shape::map_shape(const bpffs::map& of, const settings& chosen)
    : info_(of.info()),
      types_(of),
      holds_(store_of(of.kind())),
      holds_maps_(of.kind() == kind::array_of_maps || of.kind() == kind::hash_of_maps),
      index_(has_index(of.kind())),
      cpus_(bpffs::traits_of(of.kind()).per_cpu ? bpffs::possible_cpus() : 1),
      key_(text_form::hexadecimal(0)),
      value_(text_form::hexadecimal(0)),
      told_value_(chosen.value) {
    key_ = key_form(info_, types_, chosen);
    // A text of such a value would take many times this in memory, for each who asks for its size.
    constexpr std::size_t largest_value = std::size_t{16} << 20U;
    constexpr std::size_t letters_a_byte = 2;
    if (cpus_ * info_.value_size > largest_value) {
        holds_ = is_ring() ? holds_ : store::none;
    } else if (holds_ == store::keys && key_.is_hexadecimal() &&
               info_.key_size > longest_name / letters_a_byte) {
        holds_ = store::unnamed;
    }
    value_ = value_form(info_, types_, chosen);
    const bool told = text_form::named(chosen.value, info_.value_size).has_value();
    if (value_.is_hexadecimal() && !told && types_ && info_.btf_value_type != 0 &&
        !bpffs::traits_of(info_.kind).holds_objects) {
        typed_value_.emplace(types_.get(), info_.btf_value_type, info_.value_size);
    }
}

bool map_shape::takes_text() const noexcept {
    switch (info_.kind) {
    case kind::ringbuf:
    case kind::sockmap:
    case kind::sockhash:
    case kind::xskmap:
    case kind::reuseport_sockarray:
    case kind::stack_trace:
    case kind::struct_ops:
        return false;
    case kind::devmap:
    case kind::devmap_hash:
    case kind::cpumap:
        return info_.value_size == sizeof(std::uint32_t); // more has a program in it
    default:
        return !bpffs::traits_of(info_.kind).holds_objects;
    }
}

bool map_shape::deletes() const noexcept {
    return info_.kind != kind::array && info_.kind != kind::percpu_array;
}

std::optional<blob> map_shape::key_of(std::string_view name) const {
    std::optional<blob> key = key_.read(name);
    if (!key || key_.write(*key) != name) { // a second name of the same key is none
        return std::nullopt;
    }
    if (index_) {
        std::uint32_t index = 0;
        std::memcpy(&index, key->data(), sizeof(index));
        return index < info_.max_entries ? key : std::nullopt;
    }
    return key;
}

// With its types, where that says all of it; else hexadecimal, which always does.
std::string map_shape::slot_text(bytes slot) const {
    if (typed_value_) {
        std::string text = typed_value_->write(slot);
        const std::optional<blob> again = slot_of(text);
        if (text.size() < longest_slot() && again && std::ranges::equal(*again, slot)) {
            return text;
        }
    }
    return value_.write(slot);
}

std::optional<blob> map_shape::slot_of(std::string_view line) const {
    std::optional<blob> slot = value_.read(line);
    return slot || !typed_value_ ? std::move(slot) : typed_value_->read(line);
}

std::string map_shape::text_of(bytes value) const {
    std::string text;
    const std::size_t step = value.size() / cpus_;
    for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
        text += slot_text(value.subspan(cpu * step, info_.value_size));
        text += '\n';
    }
    return text;
}

std::optional<blob> map_shape::value_of(std::string_view text) const {
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    std::vector<blob> slots;
    for (const std::string_view line : split(text, '\n')) {
        std::optional<blob> slot = slot_of(line);
        if (!slot) {
            return std::nullopt;
        }
        slots.push_back(std::move(*slot));
    }
    if (slots.size() != 1 && slots.size() != cpus_) {
        return std::nullopt;
    }
    if (cpus_ == 1) {
        return slots.front();
    }
    const std::size_t step = (static_cast<std::size_t>(info_.value_size) + 7) / 8 * 8;
    blob value(step * cpus_);
    for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
        const blob& slot = slots.size() == 1 ? slots.front() : slots[cpu];
        std::copy(slot.begin(), slot.end(),
                  value.begin() + static_cast<std::ptrdiff_t>(cpu * step));
    }
    return value;
}

std::string map_shape::text_of_record(bytes record) const {
    const auto form = text_form::named(told_value_, record.size());
    return (form ? *form : text_form::hexadecimal(record.size())).write(record) + '\n';
}

std::optional<blob> map_shape::record_of(std::string_view line) const {
    if (told_value_ == "str") {
        constexpr std::size_t more_than_a_letter = 3; // \x00
        const auto escapes = static_cast<std::size_t>(std::count(line.begin(), line.end(), '\\'));
        const std::size_t size = line.size() - std::min(line.size(), escapes * more_than_a_letter);
        return text_form::named("str", size)->read(line);
    }
    for (const std::size_t size : {1, 2, 4, 8, 16}) {
        const auto form = text_form::named(told_value_, size);
        if (form && told_value_ != "hex") {
            return form->read(line);
        }
    }
    return text_form::hexadecimal(line.size() / 2).read(line);
}

std::size_t map_shape::longest_slot() const noexcept {
    // An escaped letter takes four, a number of one byte with its sign four as well.
    constexpr std::size_t address = 46;
    // With types it is as long as the names are; this is far more than people write.
    constexpr std::size_t typed = 4096;
    constexpr std::size_t typed_byte = 64;
    return typed_value_ ? typed + info_.value_size * typed_byte
                        : std::max(std::size_t{info_.value_size} * 4, address) + 1;
}

std::size_t map_shape::longest_text() const noexcept {
    return is_ring() ? std::size_t{info_.max_entries} * 4 : cpus_ * longest_slot();
}

bool map_shape::find(const bpffs::map& in, bytes key, std::span<std::byte> value) const {
    bpffs::error_code why;
    if (info_.kind == kind::lpm_trie) {
        // next_key starts again from the first key where the one given is none of the trie's.
        blob first(key.size());
        blob next(key.size());
        const bool any = in.next_key({}, first, why);
        check(why);
        const bool more = any && in.next_key(key, next, why);
        check(why);
        if (!any || (more && next == first)) {
            return false;
        }
    }
    const bool found = in.lookup(key, value, why);
    check(why);
    return found;
}

} // namespace fsctl::view
