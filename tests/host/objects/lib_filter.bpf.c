// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For lib_program_test: a socket filter that keeps of each packet as many bytes as a map says.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4);
    __type(key, __u32);
    __type(value, __s64);
} lengths SEC(".maps");

SEC("socket") int keep(struct __sk_buff* packet) {
    __u32 key = 7;
    __s64* length = bpf_map_lookup_elem(&lengths, &key);
    return length ? (int)*length : 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
