// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Making link handles, for the files that open, load and attach.
#pragma once

#include <bpffs/link.hpp>

#include "handle.hpp"

namespace bpffs {

/// A place for a name, and what the kernel says beside it.
struct raw_name {
    std::uint64_t place;
    std::uint32_t size;
    std::uint32_t offset;
};

/// struct bpf_link_info as of Linux 6.12: what follows the ids depends on the kind.
struct raw_link_info {
    std::uint32_t kind;
    std::uint32_t id;
    std::uint32_t program_id;
    std::uint32_t unused;
    union {
        struct {
            std::uint32_t type; ///< enum bpf_perf_event_type
            std::uint32_t unused;
            union {
                struct {
                    raw_name function;
                    std::uint64_t address;
                    std::uint64_t missed;
                    std::uint64_t cookie;
                } kprobe;
                struct {
                    raw_name text; ///< of a uprobe's file; of a tracepoint, without an offset
                    std::uint64_t cookie;
                } named;
                struct {
                    std::uint64_t config;
                    std::uint32_t type;
                    std::uint32_t unused;
                    std::uint64_t cookie;
                } event;
            } of;
        } perf_event;
        struct {
            std::uint64_t addresses;
            std::uint32_t count;
            std::uint32_t flags;
            std::uint64_t missed;
            std::uint64_t cookies;
        } kprobe_multi;
        struct {
            std::uint64_t path;
            std::uint64_t offsets;
            std::uint64_t counter_offsets;
            std::uint64_t cookies;
            std::uint32_t path_size;
            std::uint32_t count;
            std::uint32_t flags;
            std::uint32_t process;
        } uprobe_multi;
        struct {
            std::uint32_t family;
            std::uint32_t hook;
            std::int32_t priority;
            std::uint32_t flags;
        } netfilter;
        struct {
            std::uint64_t name;
            std::uint32_t name_size;
            std::uint32_t map_id; ///< iterators; raw tracepoints have a name alone
            union {
                struct {
                    std::uint64_t id;
                    std::uint32_t order;
                } cgroup;
                struct {
                    std::uint32_t thread;
                    std::uint32_t process;
                } task;
            } of;
        } named;
        struct {
            std::uint64_t id;
            std::uint32_t attach;
        } cgroup;
        std::uint32_t word[12];
    } of;
};
static_assert(sizeof(raw_link_info) == 64);

template <> struct handle_traits<link> {
    static constexpr object_kind kind = object_kind::link;
    static constexpr const char* opening = "open link";
    static constexpr const char* pinning = "pin link";

    static void describe(link& made, failure& why);
};

} // namespace bpffs
