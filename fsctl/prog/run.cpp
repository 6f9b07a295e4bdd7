// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// run: a test run on data and context from files, in bpftool's words.
#include "common/operand.hpp"
#include "common/whole_file.hpp"
#include "verbs.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>

namespace fsctl {

namespace {

constexpr std::uint32_t usual_room = 32 * 1024; // as bpftool

struct order {
    std::string data_in;
    std::string data_out;
    std::string context_in;
    std::string context_out;
    std::uint32_t data_room = usual_room;
    std::uint32_t context_room = usual_room;
    std::uint32_t repeat = 1;
};

order take_order(words& given) {
    order taken;
    while (!given.empty()) {
        const std::string_view keyword =
            given.keyword({"data_in", "data_out", "data_size_out", "ctx_in", "ctx_out",
                           "ctx_size_out", "repeat"});
        if (keyword == "data_in") {
            taken.data_in = given.next("a FILE, or -");
        } else if (keyword == "data_out") {
            taken.data_out = given.next("a FILE, or -");
        } else if (keyword == "ctx_in") {
            taken.context_in = given.next("a FILE, or -");
        } else if (keyword == "ctx_out") {
            taken.context_out = given.next("a FILE, or -");
        } else if (keyword == "data_size_out") {
            taken.data_room = parse_u32(given.next("a size"), keyword);
        } else if (keyword == "ctx_size_out") {
            taken.context_room = parse_u32(given.next("a size"), keyword);
        } else if (keyword == "repeat") {
            taken.repeat = static_cast<std::uint32_t>(parse_number(
                given.next("a number"), keyword, std::numeric_limits<std::int32_t>::max()));
        } else {
            throw usage_error(fmt::format("unexpected word '{}'", given.peek()));
        }
    }
    if (taken.data_in.empty() && taken.context_in.empty()) {
        throw usage_error("expected data_in FILE or ctx_in FILE");
    }
    if (taken.data_in == "-" && taken.context_in == "-") {
        throw usage_error("only one of data_in and ctx_in can be the standard input");
    }
    return taken;
}

std::vector<std::byte> read_all(const std::string& file) {
    std::ifstream opened;
    if (file != "-") {
        opened.open(file, std::ios::binary);
        if (!opened) {
            throw failure(fmt::format("cannot read '{}': {}", file, std::strerror(errno)));
        }
    }
    std::istream& from = file == "-" ? std::cin : opened;
    const std::string text{std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()};
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return {begin, begin + text.size()};
}

// Where the kernel says no more than EINVAL.
std::string remedy_for(const bpffs::error_code& why, const bpffs::program& ran,
                       const order& asked) {
    if (why == boost::system::errc::invalid_argument) {
        return asked.data_in.empty()
                   ? fmt::format("Programs of kind {} do not take this context.",
                                 to_string(ran.info().kind))
                   : fmt::format("Programs of kind {} do not take these data: packets are 14 bytes "
                                 "at least.",
                                 to_string(ran.info().kind));
    }
    if (why == boost::system::errc::no_space_on_device) {
        return "What came out is larger than data_size_out.";
    }
    return {};
}

// As bpftool: an offset, the bytes by twos, the letters by eights.
void print_hex(output& out, bytes data) {
    constexpr std::size_t width = 16;
    for (std::size_t at = 0; at < data.size(); at += width) {
        std::string numbers;
        std::string letters;
        for (std::size_t i = 0; i < width; ++i) {
            const bool there = at + i < data.size();
            const auto value = there ? std::to_integer<unsigned>(data[at + i]) : 0;
            numbers += there ? fmt::format("{:02x}", value) : "  ";
            numbers += i % 2 != 0 ? " " : "";
            if (there) {
                letters += value >= ' ' && value <= '~' ? static_cast<char>(value) : '.';
                letters += i == 7 ? " " : "";
            }
        }
        out.print("{:07x}\t{}| {}\n", at, numbers, letters);
    }
}

void write_out(context& with, std::string_view name, const std::string& file,
               const std::vector<std::byte>& data) {
    if (file.empty() || data.empty()) {
        return;
    }
    if (file != "-") {
        write_whole(file, data);
    } else if (with.chosen.json) {
        with.json.name(name);
        with.json.start_array(); // numbers, as bpftool's
        for (const std::byte each : data) {
            with.json.number(std::to_integer<std::uint64_t>(each));
        }
        with.json.end_array();
    } else {
        print_hex(with.out, data);
    }
}

void print_json_numbers(context& with, const bpffs::test_run_result& result) {
    with.json.member("retval", result.value);
    with.json.member("duration", result.nanoseconds);
    with.json.end_object();
}

} // namespace

void prog_run(context& with, words& given) {
    const operand named = take_program(given);
    const order asked = take_order(given);
    const std::vector<std::byte> data =
        asked.data_in.empty() ? std::vector<std::byte>() : read_all(asked.data_in);
    const std::vector<std::byte> context_data =
        asked.context_in.empty() ? std::vector<std::byte>() : read_all(asked.context_in);
    const bpffs::program ran = open_program(named, bpffs::access::read_write);
    bpffs::test_run_result result;
    try {
        result = ran.test_run({data, context_data, asked.repeat, asked.data_room});
    } catch (const bpffs::error& error) {
        std::string remedy = remedy_for(error.code(), ran, asked);
        if (remedy.empty()) {
            throw;
        }
        throw failure(error.what(), std::move(remedy));
    }
    if (result.context.size() > asked.context_room) { // as the kernel says it of data
        throw failure(
            fmt::format("run program '{}': {}", ran.file().native(), std::strerror(ENOSPC)),
            fmt::format("The context that came out has {} bytes, more than ctx_size_out.",
                        result.context.size()));
    }
    if (with.chosen.json) {
        with.json.start_object();
    }
    write_out(with, "data_out", asked.data_out, result.data);
    write_out(with, "ctx_out", asked.context_out, result.context);
    if (with.chosen.json) {
        print_json_numbers(with, result);
    } else {
        with.out.print("Return value: {}, duration{}: {}ns\n", result.value,
                       asked.repeat > 1 ? " (average)" : "", result.nanoseconds);
    }
}

} // namespace fsctl
