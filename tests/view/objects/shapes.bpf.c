// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For shape.test and writing.test: values with every kind of type.
#include <linux/bpf.h>

#include <stdbool.h>

#include <bpf/bpf_helpers.h>

enum colour { red, green = 7, blue = -1 };

struct record {
    __u32 packets;
    __s16 change;
    bool up;
    enum colour colour;
    char name[8];
    __u32 low : 3;
    __u32 high : 7;
    union {
        __u32 word;
        __u8 bytes[4];
    } address;
    struct {
        __u8 first; // and three bytes of padding
        __u32 second;
    } pair[2];
    double ratio;
    char letter;
    __u8 rest[3];
    const void* pointer;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 8);
    __type(key, __u32);
    __type(value, struct record);
} records SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, __u16[3]);
} triples SEC(".maps");

int limit = 5;
char banner[8] = "hello";

SEC("socket") int nothing(struct __sk_buff* packet) {
    return limit + banner[packet->len & 7];
}

char _license[] SEC("license") = "Dual BSD/GPL";
