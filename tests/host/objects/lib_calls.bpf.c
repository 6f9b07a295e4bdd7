// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For tests: a program with functions of its own, one of them checked by itself.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

static __attribute__((noinline)) int twice(int number) {
    return number * 2 + (int)bpf_ktime_get_ns();
}

__attribute__((noinline)) int length(struct __sk_buff* packet) {
    return packet->len + 1;
}

SEC("socket") int calls(struct __sk_buff* packet) {
    return twice(packet->len) + length(packet);
}

char _license[] SEC("license") = "Dual BSD/GPL";
