// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// show and list: one program, those pinned below a directory, or all programs of
// the machine (for the privileged), in bpftool's forms.
#include "common/show.hpp"
#include "common/members.hpp"
#include "verbs.hpp"

#include <bpffs/program.hpp>

#include <charconv>
#include <ctime>
#include <fstream>

#include <array>

namespace fsctl {

namespace {

using bpffs::program_info;

constexpr std::size_t longest_name = 15; // that the kernel keeps

std::string tag_text(const program_info& info) {
    std::string text;
    for (const unsigned part : info.tag) {
        text += fmt::format("{:02x}", part);
    }
    return text;
}

// A name that was cut is whole in the types, for those who may read them.
std::string full_name(const bpffs::program& shown) {
    if (shown.info().name.size() < longest_name) {
        return shown.info().name;
    }
    bpffs::error_code refused;
    const bpffs::program_code code = shown.code(refused);
    return code.functions.empty() || code.functions.front().name.empty()
               ? shown.info().name
               : code.functions.front().name;
}

// When it was loaded, in seconds since the epoch.
std::time_t load_time(const program_info& info) {
    timespec now{};
    timespec since_boot{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
    constexpr std::int64_t second = 1'000'000'000;
    return now.tv_sec - since_boot.tv_sec +
           (now.tv_nsec - since_boot.tv_nsec + static_cast<std::int64_t>(info.load_time)) / second;
}

std::string time_text(std::time_t when) {
    std::array<char, 32> text{};
    std::tm parts{};
    ::localtime_r(&when, &parts);
    const std::size_t size = std::strftime(text.data(), text.size(), "%FT%T%z", &parts);
    return {text.data(), size};
}

// Bytes that the kernel charges for it, which only /proc says.
std::optional<std::uint64_t> memory_of(const bpffs::program& shown) {
    std::ifstream file(fmt::format("/proc/self/fdinfo/{}", shown.fd().get()));
    for (std::string line; std::getline(file, line);) {
        std::string_view rest(line);
        if (rest.starts_with("memlock:")) {
            rest.remove_prefix(std::min(rest.find_first_of("0123456789"), rest.size()));
            std::uint64_t value = 0;
            std::from_chars(rest.data(), rest.data() + rest.size(), value);
            return value;
        }
    }
    return std::nullopt;
}

// None where the handle may not be asked for them.
std::vector<std::uint32_t> maps_of(const bpffs::program& shown) {
    bpffs::error_code refused;
    return shown.map_ids(refused);
}

void header_members(json_writer& json, const bpffs::program& shown) {
    const program_info& info = shown.info();
    json.member("id", info.id);
    word_member(json, "type", info.kind);
    if (!info.name.empty()) {
        json.member("name", full_name(shown));
    }
    json.member("tag", tag_text(info));
    json.name("gpl_compatible");
    json.boolean(info.gpl_compatible);
    if (info.run_time != 0) {
        json.member("run_time_ns", info.run_time);
        json.member("run_cnt", info.run_count);
    }
    if (info.recursion_misses != 0) {
        json.member("recursion_misses", info.recursion_misses);
    }
}

void size_members(json_writer& json, const bpffs::program& shown) {
    const program_info& info = shown.info();
    json.member("bytes_xlated", info.translated_bytes);
    json.name("jited");
    json.boolean(info.native_bytes != 0);
    if (info.native_bytes != 0) {
        json.member("bytes_jited", info.native_bytes);
    }
    if (const auto memory = memory_of(shown)) {
        json.member("bytes_memlock", *memory);
    }
}

void print_json(json_writer& json, const bpffs::program& shown,
                const std::vector<std::string>& pins) {
    const program_info& info = shown.info();
    json.start_object();
    header_members(json, shown);
    dev_member(json, info.ifindex);
    if (info.load_time != 0) {
        json.name("loaded_at");
        json.signed_number(load_time(info));
        json.member("uid", info.created_by);
    }
    size_members(json, shown);
    const std::vector<std::uint32_t> maps = maps_of(shown);
    if (!maps.empty()) {
        json.name("map_ids");
        json.start_array();
        for (const std::uint32_t id : maps) {
            json.number(id);
        }
        json.end_array();
    }
    if (info.btf_id != 0) {
        json.member("btf_id", info.btf_id);
    }
    pinned_member(json, pins);
    json.end_object();
}

void print_header_plain(output& out, const bpffs::program& shown) {
    const program_info& info = shown.info();
    out.print("{}: {}  ", info.id, word_or_number("type", info.kind));
    if (!info.name.empty()) {
        out.print("name {}  ", full_name(shown));
    }
    out.print("tag {}", tag_text(info));
    if (info.ifindex != 0) {
        out.print("  offloaded_to {}", device_name(info.ifindex));
    }
    out.print("{}", info.gpl_compatible ? "  gpl" : "");
    if (info.run_time != 0) {
        out.print(" run_time_ns {} run_cnt {}", info.run_time, info.run_count);
    }
    if (info.recursion_misses != 0) {
        out.print(" recursion_misses {}", info.recursion_misses);
    }
    out.put('\n');
}

void print_plain(output& out, const bpffs::program& shown, const std::vector<std::string>& pins) {
    const program_info& info = shown.info();
    print_header_plain(out, shown);
    if (info.load_time != 0) {
        out.print("\tloaded_at {}  uid {}\n", time_text(load_time(info)), info.created_by);
    }
    out.print("\txlated {}B", info.translated_bytes);
    if (info.native_bytes != 0) {
        out.print("  jited {}B", info.native_bytes);
    } else {
        out.write("  not jited");
    }
    if (const auto memory = memory_of(shown)) {
        out.print("  memlock {}B", *memory);
    }
    const std::vector<std::uint32_t> maps = maps_of(shown);
    if (!maps.empty()) {
        out.print("  map_ids {}", fmt::join(maps, ","));
    }
    for (const std::string& pin : pins) {
        out.print("\n\tpinned {}", pin);
    }
    if (info.btf_id != 0) {
        out.print("\n\tbtf_id {}", info.btf_id);
    }
    out.put('\n');
}

} // namespace

template <> struct showing<bpffs::program> {
    static constexpr bpffs::object_kind kind = bpffs::object_kind::program;
    static constexpr std::string_view tool = "bpffs-prog";

    static operand take(words& given) { return take_program(given); }
    static std::vector<bpffs::program> open_all(const operand& named, bpffs::access rights) {
        return open_programs(named, rights);
    }
    static void print(context& with, const bpffs::program& shown,
                      const std::vector<std::string>& pins) {
        with.chosen.json ? print_json(with.json, shown, pins) : print_plain(with.out, shown, pins);
    }
    static void members(json_writer& json, const bpffs::program& shown) {
        header_members(json, shown);
    }
    static std::vector<std::string> cells(const bpffs::program& shown) {
        return {fmt::format("{}: {}", shown.info().id, to_string(shown.info().kind)),
                fmt::format("name {}", full_name(shown))};
    }
};

void prog_show(context& with, words& given) {
    show_objects<bpffs::program>(with, given);
}

} // namespace fsctl
