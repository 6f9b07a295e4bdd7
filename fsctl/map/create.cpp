// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// create: a new map as a file. bpftool's full form works as it stands; what is
// left out has a default, and then a line says what was made.
#include "identity.hpp"
#include "operand.hpp"
#include "verbs.hpp"

#include <bpffs/bpffs.hpp>

#include <fmt/ranges.h>

#include <linux/bpf.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace fsctl {

namespace {

using bpffs::map_kind;

struct flag_word {
    std::string_view word;
    std::uint32_t bit;
};

constexpr std::array flag_words = {
    flag_word{"no_prealloc", BPF_F_NO_PREALLOC},
    flag_word{"no_common_lru", BPF_F_NO_COMMON_LRU},
    flag_word{"rdonly", BPF_F_RDONLY},
    flag_word{"wronly", BPF_F_WRONLY},
    flag_word{"zero_seed", BPF_F_ZERO_SEED},
    flag_word{"rdonly_prog", BPF_F_RDONLY_PROG},
    flag_word{"wronly_prog", BPF_F_WRONLY_PROG},
    flag_word{"mmapable", BPF_F_MMAPABLE},
    flag_word{"preserve_elems", BPF_F_PRESERVE_ELEMS},
    flag_word{"inner_map", BPF_F_INNER_MAP},
};

std::uint32_t flag_bit(std::string_view word) {
    std::vector<std::string_view> all;
    for (const flag_word& each : flag_words) {
        if (each.word == word) {
            return each.bit;
        }
        all.push_back(each.word);
    }
    throw usage_error(fmt::format("unknown flag '{}'{}", word, did_you_mean(word, all)),
                      fmt::format("Flags are a number, or of {}.", fmt::join(all, ",")));
}

// A number, or words joined by commas.
std::uint32_t parse_flags(std::string_view text) {
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        return parse_u32(text, "flags");
    }
    std::uint32_t flags = 0;
    for (const std::string_view word : split(text, ',')) {
        flags |= flag_bit(word);
    }
    return flags;
}

map_kind parse_kind(std::string_view word) {
    if (const auto kind = bpffs::from_word<map_kind>(word); kind && *kind != map_kind::unspec) {
        return *kind;
    }
    std::vector<std::string_view> known;
    for (const map_kind each : bpffs::all_of<map_kind>()) {
        known.push_back(bpffs::word(each));
    }
    throw usage_error(fmt::format("unrecognized map type: {}{}", word, did_you_mean(word, known)),
                      fmt::format("Types are {}.", fmt::join(known, " ")));
}

std::uint32_t parse_device(const std::string& name) {
    const unsigned index = if_nametoindex(name.c_str());
    if (index == 0) {
        throw usage_error(fmt::format("unrecognized netdevice '{}': {}", name,
                                      std::strerror(errno))); // NOLINT(concurrency-mt-unsafe)
    }
    return index;
}

// What the words say; what they leave out is empty.
struct create_words {
    std::string file;
    std::optional<map_kind> kind;
    std::optional<std::uint32_t> key;
    std::optional<std::uint32_t> value;
    std::optional<std::uint32_t> entries;
    std::optional<std::uint32_t> flags;
    std::optional<std::string> name;
    std::optional<bpffs::mode> permissions;
    std::optional<operand> inner;
    std::optional<std::uint32_t> device;
};

template <typename Value>
void set_once(std::optional<Value>& into, std::string_view word, Value value) {
    if (into) {
        throw usage_error(fmt::format("{} is given twice", word));
    }
    into = std::move(value);
}

constexpr std::array<std::string_view, 10> create_keywords = {
    "type", "key", "value", "entries", "name", "flags", "mode", "inner_map", "offload_dev", "dev"};

void take_pair(create_words& all, words& given) {
    const std::string_view word = given.keyword(create_keywords);
    if (word == "type") {
        set_once(all.kind, word, parse_kind(given.next("a map type")));
    } else if (word == "key") {
        set_once(all.key, word, parse_u32(given.next("a number of bytes"), "key size"));
    } else if (word == "value") {
        set_once(all.value, word, parse_u32(given.next("a number of bytes"), "value size"));
    } else if (word == "entries") {
        set_once(all.entries, word, parse_u32(given.next("a number"), "max entries"));
    } else if (word == "name") {
        set_once(all.name, word, given.next("a name"));
    } else if (word == "flags") {
        set_once(all.flags, word, parse_flags(given.next("flags")));
    } else if (word == "mode") {
        set_once(all.permissions, word, parse_mode(given.next("a mode")));
    } else if (word == "inner_map") {
        set_once(all.inner, word, take_map(given));
    } else if (!word.empty()) {
        set_once(all.device, word, parse_device(given.next("a network device")));
    } else {
        throw usage_error(fmt::format("unknown arg {}{}", given.peek(),
                                      did_you_mean(given.peek(), create_keywords)));
    }
}

create_words take_create(words& given) {
    create_words all;
    all.file = given.next("the FILE to create");
    while (!given.empty()) {
        take_pair(all, given);
    }
    return all;
}

bool is_ring(map_kind kind) {
    return kind == map_kind::ringbuf || kind == map_kind::user_ringbuf;
}

// Kinds that fix the size of their keys, and what they fix it to.
std::optional<std::uint32_t> fixed_key(map_kind kind) {
    switch (kind) {
    case map_kind::queue:
    case map_kind::stack:
    case map_kind::bloom_filter:
    case map_kind::ringbuf:
    case map_kind::user_ringbuf:
        return 0;
    case map_kind::array:
    case map_kind::percpu_array:
    case map_kind::prog_array:
    case map_kind::perf_event_array:
    case map_kind::cgroup_array:
    case map_kind::array_of_maps:
    case map_kind::stack_trace:
    case map_kind::devmap:
    case map_kind::devmap_hash:
    case map_kind::cpumap:
    case map_kind::xskmap:
    case map_kind::sockmap:
    case map_kind::reuseport_sockarray:
        return 4;
    default:
        return std::nullopt;
    }
}

std::optional<std::uint32_t> fixed_value(map_kind kind) {
    switch (kind) {
    case map_kind::ringbuf:
    case map_kind::user_ringbuf:
        return 0;
    case map_kind::prog_array:
    case map_kind::perf_event_array:
    case map_kind::cgroup_array:
    case map_kind::array_of_maps:
    case map_kind::hash_of_maps:
    case map_kind::devmap:
    case map_kind::devmap_hash:
    case map_kind::cpumap:
    case map_kind::xskmap:
    case map_kind::sockmap:
    case map_kind::sockhash:
        return 4;
    default:
        return std::nullopt;
    }
}

// Defaults follow the kind where it leaves no choice, else the proposal's
// example: 8 bytes to 8 bytes, 64 entries, named after the file.
bpffs::map_spec spec_of(const create_words& given) {
    bpffs::map_spec spec;
    spec.kind = given.kind.value_or(spec.kind);
    spec.key_size = given.key.value_or(fixed_key(spec.kind).value_or(spec.key_size));
    spec.value_size = given.value.value_or(fixed_value(spec.kind).value_or(spec.value_size));
    spec.max_entries = given.entries.value_or(is_ring(spec.kind) ? 4096 : spec.max_entries);
    const std::uint32_t needed = spec.kind == map_kind::lpm_trie ? 1U : 0U; // no_prealloc
    spec.flags = given.flags.value_or(needed);
    spec.name = given.name;
    spec.permissions = given.permissions;
    spec.ifindex = given.device.value_or(0);
    return spec;
}

bool all_given(const create_words& given) {
    return given.kind && given.key && given.value && given.entries && given.name;
}

// Why the kernel refuses such a map with EINVAL, as far as its rules are known.
std::string wrong_about(const bpffs::map_spec& spec) {
    const std::string kind = to_string(spec.kind);
    const auto key = fixed_key(spec.kind);
    const auto value = fixed_value(spec.kind);
    if (key && *key != spec.key_size) {
        return fmt::format("A {} has keys of {} bytes, not {}.", kind, *key, spec.key_size);
    }
    if (value && *value != spec.value_size) {
        return fmt::format("A {} has values of {} bytes, not {}.", kind, *value, spec.value_size);
    }
    if (!key && spec.key_size == 0) {
        return fmt::format("A {} needs keys of at least one byte.", kind);
    }
    if (!value && spec.value_size == 0) {
        return fmt::format("A {} needs values of at least one byte.", kind);
    }
    if (spec.max_entries == 0) {
        return fmt::format("A {} needs room for at least one entry.", kind);
    }
    if (bpffs::traits_of(spec.kind).holds_objects && spec.kind != map_kind::prog_array &&
        !spec.inner_map) {
        return fmt::format("A {} needs a template of the maps it will hold: inner_map MAP.", kind);
    }
    if (spec.kind == map_kind::lpm_trie && spec.key_size < 5) {
        return "A lpm_trie has keys of 5 to 260 bytes: 4 for the length of the prefix, then the "
               "prefix.";
    }
    if (spec.kind == map_kind::lpm_trie && (spec.flags & BPF_F_NO_PREALLOC) == 0) {
        return "A lpm_trie needs flags no_prealloc.";
    }
    if (is_ring(spec.kind)) {
        return fmt::format("The entries of a {} are bytes: a power of two, and whole pages.", kind);
    }
    if (spec.kind == map_kind::sk_storage || spec.kind == map_kind::inode_storage ||
        spec.kind == map_kind::task_storage || spec.kind == map_kind::cgrp_storage) {
        return fmt::format("A {} needs BTF types, which come with a program's object file.", kind);
    }
    return {};
}

bpffs::map create(const std::string& file, const bpffs::map_spec& spec) {
    try {
        return bpffs::create_map(file, spec);
    } catch (const bpffs::error& error) {
        const bool from_kernel = error.code() == boost::system::errc::invalid_argument &&
                                 error.code().category() == boost::system::system_category();
        std::string wrong = from_kernel ? wrong_about(spec) : std::string();
        if (wrong.empty()) {
            throw;
        }
        throw failure(error.what(), std::move(wrong));
    }
}

} // namespace

void map_create(context& with, words& given) {
    const create_words asked = take_create(given);
    bpffs::map_spec spec = spec_of(asked);
    bpffs::map inner;
    if (asked.inner) {
        inner = open_map(*asked.inner, bpffs::access::read);
        spec.inner_map = inner.fd();
    }
    const bpffs::map made = create(asked.file, spec);
    if (!all_given(asked)) {
        const bpffs::map_info& info = made.info();
        with.remark(fmt::format(
            "created '{}': {}, key {} bytes, value {} bytes, {} entries, name {}, mode {}",
            asked.file, to_string(info.kind), info.key_size, info.value_size, info.max_entries,
            info.name, bpffs::inspect(asked.file).permissions.to_string()));
    }
}

} // namespace fsctl
