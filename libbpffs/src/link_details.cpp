// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Asking for all of struct bpf_link_info: once for the kind and for how much there is, and once
// more with places for it. The places mean something else for each kind.
#include <bpffs/link_details.hpp>

#include "link.hpp"

#include <algorithm>
#include <array>
#include <climits>

namespace bpffs {
namespace {

/// BPF_F_KPROBE_MULTI_RETURN, BPF_F_UPROBE_MULTI_RETURN
constexpr std::uint32_t returns_flag = 1;

bool ask(const link& of, raw_link_info& into, failure& why) {
    why.take(sys::obj_info(of.fd().get(), &into, sizeof into));
    return !why;
}

std::uint64_t place_of(void* at) {
    return reinterpret_cast<std::uint64_t>(at);
}

perf_event_details details_of_event(const link& of, raw_link_info raw, failure& why) {
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
    if (!ask(of, raw, why)) {
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

kprobe_multi_details details_of_functions(const link& of, raw_link_info raw, failure& why) {
    auto& probes = raw.of.kprobe_multi;
    kprobe_multi_details found;
    found.side = (probes.flags & returns_flag) != 0 ? probed_at::exit : probed_at::entry;
    found.missed = probes.missed;
    std::vector<std::uint64_t> addresses(probes.count);
    std::vector<std::uint64_t> cookies(probes.count);
    probes.addresses = place_of(addresses.data());
    probes.cookies = place_of(cookies.data());
    if (addresses.empty() || !ask(of, raw, why)) {
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

uprobe_multi_details details_of_user_functions(const link& of, raw_link_info raw, failure& why) {
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
    if (offsets.empty() || !ask(of, raw, why)) {
        return found;
    }
    found.file = file.data();
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        found.functions.push_back({offsets[i], counters[i], cookies[i]});
    }
    return found;
}

iterator_details details_of_iterator(const link& of, const raw_link_info& raw) {
    iterator_details found;
    if (of.info().target_name == "cgroup") {
        found.cgroup_id = raw.of.named.of.cgroup.id;
        found.order = raw.of.named.of.cgroup.order;
    } else if (of.info().target_name.starts_with("task")) {
        found.thread = raw.of.named.of.task.thread;
        found.process = raw.of.named.of.task.process;
    }
    return found;
}

link_details details_body(const link& of, failure& why) {
    if (!of) {
        why.set(errc::empty_handle);
        return {};
    }
    const link_kind kind = of.info().kind;
    const bool more = kind == link_kind::perf_event || kind == link_kind::kprobe_multi ||
                      kind == link_kind::uprobe_multi || kind == link_kind::netfilter ||
                      kind == link_kind::iter;
    raw_link_info raw{};
    if (!more || !ask(of, raw, why)) {
        return {};
    }
    switch (kind) {
    case link_kind::perf_event:
        return details_of_event(of, raw, why);
    case link_kind::kprobe_multi:
        return details_of_functions(of, raw, why);
    case link_kind::uprobe_multi:
        return details_of_user_functions(of, raw, why);
    case link_kind::netfilter:
        return netfilter_hook{raw.of.netfilter.family, raw.of.netfilter.hook,
                              raw.of.netfilter.priority, raw.of.netfilter.flags};
    default:
        return details_of_iterator(of, raw);
    }
}

} // namespace

link_details details_of(const link& of) {
    return loudly("look at link", of.file(), {},
                  [&](failure& why) { return details_body(of, why); });
}

link_details details_of(const link& of, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return details_body(of, why); });
}

} // namespace bpffs
