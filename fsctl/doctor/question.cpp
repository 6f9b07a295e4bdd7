// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// From words to a question; see question.hpp.
#include "question.hpp"

#include "common/account.hpp"
#include "common/failure.hpp"
#include "common/identity.hpp"
#include "doctor_tool.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace fsctl {

namespace {

using bpffs::access;
using bpffs::object_kind;
using bpffs::wanted;

constexpr std::array words_of_deeds = {
    std::string_view{"read"},   std::string_view{"write"}, std::string_view{"open"},
    std::string_view{"attach"}, std::string_view{"run"},   std::string_view{"update"},
    std::string_view{"detach"}, std::string_view{"pin"},   std::string_view{"create"},
    std::string_view{"load"},   std::string_view{"chmod"}, std::string_view{"chown"},
    std::string_view{"rm"}};

// In the order of words_of_deeds.
const std::array<deed, words_of_deeds.size()>& deeds() {
    static const std::array<deed, words_of_deeds.size()> all = {{
        {"read", wanted::to_open(access::read)},
        {"write", wanted::to_open(access::write)},
        {"open", wanted::to_open(access::read_write)},
        {"attach", wanted::to_open(access::write), object_kind::program},
        {"run", wanted::to_open(access::read_write), object_kind::program},
        {"update", wanted::to_open(access::write)},
        {"detach", wanted::to_open(access::write), object_kind::link},
        {"pin", wanted::to_pin(access::read_write)},
        {"create", wanted::to_create(bpffs::map_kind::hash)},
        {"load", wanted::to_load(bpffs::program_kind::socket_filter, {})},
        {"chmod", wanted::to_change_mode()},
        {"chown", wanted::to_change_owner()},
        {"rm", wanted::to_remove()},
    }};
    return all;
}

deed take_deed(words& given) {
    const std::string word = given.next("what it is for");
    const auto& all = deeds();
    const auto* found =
        std::find_if(all.begin(), all.end(), [&](const deed& each) { return each.word == word; });
    if (found == all.end()) {
        throw usage_error(fmt::format("--for '{}': there is no such deed{}", word,
                                      did_you_mean(word, words_of_deeds)),
                          fmt::format("Deeds are {}.", fmt::join(words_of_deeds, ", ")));
    }
    return *found;
}

template <class Enum> Enum take_kind(words& given, std::string_view what) {
    const std::string word = given.next(what);
    const std::optional<Enum> found = bpffs::from_word<Enum>(word);
    if (!found) {
        throw usage_error(
            fmt::format("'{}' is not {}", word, what),
            "These are the kernel's words, as bpftool and the mount options have them.");
    }
    return *found;
}

// --type and --attach say more about create and load.
void take_kinds(words& given, std::string_view keyword, std::optional<deed>& of) {
    const auto what = of ? of->wish.what : bpffs::action::open;
    if (keyword == "type" && what == bpffs::action::create) {
        of->wish.kind = take_kind<bpffs::map_kind>(given, "a kind of map");
    } else if (keyword == "type" && what == bpffs::action::load) {
        of->wish.program = take_kind<bpffs::program_kind>(given, "a kind of program");
    } else if (keyword == "attach" && what == bpffs::action::load) {
        of->wish.attach = take_kind<bpffs::attach_kind>(given, "an attach type");
    } else {
        throw usage_error(fmt::format("--{} belongs behind --for {}", keyword,
                                      keyword == "type" ? "create or --for load" : "load"));
    }
}

// Somebody else's identity, as it is when they have logged in.
void become(question& asked, const std::string& user) {
    if (asked.identity.user != 0) {
        throw failure("--as is for root only",
                      "Without it the doctor speaks of yourself; root can look for anybody.");
    }
    const std::optional<account> found = find_account(user);
    if (!found) {
        throw usage_error(fmt::format("there is no user '{}'", user),
                          "Users are those of 'getent passwd', by name or number.");
    }
    asked.who = found->name;
    asked.identity.user = found->user;
    asked.identity.group = found->group;
    asked.identity.groups = found->groups;
    asked.identity.capabilities = found->user == 0 ? ~std::uint64_t{0} : 0;
}

// ~/bpf, which bpffs-admin makes, or the one that every machine has.
bpffs::path usual_place(const question& asked) {
    const std::optional<account> found = find_account(fmt::format("{}", asked.identity.user));
    if (found) {
        bpffs::error_code none;
        bpffs::path own = found->home / "bpf";
        if (bpffs::directory::open(own, none)) {
            return own;
        }
    }
    return "/sys/fs/bpf";
}

// Keywords stand in full: everything else is a path.
std::string_view take_keyword(words& given) {
    for (const std::string_view each : {"as", "for", "type", "attach"}) {
        if (given.peek() == each) {
            given.next(each);
            return each;
        }
    }
    return {};
}

} // namespace

std::span<const deed> all_deeds() {
    return deeds();
}

std::span<const std::string_view> doctor_deeds() {
    return words_of_deeds;
}

question take_question(words& given) {
    question asked;
    asked.identity = bpffs::identity::of_caller();
    asked.who = user_name(asked.identity.user);
    std::optional<std::string> file;
    while (!given.empty()) {
        const std::string_view keyword = take_keyword(given);
        if (keyword == "as") {
            become(asked, given.next("a USER"));
        } else if (keyword == "for") {
            asked.wanted = take_deed(given);
        } else if (!keyword.empty()) {
            take_kinds(given, keyword, asked.wanted);
        } else if (!file) {
            file = given.next("a PATH");
        } else {
            throw usage_error(fmt::format("unexpected word '{}'", given.peek()));
        }
    }
    asked.file = file ? bpffs::path(*file) : usual_place(asked);
    return asked;
}

} // namespace fsctl
