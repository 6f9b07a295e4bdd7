// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// From TOML to rules; see policy_file.hpp.
#include "policy_file.hpp"

#include "common/failure.hpp"
#include "common/words.hpp"
#include "grant.hpp"
#include "trusted.hpp"

#include <bpffs/directory.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>
#include <toml++/toml.h>

namespace fsctl {

namespace {

// A place in a file is wrong: "FILE:LINE:COLUMN: MESSAGE".
failure wrong_at(const origin& where, const std::string& message, std::string remedy = {}) {
    return failure(fmt::format("{}:{}:{}: {}", *where.file, where.line, where.column, message),
                   std::move(remedy));
}

template <class Enum> std::vector<std::string_view> words_of() {
    std::vector<std::string_view> all{"any", "none"};
    for (const Enum value : bpffs::all_of<Enum>()) {
        all.push_back(bpffs::word(value));
    }
    return all;
}

// Reads one file. A part that is wrong is noted, and the rest still read, so
// that one run shows all mistakes.
class reader {
public:
    reader(const bpffs::path& shown, policy& into, failures& wrong)
        : file_(std::make_shared<const std::string>(shown.native())), into_(into), wrong_(wrong) {}

    void read(const std::string& text) {
        try {
            read_top(toml::parse(text, *file_));
        } catch (const toml::parse_error& error) {
            wrong_.add(wrong_at(at(error.source()), std::string(error.description())));
        }
    }

private:
    [[nodiscard]] origin at(const toml::source_region& region) const {
        return {file_, region.begin.line, region.begin.column};
    }
    [[nodiscard]] origin at(const toml::node& node) const { return at(node.source()); }

    template <class Body> void noting(Body body) {
        try {
            body();
        } catch (const failure& error) {
            wrong_.add(error);
        }
    }

    [[noreturn]] void unknown(const toml::key& key,
                              const std::vector<std::string_view>& known) const {
        throw wrong_at(at(key.source()), fmt::format("unknown key '{}'{}", key.str(),
                                                     did_you_mean(key.str(), known)));
    }

    void read_top(const toml::table& top) {
        std::vector<rule> rules;
        for (auto&& [key, node] : top) {
            noting([&, &key = key, &node = node] { read_part(key, node, rules); });
        }
        // TOML keeps tables of one name together; here their order counts.
        std::stable_sort(rules.begin(), rules.end(),
                         [](const rule& a, const rule& b) { return a.from.line < b.from.line; });
        std::move(rules.begin(), rules.end(), std::back_inserter(into_.rules));
    }

    void read_part(const toml::key& key, const toml::node& node, std::vector<rule>& rules) {
        if (key == "grant" || key == "refuse") {
            const rule_kind kind = key == "grant" ? rule_kind::grant : rule_kind::refuse;
            each_table(key, node,
                       [&](const toml::table& table) { rules.push_back(read_rule(table, kind)); });
        } else if (key == "shared") {
            each_table(key, node, [&](const toml::table& table) { read_area(table); });
        } else if (key == "system") {
            read_system(key, node);
        } else {
            unknown(key, {"grant", "refuse", "shared", "system"});
        }
    }

    template <class Use> void each_table(const toml::key& key, const toml::node& node, Use use) {
        const toml::array* list = node.as_array();
        if (list == nullptr || !list->is_array_of_tables()) {
            throw wrong_at(at(key.source()), fmt::format("'{}' is not a list of tables", key.str()),
                           fmt::format("Begin each one with the line [[{}]].", key.str()));
        }
        for (const toml::node& each : *list) {
            noting([&] { use(*each.as_table()); });
        }
    }

    rule read_rule(const toml::table& table, rule_kind kind) {
        rule made;
        made.kind = kind;
        made.from = at(table);
        for (auto&& [key, node] : table) {
            noting([&, &key = key, &node = node] {
                if (key == "users") {
                    read_subjects(made.who, node);
                } else if (kind == rule_kind::refuse) {
                    unknown(key, {"users"});
                } else if (!read_wish(made.says, key, node)) {
                    unknown(key, key_names({"users"}));
                }
            });
        }
        if (!table.contains("users")) {
            throw wrong_at(made.from, "nobody is named", "users = [\"alice\", \"@staff\"]");
        }
        return made;
    }

    void read_area(const toml::table& table) {
        wishes says;
        std::string name;
        for (auto&& [key, node] : table) {
            noting([&, &key = key, &node = node] {
                if (key == "name") {
                    name = area_name(node);
                } else if (key == "link" || key == "memory" || key == "visible" ||
                           !read_wish(says, key, node)) {
                    unknown(key, key_names({"name"}));
                }
            });
        }
        if (!table.contains("name")) {
            throw wrong_at(at(table), "a shared directory needs a name", "name = \"staff\"");
        }
        shared_area& area = area_of(name, at(table));
        overlay(area.what, says);
        if (area.what.group.value.empty()) {
            throw wrong_at(at(table), fmt::format("'{}' is shared by no group", name),
                           "group = \"staff\"");
        }
        noting([&] { check_together(area.what); });
    }

    // A later table of the same name says more about the same directory.
    shared_area& area_of(const std::string& name, const origin& from) {
        const auto known = std::find_if(into_.areas.begin(), into_.areas.end(),
                                        [&](const shared_area& area) { return area.name == name; });
        if (known != into_.areas.end()) {
            return *known;
        }
        shared_area made{name, from, default_entitlement()};
        made.what.mode.value = bpffs::mode(02770);
        made.what.link.value = false;
        return into_.areas.emplace_back(std::move(made));
    }

    std::string area_name(const toml::node& node) const {
        std::string name = text(node);
        if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
            throw wrong_at(at(node), fmt::format("'{}' cannot name a directory", name));
        }
        return name;
    }

    void read_system(const toml::key& key, const toml::node& node) {
        const toml::table* table = node.as_table();
        if (table == nullptr) {
            throw wrong_at(at(key.source()), "'system' is not a table",
                           "Begin it with the line [system].");
        }
        for (auto&& [name, value] : *table) {
            noting([&, &name = name, &value = value] {
                if (name != "fmode") {
                    unknown(name, {"fmode"});
                }
                into_.fmode = setting<bool>{truth(value), at(value)};
            });
        }
    }

    static std::vector<std::string_view> key_names(std::vector<std::string_view> more) {
        const wishes all;
        each_key(all, all,
                 [&](std::string_view name, const auto&, const auto&) { more.push_back(name); });
        return more;
    }

    // False where it is none of these keys.
    bool read_wish(wishes& says, const toml::key& key, const toml::node& node) const {
        bool known = false;
        each_key(says, says, [&](std::string_view name, auto& slot, const auto&) {
            if (name == key.str()) {
                known = true;
                slot.emplace();
                slot->from = at(node);
                take(slot->value, node);
            }
        });
        return known;
    }

    void take(bpffs::path& value, const toml::node& node) const {
        const bpffs::path whole = bpffs::path(text(node)).lexically_normal();
        if (!whole.is_absolute()) {
            throw wrong_at(at(node), "a directory is written in full, from / on");
        }
        value = whole.filename() == "." ? whole.parent_path() : whole;
    }

    void take(bpffs::mode& value, const toml::node& node) const {
        bpffs::error_code bad;
        const std::string given = node.is_string() ? text(node) : std::string();
        value = bpffs::mode::parse(given, bad);
        if (bad) {
            throw wrong_at(at(node), "a mode is octal, and a string", "mode = \"0750\"");
        }
    }

    void take(std::string& value, const toml::node& node) const { value = text(node); }
    void take(bool& value, const toml::node& node) const { value = truth(node); }

    void take(std::uint64_t& value, const toml::node& node) const {
        const std::optional<std::int64_t> number = node.value_exact<std::int64_t>();
        constexpr std::int64_t most = 0x7fffffff; // the kernel's own limit
        if (!number || *number < 1 || *number > most) {
            throw wrong_at(at(node), fmt::format("expected a number above 0, {} at most", most));
        }
        value = static_cast<std::uint64_t>(*number);
    }

    void take(visibility& value, const toml::node& node) const {
        const std::string given = text(node);
        if (given != word(visibility::all) && given != word(visibility::owner)) {
            throw wrong_at(at(node), "a directory is visible to \"all\" or to its \"owner\"",
                           "visible = \"owner\"");
        }
        value = given == word(visibility::owner) ? visibility::owner : visibility::all;
    }

    void take(memory_size& value, const toml::node& node) const {
        const std::string given = node.is_string() ? text(node) : std::string();
        const char* end = given.data() + given.size();
        auto [stop, code] = std::from_chars(given.data(), end, value.bytes);
        constexpr std::string_view units = "KMGT";
        const std::size_t unit = stop == end ? std::string_view::npos : units.find(*stop);
        unsigned shift = 0;
        if (unit != std::string_view::npos) {
            shift = 10 * (static_cast<unsigned>(unit) + 1);
            ++stop;
        }
        constexpr std::uint64_t least = std::uint64_t{1} << 20; // less is a slip of the pen
        constexpr std::uint64_t most = std::uint64_t{1} << 50;
        if (code != std::errc() || stop != end || value.bytes > most >> shift ||
            value.bytes << shift < least) {
            throw wrong_at(at(node), "an amount of memory is a string, of a mebibyte at least",
                           "memory = \"64M\"");
        }
        value.bytes <<= shift;
    }

    template <class Enum>
    void take(bpffs::delegated_set<Enum>& value, const toml::node& node) const {
        std::uint64_t bits = 0;
        each_text(node, [&](const std::string& word, const toml::node& place) {
            bits |= one_set<Enum>(word, place).bits();
        });
        value = bpffs::delegated_set<Enum>::from_bits(bits);
    }

    template <class Enum>
    bpffs::delegated_set<Enum> one_set(const std::string& text, const toml::node& place) const {
        if (text == "none") {
            return {};
        }
        bpffs::error_code bad;
        const auto set = bpffs::parse_set<Enum>(text, bad);
        if (bad) {
            throw wrong_at(at(place), fmt::format("'{}' is not known here{}", text,
                                                  did_you_mean(text, words_of<Enum>())));
        }
        const auto possible = without_impossible(set);
        if (!possible) {
            throw wrong_at(at(place), fmt::format("'{}' {}", text, impossible_capabilities));
        }
        return *possible;
    }

    // A string, or a list of strings.
    template <class Use> void each_text(const toml::node& node, Use use) const {
        if (const toml::array* list = node.as_array()) {
            for (const toml::node& each : *list) {
                use(text(each), each);
            }
        } else {
            use(text(node), node);
        }
    }

    std::string text(const toml::node& node) const {
        const std::optional<std::string> value = node.value_exact<std::string>();
        if (!value) {
            throw wrong_at(at(node), "expected a string, in quotes");
        }
        return *value;
    }

    bool truth(const toml::node& node) const {
        const std::optional<bool> value = node.value_exact<bool>();
        if (!value) {
            throw wrong_at(at(node), "expected true or false");
        }
        return *value;
    }

    std::shared_ptr<const known_group> group_of(const std::string& name) {
        std::shared_ptr<const known_group>& known = into_.groups[name];
        if (!known) {
            known_group asked;
            try {
                asked.is = find_group(name);
            } catch (const failure& error) {
                asked.unanswered = error.what();
            }
            known = std::make_shared<const known_group>(std::move(asked));
        }
        return known;
    }

    void read_subjects(subjects& who, const toml::node& node) {
        each_text(node, [&](const std::string& word, const toml::node& place) {
            const origin from = at(place);
            if (word.starts_with("@") && word.size() > 1) {
                const std::string name = word.substr(1);
                who.groups.emplace(name, named_group{from, group_of(name)});
            } else if (!word.empty() && word.front() >= '0' && word.front() <= '9') {
                who.ranges.push_back(range(word, from));
            } else if (word.empty() || word.front() == '.' || word == "@" || word == "root" ||
                       word.find('/') != std::string::npos) {
                throw wrong_at(from,
                               word == "root"
                                   ? "root needs no directory to be given"
                                   : fmt::format("'{}' is neither a user's name, nor @GROUP, nor "
                                                 "FIRST-LAST in uids",
                                                 word));
            } else {
                who.users.emplace(word, from);
            }
        });
    }

    // "1000" or "1000-1999".
    static uid_range range(const std::string& word, const origin& from) {
        uid_range made;
        const char* end = word.data() + word.size();
        auto [stop, code] = std::from_chars(word.data(), end, made.first);
        made.last = made.first;
        if (code == std::errc() && stop != end && *stop == '-') {
            const auto second = std::from_chars(stop + 1, end, made.last);
            stop = second.ptr;
            code = second.ec;
        }
        constexpr uid_t nobody_at_all = ~uid_t{0};
        if (code != std::errc() || stop != end || made.first == 0 || made.last < made.first ||
            made.last == nobody_at_all) {
            throw wrong_at(from, fmt::format("'{}' is no range of uids above 0", word),
                           "\"1000\" or \"1000-1999\"");
        }
        return made;
    }

    std::shared_ptr<const std::string> file_;
    policy& into_;
    failures& wrong_;
};

std::string read_all(std::FILE* from, const bpffs::path& shown) {
    std::string text;
    std::array<char, 65536> some{};
    for (std::size_t got = 0; (got = std::fread(some.data(), 1, some.size(), from)) > 0;) {
        text.append(some.data(), got);
    }
    if (std::ferror(from) != 0) {
        throw failure(
            fmt::format("{}: cannot be read: {}", shown.native(),
                        bpffs::error_code(errno, boost::system::system_category()).message()));
    }
    return text;
}

// What gives rights must be root's to write; what is only to be looked at need not.
std::string text_of(const bpffs::path& file, file_owner owner) {
    bpffs::owned_fd held = owner == file_owner::root
                               ? open_roots_file(file)
                               : bpffs::owned_fd::adopt(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> from(
        held ? ::fdopen(held.get(), "r") : nullptr, &std::fclose);
    if (!from) {
        throw failure(
            fmt::format("{}: cannot be read: {}", file.native(),
                        bpffs::error_code(errno, boost::system::system_category()).message()));
    }
    (void)held.release(); // the stream's now
    return read_all(from.get(), file);
}

} // namespace

std::span<const bpffs::path> policy_directories() {
    static const std::array<bpffs::path, 3> all = {"/etc/bpffs.d", "/run/bpffs.d",
                                                   "/usr/lib/bpffs.d"};
    return all;
}

std::vector<bpffs::path> policy_files(std::span<const bpffs::path> directories) {
    std::map<std::string, bpffs::path> by_name;
    for (const bpffs::path& each : directories) {
        bpffs::error_code code;
        const bpffs::directory open = bpffs::directory::open(each, code);
        if (code == boost::system::errc::no_such_file_or_directory) {
            continue;
        }
        if (code) {
            throw bpffs::error(code, "open directory", each);
        }
        open.for_each([&](const bpffs::directory_entry& entry) {
            if (entry.name.ends_with(".conf") && entry.name.front() != '.' &&
                entry.type != bpffs::file_type::directory) {
                by_name.emplace(entry.name, each / entry.name);
            }
            return true;
        });
    }
    std::vector<bpffs::path> files;
    files.reserve(by_name.size());
    for (const auto& [name, file] : by_name) {
        files.push_back(file);
    }
    return files;
}

void read_policy_text(const std::string& text, const bpffs::path& shown, policy& into,
                      failures& wrong) {
    reader(shown, into, wrong).read(text);
    into.files.push_back(shown);
}

policy read_policy(const std::vector<bpffs::path>& files, file_owner owner) {
    policy all;
    failures wrong;
    for (const bpffs::path& file : files) {
        try {
            read_policy_text(text_of(file, owner), file, all, wrong);
        } catch (const failure& error) {
            wrong.add(error);
        }
    }
    wrong.throw_any();
    return all;
}

policy read_policy() {
    // Those without files, too: a refusal may have been taken out.
    failures wrong;
    for (const bpffs::path& each : policy_directories()) {
        try {
            check_roots_directory(each);
        } catch (const failure& error) {
            wrong.add(error);
        }
    }
    wrong.throw_any();
    return read_policy(policy_files(policy_directories()), file_owner::root);
}

} // namespace fsctl
