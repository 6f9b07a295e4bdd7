// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A tool is a table of verbs. From the table come the usage text and the
// choice of the verb (abbreviations must be unique, destructive verbs stand in
// full); run() reads the options, calls the verb and turns what it throws into
// an error message and an exit status: 0, 1 the operation failed, 2 the words
// were wrong.
#pragma once

#include "env.hpp"
#include "failure.hpp"
#include "json.hpp"
#include "output.hpp"
#include "words.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fsctl {

struct options {
    bool json = false;
    bool pretty = false;
    bool pins = false;    // -f: show the paths of pins
    bool verbose = false; // -v: with an error, everything that stands in the way
    bool help = false;
    bool version = false;
};

// What a verb works with.
struct context {
    env& process;
    const options& chosen;
    output& out;       // plain results
    json_writer& json; // results with -j; a verb that prints none prints null

    // A remark for a person; nothing with -j.
    void remark(std::string_view text);
};

enum class effect { harmless, destructive };

struct verb {
    std::string_view names;    // "show|list": all names of this verb; empty: the tool's only one
    std::string_view operands; // "MAP [key DATA]"
    void (*run)(context&, words&);
    effect does = effect::harmless; // destructive: its name must stand in full
};

// Whether keywords may be written as options too: "--mode 0750", "--mode=0750"
// for "mode 0750". For tools that have no counterpart in bpftool's grammar.
enum class dashed_keywords { refused, accepted };

struct tool {
    std::string_view name;
    std::span<const verb> verbs; // help and version come with every tool
    std::string_view notes;      // lines below the verbs: what MAP, DATA, … are
    std::string_view examples;   // lines that work as typed
    dashed_keywords dashes = dashed_keywords::refused;
    // For completion: the words that may stand for a word in capital letters, where
    // it means something particular to this tool. Nothing where it does not.
    std::vector<std::string> (*words_for)(std::string_view place) = nullptr;
};

// Runs the tool on the words behind its name and returns the exit status.
// Throws nothing: all that goes wrong becomes a message and a status.
int run(const tool& which, env& process, std::span<const std::string> arguments);

// The body of main(): the real streams, the real arguments.
int run_main(const tool& which, int argc, char** argv);

// The usage text, as `help` prints it.
std::string usage(const tool& which);

} // namespace fsctl
