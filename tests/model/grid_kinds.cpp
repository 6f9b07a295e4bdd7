// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The kinds of the grid (grid.hpp), and what can be done with each.

#include "grid.hpp"

#include <cerrno>

#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/inspect.hpp"

namespace bpffs_test {

namespace {

constexpr uint32_t loopback = 1;

int errno_of(int value) {
    return value < 0 ? -value : 0;
}

uint32_t number(const handle* h) {
    return h != nullptr ? static_cast<uint32_t>(h->get()) : ~0U;
}

int pin_again(int fd, const surroundings& s) {
    return errno_of(pin(fd, s.own_directory + "/again"));
}

// Maps.

/// Large enough for the values of all processors.
struct element {
    alignas(8) uint8_t key[64] = {};
    alignas(8) uint8_t value[8192] = {};
};

using on_element = int (*)(int map, element& e);

grid_use element_use(const char* use, const char* name, on_element call) {
    grid_use u{use, name,
               [call](int fd, const surroundings& /*s*/) {
                   element e;
                   return errno_of(call(fd, e));
               },
               true};
    return u;
}

int batch(int command, int map, element& e) {
    uint32_t count = 1;
    const int value = map_batch(command, map, e.key, e.value, count);
    return value == -ENOENT ? 0 : value; // the end
}

grid_use memory_use(const char* use, const char* name, int protection) {
    grid_use u{use, name, [protection](int fd, const surroundings& /*s*/) {
                   void* p = ::mmap(nullptr, 4096, protection, MAP_SHARED, fd, 0);
                   if (p == MAP_FAILED) {
                       return errno;
                   }
                   ::munmap(p, 4096);
                   return 0;
               }};
    u.refused = EACCES;
    return u;
}

int into_partner(int fd, const surroundings& s) {
    const uint32_t key = 0;
    const auto value = static_cast<uint32_t>(fd);
    return errno_of(map_update(static_cast<int>(number(s.partner)), &key, &value));
}

std::vector<grid_use> map_uses() {
    return {
        {"base info", "info",
         [](int fd, const surroundings& /*s*/) {
             object_ids ids;
             return errno_of(map_ids(fd, ids));
         }},
        element_use("iterate keys", "next key",
                    [](int map, element& e) {
                        const int value = map_next_key(map, nullptr, e.key);
                        return value == -ENOENT ? 0 : value;
                    }),
        element_use("look up", "look up",
                    [](int map, element& e) { return map_lookup(map, e.key, e.value); }),
        element_use("batch look up", "batch look up",
                    [](int map, element& e) { return batch(BPF_MAP_LOOKUP_BATCH, map, e); }),
        element_use("update", "update",
                    [](int map, element& e) { return map_update(map, e.key, e.value); }),
        element_use("delete", "delete", [](int map, element& e) { return map_delete(map, e.key); }),
        element_use("batch update", "batch update",
                    [](int map, element& e) { return batch(BPF_MAP_UPDATE_BATCH, map, e); }),
        element_use("batch delete", "batch delete",
                    [](int map, element& e) { return batch(BPF_MAP_DELETE_BATCH, map, e); }),
        element_use("look up and delete", "look up and delete",
                    [](int map, element& e) { return map_lookup_and_delete(map, e.key, e.value); }),
        element_use(
            "batch look up and delete", "batch look up and delete",
            [](int map, element& e) { return batch(BPF_MAP_LOOKUP_AND_DELETE_BATCH, map, e); }),
        memory_use("mmap for reading", "mmap for reading", PROT_READ),
        memory_use("mmap for writing", "mmap for writing", PROT_READ | PROT_WRITE),
        {"insert as inner map", "insert as inner map", into_partner},
        {"pin again", "pin again", pin_again},
        element_use("freeze", "freeze", [](int map, element& /*e*/) { return map_freeze(map); }),
    };
}

struct map_shape {
    uint32_t type;
    const char* name;
    uint32_t key, value, entries, flags;
};

constexpr map_shape shapes[] = {
    {BPF_MAP_TYPE_HASH, "hash", 4, 8, 4, 0},
    {BPF_MAP_TYPE_ARRAY, "array", 4, 8, 4, BPF_F_MMAPABLE},
    {BPF_MAP_TYPE_PROG_ARRAY, "prog_array", 4, 4, 4, 0},
    {BPF_MAP_TYPE_PERF_EVENT_ARRAY, "perf_event_array", 4, 4, 4, 0},
    {BPF_MAP_TYPE_PERCPU_HASH, "percpu_hash", 4, 8, 4, 0},
    {BPF_MAP_TYPE_PERCPU_ARRAY, "percpu_array", 4, 8, 4, 0},
    {BPF_MAP_TYPE_STACK_TRACE, "stack_trace", 4, 64, 4, 0},
    {BPF_MAP_TYPE_CGROUP_ARRAY, "cgroup_array", 4, 4, 4, 0},
    {BPF_MAP_TYPE_LRU_HASH, "lru_hash", 4, 8, 4, 0},
    {BPF_MAP_TYPE_LRU_PERCPU_HASH, "lru_percpu_hash", 4, 8, 4, 0},
    {BPF_MAP_TYPE_LPM_TRIE, "lpm_trie", 8, 8, 4, BPF_F_NO_PREALLOC},
    {BPF_MAP_TYPE_DEVMAP, "devmap", 4, 4, 4, 0},
    {BPF_MAP_TYPE_DEVMAP_HASH, "devmap_hash", 4, 4, 4, 0},
    {BPF_MAP_TYPE_CPUMAP, "cpumap", 4, 4, 4, 0},
    {BPF_MAP_TYPE_XSKMAP, "xskmap", 4, 4, 4, 0},
    {BPF_MAP_TYPE_SOCKMAP, "sockmap", 4, 4, 4, 0},
    {BPF_MAP_TYPE_SOCKHASH, "sockhash", 4, 4, 4, 0},
    {BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, "reuseport_sockarray", 4, 4, 4, 0},
    {BPF_MAP_TYPE_CGROUP_STORAGE, "cgroup_storage", 16, 8, 0, 0},
    {BPF_MAP_TYPE_QUEUE, "queue", 0, 8, 4, 0},
    {BPF_MAP_TYPE_STACK, "stack", 0, 8, 4, 0},
    {BPF_MAP_TYPE_BLOOM_FILTER, "bloom_filter", 0, 8, 4, 0},
    {BPF_MAP_TYPE_RINGBUF, "ringbuf", 0, 0, 4096, 0},
    {BPF_MAP_TYPE_USER_RINGBUF, "user_ringbuf", 0, 0, 4096, 0},
    {map_type_arena, "arena", 0, 0, 1, BPF_F_MMAPABLE},
};

handle outer_for(int inner) {
    return create_map_of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS, inner);
}

// Programs.

/// Where programs of a kind are attached; how.
struct program_shape {
    const char* name;
    uint32_t type;
    uint32_t attach_type;
    enum { socket, link_here, link_on_cgroup, tracepoint, nowhere } target;
    uint32_t flags = 0;
};

constexpr program_shape programs[] = {
    {"socket_filter", BPF_PROG_TYPE_SOCKET_FILTER, 0, program_shape::socket},
    {"sched_cls", BPF_PROG_TYPE_SCHED_CLS, attach_tcx_ingress, program_shape::link_here},
    {"sched_act", BPF_PROG_TYPE_SCHED_ACT, 0, program_shape::nowhere},
    {"xdp", BPF_PROG_TYPE_XDP, BPF_XDP, program_shape::link_here},
    {"cgroup_skb", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS,
     program_shape::link_on_cgroup},
    {"cgroup_sock", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE,
     program_shape::link_on_cgroup},
    {"cgroup_sock_addr", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND,
     program_shape::link_on_cgroup},
    {"cgroup_device", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE,
     program_shape::link_on_cgroup},
    {"cgroup_sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL,
     program_shape::link_on_cgroup},
    {"cgroup_sockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT,
     program_shape::link_on_cgroup},
    {"sock_ops", BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, program_shape::link_on_cgroup},
    {"sk_skb", BPF_PROG_TYPE_SK_SKB, 0, program_shape::nowhere},
    {"sk_msg", BPF_PROG_TYPE_SK_MSG, 0, program_shape::nowhere},
    {"sk_lookup", BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, program_shape::link_here},
    {"sk_reuseport", BPF_PROG_TYPE_SK_REUSEPORT, 0, program_shape::nowhere},
    {"flow_dissector", BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, program_shape::link_here},
    {"netfilter", prog_type_netfilter, attach_netfilter, program_shape::link_here},
    {"lwt_in", BPF_PROG_TYPE_LWT_IN, 0, program_shape::nowhere},
    {"lwt_xmit", BPF_PROG_TYPE_LWT_XMIT, 0, program_shape::nowhere},
    {"kprobe", BPF_PROG_TYPE_KPROBE, 0, program_shape::nowhere},
    {"tracepoint", BPF_PROG_TYPE_TRACEPOINT, 0, program_shape::nowhere},
    {"perf_event", BPF_PROG_TYPE_PERF_EVENT, 0, program_shape::nowhere},
    {"raw_tracepoint", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, program_shape::tracepoint},
    {"syscall", BPF_PROG_TYPE_SYSCALL, 0, program_shape::nowhere, BPF_F_SLEEPABLE},
};

handle load(const program_shape& shape) {
    load_options options;
    // Those of devices have none.
    const bool bare = shape.type == BPF_PROG_TYPE_SCHED_CLS || shape.type == BPF_PROG_TYPE_XDP;
    options.expected_attach_type = bare ? 0 : shape.attach_type;
    options.flags = shape.flags;
    return load_program(shape.type, returns(shape.type == BPF_PROG_TYPE_XDP ? 2 : 1), options);
}

handle link_of(const program_shape& shape, int program, int cgroup) {
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program);
    attr.attach_type = shape.attach_type;
    const handle net = open_file("/proc/self/ns/net", 0);
    if (shape.target == program_shape::link_on_cgroup) {
        attr.target_fd = static_cast<uint32_t>(cgroup);
    } else if (shape.type == BPF_PROG_TYPE_SK_LOOKUP ||
               shape.type == BPF_PROG_TYPE_FLOW_DISSECTOR) {
        attr.target_fd = static_cast<uint32_t>(net.get());
    } else if (shape.type == prog_type_netfilter) {
        attr.u.netfilter.pf = NFPROTO_IPV4;
        attr.u.netfilter.hooknum = NF_INET_LOCAL_IN;
        attr.u.netfilter.priority = -100;
    } else {
        attr.target_fd = loopback;
        attr.flags = shape.type == BPF_PROG_TYPE_XDP ? XDP_FLAGS_SKB_MODE : 0;
    }
    return link_create(attr);
}

int attach(const program_shape& shape, int fd, const surroundings& s) {
    if (shape.target == program_shape::tracepoint) {
        return raw_tracepoint_open("sched_switch", fd).error();
    }
    if (shape.target != program_shape::socket) {
        return link_of(shape, fd, static_cast<int>(number(s.cgroup))).error();
    }
    const handle sock(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return ::setsockopt(sock.get(), SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)) != 0 ? errno : 0;
}

const char* attach_row(const program_shape& shape) {
    switch (shape.target) {
    case program_shape::socket:
        return "attach to a socket";
    case program_shape::link_on_cgroup:
        return "attach to a cgroup";
    case program_shape::tracepoint:
        return "attach to tracing";
    default:
        return shape.type == BPF_PROG_TYPE_XDP || shape.type == BPF_PROG_TYPE_SCHED_CLS
                   ? "attach to a device"
                   : "attach to a network namespace";
    }
}

int bind_a_map(int fd, const surroundings& s) {
    return errno_of(prog_bind_map(fd, static_cast<int>(number(s.partner))));
}

int look_inside(int fd, const surroundings& /*s*/) {
    program_view view;
    const int value = view_program(fd, view);
    return value == 0 && view.text.empty() ? EPERM : errno_of(value);
}

std::vector<grid_use> program_uses(const program_shape& shape) {
    std::vector<grid_use> uses = {
        {"base info", "info",
         [](int fd, const surroundings& /*s*/) {
             object_ids ids;
             return errno_of(prog_ids(fd, ids));
         }},
        {"test run", "test run",
         [](int fd, const surroundings& /*s*/) {
             return errno_of(prog_test_run(fd, run_input::packet));
         }},
        {"bind a map", "bind a map", bind_a_map},
        {"insert into a map of programs", "insert into a program array", into_partner},
        {"pin again", "pin again", pin_again},
    };
    grid_use inside{"instructions, line and function info", "instructions", look_inside};
    inside.by_right_alone = true;
    uses.push_back(inside);
    if (shape.target != program_shape::nowhere) {
        uses.push_back({attach_row(shape), "attach",
                        [shape](int fd, const surroundings& s) { return attach(shape, fd, s); }});
    }
    return uses;
}

handle program_array(int /*program*/) {
    return create_map(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1);
}

// Links.

std::vector<grid_use> link_uses() {
    return {
        {"base info", "info",
         [](int fd, const surroundings& /*s*/) {
             object_ids ids;
             return errno_of(link_ids(fd, ids));
         }},
        {"make an iterator and read it", "iterator",
         [](int fd, const surroundings& /*s*/) { return iter_create(fd).error(); }},
        {"pin again", "pin again", pin_again},
        {"update", "update",
         [](int fd, const surroundings& s) {
             return errno_of(link_update(fd, static_cast<int>(number(s.partner))));
         }},
        {"detach", "detach",
         [](int fd, const surroundings& /*s*/) { return errno_of(link_detach(fd)); }},
    };
}

/// The cgroup of the machine's own root: links that end with the test.
handle root_cgroup() {
    return open_file("/sys/fs/cgroup", 0);
}

} // namespace

std::vector<grid_kind> map_kinds() {
    std::vector<grid_kind> all;
    for (const map_shape& shape : shapes) {
        all.push_back({object_kind::map, shape.name,
                       [shape] {
                           return create_map(shape.type, shape.key, shape.value, shape.entries,
                                             shape.flags);
                       },
                       outer_for, map_uses()});
    }
    for (const auto& [type, name] : {std::pair{BPF_MAP_TYPE_ARRAY_OF_MAPS, "array_of_maps"},
                                     std::pair{BPF_MAP_TYPE_HASH_OF_MAPS, "hash_of_maps"}}) {
        all.push_back({object_kind::map, name,
                       [type = type] {
                           const handle inner = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
                           return create_map_of_maps(type, inner.get());
                       },
                       outer_for, map_uses()});
    }
    return all;
}

std::vector<grid_kind> program_kinds() {
    std::vector<grid_kind> all;
    for (const program_shape& shape : programs) {
        all.push_back({object_kind::program, shape.name, [shape] { return load(shape); },
                       program_array, program_uses(shape)});
    }
    return all;
}

std::vector<grid_kind> link_kinds() {
    std::vector<grid_kind> all;
    for (const program_shape& shape : programs) {
        if (shape.target == program_shape::tracepoint) {
            all.push_back(
                {object_kind::link, "raw_tracepoint",
                 [shape] { return raw_tracepoint_open("sched_switch", load(shape).get()); },
                 [shape](int /*link*/) { return load(shape); }, link_uses()});
        }
        if (shape.target == program_shape::link_here || shape.type == BPF_PROG_TYPE_CGROUP_SOCK) {
            all.push_back({object_kind::link, std::string("of ") + shape.name,
                           [shape] {
                               const handle program = load(shape);
                               return link_of(shape, program.get(), root_cgroup().get());
                           },
                           [shape](int /*link*/) { return load(shape); }, link_uses()});
        }
    }
    return all;
}

} // namespace bpffs_test
