// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The kernel's numbers with the kernel's words: kinds of maps, programs, links and attach points,
// bpf(2) commands and capabilities. The words are those that bpftool prints and that the mount
// options delegate_* take. A number that has no word here (a newer kernel) stays usable: it is
// printed as hexadecimal or "kind 77".
#pragma once

#include <bpffs/error.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bpffs {

/// What a pin holds.
enum class object_kind : std::uint8_t { map, program, link };
[[nodiscard]] BPFFS_API std::string_view to_string(object_kind kind) noexcept;

/// enum bpf_map_type.
// clang-format off
enum class map_kind : std::uint32_t {
    unspec, hash, array, prog_array, perf_event_array, percpu_hash, percpu_array, stack_trace,
    cgroup_array, lru_hash, lru_percpu_hash, lpm_trie, array_of_maps, hash_of_maps, devmap,
    sockmap, cpumap, xskmap, sockhash, cgroup_storage, reuseport_sockarray, percpu_cgroup_storage,
    queue, stack, sk_storage, devmap_hash, struct_ops, ringbuf, inode_storage, task_storage,
    bloom_filter, user_ringbuf, cgrp_storage, arena
};
// clang-format on

/// enum bpf_prog_type.
// clang-format off
enum class program_kind : std::uint32_t {
    unspec, socket_filter, kprobe, sched_cls, sched_act, tracepoint, xdp, perf_event, cgroup_skb,
    cgroup_sock, lwt_in, lwt_out, lwt_xmit, sock_ops, sk_skb, cgroup_device, sk_msg,
    raw_tracepoint, cgroup_sock_addr, lwt_seg6local, lirc_mode2, sk_reuseport, flow_dissector,
    cgroup_sysctl, raw_tracepoint_writable, cgroup_sockopt, tracing, struct_ops, ext, lsm,
    sk_lookup, syscall, netfilter
};
// clang-format on

/// enum bpf_link_type.
// clang-format off
enum class link_kind : std::uint32_t {
    unspec, raw_tracepoint, tracing, cgroup, iter, netns, xdp, perf_event, kprobe_multi,
    struct_ops, netfilter, tcx, uprobe_multi, netkit, sockmap
};
// clang-format on

/// enum bpf_attach_type.
// clang-format off
enum class attach_kind : std::uint32_t {
    cgroup_inet_ingress, cgroup_inet_egress, cgroup_inet_sock_create, cgroup_sock_ops,
    sk_skb_stream_parser, sk_skb_stream_verdict, cgroup_device, sk_msg_verdict,
    cgroup_inet4_bind, cgroup_inet6_bind, cgroup_inet4_connect, cgroup_inet6_connect,
    cgroup_inet4_post_bind, cgroup_inet6_post_bind, cgroup_udp4_sendmsg, cgroup_udp6_sendmsg,
    lirc_mode2, flow_dissector, cgroup_sysctl, cgroup_udp4_recvmsg, cgroup_udp6_recvmsg,
    cgroup_getsockopt, cgroup_setsockopt, trace_raw_tp, trace_fentry, trace_fexit, modify_return,
    lsm_mac, trace_iter, cgroup_inet4_getpeername, cgroup_inet6_getpeername,
    cgroup_inet4_getsockname, cgroup_inet6_getsockname, xdp_devmap, cgroup_inet_sock_release,
    xdp_cpumap, sk_lookup, xdp, sk_skb_verdict, sk_reuseport_select, sk_reuseport_select_or_migrate,
    perf_event, trace_kprobe_multi, lsm_cgroup, struct_ops, netfilter, tcx_ingress, tcx_egress,
    trace_uprobe_multi, cgroup_unix_connect, cgroup_unix_sendmsg, cgroup_unix_recvmsg,
    cgroup_unix_getpeername, cgroup_unix_getsockname, netkit_primary, netkit_peer,
    trace_kprobe_session
};
// clang-format on

/// enum bpf_cmd.
// clang-format off
enum class command : std::uint32_t {
    map_create, map_lookup_elem, map_update_elem, map_delete_elem, map_get_next_key, prog_load,
    obj_pin, obj_get, prog_attach, prog_detach, prog_test_run, prog_get_next_id, map_get_next_id,
    prog_get_fd_by_id, map_get_fd_by_id, obj_get_info_by_fd, prog_query, raw_tracepoint_open,
    btf_load, btf_get_fd_by_id, task_fd_query, map_lookup_and_delete_elem, map_freeze,
    btf_get_next_id, map_lookup_batch, map_lookup_and_delete_batch, map_update_batch,
    map_delete_batch, link_create, link_update, link_get_fd_by_id, link_get_next_id, enable_stats,
    iter_create, link_detach, prog_bind_map, token_create
};
// clang-format on

/// The capabilities that the mount option delegate_caps takes, by their number.
enum class capability : std::uint32_t { net_admin = 12, perfmon = 38, bpf = 39 };

/// The word for a number; empty if it has none here. The text lives for ever.
template <class Enum> [[nodiscard]] BPFFS_API std::string_view word(Enum value) noexcept;

/// The number for a word (exact, lower case); nothing if it is unknown.
template <class Enum>
[[nodiscard]] BPFFS_API std::optional<Enum> from_word(std::string_view text) noexcept;

/// Every value that has a word, in the kernel's order ("unspec" left out).
template <class Enum> [[nodiscard]] BPFFS_API std::span<const Enum> all_of() noexcept;

/// The word, or "kind 77" for a number without one.
[[nodiscard]] BPFFS_API std::string to_string(map_kind kind);
[[nodiscard]] BPFFS_API std::string to_string(program_kind kind);
[[nodiscard]] BPFFS_API std::string to_string(link_kind kind);

/// from_word<map_kind>, with errc::bad_word for an unknown one.
[[nodiscard]] BPFFS_API map_kind parse_map_kind(std::string_view text);
[[nodiscard]] BPFFS_API map_kind parse_map_kind(std::string_view text, error_code& code) noexcept;

/// How a kind of map takes its keys and values, and what can be done with it.
struct map_traits {
    bool per_cpu;       ///< a value is one slot (rounded up to 8 bytes) for each possible CPU
    bool keyless;       ///< queue, stack, bloom filter: no key; ring buffers: no elements at all
    bool holds_objects; ///< the value written is a descriptor, the value read an id (4 bytes)
    bool batch;         ///< the kernel has a batch look-up for it
};
[[nodiscard]] constexpr map_traits traits_of(map_kind kind) noexcept {
    switch (kind) {
    case map_kind::percpu_hash:
    case map_kind::percpu_array:
    case map_kind::lru_percpu_hash:
        return {.per_cpu = true, .keyless = false, .holds_objects = false, .batch = true};
    case map_kind::percpu_cgroup_storage:
        return {.per_cpu = true, .keyless = false, .holds_objects = false, .batch = false};
    case map_kind::queue:
    case map_kind::stack:
    case map_kind::bloom_filter:
    case map_kind::ringbuf:
    case map_kind::user_ringbuf:
    case map_kind::arena:
        return {.per_cpu = false, .keyless = true, .holds_objects = false, .batch = false};
    case map_kind::prog_array:
    case map_kind::perf_event_array:
    case map_kind::cgroup_array:
        return {.per_cpu = false, .keyless = false, .holds_objects = true, .batch = false};
    case map_kind::array_of_maps:
    case map_kind::hash_of_maps:
        return {.per_cpu = false, .keyless = false, .holds_objects = true, .batch = true};
    case map_kind::hash:
    case map_kind::array:
    case map_kind::lru_hash:
    case map_kind::lpm_trie:
        return {.per_cpu = false, .keyless = false, .holds_objects = false, .batch = true};
    default:
        return {.per_cpu = false, .keyless = false, .holds_objects = false, .batch = false};
    }
}

} // namespace bpffs
