// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Details in bpftool's plain and JSON forms; see details_text.hpp. The words for
// perf events and places in netfilter are those of bpftool's link.c.
#include "details_text.hpp"

#include <array>
#include <string_view>

#include <linux/netfilter.h>
#include <linux/netfilter_arp.h>
#include <linux/perf_event.h>

#include <fmt/format.h>

namespace fsctl {

namespace {

using bpffs::iterator_details;
using bpffs::kernel_function;
using bpffs::kprobe_multi_details;
using bpffs::link_details;
using bpffs::link_info;
using bpffs::netfilter_hook;
using bpffs::perf_event_details;
using bpffs::perf_source;
using bpffs::probed_at;
using bpffs::uprobe_multi_details;
using bpffs::user_function;

template <std::size_t Size>
std::string_view word_at(const std::array<std::string_view, Size>& words, std::uint64_t index) {
    return index < Size ? words[index] : std::string_view();
}

// --- perf events

std::string_view event_type_word(std::uint32_t type) {
    constexpr std::array<std::string_view, 6> words = {"hardware", "software", "tracepoint",
                                                       "hw-cache", "raw",      "breakpoint"};
    return word_at(words, type);
}

std::string cache_part(std::string_view word, std::uint64_t number) {
    return word.empty() ? fmt::format("{}", number) : std::string(word);
}

std::string cache_words(std::uint64_t config) {
    constexpr std::array<std::string_view, 7> caches = {"L1-dcache", "L1-icache", "LLC", "dTLB",
                                                        "iTLB",      "branch",    "node"};
    constexpr std::array<std::string_view, 3> deeds = {"load", "store", "prefetch"};
    constexpr std::array<std::string_view, 2> results = {"refs", "misses"};
    const std::uint64_t cache = config & 0xff;
    const std::uint64_t deed = config >> 8 & 0xff;
    const std::uint64_t result = config >> 16;
    return fmt::format("{}-{}-{}", cache_part(word_at(caches, cache), cache),
                       cache_part(word_at(deeds, deed), deed),
                       cache_part(word_at(results, result), result));
}

// The word for what is counted, or nothing.
std::string event_config_word(std::uint32_t type, std::uint64_t config) {
    constexpr std::array<std::string_view, 10> hardware = {"cpu-cycles",
                                                           "instructions",
                                                           "cache-references",
                                                           "cache-misses",
                                                           "branch-instructions",
                                                           "branch-misses",
                                                           "bus-cycles",
                                                           "stalled-cycles-frontend",
                                                           "stalled-cycles-backend",
                                                           "ref-cycles"};
    constexpr std::array<std::string_view, 12> software = {
        "cpu-clock",        "task-clock",   "page-faults",  "context-switches",
        "cpu-migrations",   "minor-faults", "major-faults", "alignment-faults",
        "emulation-faults", "dummy",        "bpf-output",   "cgroup-switches"};
    switch (type) {
    case PERF_TYPE_HARDWARE:
        return std::string(word_at(hardware, config));
    case PERF_TYPE_SOFTWARE:
        return std::string(word_at(software, config));
    case PERF_TYPE_HW_CACHE:
        return cache_words(config);
    default:
        return {};
    }
}

bool at_return(perf_source source) {
    return source == perf_source::kretprobe || source == perf_source::uretprobe;
}

void flag_member(json_writer& json, std::string_view name, bool value) {
    json.name(name);
    json.boolean(value);
}

// The word, or the number where there is none.
void word_or_number_member(json_writer& json, std::string_view name, std::string_view word,
                           std::uint64_t number) {
    word.empty() ? json.member(name, number) : json.member(name, word);
}

void event_members(json_writer& json, const perf_event_details& of) {
    word_or_number_member(json, "event_type", event_type_word(of.type), of.type);
    word_or_number_member(json, "event_config", event_config_word(of.type, of.config), of.config);
    json.member("cookie", of.cookie);
}

void members(json_writer& json, const perf_event_details& of) {
    switch (of.source) {
    case perf_source::kprobe:
    case perf_source::kretprobe:
        flag_member(json, "retprobe", at_return(of.source));
        json.member("addr", of.address);
        json.member("func", of.name);
        json.member("offset", of.offset);
        json.member("missed", of.missed);
        json.member("cookie", of.cookie);
        return;
    case perf_source::uprobe:
    case perf_source::uretprobe:
        flag_member(json, "retprobe", at_return(of.source));
        json.member("file", of.name);
        json.member("offset", of.offset);
        json.member("cookie", of.cookie);
        return;
    case perf_source::tracepoint:
        json.member("tracepoint", of.name);
        json.member("cookie", of.cookie);
        return;
    case perf_source::event:
        event_members(json, of);
        return;
    case perf_source::unspec:
        return;
    }
}

std::string kprobe_words(const perf_event_details& of) {
    if (of.name.empty() && of.address == 0) {
        return {};
    }
    std::string text = at_return(of.source) ? "\n\tkretprobe " : "\n\tkprobe ";
    if (of.address != 0) {
        text += fmt::format("{:x} ", of.address);
    }
    text += of.name;
    if (of.offset != 0) {
        text += fmt::format("+{:#x}", of.offset);
    }
    if (of.missed != 0) {
        text += fmt::format("  missed {}", of.missed);
    }
    if (of.cookie != 0) {
        text += fmt::format("  cookie {}", of.cookie);
    }
    return text + "  ";
}

std::string cookie_words(std::uint64_t cookie) {
    return cookie == 0 ? "" : fmt::format("cookie {}  ", cookie);
}

std::string event_words(const perf_event_details& of) {
    const std::string_view type = event_type_word(of.type);
    const std::string config = event_config_word(of.type, of.config);
    return fmt::format(
        "\n\tevent {}:{}  {}", type.empty() ? fmt::format("{} ", of.type) : std::string(type),
        config.empty() ? fmt::format("{}", of.config) : config, cookie_words(of.cookie));
}

std::string words(const perf_event_details& of) {
    switch (of.source) {
    case perf_source::kprobe:
    case perf_source::kretprobe:
        return kprobe_words(of);
    case perf_source::uprobe:
    case perf_source::uretprobe:
        return of.name.empty()
                   ? ""
                   : fmt::format("\n\t{} {}+{}  {}", at_return(of.source) ? "uretprobe" : "uprobe",
                                 of.name, of.offset == 0 ? "0" : fmt::format("{:#x}", of.offset),
                                 cookie_words(of.cookie));
    case perf_source::tracepoint:
        return of.name.empty()
                   ? ""
                   : fmt::format("\n\ttracepoint {}  {}", of.name, cookie_words(of.cookie));
    case perf_source::event:
        return event_words(of);
    case perf_source::unspec:
        return {};
    }
    return {};
}

// --- probes of many functions

// Functions have addresses and names for those whom the kernel shows them only.
void members(json_writer& json, const kprobe_multi_details& of, const symbol_source& symbols) {
    flag_member(json, "retprobe", of.side == probed_at::exit);
    json.member("func_cnt", of.functions.size());
    json.member("missed", of.missed);
    json.name("funcs");
    json.start_array();
    for (const kernel_function& each : of.functions) {
        const kernel_symbols::symbol* const known =
            each.address == 0 ? nullptr : symbols().find(each.address);
        if (known == nullptr) {
            continue;
        }
        json.start_object();
        json.member("addr", each.address);
        json.member("func", known->name);
        json.name("module");
        known->module.empty() ? json.null() : json.string(known->module);
        json.member("cookie", each.cookie);
        json.end_object();
    }
    json.end_array();
}

void members(json_writer& json, const uprobe_multi_details& of) {
    flag_member(json, "retprobe", of.side == probed_at::exit);
    json.member("path", of.file);
    json.member("func_cnt", of.functions.size());
    json.name("pid");
    json.signed_number(static_cast<std::int32_t>(of.process));
    json.name("funcs");
    json.start_array();
    for (const user_function& each : of.functions) {
        json.start_object();
        json.member("offset", each.offset);
        json.member("ref_ctr_offset", each.counter_offset);
        json.member("cookie", each.cookie);
        json.end_object();
    }
    json.end_array();
}

std::string words(const kprobe_multi_details& of) {
    if (of.functions.empty()) {
        return {};
    }
    return fmt::format(
        "\n\t{}  func_cnt {}  {}", of.side == probed_at::exit ? "kretprobe.multi" : "kprobe.multi",
        of.functions.size(), of.missed == 0 ? "" : fmt::format("missed {}  ", of.missed));
}

std::string words(const uprobe_multi_details& of) {
    if (of.functions.empty()) {
        return {};
    }
    return fmt::format("\n\t{}  path {}  func_cnt {}  {}",
                       of.side == probed_at::exit ? "uretprobe.multi" : "uprobe.multi", of.file,
                       of.functions.size(),
                       of.process == 0 ? "" : fmt::format("pid {}  ", of.process));
}

std::string rows(const kprobe_multi_details& of, const symbol_source& symbols) {
    if (of.functions.empty() || symbols().empty()) {
        return {};
    }
    std::string text = fmt::format("\n\t{:<16} {:<16} func [module]", "addr", "cookie");
    for (const kernel_function& each : of.functions) {
        if (const kernel_symbols::symbol* const known = symbols().find(each.address)) {
            text +=
                fmt::format("\n\t{:016x} {:<16x} {}{}  ", each.address, each.cookie, known->name,
                            known->module.empty() ? "" : fmt::format(" [{}]", known->module));
        }
    }
    return text;
}

std::string rows(const uprobe_multi_details& of) {
    if (of.functions.empty()) {
        return {};
    }
    std::string text =
        fmt::format("\n\t{:<16}   {:<16}   {:<16}", "offset", "ref_ctr_offset", "cookies");
    for (const user_function& each : of.functions) {
        text += fmt::format("\n\t0x{:<16x} 0x{:<16x} 0x{:<16x}", each.offset, each.counter_offset,
                            each.cookie);
    }
    return text;
}

// --- netfilter

std::string_view family_word(std::uint32_t family) {
    switch (family) {
    case NFPROTO_INET:
        return "inet";
    case NFPROTO_IPV4:
        return "ip";
    case NFPROTO_ARP:
        return "arp";
    case NFPROTO_NETDEV:
        return "netdev";
    case NFPROTO_BRIDGE:
        return "bridge";
    case NFPROTO_IPV6:
        return "ip6";
    default:
        return {};
    }
}

std::string_view hook_word(const netfilter_hook& of) {
    constexpr std::array<std::string_view, 5> internet = {"prerouting", "input", "forward",
                                                          "output", "postrouting"};
    constexpr std::array<std::string_view, 2> arp = {"input", "output"};
    switch (of.family) {
    case NFPROTO_BRIDGE: // has the numbers of the internet's
    case NFPROTO_IPV4:
    case NFPROTO_IPV6:
    case NFPROTO_INET:
        return word_at(internet, of.hook);
    case NFPROTO_ARP:
        return word_at(arp, of.hook);
    default:
        return {};
    }
}

void members(json_writer& json, const netfilter_hook& of) {
    json.member("pf", of.family);
    json.member("hook", of.hook);
    json.name("prio");
    json.signed_number(of.priority);
    json.member("flags", of.flags);
}

std::string words(const netfilter_hook& of) {
    const std::string_view family = family_word(of.family);
    const std::string_view hook = hook_word(of);
    return fmt::format("\n\t{}{} prio {}{}",
                       family.empty() ? fmt::format("pf: {}", of.family) : family,
                       hook.empty() ? fmt::format(", hook {},", of.hook) : fmt::format(" {}", hook),
                       of.priority, of.flags == 0 ? "" : fmt::format(" flags {:#x}", of.flags));
}

// --- iterators

enum class walked { others, map, tasks, cgroups };

walked what_is_walked(const link_info& info) {
    const std::string& name = info.target_name;
    if (name == "bpf_map_elem" || name == "bpf_sk_storage_map") {
        return walked::map;
    }
    if (name == "task" || name == "task_file" || name == "task_vma") {
        return walked::tasks;
    }
    return name == "cgroup" ? walked::cgroups : walked::others;
}

std::string_view order_word(std::uint32_t order) {
    constexpr std::array<std::string_view, 5> words = {
        "order_unspec", "self_only", "descendants_pre", "descendants_post", "ancestors_up"};
    const std::string_view known = word_at(words, order);
    return known.empty() ? "unknown" : known;
}

void members(json_writer& json, const link_info& info, const iterator_details& of) {
    const walked over = what_is_walked(info);
    if (over == walked::map) {
        json.member("map_id", info.map_id);
    } else if (over == walked::tasks && of.thread != 0) {
        json.member("tid", of.thread);
    } else if (over == walked::tasks && of.process != 0) {
        json.member("pid", of.process);
    } else if (over == walked::cgroups) {
        json.member("cgroup_id", of.cgroup_id);
        json.member("order", order_word(of.order));
    }
}

std::string words(const link_info& info, const iterator_details& of) {
    const walked over = what_is_walked(info);
    if (over == walked::map) {
        return fmt::format("map_id {}  ", info.map_id);
    }
    if (over == walked::tasks && of.thread != 0) {
        return fmt::format("tid {} ", of.thread);
    }
    if (over == walked::tasks && of.process != 0) {
        return fmt::format("pid {} ", of.process);
    }
    return over == walked::cgroups
               ? fmt::format("cgroup_id {}  order {}  ", of.cgroup_id, order_word(of.order))
               : std::string();
}

template <class... Functions> struct overloaded : Functions... { using Functions::operator()...; };
template <class... Functions> overloaded(Functions...) -> overloaded<Functions...>;

} // namespace

void details_json(json_writer& json, const link_info& info, const link_details& details,
                  const symbol_source& symbols) {
    std::visit(overloaded{[](const std::monostate&) {},
                          [&](const kprobe_multi_details& of) { members(json, of, symbols); },
                          [&](const iterator_details& of) { members(json, info, of); },
                          [&](const auto& of) { members(json, of); }},
               details);
}

std::string details_words(const link_info& info, const link_details& details) {
    return std::visit(overloaded{[](const std::monostate&) { return std::string(); },
                                 [&](const iterator_details& of) { return words(info, of); },
                                 [](const auto& of) { return words(of); }},
                      details);
}

std::string function_rows(const link_details& details, const symbol_source& symbols) {
    return std::visit(overloaded{[&](const kprobe_multi_details& of) { return rows(of, symbols); },
                                 [](const uprobe_multi_details& of) { return rows(of); },
                                 [](const auto& /*others*/) { return std::string(); }},
                      details);
}

} // namespace fsctl
