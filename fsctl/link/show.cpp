// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// show and list: one link, the links pinned below a directory, or all links of
// the machine (for the privileged), in bpftool's forms.
#include "common/show.hpp"
#include "common/members.hpp"
#include "details_text.hpp"
#include "verbs.hpp"

#include <net/if.h>

#include <array>

namespace fsctl {

namespace {

using bpffs::link_info;
using bpffs::link_kind;

// What there is to say, on kernels that do not say all, too.
bpffs::link_details details_if_any(const bpffs::link& of) {
    bpffs::error_code refused;
    return bpffs::details_of(of, refused);
}

// The kind of the attached program, for those who may look it up.
std::optional<bpffs::program_kind> program_kind_of(const link_info& info) {
    bpffs::error_code refused;
    bpffs::object found = bpffs::open_by_id(bpffs::object_kind::program, info.program_id, refused);
    if (refused) {
        return std::nullopt;
    }
    return bpffs::program::from(std::move(found)).info().kind;
}

// As bpftool has it for links, whose device may be gone.
std::string link_device_name(std::uint32_t index) {
    std::array<char, IF_NAMESIZE> name{};
    if (index == 0) {
        return "(detached)";
    }
    return if_indextoname(index, name.data()) != nullptr ? name.data() : "(unknown)";
}

void device_members(json_writer& json, const link_info& info) {
    json.member("devname", link_device_name(info.ifindex));
    json.member("ifindex", info.ifindex);
}

void header_members(json_writer& json, const link_info& info) {
    json.member("id", info.id);
    word_member(json, "type", info.kind);
    json.member("prog_id", info.program_id);
}

void target_members(json_writer& json, const link_info& info) {
    switch (info.kind) {
    case link_kind::raw_tracepoint:
        json.member("tp_name", info.target_name);
        return;
    case link_kind::tracing:
        if (const auto kind = program_kind_of(info)) {
            word_member(json, "prog_type", *kind);
        }
        word_member(json, "attach_type", info.attach);
        json.member("target_obj_id", info.target_object_id);
        json.member("target_btf_id", info.target_type_id);
        return;
    case link_kind::cgroup:
        json.member("cgroup_id", info.cgroup_id);
        word_member(json, "attach_type", info.attach);
        return;
    case link_kind::iter:
        json.member("target_name", info.target_name);
        return;
    case link_kind::netns:
        json.member("netns_ino", info.netns_inode);
        word_member(json, "attach_type", info.attach);
        return;
    case link_kind::xdp:
        device_members(json, info);
        return;
    case link_kind::tcx:
    case link_kind::netkit:
        device_members(json, info);
        word_member(json, "attach_type", info.attach);
        return;
    case link_kind::sockmap:
        json.member("map_id", info.map_id);
        word_member(json, "attach_type", info.attach);
        return;
    case link_kind::struct_ops:
        json.member("map_id", info.map_id);
        return;
    default:
        return;
    }
}

std::string attach_words(const link_info& info) {
    return fmt::format("attach_type {}  ", word_or_number("", info.attach));
}

std::string device_words(const link_info& info) {
    const std::string name = link_device_name(info.ifindex);
    return name.front() == '(' ? fmt::format("ifindex {}  ", name)
                               : fmt::format("ifindex {}({})  ", name, info.ifindex);
}

std::string tracing_words(const link_info& info) {
    std::string text = "\n\t";
    if (const auto kind = program_kind_of(info)) {
        text += fmt::format("prog_type {}  ", word_or_number("", *kind));
    }
    text += attach_words(info);
    if (info.target_object_id != 0 || info.target_type_id != 0) {
        text += fmt::format("\n\ttarget_obj_id {}  target_btf_id {}  ", info.target_object_id,
                            info.target_type_id);
    }
    return text;
}

// Read once, however many links there are.
const kernel_symbols& all_symbols() {
    static const kernel_symbols all = kernel_symbols::read();
    return all;
}

// What it is attached to, as bpftool's lines.
std::string target_words(const link_info& info) {
    switch (info.kind) {
    case link_kind::raw_tracepoint:
        return fmt::format("\n\ttp '{}'  ", info.target_name);
    case link_kind::tracing:
        return tracing_words(info);
    case link_kind::cgroup:
        return fmt::format("\n\tcgroup_id {}  {}", info.cgroup_id, attach_words(info));
    case link_kind::iter:
        return fmt::format("target_name {}  ", info.target_name);
    case link_kind::netns:
        return fmt::format("\n\tnetns_ino {}  {}", info.netns_inode, attach_words(info));
    case link_kind::xdp:
        return "\n\t" + device_words(info);
    case link_kind::tcx:
    case link_kind::netkit:
        return "\n\t" + device_words(info) + attach_words(info);
    case link_kind::sockmap:
        return fmt::format("\n\tmap_id {}  {}", info.map_id, attach_words(info));
    default:
        return {};
    }
}

// For a column: one line, without the blanks at the end and the single functions.
std::string target_cell(const bpffs::link& shown) {
    std::string text =
        target_words(shown.info()) + details_words(shown.info(), details_if_any(shown));
    for (std::size_t at = 0; (at = text.find_first_of("\n\t", at)) != std::string::npos;) {
        text.erase(at, 1);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

void all_members(json_writer& json, const bpffs::link& shown) {
    header_members(json, shown.info());
    target_members(json, shown.info());
    details_json(json, shown.info(), details_if_any(shown), all_symbols);
}

void print_json(json_writer& json, const bpffs::link& shown, const std::vector<std::string>& pins) {
    json.start_object();
    all_members(json, shown);
    pinned_member(json, pins);
    json.end_object();
}

void print_plain(output& out, const bpffs::link& shown, const std::vector<std::string>& pins) {
    const link_info& info = shown.info();
    const bpffs::link_details details = details_if_any(shown);
    out.print("{}: {}  {} {}  {}{}{}", info.id, word_or_number("type", info.kind),
              info.kind == link_kind::struct_ops ? "map" : "prog",
              info.kind == link_kind::struct_ops ? info.map_id : info.program_id,
              target_words(info), details_words(info, details),
              function_rows(details, all_symbols));
    for (const std::string& pin : pins) {
        out.print("\n\tpinned {}", pin);
    }
    out.put('\n');
}

} // namespace

template <> struct showing<bpffs::link> {
    static constexpr bpffs::object_kind kind = bpffs::object_kind::link;
    static constexpr std::string_view tool = "bpffs-link";

    static operand take(words& given) { return take_link(given); }
    static std::vector<bpffs::link> open_all(const operand& named, bpffs::access rights) {
        std::vector<bpffs::link> one;
        one.push_back(open_link(named, rights));
        return one;
    }
    static void print(context& with, const bpffs::link& shown,
                      const std::vector<std::string>& pins) {
        with.chosen.json ? print_json(with.json, shown, pins) : print_plain(with.out, shown, pins);
    }
    static void members(json_writer& json, const bpffs::link& shown) { all_members(json, shown); }
    static std::vector<std::string> cells(const bpffs::link& shown) {
        const link_info& info = shown.info();
        return {fmt::format("{}: {}  prog {}", info.id, word_or_number("type", info.kind),
                            info.program_id),
                target_cell(shown)};
    }
};

void link_show(context& with, words& given) {
    show_objects<bpffs::link>(with, given);
}

} // namespace fsctl
