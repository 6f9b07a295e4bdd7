// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The sentences of remedy.hpp, by errno.
#include "remedy.hpp"

#include <fmt/format.h>

namespace fsctl {

namespace {

namespace errc = boost::system::errc;

bool is_array(const bpffs::map& in) {
    switch (in.kind()) {
    case bpffs::map_kind::array:
    case bpffs::map_kind::percpu_array:
    case bpffs::map_kind::prog_array:
    case bpffs::map_kind::perf_event_array:
    case bpffs::map_kind::cgroup_array:
    case bpffs::map_kind::array_of_maps:
    case bpffs::map_kind::devmap:
    case bpffs::map_kind::cpumap:
    case bpffs::map_kind::xskmap:
    case bpffs::map_kind::sockmap:
        return true;
    default:
        return false;
    }
}

bool is_frozen(const bpffs::map& in) {
    bpffs::error_code unknown;
    return in.usage(unknown).frozen;
}

std::string no_room(const bpffs::map& in) {
    const std::uint32_t room = in.info().max_entries;
    if (is_array(in)) {
        return fmt::format("The key is out of range: this {} has the keys 0 to {}.",
                           to_string(in.kind()), room - 1);
    }
    return fmt::format("The map is full: it has room for {} entries. Delete some, or create a "
                       "larger map.",
                       room);
}

std::string not_possible(step failed, const bpffs::map& in) {
    if (failed == step::erase && is_array(in)) {
        return "Elements of an array cannot be deleted; update the value to zero instead.";
    }
    if (in.kind() == bpffs::map_kind::lpm_trie) {
        return fmt::format("The first four bytes of the key are the length of the prefix in bits, "
                           "0 to {}.",
                           (in.key_size() - 4) * 8);
    }
    return {};
}

std::string unsupported(const bpffs::map& in) {
    return fmt::format("Maps of the kind {} have no such operation on this kernel.",
                       to_string(in.kind()));
}

} // namespace

std::string remedy_for(step failed, const bpffs::map& in, const bpffs::error_code& why) {
    if (why == errc::argument_list_too_long) {
        return no_room(in);
    }
    if (why == errc::file_exists) {
        return is_array(in) ? "Every key of an array is always there: use any or exist."
                            : "The key is there already, and noexist was asked for.";
    }
    if (why == errc::no_such_file_or_directory && failed == step::update) {
        return "The key is not there, and exist was asked for.";
    }
    if (why == errc::operation_not_permitted && is_frozen(in)) {
        return failed == step::freeze
                   ? "The map is frozen already."
                   : "The map is frozen: only programs can change it, and that cannot be undone.";
    }
    if (why == errc::device_or_resource_busy && failed == step::freeze) {
        return "The map is frozen already, or mapped for writing by some process.";
    }
    if (why == errc::invalid_argument) {
        return not_possible(failed, in);
    }
    if (why == errc::operation_not_supported) {
        return unsupported(in);
    }
    return {};
}

} // namespace fsctl
