// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// show: what the policy gives a user, as one table that could stand in a
// policy file, with the line that each value comes from.
#include "json_set.hpp"
#include "policy_file.hpp"
#include "verbs.hpp"

namespace fsctl {

namespace {

std::string toml(const std::string& text) {
    std::string quoted = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') {
            quoted += '\\';
        }
        quoted += letter;
    }
    return quoted + '"';
}
std::string toml(const bpffs::path& file) {
    return toml(file.native());
}
std::string toml(bpffs::mode bits) {
    return toml(bits.octal());
}
std::string toml(bool value) {
    return value ? "true" : "false";
}
std::string toml(visibility which) {
    return toml(std::string(word(which)));
}
std::string toml(std::uint64_t number) {
    return fmt::format("{}", number);
}
std::string toml(memory_size size) {
    return toml(to_string(size));
}
template <class Enum> std::string toml(bpffs::delegated_set<Enum> set) {
    if (set.empty()) {
        return "[]";
    }
    std::string list;
    const std::string text = bpffs::to_string(set);
    for (const std::string_view word : split(text, ':')) {
        list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", word);
    }
    return "[" + list + "]";
}

// What stands for "no limit" or "the login group" is no value of a file.
template <class T> bool can_be_written(const T&) {
    return true;
}
bool can_be_written(std::uint64_t number) {
    return number != 0;
}
bool can_be_written(memory_size size) {
    return size.bytes != 0;
}
bool can_be_written(const std::string& group) {
    return !group.empty();
}

void json_value(json_writer& json, const std::string& text) {
    json.string(text);
}
void json_value(json_writer& json, const bpffs::path& file) {
    json.string(file.native());
}
void json_value(json_writer& json, bpffs::mode bits) {
    json.string(bits.octal());
}
void json_value(json_writer& json, bool value) {
    json.boolean(value);
}
void json_value(json_writer& json, visibility which) {
    json.string(word(which));
}
void json_value(json_writer& json, std::uint64_t number) {
    number != 0 ? json.number(number) : json.null();
}
void json_value(json_writer& json, memory_size size) {
    json_value(json, size.bytes);
}
template <class Enum> void json_value(json_writer& json, bpffs::delegated_set<Enum> set) {
    write_set(json, set);
}

void print_json(context& with, const account& who, const entitlement& gets) {
    json_writer& json = with.json;
    json.start_object();
    json.member("user", who.name);
    json.member("uid", std::uint64_t{who.user});
    each_key(gets, gets, [&](std::string_view name, const auto& one, const auto&) {
        json.name(name);
        json_value(json, one.value);
    });
    json.name("from");
    json.start_object();
    each_key(gets, gets, [&](std::string_view name, const auto& one, const auto&) {
        json.member(name, to_string(one.from));
    });
    json.end_object();
    json.end_object();
}

void print_plain(context& with, const account& who, const entitlement& gets,
                 const origin& decided) {
    with.out.print("[[grant]] # {}\nusers = [{}]\n", to_string(decided), toml(who.name));
    each_key(gets, gets, [&](std::string_view name, const auto& one, const auto&) {
        if (can_be_written(one.value)) {
            with.out.print("{} = {} # {}\n", name, toml(one.value), to_string(one.from));
        }
    });
}

} // namespace

void admin_show(context& with, words& given) {
    const std::string user = given.next("a USER");
    given.end();
    const account who = take_account(user);
    const verdict result = judge(read_policy(), who);
    if (!result.gets) {
        with.remark(result.decided
                        ? fmt::format("{} gets no directory: refused by {}", who.name,
                                      to_string(*result.decided))
                        : fmt::format("{} gets no directory: no policy file names them", who.name));
        throw nothing_found();
    }
    if (with.chosen.json) {
        print_json(with, who, *result.gets);
    } else {
        print_plain(with, who, *result.gets, *result.decided);
    }
}

} // namespace fsctl
