// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For tests: programs that watch the kernel, each of them counting in an entry of its own.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 4);
    __type(key, __u32);
    __type(value, __u64);
} seen SEC(".maps");

static void count(__u32 index) {
    __u64* counter = bpf_map_lookup_elem(&seen, &index);
    if (counter) {
        __sync_fetch_and_add(counter, 1);
    }
}

SEC("raw_tp/sys_enter") int enter(void* context) {
    count(0);
    return 0;
}

SEC("fentry/vfs_rmdir") int BPF_PROG(entry) {
    count(1);
    return 0;
}

SEC("fexit/vfs_rmdir") int BPF_PROG(leave) {
    count(2);
    return 0;
}

SEC("kprobe.multi/vfs_rmdir") int probe(void* context) {
    count(3);
    return 0;
}

struct bpf_iter_meta {
    void* seq;
} __attribute__((preserve_access_index));

struct bpf_iter__bpf_map {
    struct bpf_iter_meta* meta;
    void* map;
} __attribute__((preserve_access_index));

SEC("iter/bpf_map") int each(struct bpf_iter__bpf_map* context) {
    const char line[] = "map\n";
    if (context->map) {
        bpf_seq_write(context->meta->seq, line, sizeof line - 1);
    }
    return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
