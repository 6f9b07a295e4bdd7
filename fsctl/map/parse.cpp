// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Reading keys and values; see parse.hpp.
#include "parse.hpp"

#include "common/data.hpp"
#include "common/failure.hpp"

#include <bpffs/kinds.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace fsctl {

namespace {

// Per-CPU maps get the value on every CPU.
std::vector<std::byte> for_every_cpu(const std::vector<std::byte>& value, const bpffs::map& meant) {
    std::vector<std::byte> all(meant.value_bytes());
    const std::size_t cpus = std::max<std::size_t>(1, bpffs::possible_cpus());
    for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
        std::copy(value.begin(), value.end(),
                  all.begin() + static_cast<std::ptrdiff_t>(cpu * (all.size() / cpus)));
    }
    return all;
}

// What the elements of some kinds are can only be had by the process that
// opened it; a number on a command line would mean a descriptor of ours.
std::string_view held_by_a_process(bpffs::map_kind kind) {
    switch (kind) {
    case bpffs::map_kind::perf_event_array:
        return "perf events";
    case bpffs::map_kind::cgroup_array:
        return "cgroups";
    case bpffs::map_kind::sockmap:
    case bpffs::map_kind::sockhash:
    case bpffs::map_kind::xskmap:
    case bpffs::map_kind::reuseport_sockarray:
        return "sockets";
    default:
        return {};
    }
}

value_words take_value(words& given, const bpffs::map& meant) {
    if (const std::string_view what = held_by_a_process(meant.kind()); !what.empty()) {
        throw failure(fmt::format("update '{}': a {} holds {}, which words cannot name",
                                  meant.file().native(), to_string(meant.kind()), what),
                      "The process that has one open puts it in, through its descriptor.");
    }
    if (meant.kind() == bpffs::map_kind::prog_array) {
        return {{}, take_program(given)};
    }
    if (bpffs::traits_of(meant.kind()).holds_objects) {
        return {{}, take_map(given)};
    }
    const std::vector<std::byte> one = parse_data(given, "value", meant.info().value_size);
    return {bpffs::traits_of(meant.kind()).per_cpu ? for_every_cpu(one, meant) : one, {}};
}

bpffs::update_flag flag_of(std::string_view word) {
    if (word == "exist") {
        return bpffs::update_flag::exist;
    }
    return word == "noexist" ? bpffs::update_flag::noexist : bpffs::update_flag::any;
}

void take_key_into(std::optional<std::vector<std::byte>>& key, words& given,
                   const bpffs::map& meant) {
    if (meant.key_size() == 0) {
        throw usage_error(
            fmt::format("unnecessary key: a {} has no keys", to_string(meant.kind())));
    }
    if (key) {
        throw usage_error("duplicate key");
    }
    key = parse_data(given, "key", meant.key_size());
}

// One of the clauses, whichever comes next.
void take_clause(element_words& all, bool& flag_given, words& given, const bpffs::map& meant,
                 value_part value) {
    const bool with_value = value == value_part::required;
    const std::string_view word = with_value
                                      ? given.keyword({"key", "value", "any", "exist", "noexist"})
                                      : given.keyword({"key"});
    if (word == "key") {
        take_key_into(all.key, given, meant);
    } else if (word == "value") {
        if (all.value) {
            throw usage_error("duplicate value");
        }
        all.value = take_value(given, meant);
    } else if (!word.empty()) {
        if (flag_given) {
            throw usage_error(fmt::format("flags specified multiple times: {}", word));
        }
        flag_given = true;
        all.flag = flag_of(word);
    } else {
        throw usage_error(
            fmt::format("expected {}, got: {}", with_value ? "key or value" : "key", given.peek()));
    }
}

} // namespace

element_words take_element(words& given, const bpffs::map& meant, value_part value) {
    element_words all;
    bool flag_given = false;
    while (!given.empty()) {
        take_clause(all, flag_given, given, meant, value);
    }
    if (!all.key) {
        if (meant.key_size() != 0) {
            throw usage_error("did not find key");
        }
        all.key.emplace();
    }
    if (value == value_part::required && !all.value) {
        throw usage_error("did not find value");
    }
    return all;
}

std::optional<std::vector<std::byte>> take_optional_key(words& given, const bpffs::map& meant) {
    if (given.empty()) {
        return std::nullopt;
    }
    return take_key(given, meant);
}

std::vector<std::byte> take_key(words& given, const bpffs::map& meant) {
    return *take_element(given, meant, value_part::none).key;
}

} // namespace fsctl
