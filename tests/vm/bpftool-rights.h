/* SPDX-License-Identifier: GPL-2.0-only
 *
 * What the programs of tests/vm/bpftool-rights begin with.
 */
#define SECTION(name) __attribute__((section(name), used))

/* A map of numbers to numbers, as libbpf reads its type and size from the BTF. */
#define MAP(name, kind, size)                                                                      \
    struct {                                                                                       \
        int (*type)[kind];                                                                         \
        int *key;                                                                                  \
        long *value;                                                                               \
        int (*max_entries)[size];                                                                  \
    } name SECTION(".maps");

__attribute__((unused)) static void *(*const map_lookup_elem)(void *map, const void *key) = (void *)1;
__attribute__((unused)) static void *(*const sk_lookup_tcp)(void *context, void *tuple, unsigned size,
    unsigned long long netns, unsigned long long flags) = (void *)84;
__attribute__((unused)) static long (*const sk_release)(void *socket) = (void *)86;

SECTION("license") char terms[] = "GPL";
