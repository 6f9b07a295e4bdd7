// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the kernel says about links beyond link_info, of the kinds that it says more of: what a perf
// event is of, which functions are watched, where in netfilter, over what an iterator goes.
#pragma once

#include <bpffs/attach.hpp>
#include <bpffs/link.hpp>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace bpffs {

/// What makes a perf event happen (enum bpf_perf_event_type).
enum class perf_source : std::uint32_t {
    unspec, ///< the kernel does not say (before Linux 6.6)
    uprobe,
    uretprobe,
    kprobe,
    kretprobe,
    tracepoint,
    event ///< a counter of the processor or the kernel
};

/// A link of kind perf_event. What does not belong to its source is empty.
struct perf_event_details {
    perf_source source = perf_source::unspec;
    std::string name;          ///< of the kernel's function, the tracepoint, the uprobe's file
    std::uint32_t offset = 0;  ///< bytes, in the function or file
    std::uint64_t address = 0; ///< kprobe; 0 where the kernel hides addresses
    std::uint64_t missed = 0;  ///< kprobe: how often it happened and the program could not run
    std::uint64_t cookie = 0;  ///< what the program gets from bpf_get_attach_cookie
    std::uint32_t type = 0;    ///< event: PERF_TYPE_*
    std::uint64_t config = 0;  ///< event: what of that type, PERF_COUNT_* or the processor's own
};

/// Where in a function probes are made.
enum class probed_at : std::uint8_t { entry, exit };

struct kernel_function {
    std::uint64_t address = 0; ///< 0 where the kernel hides addresses
    std::uint64_t cookie = 0;
};

/// A link of kind kprobe_multi.
struct kprobe_multi_details {
    probed_at side = probed_at::entry;
    std::uint64_t missed = 0;               ///< as of a perf event
    std::vector<kernel_function> functions; ///< by address
};

struct user_function {
    std::uint64_t offset = 0;         ///< bytes, in the file
    std::uint64_t counter_offset = 0; ///< of the counter that says whether one watches; 0: none
    std::uint64_t cookie = 0;
};

/// A link of kind uprobe_multi.
struct uprobe_multi_details {
    probed_at side = probed_at::entry;
    std::string file;
    std::uint32_t process = 0; ///< the only one that is watched; 0: all
    std::vector<user_function> functions;
};

/// A link of kind iter; all 0 where it goes over everything.
struct iterator_details {
    std::uint32_t thread = 0;
    std::uint32_t process = 0;
    std::uint64_t cgroup_id = 0;
    std::uint32_t order = 0; ///< enum bpf_cgroup_iter_order
};

/// netfilter_hook: a link of kind netfilter. monostate: of a kind about which link_info says all.
using link_details = std::variant<std::monostate, perf_event_details, kprobe_multi_details,
                                  uprobe_multi_details, netfilter_hook, iterator_details>;

/// Asks the kernel (BPF_OBJ_GET_INFO_BY_FD), which any right on the link will do for. What an older
/// kernel does not say is empty. errc::empty_handle. EINVAL: the kernel takes no places for what it
/// would write there; with the code is returned what else it said.
[[nodiscard]] BPFFS_API link_details details_of(const link& of);
[[nodiscard]] BPFFS_API link_details details_of(const link& of, error_code& code) noexcept;

} // namespace bpffs
