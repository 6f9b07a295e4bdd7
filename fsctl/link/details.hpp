// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the kernel says about links beyond bpffs::link_info, of the kinds that it
// says more of: what a perf event is of, which functions are watched, where in
// netfilter, over what an iterator goes.
#pragma once

#include <bpffs/attach.hpp>
#include <bpffs/link.hpp>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace fsctl {

// enum bpf_perf_event_type.
enum class perf_source : std::uint32_t {
    unspec,
    uprobe,
    uretprobe,
    kprobe,
    kretprobe,
    tracepoint,
    event
};

struct perf_event_details {
    perf_source source = perf_source::unspec; // unspec: the kernel does not say (before 6.6)
    std::string name;                         // of the function, the tracepoint, the file
    std::uint32_t offset = 0;                 // in the function or file
    std::uint64_t address = 0;                // kprobe; 0 where the kernel hides addresses
    std::uint64_t missed = 0;                 // kprobe
    std::uint64_t cookie = 0;
    std::uint32_t type = 0; // event: PERF_TYPE_*
    std::uint64_t config = 0;
};

// Where a probe of several functions is made.
enum class probed_at : std::uint8_t { entry, exit };

struct kernel_function {
    std::uint64_t address = 0; // 0 where the kernel hides addresses
    std::uint64_t cookie = 0;
};

struct kprobe_multi_details {
    probed_at side = probed_at::entry;
    std::uint64_t missed = 0;
    std::vector<kernel_function> functions; // by address
};

struct user_function {
    std::uint64_t offset = 0;
    std::uint64_t counter_offset = 0; // ref_ctr_offset
    std::uint64_t cookie = 0;
};

struct uprobe_multi_details {
    probed_at side = probed_at::entry;
    std::string file;
    std::uint32_t process = 0; // 0: all
    std::vector<user_function> functions;
};

// Both are 0 where the iterator goes over everything.
struct iterator_details {
    std::uint32_t thread = 0;
    std::uint32_t process = 0;
    std::uint64_t cgroup_id = 0;
    std::uint32_t order = 0; // enum bpf_cgroup_iter_order
};

// monostate: of a kind about which link_info says all.
using link_details = std::variant<std::monostate, perf_event_details, kprobe_multi_details,
                                  uprobe_multi_details, bpffs::netfilter_hook, iterator_details>;

// Asks the kernel. What an older one does not say is empty.
link_details details_of(const bpffs::link& of);

} // namespace fsctl
