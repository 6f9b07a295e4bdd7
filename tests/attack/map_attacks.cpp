// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ways to change a map which one may only read.

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attack.hpp"

namespace bpffs_test {

namespace {

constexpr uint32_t treasure = 7;
constexpr uint32_t loot = 42;

void lay_map(scene& s, uint32_t type = BPF_MAP_TYPE_HASH) {
    const auto flags = static_cast<uint32_t>(type == BPF_MAP_TYPE_ARRAY ? BPF_F_MMAPABLE : 0);
    handle map = create_map(type, 4, 8, 4, flags);
    const uint32_t key = 0;
    const uint64_t value = treasure;
    if (map.good() && map_update(map.get(), &key, &value) != 0) {
        s.cannot("fill the map");
    }
    s.pin("map", std::move(map), 0444);
}

bool map_was_changed(scene& s) {
    const uint32_t key = 0;
    uint64_t value = 0;
    return map_lookup(s.own("map"), &key, &value) == 0 && value == loot;
}

int change(int map) {
    const uint32_t key = 0;
    const uint64_t value = loot;
    return map_update(map, &key, &value);
}

outcome update_directly(scene& s) {
    const handle map = s.victim("map");
    if (!map.good()) {
        return failed("open", map.error());
    }
    return done("update", change(map.get()));
}

outcome pin_again_and_write(scene& s) {
    const handle map = s.victim("map");
    if (!map.good()) {
        return failed("open", map.error());
    }
    if (const int e = pin(map.get(), s.mine("map")); e != 0) {
        return failed("pin again", -e);
    }
    const handle mine = get(s.mine("map"));
    if (!mine.good()) {
        return failed("open my pin", mine.error());
    }
    return done("update", change(mine.get()));
}

outcome freeze(scene& s) {
    const handle map = s.victim("map");
    if (!map.good()) {
        return failed("open", map.error());
    }
    return done("freeze", map_freeze(map.get()));
}

outcome map_writable_memory(scene& s) {
    const handle map = s.victim("map");
    if (!map.good()) {
        return failed("open", map.error());
    }
    void* p = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map.get(), 0);
    if (p == MAP_FAILED) {
        return failed("mmap", errno);
    }
    std::memcpy(p, &loot, sizeof(loot));
    ::munmap(p, 4096);
    return {};
}

outcome make_read_only_memory_writable(scene& s) {
    const handle map = s.victim("map");
    if (!map.good()) {
        return failed("open", map.error());
    }
    void* p = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, map.get(), 0);
    if (p == MAP_FAILED) {
        // A stock kernel does not even map it for reading, and says EINVAL.
        return failed("mmap", errno == EINVAL ? EACCES : errno);
    }
    if (::mprotect(p, 4096, PROT_READ | PROT_WRITE) != 0) {
        return failed("mprotect", errno);
    }
    std::memcpy(p, &loot, sizeof(loot));
    ::munmap(p, 4096);
    return {};
}

outcome open_proc_fd(scene& s) {
    const handle map = s.victim("map");
    if (!map.good()) {
        return failed("open", map.error());
    }
    const std::string path = "/proc/self/fd/" + std::to_string(map.get());
    const handle again = open_file(path, O_RDWR);
    if (!again.good()) { // who is not root fails at the inode's mode (0600 root) already
        return failed("open /proc/self/fd", again.error() == EACCES ? ENXIO : again.error());
    }
    return done("update", change(again.get()));
}

void lay_outer_map(scene& s) {
    lay_map(s);
    map_create_attr attr;
    attr.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS;
    attr.key_size = 4;
    attr.value_size = 4;
    attr.max_entries = 1;
    attr.inner_map_fd = static_cast<uint32_t>(s.own("map"));
    s.pin("outer", create_map(attr), 0666);
}

outcome insert_as_inner_map(scene& s) {
    const handle map = s.victim("map");
    const handle outer = s.partner("outer");
    if (!map.good() || !outer.good()) {
        return failed("open", map.good() ? outer.error() : map.error());
    }
    const uint32_t key = 0;
    const auto value = static_cast<uint32_t>(map.get());
    return done("insert", map_update(outer.get(), &key, &value));
}

bool outer_map_has_it(scene& s) {
    const uint32_t key = 0;
    uint32_t id = 0;
    object_ids map;
    return map_lookup(s.own("outer"), &key, &id) == 0 && map_ids(s.own("map"), map) == 0 &&
           id == map.id;
}

/// Sends one datagram through a socket that has this filter.
outcome run_filter(int program) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return failed("socketpair", errno);
    }
    const handle in(ends[0]);
    const handle out(ends[1]);
    if (::setsockopt(in.get(), SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)) != 0) {
        return failed("attach", errno);
    }
    if (::send(out.get(), "x", 1, 0) != 1) {
        return failed("send", errno);
    }
    return {};
}

outcome load_a_writing_program(scene& s) {
    const handle map = s.victim("map");
    if (!map.good()) {
        return failed("open", map.error());
    }
    const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, writes_first_value(map.get()));
    if (!program.good()) {
        return failed("load", program.error());
    }
    return run_filter(program.get());
}

void lay_sockmap(scene& s) {
    s.pin("sockmap", create_map(BPF_MAP_TYPE_SOCKMAP, 4, 4, 1), 0444);
    s.pin("verdict", load_program(BPF_PROG_TYPE_SK_SKB, returns(1)), 0666);
}

outcome set_sockmap_program(scene& s) {
    const handle map = s.victim("sockmap");
    const handle program = s.partner("verdict");
    if (!map.good() || !program.good()) {
        return failed("open", map.good() ? program.error() : map.error());
    }
    attach_attr attr;
    attr.target = static_cast<uint32_t>(map.get());
    attr.program = static_cast<uint32_t>(program.get());
    attr.attach_type = BPF_SK_SKB_STREAM_VERDICT;
    return done("attach to sockmap", prog_attach(attr));
}

bool sockmap_has_program(scene& s) {
    return prog_query_count(static_cast<uint32_t>(s.own("sockmap")), BPF_SK_SKB_STREAM_VERDICT) > 0;
}

void lay_sockmap_with_program(scene& s) {
    lay_sockmap(s);
    attach_attr attr;
    attr.target = static_cast<uint32_t>(s.own("sockmap"));
    attr.program = static_cast<uint32_t>(s.own("verdict"));
    attr.attach_type = BPF_SK_SKB_STREAM_VERDICT;
    if (prog_attach(attr) != 0) {
        s.cannot("set a sockmap's program");
    }
}

outcome remove_sockmap_program(scene& s) {
    const handle map = s.victim("sockmap");
    const handle program = s.partner("verdict");
    if (!map.good() || !program.good()) {
        return failed("open", map.good() ? program.error() : map.error());
    }
    attach_attr attr;
    attr.target = static_cast<uint32_t>(map.get());
    attr.program = static_cast<uint32_t>(program.get());
    attr.attach_type = BPF_SK_SKB_STREAM_VERDICT;
    return done("detach from sockmap", prog_detach(attr));
}

bool sockmap_has_no_program(scene& s) {
    return prog_query_count(static_cast<uint32_t>(s.own("sockmap")), BPF_SK_SKB_STREAM_VERDICT) ==
           0;
}

void lay_hash(scene& s) {
    lay_map(s);
}

void lay_array(scene& s) {
    lay_map(s, BPF_MAP_TYPE_ARRAY);
}

attack never(attack a, int error) {
    a.refused = error;
    a.elsewhere = error;
    return a;
}

attack wants_capability(attack a, unsigned capability) {
    a.capabilities = 1ULL << capability;
    a.refused = EACCES;
    return a;
}

} // namespace

const std::vector<attack>& map_attacks() {
    static const std::vector<attack> list = {
        never({"map_update", lay_hash, update_directly, map_was_changed}, EPERM),
        {"map_pin_again", lay_hash, pin_again_and_write, map_was_changed},
        never({"map_freeze", lay_hash, freeze, nullptr}, EPERM),
        never({"map_mmap_writable", lay_array, map_writable_memory, map_was_changed}, EACCES),
        never({"map_mprotect", lay_array, make_read_only_memory_writable, map_was_changed}, EACCES),
        never({"map_open_proc_fd", lay_hash, open_proc_fd, map_was_changed}, ENXIO),
        {"map_insert_as_inner", lay_outer_map, insert_as_inner_map, outer_map_has_it},
        wants_capability(
            {"map_write_by_own_program", lay_hash, load_a_writing_program, map_was_changed},
            CAP_BPF),
        wants_capability(
            {"array_write_by_own_program", lay_array, load_a_writing_program, map_was_changed},
            CAP_BPF),
        {"sockmap_set_program", lay_sockmap, set_sockmap_program, sockmap_has_program},
        {"sockmap_remove_program", lay_sockmap_with_program, remove_sockmap_program,
         sockmap_has_no_program},
    };
    return list;
}

} // namespace bpffs_test
