// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// create: a new map as a file. bpftool's full form works as it stands; what is
// left out has a default, and then a line says what was made.
#include "common/identity.hpp"
#include "common/operand.hpp"
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

// Defaults follow the kind where it leaves no choice, else the proposal's
// example: 8 bytes to 8 bytes, 64 entries, named after the file.
bpffs::map_spec spec_of(const create_words& given) {
    bpffs::map_spec spec = bpffs::default_spec(given.kind.value_or(map_kind::hash));
    spec.key_size = given.key.value_or(spec.key_size);
    spec.value_size = given.value.value_or(spec.value_size);
    spec.max_entries = given.entries.value_or(spec.max_entries);
    spec.flags = given.flags.value_or(spec.flags);
    spec.name = given.name;
    spec.permissions = given.permissions;
    spec.ifindex = given.device.value_or(0);
    return spec;
}

bool all_given(const create_words& given) {
    return given.kind && given.key && given.value && given.entries && given.name;
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
    const bpffs::map made = bpffs::create_map(asked.file, spec);
    if (!all_given(asked)) {
        const bpffs::map_info& info = made.info();
        with.remark(fmt::format(
            "created '{}': {}, key {} bytes, value {} bytes, {} entries, name {}, mode {}",
            asked.file, to_string(info.kind), info.key_size, info.value_size, info.max_entries,
            info.name, bpffs::inspect(asked.file).permissions.to_string()));
    }
}

} // namespace fsctl
