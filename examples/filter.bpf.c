// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A socket filter that keeps no more of each packet than its owner says, in a map.
// See examples/filter.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} length SEC(".maps");

SEC("socket") int keep(struct __sk_buff* packet) {
    __u32 first = 0;
    __u32* most = bpf_map_lookup_elem(&length, &first);
    return most ? (int)*most : 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
