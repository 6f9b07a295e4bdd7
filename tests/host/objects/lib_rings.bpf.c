// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For lib_shape_test: sends the length of each packet through a ring, and adds up what it is sent.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct event {
    __u32 length;
    __u32 mark;
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} events SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_USER_RINGBUF);
    __uint(max_entries, 4096);
} orders SEC(".maps");

SEC("socket") int send(struct __sk_buff* packet) {
    struct event* out = bpf_ringbuf_reserve(&events, sizeof *out, 0);
    if (!out) {
        return 0;
    }
    out->length = packet->len;
    out->mark = 42;
    if (packet->len == 14) {
        bpf_ringbuf_discard(out, 0);
    } else {
        bpf_ringbuf_submit(out, 0);
    }
    return 1;
}

static long add(struct bpf_dynptr* record, __u64* sum) {
    __u64* order = bpf_dynptr_data(record, 0, sizeof *order);
    if (order) {
        *sum += *order;
    }
    return 0;
}

SEC("socket") int drain(struct __sk_buff* packet) {
    __u64 sum = 0;
    bpf_user_ringbuf_drain(&orders, add, &sum, 0);
    return (int)sum;
}

char _license[] SEC("license") = "Dual BSD/GPL";
