// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For tests: programs of network devices and namespaces.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("tc") int pass(struct __sk_buff* packet) {
    return -1; // TCX_NEXT
}

SEC("tc") int next(struct __sk_buff* packet) {
    return -1;
}

SEC("xdp") int receive(struct xdp_md* packet) {
    return XDP_PASS;
}

SEC("sk_lookup") int choose(struct bpf_sk_lookup* socket) {
    return SK_PASS;
}

SEC("sk_lookup") int refuse(struct bpf_sk_lookup* socket) {
    return SK_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
