// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Reading a grant; see grant.hpp.
#include "grant.hpp"

#include "common/failure.hpp"

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

namespace fsctl {

namespace {

template <class Enum> bpffs::delegated_set<Enum> take_set(words& given, std::string_view what) {
    const std::string word = given.next(what);
    if (word == "none") {
        return {};
    }
    bpffs::delegated_set<Enum> set;
    try {
        set = bpffs::parse_set<Enum>(word);
    } catch (const bpffs::error& error) {
        throw usage_error(fmt::format("'{}' are not {}: {}", word, what, error.detail()));
    }
    const auto possible = without_impossible(set);
    if (!possible) {
        throw usage_error(fmt::format("'{}' {}", word, impossible_capabilities));
    }
    return *possible;
}

bpffs::mode take_mode(words& given) {
    const std::string word = given.next("a mode");
    bpffs::error_code wrong;
    const bpffs::mode bits = bpffs::mode::parse(word, wrong);
    if (wrong) {
        throw usage_error(fmt::format("'{}' is not a mode", word),
                          "The mode of a directory is octal: 0700, 0750, 02770.");
    }
    return bits;
}

// What the kernel would refuse, in words.
void check(const grant& wanted) {
    if ((wanted.bits.bits() & 0002U) != 0 && !wanted.delegated.capabilities.empty()) {
        throw usage_error(
            fmt::format("mode {} lets everybody write", wanted.bits.octal()),
            "Whoever may write the directory has what is delegated there: leave out o+w, or give "
            "no capabilities (caps none).");
    }
}

} // namespace

bpffs::delegation default_delegation() {
    using bpffs::map_kind;
    bpffs::delegation all;
    all.commands = {bpffs::command::map_create, bpffs::command::btf_load};
    all.maps = {map_kind::hash,         map_kind::array,         map_kind::percpu_hash,
                map_kind::percpu_array, map_kind::lru_hash,      map_kind::lru_percpu_hash,
                map_kind::lpm_trie,     map_kind::array_of_maps, map_kind::hash_of_maps,
                map_kind::queue,        map_kind::stack,         map_kind::ringbuf,
                map_kind::bloom_filter};
    all.capabilities = {bpffs::capability::bpf};
    return all;
}

std::optional<bpffs::delegated_set<bpffs::capability>>
without_impossible(bpffs::delegated_set<bpffs::capability> set) {
    bpffs::delegated_set<bpffs::capability> possible;
    for (const bpffs::capability one : bpffs::all_of<bpffs::capability>()) {
        possible.insert(one);
    }
    if (set.is_any()) {
        return possible;
    }
    return (set.bits() & ~possible.bits()) == 0 ? std::optional(set) : std::nullopt;
}

bpffs::path take_base(words& given) {
    const std::string word = given.next("a directory");
    if (word.empty()) {
        throw usage_error("the directory's name is empty");
    }
    const bpffs::path whole = boost::filesystem::absolute(word).lexically_normal();
    // "/run/x/" comes out as "/run/x/.", and is the same.
    return whole.filename() == "." ? whole.parent_path() : whole;
}

grant take_grant(words& given) {
    grant wanted;
    wanted.delegated = default_delegation();
    while (!given.empty()) {
        const std::string_view key =
            given.keyword({"mode", "caps", "cmds", "maps", "progs", "attachs", "dir", "nolink"});
        if (key == "mode") {
            wanted.bits = take_mode(given);
        } else if (key == "caps") {
            wanted.delegated.capabilities = take_set<bpffs::capability>(given, "capabilities");
        } else if (key == "cmds") {
            wanted.delegated.commands = take_set<bpffs::command>(given, "commands");
        } else if (key == "maps") {
            wanted.delegated.maps = take_set<bpffs::map_kind>(given, "kinds of maps");
        } else if (key == "progs") {
            wanted.delegated.programs = take_set<bpffs::program_kind>(given, "kinds of programs");
        } else if (key == "attachs") {
            wanted.delegated.attachments = take_set<bpffs::attach_kind>(given, "attach types");
        } else if (key == "dir") {
            wanted.base = take_base(given);
        } else if (key == "nolink") {
            wanted.link = home_link_policy::leave;
        } else {
            given.end();
        }
    }
    check(wanted);
    return wanted;
}

} // namespace fsctl
