// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// load and loadall: an object file into the kernel, by the authority of the
// directory that its pins go to, whole or not at all. What the verifier says
// about a program it refuses is shown from its end, where the reason is.
#include "common/identity.hpp"
#include "common/operand.hpp"
#include "common/whole_file.hpp"
#include "verbs.hpp"

#include <bpffs/object_file.hpp>

#include <utility>

#include <bpf/libbpf.h>

namespace fsctl {

namespace {

struct kind_and_attach {
    bpffs::program_kind kind = bpffs::program_kind::unspec;
    bpffs::attach_kind attach{};
};

// What both verbs are told.
struct order {
    std::string file;
    std::string where;
    std::optional<kind_and_attach> type;
    std::vector<std::pair<std::string, operand>> maps; // by name; "#2" by index
    std::optional<bpffs::mode> bits;
    std::string log; // file for the verifier's log
};

// A section's name as libbpf knows them ("xdp", "cgroup_skb/egress"), or the
// kernel's word.
kind_and_attach parse_type(const std::string& word) {
    if (const auto known = bpffs::from_word<bpffs::program_kind>(word)) {
        return {*known, {}};
    }
    bpf_prog_type kind{};
    bpf_attach_type attach{};
    libbpf_set_print(nullptr);
    if (libbpf_prog_type_by_name(word.c_str(), &kind, &attach) != 0 &&
        libbpf_prog_type_by_name((word + "/").c_str(), &kind, &attach) != 0) {
        throw usage_error(fmt::format("unknown program type '{}'", word),
                          "A TYPE is the name of a section, such as cgroup_skb/egress, or the "
                          "kernel's word, such as socket_filter.");
    }
    return {static_cast<bpffs::program_kind>(kind), static_cast<bpffs::attach_kind>(attach)};
}

std::pair<std::string, operand> take_replacement(words& given) {
    std::string name;
    if (given.keyword({"name", "idx"}) == "idx") {
        name = fmt::format("#{}", parse_u32(given.next("an index"), "idx"));
    } else {
        name = given.next("the NAME of a map in the file");
    }
    return {std::move(name), take_map(given)};
}

order take_order(words& given, std::string_view where) {
    order taken;
    taken.file = given.next("an object file");
    taken.where = given.next(where);
    while (!given.empty()) {
        const std::string_view keyword = given.keyword({"type", "map", "mode", "log"});
        if (keyword == "type") {
            taken.type = parse_type(given.next("a TYPE"));
        } else if (keyword == "map") {
            taken.maps.push_back(take_replacement(given));
        } else if (keyword == "mode") {
            taken.bits = parse_mode(given.next("a mode"));
        } else if (keyword == "log") {
            taken.log = given.next("the file for the verifier's log");
        } else {
            throw usage_error(fmt::format("expected no more words, 'type', 'map', 'mode' or "
                                          "'log', got '{}'",
                                          given.peek()));
        }
    }
    return taken;
}

// The name behind "#2".
std::string name_of_map(const bpffs::object_file& file, const std::string& name) {
    if (!name.starts_with('#')) {
        return name;
    }
    const std::size_t index = std::stoul(name.substr(1));
    if (index >= file.maps().size()) {
        throw failure(fmt::format("'{}' has no map with the index {}", file.file().native(), index),
                      fmt::format("It has {} maps.", file.maps().size()));
    }
    return file.maps()[index].name;
}

bpffs::object_file open_file(const order& given) {
    bpffs::object_file file = bpffs::object_file::open(given.file);
    if (file.programs().empty()) {
        throw failure(fmt::format("'{}' has no programs", given.file),
                      "A program is a function in a section of its own: SEC(\"socket\").");
    }
    for (const auto& [name, map] : given.maps) {
        file.reuse(name_of_map(file, name), open_map(map, bpffs::access::read_write));
    }
    if (given.type) {
        for (const bpffs::file_program& each : std::vector(file.programs())) {
            file.set_kind(each.name, given.type->kind, given.type->attach);
        }
    }
    return file;
}

// The last lines, without the statistics that follow the reason.
std::string end_of(std::string_view log) {
    constexpr std::size_t most = 12;
    std::vector<std::string_view> lines;
    for (const std::string_view line : split(log, '\n')) {
        if (!line.empty() && !line.starts_with("processed ")) {
            lines.push_back(line);
        }
    }
    const std::size_t first = lines.size() > most ? lines.size() - most : 0;
    std::string text = first > 0 ? fmt::format("  ({} lines before)\n", first) : std::string();
    for (std::size_t i = first; i < lines.size(); ++i) {
        text += fmt::format("  {}\n", lines[i]);
    }
    return text;
}

void write_log(const std::string& file, const std::string& log) {
    if (!file.empty()) {
        write_whole(file, log);
    }
}

// What there is to say about a refusal, with the log where the verifier wrote one.
[[noreturn]] void refuse(const bpffs::error& error, const order& given, const bpffs::wanted& wish,
                         const std::string& log) {
    if (log.empty() && error.code() == bpffs::errc::not_creatable) {
        // The place of the pin says why, not the object file.
        throw bpffs::error(error.code(), "load", given.where, error.detail(), wish,
                           error.attempts());
    }
    if (log.empty()) {
        throw error;
    }
    throw failure(error.what(),
                  fmt::format("The verifier's log ends:\n{}{}", end_of(log),
                              given.log.empty() ? "The whole: --log FILE"
                                                : fmt::format("The whole is in '{}'.", given.log)));
}

// Runs `load` with a place for the verifier's log.
template <typename Load>
auto with_log(const order& given, const bpffs::file_program& first, Load load) {
    std::string log;
    bpffs::load_options options;
    options.log = &log;
    options.log_level = given.log.empty() ? 0 : 1;
    try {
        auto loaded = load(options);
        write_log(given.log, log);
        return loaded;
    } catch (const bpffs::error& error) {
        write_log(given.log, log);
        refuse(error, given, bpffs::wanted::to_load(first.kind, first.attach), log);
    }
}

} // namespace

void prog_load(context& /*with*/, words& given) {
    const order taken = take_order(given, "the FILE to pin the program as");
    bpffs::object_file file = open_file(taken);
    const std::vector<bpffs::file_program> programs = file.programs();
    for (std::size_t i = 1; i < programs.size(); ++i) {
        file.skip(programs[i].name);
    }
    const bpffs::path where(taken.where);
    const bpffs::directory above =
        bpffs::directory::open(where.has_parent_path() ? where.parent_path() : bpffs::path("."));
    const bpffs::loaded_file loaded =
        with_log(taken, programs.front(),
                 [&](const bpffs::load_options& options) { return file.load(above, options); });
    loaded.programs.front().handle.pin({above, where.filename()}, taken.bits);
}

void prog_load_all(context& /*with*/, words& given) {
    const order taken = take_order(given, "the DIRECTORY to make for the pins");
    bpffs::object_file file = open_file(taken);
    bpffs::load_pinned_options options;
    options.program_permissions = taken.bits;
    const bpffs::file_program first = file.programs().front();
    with_log(taken, first, [&](const bpffs::load_options& loading) {
        options.loading = loading;
        return bpffs::load_pinned(std::move(file), taken.where, options);
    });
}

} // namespace fsctl
