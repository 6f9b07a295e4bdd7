// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The two forms of a map's properties; see info.hpp.
#include "info.hpp"

#include "members.hpp"

namespace fsctl {

namespace {

void print_usage_json(json_writer& json, const bpffs::map& shown) {
    const bpffs::map_usage usage = shown.usage();
    json.member("bytes_memlock", usage.memlock);
    if (usage.owner_kind) {
        json.member("owner_prog_type", to_string(*usage.owner_kind));
        json.name("owner_jited");
        json.boolean(usage.owner_jited);
    }
    json.member("frozen", usage.frozen ? 1U : 0U);
}

void print_info_json(json_writer& json, const bpffs::map& shown,
                     const std::vector<std::string>& pins) {
    const bpffs::map_info& info = shown.info();
    json.start_object();
    print_header_json(json, shown);
    dev_member(json, info.ifindex);
    json.member("bytes_key", info.key_size);
    json.member("bytes_value", info.value_size);
    json.member("max_entries", info.max_entries);
    print_usage_json(json, shown);
    if (info.btf_id != 0) {
        json.member("btf_id", info.btf_id);
    }
    pinned_member(json, pins);
    json.end_object();
}

void print_info_plain(output& out, const bpffs::map& shown, const std::vector<std::string>& pins) {
    const bpffs::map_info& info = shown.info();
    const bpffs::map_usage usage = shown.usage();
    print_header_plain(out, shown);
    out.print("\tkey {}B  value {}B  max_entries {}  memlock {}B", info.key_size, info.value_size,
              info.max_entries, usage.memlock);
    if (usage.owner_kind) {
        out.print("\n\towner_prog_type {}  owner{} jited", to_string(*usage.owner_kind),
                  usage.owner_jited ? "" : " not");
    }
    for (const std::string& pin : pins) {
        out.print("\n\tpinned {}", pin);
    }
    if (info.btf_id != 0 || usage.frozen) {
        out.write("\n\t");
    }
    if (info.btf_id != 0) {
        out.print("btf_id {}", info.btf_id);
    }
    if (usage.frozen) {
        out.print("{}frozen", info.btf_id != 0 ? "  " : "");
    }
    out.put('\n');
}

} // namespace

void print_header_plain(output& out, const bpffs::map& shown) {
    const bpffs::map_info& info = shown.info();
    out.print("{}: {}  ", info.id, word_or_number("type", info.kind));
    if (!info.name.empty()) {
        out.print("name {}  ", info.name);
    }
    out.print("flags 0x{:x}", info.flags);
    if (info.ifindex != 0) {
        out.print("  offloaded_to {}", device_name(info.ifindex));
    }
    out.put('\n');
}

void print_header_json(json_writer& json, const bpffs::map& shown) {
    const bpffs::map_info& info = shown.info();
    json.member("id", info.id);
    word_member(json, "type", info.kind);
    if (!info.name.empty()) {
        json.member("name", info.name);
    }
    json.member("flags", info.flags);
}

void print_info(context& with, const bpffs::map& shown, const std::vector<std::string>& pins) {
    if (with.chosen.json) {
        print_info_json(with.json, shown, pins);
    } else {
        print_info_plain(with.out, shown, pins);
    }
}

} // namespace fsctl
