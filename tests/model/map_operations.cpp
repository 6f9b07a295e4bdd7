// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What can be done with a map, by the handle alone.

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "operation.hpp"
#include "support/inspect.hpp"

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
    s.pin_victim("map", std::move(map));
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
    s.pin_partner("outer", create_map_of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS, s.own("map")));
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
    s.pin_victim("sockmap", create_map(BPF_MAP_TYPE_SOCKMAP, 4, 4, 1));
    s.pin_partner("verdict", load_program(BPF_PROG_TYPE_SK_SKB, returns(1)));
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

void lay_typed_array(scene& s) {
    s.pin_victim("map", create_typed_array(types_of_tests().number, 4));
}

// Plain element commands.

using on_map = int (*)(int map);

/// Opens the map and does one call.
std::function<outcome(scene&)> by_handle(const char* step, on_map call) {
    return [=](scene& s) {
        const handle map = s.victim("map");
        return map.good() ? done(step, call(map.get())) : failed("open", map.error());
    };
}

int look_up(int map) {
    const uint32_t key = 0;
    uint64_t value = 0;
    return map_lookup(map, &key, &value);
}

int first_key(int map) {
    uint32_t key = 0;
    return map_next_key(map, nullptr, &key);
}

int look_up_and_delete(int map) {
    const uint32_t key = 0;
    uint64_t value = 0;
    return map_lookup_and_delete(map, &key, &value);
}

int remove(int map) {
    const uint32_t key = 0;
    return map_delete(map, &key);
}

int batch(int command, int map) {
    uint32_t keys[16] = {};
    uint64_t values[16] = {loot};
    uint32_t count = command == BPF_MAP_UPDATE_BATCH || command == BPF_MAP_DELETE_BATCH ? 1 : 16;
    const int value = map_batch(command, map, keys, values, count);
    return value == -ENOENT ? 0 : value; // the end of the map
}

int batch_look_up(int map) {
    return batch(BPF_MAP_LOOKUP_BATCH, map);
}
int batch_look_up_and_delete(int map) {
    return batch(BPF_MAP_LOOKUP_AND_DELETE_BATCH, map);
}
int batch_update(int map) {
    return batch(BPF_MAP_UPDATE_BATCH, map);
}
int batch_delete(int map) {
    return batch(BPF_MAP_DELETE_BATCH, map);
}

int ask_base_info(int map) {
    object_ids ids;
    return map_ids(map, ids);
}

int ask_for_types(int map) {
    bpf_map_info info = {};
    const int value = object_info(map, &info, sizeof(info));
    return value < 0 ? value : -btf_of_object(info.btf_id, map).error();
}

int be_template(int map) {
    return -create_map_of_maps(BPF_MAP_TYPE_HASH_OF_MAPS, map).error();
}

int map_for_reading(int map) {
    void* p = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, map, 0);
    if (p == MAP_FAILED) {
        return -errno;
    }
    uint32_t value = 0;
    std::memcpy(&value, p, sizeof(value));
    ::munmap(p, 4096);
    return value == treasure ? 0 : -EIO;
}

int map_arena(int map) {
    void* p = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
    return p == MAP_FAILED ? -errno : 0;
}

void lay_arena(scene& s) {
    map_create_attr attr;
    attr.map_type = map_type_arena;
    attr.max_entries = 1;
    attr.map_flags = BPF_F_MMAPABLE;
    s.pin_victim("map", create_map(attr));
}

// Programs that refer to the map.

int load_a_reading_program(int map) {
    const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, reads_first_value(map));
    return -program.error();
}

void lay_map_and_program(scene& s) {
    lay_hash(s);
    s.pin_partner("program", load_program(BPF_PROG_TYPE_SCHED_CLS, returns(0)));
}

outcome bind_to_program(scene& s) {
    const handle map = s.victim("map");
    const handle program = s.partner("program");
    if (!map.good() || !program.good()) {
        return failed("open", map.good() ? program.error() : map.error());
    }
    return done("bind", prog_bind_map(program.get(), map.get()));
}

// Iterators over the elements.

std::function<void(scene&)> lay_map_and_iterator(program_text (*text)()) {
    return [=](scene& s) {
        lay_array(s);
        s.pin_partner("iterator", load_iterator("bpf_map_elem", text()));
    };
}

outcome iterate(scene& s) {
    const handle map = s.victim("map");
    const handle program = s.partner("iterator");
    if (!map.good() || !program.good()) {
        return failed("open", map.good() ? program.error() : map.error());
    }
    const auto fd = static_cast<uint32_t>(map.get());
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.attach_type = BPF_TRACE_ITER;
    attr.u.iter.iter_info = reinterpret_cast<uintptr_t>(&fd);
    attr.u.iter.iter_info_len = sizeof(fd);
    const handle link = link_create(attr);
    if (!link.good()) {
        return failed("link iterator", link.error());
    }
    const handle run = iter_create(link.get());
    char buffer[64];
    return run.good() ? done("read", ::read(run.get(), buffer, sizeof(buffer)) < 0 ? -errno : 0)
                      : failed("make iterator", run.error());
}

outcome ask_sockmap(scene& s) {
    const handle map = s.victim("sockmap");
    if (!map.good()) {
        return failed("open", map.error());
    }
    const auto target = static_cast<uint32_t>(map.get());
    return done("query", prog_query_count(target, BPF_SK_SKB_STREAM_VERDICT));
}

// The list.

operation on(const char* use, const char* name, std::function<void(scene&)> prepare,
             std::function<outcome(scene&)> attempt, std::function<bool(scene&)> seen = nullptr) {
    operation op;
    op.object = object_kind::map;
    op.use = use;
    op.name = name;
    op.prepare = std::move(prepare);
    op.attempt = std::move(attempt);
    op.seen = std::move(seen);
    return op;
}

/// Refused through a read-only handle by every kernel on every mount.
operation always(operation op, int error = EPERM) {
    op.refused = error;
    op.elsewhere = error;
    return op;
}

/// Takes a capability beside the right; the kernel refuses with this error where the right lacks.
operation with(unsigned capability, operation op, int error = EPERM) {
    op.capabilities |= 1ULL << capability;
    op.refused = error;
    return op;
}

operation needs(const char* probe, operation op) {
    op.needs = probe;
    return op;
}

void add_reading(std::vector<operation>& list) {
    list.push_back(on("base info", "map_base_info", lay_hash, by_handle("info", ask_base_info)));
    list.push_back(with(CAP_BPF, on("lend the template of inner maps", "map_as_template", lay_hash,
                                    by_handle("create outer", be_template))));
    list.push_back(on("look up", "map_look_up", lay_hash, by_handle("look up", look_up)));
    list.push_back(on("look up", "array_look_up", lay_array, by_handle("look up", look_up)));
    list.push_back(on("iterate keys", "map_next_key", lay_hash, by_handle("key", first_key)));
    list.push_back(on("batch look up", "map_batch_look_up", lay_hash,
                      by_handle("batch look up", batch_look_up)));
    list.push_back(always(on("mmap for reading", "array_mmap_for_reading", lay_array,
                             by_handle("mmap", map_for_reading)),
                          EACCES));
    list.push_back(on("iterator that reads", "array_iterator_reads",
                      lay_map_and_iterator(iterator_reads_value), iterate));
    list.push_back(
        on("be bound to a program", "map_bound_to_program", lay_map_and_program, bind_to_program));
    list.push_back(with(CAP_NET_ADMIN, on("ask a sockmap for its programs", "sockmap_query",
                                          lay_sockmap, ask_sockmap)));
    list.push_back(needs("btf_by_handle", on("its BTF", "map_types", lay_typed_array,
                                             by_handle("types", ask_for_types))));
    for (const auto& [name, lay] : {std::pair{"map_read_by_own_program", &lay_hash},
                                    std::pair{"array_read_by_own_program", &lay_array}}) {
        list.push_back(
            needs("reader_programs", with(CAP_BPF,
                                          on("referenced by a program that reads it", name, lay,
                                             by_handle("load", load_a_reading_program)),
                                          EACCES)));
    }
}

void add_writing(std::vector<operation>& list) {
    list.push_back(
        always(on("update", "map_update", lay_hash, by_handle("update", change), map_was_changed)));
    list.push_back(always(on("delete", "map_delete", lay_hash, by_handle("delete", remove))));
    list.push_back(always(on("batch update", "map_batch_update", lay_hash,
                             by_handle("batch update", batch_update), map_was_changed)));
    list.push_back(always(
        on("batch delete", "map_batch_delete", lay_hash, by_handle("batch delete", batch_delete))));
    list.push_back(always(on("freeze", "map_freeze", lay_hash, by_handle("freeze", map_freeze))));
    list.push_back(on("set a sockmap's programs", "sockmap_set_program", lay_sockmap,
                      set_sockmap_program, sockmap_has_program));
    list.push_back(on("set a sockmap's programs", "sockmap_remove_program",
                      lay_sockmap_with_program, remove_sockmap_program, sockmap_has_no_program));
}

void add_both(std::vector<operation>& list) {
    list.push_back(always(on("look up and delete", "map_look_up_and_delete", lay_hash,
                             by_handle("look up and delete", look_up_and_delete))));
    list.push_back(always(on("batch look up and delete", "map_batch_look_up_and_delete", lay_hash,
                             by_handle("batch look up and delete", batch_look_up_and_delete))));
    list.push_back(always(on("mmap for writing", "map_mmap_for_writing", lay_array,
                             map_writable_memory, map_was_changed),
                          EACCES));
    list.push_back(always(on("make memory writable after mmap", "map_mprotect", lay_array,
                             make_read_only_memory_writable, map_was_changed),
                          EACCES));
    list.push_back(
        always(on("arena", "arena_mmap", lay_arena, by_handle("mmap", map_arena)), EACCES));
    list.push_back(
        on("pin again", "map_pin_again", lay_hash, pin_again_and_write, map_was_changed));
    list.push_back(on("insert as inner map", "map_insert_as_inner", lay_outer_map,
                      insert_as_inner_map, outer_map_has_it));
    list.push_back(on("iterator that writes", "array_iterator_writes",
                      lay_map_and_iterator(iterator_writes_value), iterate, map_was_changed));
    for (const auto& [name, lay] : {std::pair{"map_write_by_own_program", &lay_hash},
                                    std::pair{"array_write_by_own_program", &lay_array}}) {
        list.push_back(with(CAP_BPF,
                            on("referenced by a program that writes it", name, lay,
                               load_a_writing_program, map_was_changed),
                            EACCES));
    }
    list.push_back(always(
        on("open anew through /proc", "map_open_proc_fd", lay_hash, open_proc_fd, map_was_changed),
        ENXIO));
}

} // namespace

const std::vector<operation>& map_operations() {
    static const std::vector<operation> list = [] {
        std::vector<operation> all;
        add_reading(all);
        add_writing(all);
        add_both(all);
        return all;
    }();
    return list;
}

} // namespace bpffs_test
