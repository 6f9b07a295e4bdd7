// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The kernel's words: one table for each enumeration, in the order of include/uapi/linux/bpf.h.
#include <bpffs/kinds.hpp>

#include "failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace bpffs {
namespace {

template <class Enum> struct named {
    Enum value;
    std::string_view word;
};

/// Numbers a list of words from 0, as the kernel's enumerations are.
template <class Enum, std::size_t N>
constexpr std::array<named<Enum>, N> numbered(const std::string_view (&words)[N]) {
    std::array<named<Enum>, N> table{};
    for (std::size_t i = 0; i < N; ++i) {
        table[i] = {static_cast<Enum>(i), words[i]};
    }
    return table;
}

template <class Enum> constexpr auto names = 0;

// clang-format off
template <> constexpr auto names<map_kind> = numbered<map_kind>({
    "unspec", "hash", "array", "prog_array", "perf_event_array", "percpu_hash", "percpu_array",
    "stack_trace", "cgroup_array", "lru_hash", "lru_percpu_hash", "lpm_trie", "array_of_maps",
    "hash_of_maps", "devmap", "sockmap", "cpumap", "xskmap", "sockhash", "cgroup_storage",
    "reuseport_sockarray", "percpu_cgroup_storage", "queue", "stack", "sk_storage",
    "devmap_hash", "struct_ops", "ringbuf", "inode_storage", "task_storage", "bloom_filter",
    "user_ringbuf", "cgrp_storage", "arena"});
template <> constexpr auto names<program_kind> = numbered<program_kind>({
    "unspec", "socket_filter", "kprobe", "sched_cls", "sched_act", "tracepoint", "xdp",
    "perf_event", "cgroup_skb", "cgroup_sock", "lwt_in", "lwt_out", "lwt_xmit", "sock_ops",
    "sk_skb", "cgroup_device", "sk_msg", "raw_tracepoint", "cgroup_sock_addr", "lwt_seg6local",
    "lirc_mode2", "sk_reuseport", "flow_dissector", "cgroup_sysctl", "raw_tracepoint_writable",
    "cgroup_sockopt", "tracing", "struct_ops", "ext", "lsm", "sk_lookup", "syscall",
    "netfilter"});
template <> constexpr auto names<link_kind> = numbered<link_kind>({
    "unspec", "raw_tracepoint", "tracing", "cgroup", "iter", "netns", "xdp", "perf_event",
    "kprobe_multi", "struct_ops", "netfilter", "tcx", "uprobe_multi", "netkit", "sockmap"});
template <> constexpr auto names<attach_kind> = numbered<attach_kind>({
    "cgroup_inet_ingress", "cgroup_inet_egress", "cgroup_inet_sock_create", "cgroup_sock_ops",
    "sk_skb_stream_parser", "sk_skb_stream_verdict", "cgroup_device", "sk_msg_verdict",
    "cgroup_inet4_bind", "cgroup_inet6_bind", "cgroup_inet4_connect", "cgroup_inet6_connect",
    "cgroup_inet4_post_bind", "cgroup_inet6_post_bind", "cgroup_udp4_sendmsg",
    "cgroup_udp6_sendmsg", "lirc_mode2", "flow_dissector", "cgroup_sysctl",
    "cgroup_udp4_recvmsg", "cgroup_udp6_recvmsg", "cgroup_getsockopt", "cgroup_setsockopt",
    "trace_raw_tp", "trace_fentry", "trace_fexit", "modify_return", "lsm_mac", "trace_iter",
    "cgroup_inet4_getpeername", "cgroup_inet6_getpeername", "cgroup_inet4_getsockname",
    "cgroup_inet6_getsockname", "xdp_devmap", "cgroup_inet_sock_release", "xdp_cpumap",
    "sk_lookup", "xdp", "sk_skb_verdict", "sk_reuseport_select",
    "sk_reuseport_select_or_migrate", "perf_event", "trace_kprobe_multi", "lsm_cgroup",
    "struct_ops", "netfilter", "tcx_ingress", "tcx_egress", "trace_uprobe_multi",
    "cgroup_unix_connect", "cgroup_unix_sendmsg", "cgroup_unix_recvmsg",
    "cgroup_unix_getpeername", "cgroup_unix_getsockname", "netkit_primary", "netkit_peer",
    "trace_kprobe_session"});
template <> constexpr auto names<command> = numbered<command>({
    "map_create", "map_lookup_elem", "map_update_elem", "map_delete_elem", "map_get_next_key",
    "prog_load", "obj_pin", "obj_get", "prog_attach", "prog_detach", "prog_test_run",
    "prog_get_next_id", "map_get_next_id", "prog_get_fd_by_id", "map_get_fd_by_id",
    "obj_get_info_by_fd", "prog_query", "raw_tracepoint_open", "btf_load", "btf_get_fd_by_id",
    "task_fd_query", "map_lookup_and_delete_elem", "map_freeze", "btf_get_next_id",
    "map_lookup_batch", "map_lookup_and_delete_batch", "map_update_batch", "map_delete_batch",
    "link_create", "link_update", "link_get_fd_by_id", "link_get_next_id", "enable_stats",
    "iter_create", "link_detach", "prog_bind_map", "token_create"});
template <> constexpr std::array<named<capability>, 3> names<capability> = {{
    {capability::bpf, "bpf"}, {capability::net_admin, "net_admin"}, {capability::perfmon, "perfmon"}}};
// clang-format on

/// How many entries at the start of a table are the kernel's "unspec".
template <class Enum> constexpr std::size_t unspec = 0;
template <> constexpr std::size_t unspec<map_kind> = 1;
template <> constexpr std::size_t unspec<program_kind> = 1;
template <> constexpr std::size_t unspec<link_kind> = 1;

template <class Enum> constexpr auto values_of() {
    std::array<Enum, names<Enum>.size() - unspec<Enum>> values{};
    std::transform(names<Enum>.begin() + unspec<Enum>, names<Enum>.end(), values.begin(),
                   [](const named<Enum>& one) { return one.value; });
    return values;
}

template <class Enum> std::string word_or_number(Enum value) {
    const auto known = word(value);
    return known.empty() ? fmt::format("kind {}", static_cast<std::uint32_t>(value))
                         : std::string{known};
}

map_kind parse_map_kind_body(std::string_view text, failure& why) {
    const auto known = from_word<map_kind>(text);
    if (!known || *known == map_kind::unspec) {
        why.set(errc::bad_word, fmt::format("no kind of map is called '{}'", text));
        return map_kind::unspec;
    }
    return *known;
}

} // namespace

std::string_view to_string(object_kind kind) noexcept {
    switch (kind) {
    case object_kind::map:
        return "map";
    case object_kind::program:
        return "program";
    case object_kind::link:
        break;
    }
    return "link";
}

template <class Enum> std::string_view word(Enum value) noexcept {
    const auto& table = names<Enum>;
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const named<Enum>& one) { return one.value == value; });
    return found == table.end() ? std::string_view{} : found->word;
}

template <class Enum> std::optional<Enum> from_word(std::string_view text) noexcept {
    const auto& table = names<Enum>;
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const named<Enum>& one) { return one.word == text; });
    return found == table.end() ? std::nullopt : std::optional<Enum>{found->value};
}

template <class Enum> std::span<const Enum> all_of() noexcept {
    static constexpr auto values = values_of<Enum>();
    return values;
}

template BPFFS_API std::string_view word(map_kind) noexcept;
template BPFFS_API std::optional<map_kind> from_word(std::string_view) noexcept;
template BPFFS_API std::span<const map_kind> all_of() noexcept;
template BPFFS_API std::string_view word(program_kind) noexcept;
template BPFFS_API std::optional<program_kind> from_word(std::string_view) noexcept;
template BPFFS_API std::span<const program_kind> all_of() noexcept;
template BPFFS_API std::string_view word(link_kind) noexcept;
template BPFFS_API std::optional<link_kind> from_word(std::string_view) noexcept;
template BPFFS_API std::span<const link_kind> all_of() noexcept;
template BPFFS_API std::string_view word(attach_kind) noexcept;
template BPFFS_API std::optional<attach_kind> from_word(std::string_view) noexcept;
template BPFFS_API std::span<const attach_kind> all_of() noexcept;
template BPFFS_API std::string_view word(command) noexcept;
template BPFFS_API std::optional<command> from_word(std::string_view) noexcept;
template BPFFS_API std::span<const command> all_of() noexcept;
template BPFFS_API std::string_view word(capability) noexcept;
template BPFFS_API std::optional<capability> from_word(std::string_view) noexcept;
template BPFFS_API std::span<const capability> all_of() noexcept;

std::string to_string(map_kind kind) {
    return word_or_number(kind);
}

std::string to_string(program_kind kind) {
    return word_or_number(kind);
}

std::string to_string(link_kind kind) {
    return word_or_number(kind);
}

map_kind parse_map_kind(std::string_view text) {
    return loudly("read kind of map", path{}, {},
                  [&](failure& why) { return parse_map_kind_body(text, why); });
}

map_kind parse_map_kind(std::string_view text, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return parse_map_kind_body(text, why); });
}

} // namespace bpffs
