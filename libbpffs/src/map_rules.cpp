// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The rules of the map_alloc_check functions of kernel/bpf, as sentences. Only asked after the
// kernel has refused: where it knows better, or newer, it decides.
#include "map_rules.hpp"

#include <fmt/format.h>

#include <linux/bpf.h>

#include <unistd.h>

#include <bit>
#include <optional>

namespace bpffs {
namespace {

/// Sizes that a kind insists on.
struct fixed_sizes {
    std::optional<std::uint32_t> key;
    std::optional<std::uint32_t> value;
};

fixed_sizes fixed_sizes_of(map_kind kind) {
    switch (kind) {
    case map_kind::array:
    case map_kind::percpu_array:
    case map_kind::stack_trace:
    case map_kind::devmap:
    case map_kind::devmap_hash:
    case map_kind::cpumap:
    case map_kind::sockmap:
    case map_kind::reuseport_sockarray:
    case map_kind::inode_storage:
    case map_kind::task_storage:
    case map_kind::sk_storage:
    case map_kind::cgrp_storage:
        return {4, std::nullopt};
    case map_kind::prog_array:
    case map_kind::perf_event_array:
    case map_kind::cgroup_array:
    case map_kind::array_of_maps:
    case map_kind::xskmap:
        return {4, 4};
    case map_kind::hash_of_maps:
        return {std::nullopt, 4};
    case map_kind::queue:
    case map_kind::stack:
    case map_kind::bloom_filter:
        return {0, std::nullopt};
    case map_kind::ringbuf:
    case map_kind::user_ringbuf:
    case map_kind::arena:
        return {0, 0};
    default:
        return {};
    }
}

std::string wrong_size(const map_spec& spec) {
    const auto [key, value] = fixed_sizes_of(spec.kind);
    const std::string kind = to_string(spec.kind);
    if (key && spec.key_size != *key) {
        return fmt::format("a {} has keys of {} bytes, not {}", kind, *key, spec.key_size);
    }
    if (value && spec.value_size != *value) {
        return fmt::format("a {} has values of {} bytes, not {}", kind, *value, spec.value_size);
    }
    if (!key && spec.key_size == 0) {
        return fmt::format("the key of a {} has at least 1 byte", kind);
    }
    if (!value && spec.value_size == 0) {
        return fmt::format("the value of a {} has at least 1 byte", kind);
    }
    return {};
}

bool is_ring(map_kind kind) {
    return kind == map_kind::ringbuf || kind == map_kind::user_ringbuf;
}

/// Kinds that keep a value with a socket, task and so on, and have no number of entries.
bool is_local_storage(map_kind kind) {
    return kind == map_kind::sk_storage || kind == map_kind::inode_storage ||
           kind == map_kind::task_storage || kind == map_kind::cgrp_storage;
}

std::string wrong_entries(const map_spec& spec) {
    const std::string kind = to_string(spec.kind);
    if (is_local_storage(spec.kind) || spec.kind == map_kind::cgroup_storage ||
        spec.kind == map_kind::percpu_cgroup_storage) {
        return spec.max_entries == 0 ? ""
                                     : fmt::format("a {} has 0 entries, not {}: it grows by itself",
                                                   kind, spec.max_entries);
    }
    if (spec.max_entries == 0) {
        return fmt::format("a {} has at least 1 entry", kind);
    }
    const auto page = static_cast<std::uint32_t>(::getpagesize());
    if (is_ring(spec.kind) &&
        (!std::has_single_bit(spec.max_entries) || spec.max_entries % page != 0)) {
        return fmt::format("the entries of a {} are its bytes: a power of two and a multiple of "
                           "{}, not {}",
                           kind, page, spec.max_entries);
    }
    return {};
}

std::string wrong_extras(const map_spec& spec) {
    const std::string kind = to_string(spec.kind);
    const bool holds_maps =
        spec.kind == map_kind::array_of_maps || spec.kind == map_kind::hash_of_maps;
    if (holds_maps && !spec.inner_map) {
        return fmt::format("a {} needs an inner map as template", kind);
    }
    if (spec.kind == map_kind::lpm_trie) {
        if ((spec.flags & BPF_F_NO_PREALLOC) == 0) {
            return "an lpm_trie needs the flag BPF_F_NO_PREALLOC (1)";
        }
        if (spec.key_size < 5 || spec.key_size > 260) {
            return fmt::format("the key of an lpm_trie is a prefix length of 4 bytes and 1 to 256 "
                               "bytes, not {} together",
                               spec.key_size);
        }
    }
    if (spec.kind == map_kind::arena && (spec.flags & BPF_F_MMAPABLE) == 0) {
        return "an arena needs the flag BPF_F_MMAPABLE (0x400)";
    }
    if (spec.kind == map_kind::struct_ops) {
        return "a struct_ops is made by whoever loads its programs";
    }
    if (is_local_storage(spec.kind) && ((spec.flags & BPF_F_NO_PREALLOC) == 0 || !spec.btf)) {
        return fmt::format("a {} needs the flag BPF_F_NO_PREALLOC (1) and BTF types", kind);
    }
    return {};
}

} // namespace

std::string what_is_wrong_with(const map_spec& spec) {
    if (word(spec.kind).empty() || spec.kind == map_kind::unspec) {
        return fmt::format("this kernel has no map of {}", to_string(spec.kind));
    }
    for (const auto rule : {wrong_size, wrong_entries, wrong_extras}) {
        if (std::string words = rule(spec); !words.empty()) {
            return words;
        }
    }
    return {};
}

map_spec default_spec(map_kind kind) {
    map_spec spec;
    spec.kind = kind;
    const auto [key, value] = fixed_sizes_of(kind);
    spec.key_size = key.value_or(spec.key_size);
    spec.value_size = value.value_or(spec.value_size);
    switch (kind) {
    case map_kind::devmap:
    case map_kind::devmap_hash:
    case map_kind::cpumap:
    case map_kind::sockmap:
    case map_kind::sockhash:
        spec.value_size = 4; // the smaller of two that they take
        break;
    case map_kind::ringbuf:
    case map_kind::user_ringbuf:
        spec.max_entries = static_cast<std::uint32_t>(::getpagesize());
        break;
    case map_kind::lpm_trie:
        spec.flags = BPF_F_NO_PREALLOC;
        break;
    case map_kind::arena:
        spec.flags = BPF_F_MMAPABLE;
        break;
    case map_kind::cgroup_storage:
    case map_kind::percpu_cgroup_storage:
        spec.max_entries = 0;
        break;
    case map_kind::sk_storage:
    case map_kind::inode_storage:
    case map_kind::task_storage:
    case map_kind::cgrp_storage:
        spec.max_entries = 0;
        spec.flags = BPF_F_NO_PREALLOC;
        break;
    default:
        break;
    }
    return spec;
}

} // namespace bpffs
