// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Asking for struct bpf_link_info: once for the kind and for how much there is, and
// once more with places for it. The places mean something else for each kind.
#include "details.hpp"

#include <algorithm>
#include <array>

#include <climits>

#include <bpf/bpf.h>

namespace fsctl {

namespace {

using bpffs::link_kind;

constexpr std::uint32_t returns_flag = 1; // BPF_F_KPROBE_MULTI_RETURN, BPF_F_UPROBE_MULTI_RETURN

// A place for a name, and what the kernel says beside it.
struct raw_name {
    std::uint64_t place;
    std::uint32_t size;
    std::uint32_t offset;
};

// As of Linux 6.12, in the header's order. The one of Debian 12 knows few kinds.
struct raw_info {
    std::uint32_t kind;
    std::uint32_t id;
    std::uint32_t program_id;
    std::uint32_t unused;
    union {
        struct {
            std::uint32_t type; // enum bpf_perf_event_type
            std::uint32_t unused;
            union {
                struct {
                    raw_name function;
                    std::uint64_t address;
                    std::uint64_t missed;
                    std::uint64_t cookie;
                } kprobe;
                struct {
                    raw_name text; // of a uprobe's file; of a tracepoint, without an offset
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
            std::uint32_t map_id;
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
        } iterator;
    } of;
};
static_assert(sizeof(raw_info) == 64);

bool ask(const bpffs::link& link, raw_info& into) {
    std::uint32_t size = sizeof into;
    return ::bpf_obj_get_info_by_fd(link.fd().get(), &into, &size) == 0;
}

std::uint64_t place_of(void* at) {
    return reinterpret_cast<std::uint64_t>(at);
}

perf_event_details details_of_event(const bpffs::link& link, raw_info raw) {
    perf_event_details found;
    found.source = static_cast<perf_source>(raw.of.perf_event.type);
    if (found.source == perf_source::unspec) {
        return found;
    }
    if (found.source == perf_source::event) {
        found.type = raw.of.perf_event.of.event.type;
        found.config = raw.of.perf_event.of.event.config;
        found.cookie = raw.of.perf_event.of.event.cookie;
        return found;
    }
    std::array<char, PATH_MAX> name{};
    raw.of.perf_event.of.named.text = {place_of(name.data()), name.size(), 0};
    if (!ask(link, raw)) {
        return {};
    }
    found.name = name.data();
    found.offset = raw.of.perf_event.of.named.text.offset;
    if (found.source == perf_source::kprobe || found.source == perf_source::kretprobe) {
        found.address = raw.of.perf_event.of.kprobe.address;
        found.missed = raw.of.perf_event.of.kprobe.missed;
        found.cookie = raw.of.perf_event.of.kprobe.cookie;
    } else {
        found.cookie = raw.of.perf_event.of.named.cookie;
    }
    return found;
}

kprobe_multi_details details_of_functions(const bpffs::link& link, raw_info raw) {
    auto& probes = raw.of.kprobe_multi;
    kprobe_multi_details found;
    found.side = (probes.flags & returns_flag) != 0 ? probed_at::exit : probed_at::entry;
    found.missed = probes.missed;
    std::vector<std::uint64_t> addresses(probes.count);
    std::vector<std::uint64_t> cookies(probes.count);
    probes.addresses = place_of(addresses.data());
    probes.cookies = place_of(cookies.data());
    if (addresses.empty() || !ask(link, raw)) {
        return found;
    }
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        found.functions.push_back({addresses[i], cookies[i]});
    }
    std::stable_sort(found.functions.begin(), found.functions.end(),
                     [](const kernel_function& one, const kernel_function& other) {
                         return one.address < other.address;
                     });
    return found;
}

uprobe_multi_details details_of_user_functions(const bpffs::link& link, raw_info raw) {
    auto& probes = raw.of.uprobe_multi;
    uprobe_multi_details found;
    found.side = (probes.flags & returns_flag) != 0 ? probed_at::exit : probed_at::entry;
    found.process = probes.process;
    std::array<char, PATH_MAX> file{};
    std::vector<std::uint64_t> offsets(probes.count);
    std::vector<std::uint64_t> counters(probes.count);
    std::vector<std::uint64_t> cookies(probes.count);
    probes.path = place_of(file.data());
    probes.path_size = file.size();
    probes.offsets = place_of(offsets.data());
    probes.counter_offsets = place_of(counters.data());
    probes.cookies = place_of(cookies.data());
    if (offsets.empty() || !ask(link, raw)) {
        return found;
    }
    found.file = file.data();
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        found.functions.push_back({offsets[i], counters[i], cookies[i]});
    }
    return found;
}

iterator_details details_of_iterator(const bpffs::link& link, const raw_info& raw) {
    iterator_details found;
    if (link.info().target_name == "cgroup") {
        found.cgroup_id = raw.of.iterator.of.cgroup.id;
        found.order = raw.of.iterator.of.cgroup.order;
    } else if (link.info().target_name.starts_with("task")) {
        found.thread = raw.of.iterator.of.task.thread;
        found.process = raw.of.iterator.of.task.process;
    }
    return found;
}

} // namespace

link_details details_of(const bpffs::link& of) {
    const link_kind kind = of.info().kind;
    const bool more = kind == link_kind::perf_event || kind == link_kind::kprobe_multi ||
                      kind == link_kind::uprobe_multi || kind == link_kind::netfilter ||
                      kind == link_kind::iter;
    raw_info raw{};
    if (!more || !ask(of, raw)) {
        return {};
    }
    switch (kind) {
    case link_kind::perf_event:
        return details_of_event(of, raw);
    case link_kind::kprobe_multi:
        return details_of_functions(of, raw);
    case link_kind::uprobe_multi:
        return details_of_user_functions(of, raw);
    case link_kind::netfilter:
        return bpffs::netfilter_hook{raw.of.netfilter.family, raw.of.netfilter.hook,
                                     raw.of.netfilter.priority, raw.of.netfilter.flags};
    default:
        return details_of_iterator(of, raw);
    }
}

} // namespace fsctl
