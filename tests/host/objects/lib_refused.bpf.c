// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For lib_program_test: the second program is one that the verifier refuses.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} values SEC(".maps");

SEC("socket") int fine(struct __sk_buff* packet) {
    return 0;
}

SEC("socket") int unchecked(struct __sk_buff* packet) {
    __u32 first = 0;
    __u64* value = bpf_map_lookup_elem(&values, &first);
    return (int)*value;
}

char _license[] SEC("license") = "Dual BSD/GPL";
