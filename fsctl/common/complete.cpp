// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// From a verb's operands to candidates; see complete.hpp.
#include "complete.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <optional>

#include <net/if.h>
#include <pwd.h>

#include <boost/filesystem/operations.hpp>
#include <bpffs/bpffs.hpp>

namespace fsctl {

namespace {

using list = std::vector<std::string>;

constexpr std::array<std::string_view, 12> option_words = {
    "--json", "--pretty", "--bpffs", "--verbose", "--help", "--version",
    "-j",     "-p",       "-f",      "-v",        "-h",     "-V"};

// A word of the grammar: a keyword, or a place with what may be put there.
struct token {
    std::vector<std::string> names; // of a place: alternatives, "MAP | DIRECTORY"
    bool keyword = false;
    bool dashed = false;   // "--as"
    bool owned = false;    // the place belongs to the keyword before it
    bool repeated = false; // "FILE..."
};

bool is_word(char each) {
    return std::isalnum(static_cast<unsigned char>(each)) != 0 || each == '_';
}

// Puts a word of the operands behind `between`, what stood between it and the last.
void add_token(std::vector<token>& all, std::string word, std::string_view between) {
    token one;
    one.keyword = std::islower(static_cast<unsigned char>(word.front())) != 0;
    one.dashed = between.ends_with("--");
    const bool beside = between.find_first_of("|:") != std::string_view::npos;
    if (!one.keyword && beside && !all.empty() && !all.back().keyword) {
        all.back().names.push_back(std::move(word));
        return;
    }
    one.owned = !one.keyword && !all.empty() && all.back().keyword &&
                between.find_first_not_of(" \n") == std::string_view::npos;
    one.names.push_back(std::move(word));
    all.push_back(std::move(one));
}

// "xlated PROG [file FILE | opcodes]" as words, in order.
std::vector<token> tokens_of(std::string_view operands) {
    std::vector<token> all;
    for (std::size_t at = 0; at < operands.size();) {
        std::size_t begin = at;
        while (begin < operands.size() && !is_word(operands[begin])) {
            ++begin;
        }
        std::size_t end = begin;
        while (end < operands.size() && is_word(operands[end])) {
            ++end;
        }
        if (begin < end) {
            add_token(all, std::string(operands.substr(begin, end - begin)),
                      operands.substr(at, begin - at));
            all.back().repeated = operands.substr(end).starts_with("...");
        }
        at = end > begin ? end : operands.size();
    }
    return all;
}

// The operands, with TARGET as the notes of the tool define it.
std::string grammar_of(const tool& which, const verb& of) {
    constexpr std::string_view name = "TARGET";
    std::string text(of.operands);
    const std::size_t place = text.find(name);
    const std::size_t definition = which.notes.find("TARGET := {");
    if (place != std::string::npos && definition != std::string_view::npos) {
        const std::size_t begin = which.notes.find('{', definition);
        const std::size_t end = which.notes.find('}', begin);
        text.replace(place, name.size(), which.notes.substr(begin, end - begin));
    }
    return text;
}

template <class Enum> void add_words(list& to) {
    for (const Enum each : bpffs::all_of<Enum>()) {
        to.emplace_back(bpffs::word(each));
    }
}

void add_delegable_kinds(list& to) {
    for (const auto each : bpffs::all_of<bpffs::program_kind>()) {
        if (bpffs::can_be_delegated(each)) {
            to.emplace_back(bpffs::word(each));
        }
    }
}

list users() {
    list all;
    ::setpwent();
    while (const passwd* each = ::getpwent()) { // NOLINT(concurrency-mt-unsafe)
        all.emplace_back(each->pw_name);
    }
    ::endpwent();
    return all;
}

list devices() {
    list all;
    if (struct if_nameindex* const found = ::if_nameindex()) {
        for (const struct if_nameindex* each = found; each->if_index != 0; ++each) {
            all.emplace_back(each->if_name);
        }
        ::if_freenameindex(found);
    }
    return all;
}

// What files may be meant.
enum class files { directories, any, pins };

// Whether a pin may hold what is wanted; who may not look cannot say no.
bool may_hold(const bpffs::path& file, const std::optional<bpffs::object_kind>& kind) {
    bpffs::error_code code;
    const bpffs::pin_info info = bpffs::inspect(file, code);
    return !code && (!info.kind || !kind || *info.kind == *kind);
}

// "~/bpf/x" as the shell would see it; the word keeps its form.
bpffs::path expanded(const std::string& text) {
    if (text == "~" || text.starts_with("~/")) {
        const char* home = std::getenv("HOME"); // NOLINT(concurrency-mt-unsafe)
        return (home != nullptr ? home : "") + text.substr(1);
    }
    return text;
}

// The names in the directory that the unfinished word is in.
list paths(const std::string& word, files which,
           const std::optional<bpffs::object_kind>& kind = std::nullopt) {
    const std::size_t slash = word.rfind('/');
    const std::string before = slash == std::string::npos ? "" : word.substr(0, slash + 1);
    const bpffs::path directory = before.empty() ? bpffs::path(".") : expanded(before);
    list all;
    bpffs::error_code code;
    const bpffs::directory opened = bpffs::directory::open(directory, code);
    if (code) {
        return all;
    }
    const bool on_bpffs = opened.is_bpffs(code);
    for (boost::filesystem::directory_iterator each(directory, code), end; !code && each != end;
         each.increment(code)) {
        const std::string name = each->path().filename().native();
        const std::string whole = before + name;
        bpffs::error_code unknown;
        if (!whole.starts_with(word) || (name.front() == '.' && word.size() == before.size())) {
            continue;
        }
        if (boost::filesystem::is_directory(each->path(), unknown)) {
            all.push_back(whole + "/");
        } else if (which == files::any ||
                   (which == files::pins && on_bpffs && may_hold(each->path(), kind))) {
            all.push_back(whole);
        }
    }
    return all;
}

// The object that a tool is for, by its name.
std::optional<bpffs::object_kind> kind_of(const tool& which) {
    for (const auto& [name, kind] : {std::pair{"bpffs-map", bpffs::object_kind::map},
                                     std::pair{"bpffs-prog", bpffs::object_kind::program},
                                     std::pair{"bpffs-link", bpffs::object_kind::link}}) {
        if (which.name == name) {
            return kind;
        }
    }
    return std::nullopt;
}

// Keywords whose FILE is an ordinary one.
bool takes_any_file(std::string_view keyword) {
    constexpr std::array<std::string_view, 6> all = {"file",     "log",    "data_in",
                                                     "data_out", "ctx_in", "ctx_out"};
    return std::find(all.begin(), all.end(), keyword) != all.end();
}

class completion {
public:
    completion(const tool& which, std::string word) : which_(which), word_(std::move(word)) {}

    // What may stand for a word in capital letters behind `keyword`.
    [[nodiscard]] list candidates(std::string_view placeholder, std::string_view keyword) const {
        list all;
        if (which_.words_for != nullptr) {
            all = which_.words_for(placeholder);
        }
        if (!all.empty()) {
            return all;
        }
        if (placeholder == "CAPS" || placeholder == "COMMANDS" || placeholder == "KINDS") {
            all = delegated(keyword);
        } else if (placeholder == "KIND") {
            add_words<bpffs::map_kind>(all);
        } else if (placeholder == "TYPE") {
            add_words<bpffs::program_kind>(all);
        } else if (placeholder == "ATTACH_TYPE") {
            add_words<bpffs::attach_kind>(all);
        } else if (placeholder == "USER" || placeholder == "OWNER") {
            all = users();
        } else if (keyword == "dev") {
            all = devices();
        } else {
            all = files_for(placeholder, keyword);
        }
        return all;
    }

private:
    // Words joined by ':', of which the last is unfinished.
    [[nodiscard]] list delegated(std::string_view keyword) const {
        list all = {"none", "any"};
        if (keyword == "caps") {
            add_words<bpffs::capability>(all);
        } else if (keyword == "cmds") {
            add_words<bpffs::command>(all);
        } else if (keyword == "maps") {
            add_words<bpffs::map_kind>(all);
        } else if (keyword == "progs") {
            add_delegable_kinds(all);
        } else {
            add_words<bpffs::attach_kind>(all);
        }
        const std::string before = word_.substr(0, word_.rfind(':') + 1);
        for (std::string& each : all) {
            each.insert(0, before);
        }
        return all;
    }

    [[nodiscard]] list files_for(std::string_view placeholder, std::string_view keyword) const {
        if (placeholder == "MAP") {
            return paths(word_, files::pins, bpffs::object_kind::map);
        }
        if (placeholder == "PROG") {
            return paths(word_, files::pins, bpffs::object_kind::program);
        }
        if (placeholder == "LINK") {
            return paths(word_, files::pins, bpffs::object_kind::link);
        }
        if (placeholder == "DIR" || placeholder == "DIRECTORY") {
            return paths(word_, files::directories);
        }
        if (placeholder == "OBJ" || (placeholder == "FILE" && takes_any_file(keyword))) {
            return paths(word_, files::any);
        }
        if (placeholder == "FILE" || placeholder == "PATH") {
            return paths(word_, files::pins, kind_of(which_));
        }
        return {};
    }

    const tool& which_;
    std::string word_;
};

// As it is to be typed.
std::string spelling(const token& keyword) {
    return (keyword.dashed ? "--" : "") + keyword.names.front();
}

// The words of a verb that are finished, laid against its grammar.
class position {
public:
    position(const std::vector<token>& grammar, std::span<const std::string> done)
        : grammar_(grammar), used_(grammar.size()) {
        for (std::size_t i = 0; i < done.size(); ++i) {
            const std::size_t keyword = find(done[i]);
            if (keyword == grammar.size()) {
                places_ += names_an_object(done[i]) ? 0 : 1;
                continue;
            }
            used_[keyword] = true;
            if (keyword + 1 < grammar.size() && grammar[keyword + 1].owned) {
                waiting_ = i + 1 == done.size() ? keyword + 1 : 0;
                ++i;
            }
        }
    }

    // Whether this word of the grammar may come now.
    [[nodiscard]] bool is_next(std::size_t at) const {
        const token& each = grammar_[at];
        if (waiting_ != 0) {
            return at == waiting_;
        }
        if (each.keyword) {
            return !used_[at];
        }
        const auto before = static_cast<std::size_t>(
            std::count_if(grammar_.begin(), grammar_.begin() + static_cast<std::ptrdiff_t>(at),
                          [](const token& one) { return !one.keyword && !one.owned; }));
        return !each.owned && (before == places_ || (each.repeated && before < places_));
    }

private:
    // "pinned FILE", "id 7": the first of the two is no operand of its own.
    static bool names_an_object(std::string_view word) {
        return word == "pinned" || word == "id" || word == "name" || word == "tag";
    }

    [[nodiscard]] std::size_t find(std::string_view word) const {
        if (word.starts_with("--")) {
            word.remove_prefix(2);
        }
        const auto found = std::find_if(grammar_.begin(), grammar_.end(), [&](const token& each) {
            return each.keyword && each.names.front() == word;
        });
        return static_cast<std::size_t>(found - grammar_.begin());
    }

    const std::vector<token>& grammar_;
    std::vector<bool> used_;
    std::size_t places_ = 0;  // that have been filled
    std::size_t waiting_ = 0; // the place of the keyword just given; 0: none
};

list next_words(const tool& which, const std::vector<token>& grammar,
                std::span<const std::string> done, const std::string& word) {
    const completion with(which, word);
    const position here(grammar, done);
    list all;
    for (std::size_t at = 0; at < grammar.size(); ++at) {
        const token& each = grammar[at];
        if (!here.is_next(at)) {
            continue;
        }
        if (each.keyword) {
            all.push_back(spelling(each));
            continue;
        }
        const std::string keyword = each.owned ? grammar[at - 1].names.front() : std::string();
        for (const std::string& name : each.names) {
            const list some = with.candidates(name, keyword);
            all.insert(all.end(), some.begin(), some.end());
        }
    }
    return all;
}

list verbs_of(const tool& which) {
    list all = {"help", "version"};
    for (const verb& each : which.verbs) {
        for (const std::string_view name : split(each.names, '|')) {
            all.emplace_back(name);
        }
    }
    return all;
}

const verb* verb_named(const tool& which, std::string_view name) {
    for (const verb& each : which.verbs) {
        const auto names = split(each.names, '|');
        if (std::find(names.begin(), names.end(), name) != names.end()) {
            return &each;
        }
    }
    return nullptr;
}

list options_of(const std::vector<token>& grammar) {
    list all(option_words.begin(), option_words.end());
    for (const token& each : grammar) {
        if (each.dashed) {
            all.push_back(spelling(each));
        }
    }
    return all;
}

bool is_option(const std::string& word) {
    return std::find(option_words.begin(), option_words.end(), word) != option_words.end();
}

} // namespace

std::vector<std::string> complete(const tool& which, std::span<const std::string> arguments) {
    const std::string word = arguments.empty() ? std::string() : arguments.back();
    list done(arguments.begin(), arguments.empty() ? arguments.end() : arguments.end() - 1);
    std::erase_if(done, is_option);
    const bool unnamed = which.verbs.front().names.empty();
    const verb* chosen = &which.verbs.front();
    if (!unnamed) {
        chosen = done.empty() ? nullptr : verb_named(which, done.front());
        done.erase(done.begin(), done.begin() + (done.empty() ? 0 : 1));
    }
    const std::vector<token> grammar =
        chosen != nullptr ? tokens_of(grammar_of(which, *chosen)) : std::vector<token>();
    list all;
    if (word.starts_with('-')) {
        all = options_of(grammar);
    } else if (chosen != nullptr) {
        all = next_words(which, grammar, done, word);
    } else if (std::all_of(arguments.begin(), arguments.end() - (arguments.empty() ? 0 : 1),
                           is_option)) {
        all = verbs_of(which);
    }
    std::erase_if(all, [&](const std::string& each) { return !each.starts_with(word); });
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

} // namespace fsctl
