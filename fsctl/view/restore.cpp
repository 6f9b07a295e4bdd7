// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Making a map hold what a dump says; see restore.hpp.
#include "restore.hpp"

#include "dump_reader.hpp"
#include "refused.hpp"

#include <bpffs/kinds.hpp>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

namespace fsctl::view {

namespace {

// One of the keys or values that stand side by side.
class rows {
public:
    rows(const std::vector<std::byte>& all, std::size_t size) : all_(all), size_(size) {}
    [[nodiscard]] std::size_t count() const { return size_ == 0 ? 0 : all_.size() / size_; }
    [[nodiscard]] bpffs::const_bytes operator[](std::size_t row) const {
        return bpffs::const_bytes(all_).subspan(row * size_, size_);
    }

private:
    const std::vector<std::byte>& all_;
    std::size_t size_;
};

std::string_view as_text(bpffs::const_bytes data) {
    return {reinterpret_cast<const char*>(data.data()), data.size()};
}

// An array's index, a prefix: what no such map takes would be found when others are deleted
// already.
void check_key(const bpffs::map& into, bpffs::const_bytes key) {
    std::uint32_t first = 0;
    std::memcpy(&first, key.data(), std::min(sizeof(first), key.size()));
    switch (into.kind()) {
    case bpffs::map_kind::array:
    case bpffs::map_kind::percpu_array:
    case bpffs::map_kind::devmap:
    case bpffs::map_kind::cpumap:
    case bpffs::map_kind::array_of_maps:
    case bpffs::map_kind::prog_array:
        if (first >= into.info().max_entries) {
            throw wrong_dump(EINVAL, fmt::format("the array has no element {}", first));
        }
        break;
    case bpffs::map_kind::lpm_trie:
        if (first > (key.size() - sizeof(first)) * 8) {
            throw wrong_dump(EINVAL, fmt::format("a prefix of {} bits is too long", first));
        }
        break;
    default:
        break;
    }
}

bool has_deletion(bpffs::map_kind kind) {
    return kind != bpffs::map_kind::array && kind != bpffs::map_kind::percpu_array;
}

void check_keys(const bpffs::map& into, const rows& keys,
                const std::unordered_set<std::string_view>& set) {
    if (set.size() != keys.count()) {
        throw wrong_dump(EINVAL, "a key stands in it twice");
    }
    if (keys.count() > into.info().max_entries) {
        throw wrong_dump(ENOSPC, fmt::format("{} elements, and the map takes {}", keys.count(),
                                             into.info().max_entries));
    }
    for (std::size_t i = 0; i < keys.count(); ++i) {
        check_key(into, keys[i]);
    }
}

void delete_others(bpffs::map& from, const std::unordered_set<std::string_view>& kept) {
    bpffs::error_code why;
    std::vector<std::byte> others;
    bpffs::batch some;
    while (from.lookup_batch(some, why)) {
        for (std::size_t i = 0; i < some.size(); ++i) {
            if (!kept.contains(as_text(some.key(i)))) {
                others.insert(others.end(), some.key(i).begin(), some.key(i).end());
            }
        }
    }
    check(why);
    const rows keys(others, from.key_size());
    for (std::size_t i = 0; i < keys.count(); ++i) {
        from.erase(keys[i], why);
        check(why);
    }
}

} // namespace

void restore(bpffs::map& into, std::string& dump) {
    const bool per_cpu = bpffs::traits_of(into.kind()).per_cpu;
    const elements read = read_dump(dump, into.key_size(), into.info().value_size,
                                    per_cpu ? bpffs::possible_cpus() : 0);
    const rows keys(read.keys, into.key_size());
    const rows values(read.values, into.value_bytes());
    std::unordered_set<std::string_view> set;
    for (std::size_t i = 0; i < keys.count(); ++i) {
        set.insert(as_text(keys[i]));
    }
    check_keys(into, keys, set);
    if (has_deletion(into.kind())) {
        delete_others(into, set);
    }
    for (std::size_t i = 0; i < keys.count(); ++i) {
        bpffs::error_code why;
        into.update(keys[i], values[i], bpffs::update_flag::any, why);
        check(why);
    }
}

std::size_t longest_dump(const bpffs::map& of) {
    // A byte is "0x00" with a comma, on a line of its own at worst, and may be formatted too.
    constexpr std::size_t letters_a_byte = 128;
    constexpr std::size_t letters_an_element = 1024;
    const std::size_t element = (of.key_size() + of.value_bytes()) * letters_a_byte;
    return (element + letters_an_element) * (std::size_t{of.info().max_entries} + 1);
}

} // namespace fsctl::view
