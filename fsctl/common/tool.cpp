// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Options, choice of the verb, usage text and error messages, the same for
// every tool; see tool.hpp.
#include "tool.hpp"

#include "complete.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <bpf/libbpf.h>

namespace fsctl {

void context::remark(std::string_view text) {
    if (!chosen.json) {
        out.print("{}\n", text);
    }
}

namespace {

constexpr std::string_view option_line =
    "OPTIONS := { -j|--json | -p|--pretty | -f|--bpffs | -v|--verbose | -h | -V }";

// One of the words that are left when the options are out.
void add_word(std::vector<std::string>& list, const std::string& word, dashed_keywords spelling) {
    if (word.size() < 2 || word.front() != '-') {
        list.push_back(word);
    } else if (spelling == dashed_keywords::accepted && word.starts_with("--") && word.size() > 2) {
        const std::size_t equals = word.find('=');
        list.push_back(word.substr(2, equals == std::string::npos ? equals : equals - 2));
        if (equals != std::string::npos) {
            list.push_back(word.substr(equals + 1));
        }
    } else {
        throw usage_error(fmt::format("unrecognized option '{}'", word), std::string(option_line));
    }
}

// CLI11 takes the options out of the line, wherever they stand; what remains
// are the words. Behind "--" everything is a word.
std::vector<std::string> take_options(options& chosen, dashed_keywords spelling,
                                      std::span<const std::string> arguments) {
    bool ignored = false;
    CLI::App parser;
    parser.set_help_flag();
    parser.allow_extras();
    parser.add_flag("-j,--json", chosen.json);
    parser.add_flag("-p,--pretty", chosen.pretty);
    parser.add_flag("-f,--bpffs", chosen.pins);
    parser.add_flag("-v,--verbose", chosen.verbose);
    parser.add_flag("-h,--help", chosen.help);
    parser.add_flag("-V,--version", chosen.version);
    // bpftool has these; they change nothing here.
    parser.add_flag("-n,--nomount", ignored);
    parser.add_flag("-d,--debug", ignored);
    parser.add_flag("-l,--legacy", ignored);

    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    std::vector<std::string> before(arguments.begin(), dashes);
    std::reverse(before.begin(), before.end()); // as CLI11 wants them
    try {
        parser.parse(std::move(before));
    } catch (const CLI::ParseError& error) {
        throw usage_error(error.what(), std::string(option_line));
    }
    chosen.json = chosen.json || chosen.pretty;
    std::vector<std::string> list;
    for (const std::string& word : parser.remaining()) {
        add_word(list, word, spelling);
    }
    if (dashes != arguments.end()) {
        list.insert(list.end(), dashes + 1, arguments.end());
    }
    return list;
}

void print_version(const tool& which, context& with) {
    if (with.chosen.json) {
        with.json.start_object();
        with.json.member("version", std::string_view(BPFFS_VERSION));
        with.json.member("libbpf_version",
                         fmt::format("{}.{}", libbpf_major_version(), libbpf_minor_version()));
        with.json.end_object();
    } else {
        with.out.print("{} v{}\nusing libbpf {}.{}\n", which.name, BPFFS_VERSION,
                       libbpf_major_version(), libbpf_minor_version());
    }
}

void print_help(const tool& which, context& with) {
    if (!with.chosen.json) { // bpftool's help prints null with -j
        with.out.write(usage(which));
    }
}

// A verb's name and the verb; help and version have none.
struct command {
    std::string_view name;
    const verb* behind;
};

std::vector<command> commands_of(const tool& which) {
    std::vector<command> all;
    for (const verb& each : which.verbs) {
        for (const std::string_view name : split(each.names, '|')) {
            if (!name.empty()) {
                all.push_back({name, &each});
            }
        }
    }
    all.push_back({"help", nullptr});
    all.push_back({"version", nullptr});
    return all;
}

[[noreturn]] void no_such_command(const tool& which, std::string_view word,
                                  const std::vector<command>& all) {
    std::vector<std::string_view> names;
    names.reserve(all.size());
    for (const command& each : all) {
        names.push_back(each.name);
    }
    throw usage_error(fmt::format("unknown command '{}'{}", word, did_you_mean(word, names)),
                      fmt::format("'{} help' lists the commands.", which.name));
}

// The command that the word names or abbreviates without doubt.
command choose(const tool& which, std::string_view word) {
    const std::vector<command> all = commands_of(which);
    std::vector<command> meant;
    for (const command& each : all) {
        if (each.name == word) {
            return each;
        }
        if (!word.empty() && each.name.starts_with(word)) {
            meant.push_back(each);
        }
    }
    if (meant.empty()) {
        no_such_command(which, word, all);
    }
    if (meant.size() > 1) {
        std::string names;
        for (const command& each : meant) {
            names += fmt::format("{}'{}'", names.empty() ? "" : " or ", each.name);
        }
        throw usage_error(fmt::format("command '{}' could be {}", word, names));
    }
    if (meant.front().behind != nullptr && meant.front().behind->does == effect::destructive) {
        throw usage_error(
            fmt::format("command '{}' is not written in full", word),
            fmt::format("'{}' cannot be undone, so it has no abbreviation.", meant.front().name));
    }
    return meant.front();
}

// "usage: bpffs-map lookup MAP [key DATA]", in one line.
std::string usage_line(const tool& which, const command& chosen) {
    std::string operands(chosen.behind->operands);
    std::replace(operands.begin(), operands.end(), '\n', ' ');
    return fmt::format("usage: {}{}{} {}", which.name, chosen.name.empty() ? "" : " ", chosen.name,
                       operands);
}

// Of a tool without names of verbs, all words belong to its only verb, but for
// the two words that every tool knows.
command take_command(const tool& which, words& given) {
    const verb& first = which.verbs.front();
    const bool unnamed = first.names.empty() && given.peek() != "help" && given.peek() != "version";
    return unnamed ? command{{}, &first} : choose(which, given.next("a command"));
}

void run_verb(const tool& which, context& with, words& given) {
    const command chosen = take_command(which, given);
    if (chosen.behind == nullptr) {
        chosen.name == "help" ? print_help(which, with) : print_version(which, with);
        return;
    }
    try {
        chosen.behind->run(with, given);
    } catch (const usage_error& error) {
        if (!error.remedy().empty()) {
            throw;
        }
        throw usage_error(error.what(), usage_line(which, chosen));
    }
}

void dispatch(const tool& which, context& with, words& given) {
    if (with.chosen.help) {
        print_help(which, with);
    } else if (with.chosen.version) {
        print_version(which, with);
    } else if (given.empty() && !which.verbs.front().names.empty()) {
        throw usage_error("expected a command",
                          fmt::format("'{} help' lists the commands.", which.name));
    } else {
        run_verb(which, with, given);
    }
}

// Errors go to err in words; with -j they are part of the JSON.
void tell(context& with, std::vector<trouble> list) {
    for (trouble& each : list) {
        if (!with.chosen.verbose) {
            each.findings.clear();
        }
    }
    if (with.chosen.json) {
        if (list.size() > 1 && with.json.untouched()) {
            with.json.start_array();
        }
        with.json.fail(list);
        return;
    }
    with.out.flush(); // what was found before the error comes first
    for (const trouble& each : list) {
        with.process.err << "Error: " << each.message << '\n';
        if (!each.remedy.empty()) {
            with.process.err << each.remedy << '\n';
        }
        for (const std::string& one : each.findings) {
            with.process.err << "- " << one << '\n';
        }
    }
    with.process.err.flush();
}

exit_status status_of(const std::exception& error) {
    const auto* own = dynamic_cast<const complaint*>(&error);
    return own != nullptr ? own->status() : exit_status::failed;
}

// Runs `body`; what it throws is told and becomes the status.
template <typename Body> exit_status guarded(context& with, Body body) {
    try {
        body();
        return exit_status::ok;
    } catch (const nothing_found&) {
        return exit_status::failed;
    } catch (const failures& several) {
        tell(with, several.list());
        return exit_status::failed;
    } catch (const std::exception& error) {
        tell(with, {describe(error)});
        return status_of(error);
    }
}

exit_status run_guarded(const tool& which, context& with, options& chosen,
                        std::span<const std::string> arguments) {
    const exit_status status = guarded(with, [&] {
        words given(take_options(chosen, which.dashes, arguments));
        with.json.set_pretty(chosen.pretty);
        dispatch(which, with, given);
    });
    if (chosen.json) {
        if (with.json.untouched()) {
            with.json.null();
        }
        with.out.put('\n');
    }
    with.out.flush();
    return status;
}

} // namespace

std::string usage(const tool& which) {
    const bool unnamed = which.verbs.front().names.empty();
    std::string text = unnamed ? fmt::format("Usage: {} [OPTIONS]", which.name)
                               : fmt::format("Usage: {} [OPTIONS] COMMAND ...\n", which.name);
    for (const verb& each : which.verbs) {
        std::string_view name = each.names;
        std::string_view indent = " "; // of a tool's only verb: it goes on
        for (const std::string_view line : split(each.operands, '\n')) {
            text += unnamed ? fmt::format("{}{}\n", indent, line)
                            : fmt::format("  {:<13} {}\n", name, line);
            name = {};
            indent = "  ";
        }
    }
    text += unnamed ? "" : "  help|version\n";
    for (const std::string_view part : {which.notes, option_line}) {
        text += fmt::format("{}\n", part);
    }
    return text + fmt::format("Examples:\n{}\n", which.examples);
}

int run(const tool& which, env& process, std::span<const std::string> arguments) {
    output out(process.out);
    if (!arguments.empty() && arguments.front() == completion_word) {
        for (const std::string& each : complete(which, arguments.subspan(1))) {
            out.print("{}\n", each);
        }
        out.flush();
        return 0;
    }
    options chosen;
    json_writer json(out);
    context with{process, chosen, out, json};
    try {
        return static_cast<int>(run_guarded(which, with, chosen, arguments));
    } catch (const std::exception& error) { // the output itself failed
        process.err << "Error: " << error.what() << std::endl;
        return static_cast<int>(exit_status::failed);
    }
}

int run_main(const tool& which, int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    const bool watched = isatty(STDOUT_FILENO) == 1;
    const char* no_color = std::getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe)
    const bool colours = watched && (no_color == nullptr || *no_color == '\0');
    env process{std::cout, std::cerr, isatty(STDERR_FILENO) == 1 && !watched, watched, colours};
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    return run(which, process, arguments);
}

} // namespace fsctl
