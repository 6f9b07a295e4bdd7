// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Counts the packets that leave a cgroup; all of them pass. See examples/counter.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} packets SEC(".maps");

SEC("cgroup_skb/egress") int count(struct __sk_buff* packet) {
    __u32 first = 0;
    __u64* counter = bpf_map_lookup_elem(&packets, &first);
    if (counter) {
        __sync_fetch_and_add(counter, 1);
    }
    return 1;
}

char _license[] SEC("license") = "Dual BSD/GPL";
