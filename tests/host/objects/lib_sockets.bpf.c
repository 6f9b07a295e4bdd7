// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For tests: programs of sockmaps and of network namespaces.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
    __uint(type, BPF_MAP_TYPE_SOCKMAP);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} sockets SEC(".maps");

SEC("sk_skb/stream_verdict") int verdict(struct __sk_buff* packet) {
    return SK_PASS;
}

SEC("flow_dissector") int dissect(struct __sk_buff* packet) {
    return BPF_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
