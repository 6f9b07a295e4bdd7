// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ways by the handle: copied, passed on, taken from somebody else, given to somebody who may more,
// used in calls that take handles as values.

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/passing.hpp"
#include "way.hpp"

namespace bpffs_test {

namespace {

// Copies.

outcome pins_a_copy(scene& s) {
    return with_victim(s, "map", [&](int map) {
        const handle copy(::fcntl(map, F_DUPFD_CLOEXEC, 3)); // NOLINT
        return pin_and_change(copy.get(), s.mine("map"));
    });
}

outcome asks_for_another_access_mode(scene& s) {
    return with_victim(s, "map", [&](int map) {
        (void)::fcntl(map, F_SETFL, O_RDWR); // NOLINT: ignored, and no error
        return pin_and_change(map, s.mine("map"));
    });
}

outcome pins_what_came_over_a_socket(scene& s) {
    return with_victim(s, "map", [&](int map) {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
            return failed("socketpair", errno);
        }
        const handle here(ends[0]);
        const handle there(ends[1]);
        send_handle(here.get(), map);
        const handle received = receive_handle(there.get());
        return pin_and_change(received.get(), s.mine("map"));
    });
}

outcome pins_what_a_child_inherited(scene& s) {
    return with_victim(s, "map", [&](int map) {
        const pid_t child = ::fork();
        if (child == 0) {
            ::_exit(pin_and_change(map, s.mine("map")).error);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        return failed("in the child", WEXITSTATUS(status));
    });
}

/// pidfd_getfd(2) of a descriptor of this process.
handle descriptor_of(pid_t process, int fd) {
    const handle pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    const long copy = ::syscall(SYS_pidfd_getfd, pidfd.get(), fd, 0);
    return handle(copy < 0 ? -errno : static_cast<int>(copy));
}

outcome pins_what_pidfd_gives(scene& s) {
    return with_victim(s, "map", [&](int map) {
        return pin_and_change(descriptor_of(::getpid(), map).get(), s.mine("map"));
    });
}

outcome takes_a_handle_of_roots(scene& s) {
    const handle taken = descriptor_of(::getppid(), s.own("map"));
    return taken.good() ? done("update", change(taken.get()))
                        : failed("pidfd_getfd", taken.error());
}

outcome opens_a_handle_of_roots(scene& s) {
    return open_and_change("/proc/" + std::to_string(::getppid()) + "/fd/" +
                           std::to_string(s.own("map")));
}

// Somebody who may more.

/// A service of root's that pins whatever it is handed at a place of the client's, as some do.
class pinning_service {
public:
    explicit pinning_service(std::string path) : path_(std::move(path)) {
        int ends[2] = {-1, -1};
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
            return;
        }
        client_ = handle(ends[0]);
        const handle server(ends[1]);
        process_ = ::fork();
        if (process_ == 0) {
            client_.close();
            serve(server.get());
            ::_exit(0);
        }
    }
    pinning_service(const pinning_service&) = delete;
    pinning_service& operator=(const pinning_service&) = delete;
    pinning_service(pinning_service&&) = delete;
    pinning_service& operator=(pinning_service&&) = delete;
    ~pinning_service() {
        ::shutdown(client_.get(), SHUT_RDWR);
        ::waitpid(process_, nullptr, 0);
    }

    /// What the service's BPF_OBJ_PIN gave.
    [[nodiscard]] int pin_for_me(int fd) const {
        int32_t answer = -EPIPE;
        send_handle(client_.get(), fd);
        return ::read(client_.get(), &answer, sizeof(answer)) == sizeof(answer) ? answer : -EPIPE;
    }

private:
    void serve(int socket) const {
        for (;;) {
            const handle object = receive_handle(socket);
            if (!object.good()) {
                return;
            }
            const int32_t answer = pin(object.get(), path_);
            if (::write(socket, &answer, sizeof(answer)) != sizeof(answer)) {
                return;
            }
        }
    }

    std::string path_;
    handle client_;
    pid_t process_ = -1;
};

void lay_pinning_service(scene& s) {
    lay_hash(s);
    s.keep("service", std::make_shared<pinning_service>(s.path("served")));
}

outcome lets_a_service_pin(scene& s) {
    return with_victim(s, "map", [&](int map) {
        return done("root pins", s.kept<pinning_service>("service").pin_for_me(map), true);
    });
}

outcome attaches_in_a_network_of_ones_own(scene& s) {
    return with_victim(s, "program", [](int program) {
        if (const outcome o = enter_own_namespaces(CLONE_NEWNET); o.error != 0) {
            return o;
        }
        link_create_attr attr;
        attr.prog_fd = static_cast<uint32_t>(program);
        attr.target_fd = loopback;
        attr.attach_type = BPF_XDP;
        attr.flags = XDP_FLAGS_SKB_MODE;
        const handle link = link_create(attr);
        return done("link", -link.error(), true);
    });
}

void lay_xdp(scene& s) {
    s.pin_victim("program", load_program(BPF_PROG_TYPE_XDP, returns(2)));
}

// By id: what a reader is told of an object does not open it.

outcome opens_by_id(scene& s) {
    return with_victim(s, "map", [](int map) {
        object_ids ids;
        map_ids(map, ids);
        const handle opened = map_by_id(ids.id);
        return opened.good() ? done("update", change(opened.get()))
                             : failed("by id", opened.error());
    });
}

void lay_outer(scene& s, uint32_t type) {
    lay_hash(s);
    handle outer = create_map_of_maps(type, s.own("map"));
    const uint32_t key = 0;
    const auto value = static_cast<uint32_t>(s.own("map"));
    if (map_update(outer.get(), &key, &value) != 0) {
        s.cannot("fill the outer map");
    }
    s.pin_partner("outer", std::move(outer));
}

void lay_outer_array(scene& s) {
    lay_outer(s, BPF_MAP_TYPE_ARRAY_OF_MAPS);
}

void lay_empty_outer_hash(scene& s) {
    lay_outer(s, BPF_MAP_TYPE_HASH_OF_MAPS);
    const uint32_t key = 0;
    map_delete(s.own("outer"), &key);
}

outcome takes_an_inner_map_out(scene& s) {
    const handle outer = s.partner("outer");
    const uint32_t key = 0;
    uint32_t id = 0;
    if (const int e = map_lookup(outer.get(), &key, &id); e != 0) {
        return failed("look up", -e);
    }
    const handle inner = map_by_id(id);
    return inner.good() ? done("update", change(inner.get())) : failed("by id", inner.error());
}

bool outer_has_it(scene& s) {
    const uint32_t key = 0;
    uint32_t id = 0;
    object_ids map;
    return map_lookup(s.own("outer"), &key, &id) == 0 && map_ids(s.own("map"), map) == 0 &&
           id == map.id;
}

outcome inserts_into_a_hash(scene& s) {
    return with_victim(s, "map", [&](int map) {
        const handle outer = s.partner("outer");
        const uint32_t key = 0;
        const auto value = static_cast<uint32_t>(map);
        return done("insert", map_update(outer.get(), &key, &value));
    });
}

outcome inserts_by_batch(scene& s) {
    return with_victim(s, "map", [&](int map) {
        const handle outer = s.partner("outer");
        uint32_t key = 0;
        auto value = static_cast<uint32_t>(map);
        uint32_t count = 1;
        return done("insert", map_batch(BPF_MAP_UPDATE_BATCH, outer.get(), &key, &value, count));
    });
}

// Who may write and not read.

outcome pins_a_writers_handle_and_reads(scene& s) {
    return with_victim(s, "map", [&](int map) {
        if (const int e = pin(map, s.mine("map")); e != 0) {
            return failed("pin", -e);
        }
        const handle reader = get(s.mine("map"), BPF_F_RDONLY);
        const uint32_t key = 0;
        uint64_t value = 0;
        const int e = map_lookup(reader.get(), &key, &value);
        return done("look up", e, value == treasure);
    });
}

outcome loads_a_reader_by_a_writers_handle(scene& s) {
    return with_victim(s, "map", [](int map) {
        const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, reads_first_value(map));
        uint32_t value = 0;
        const int e = program.good() ? prog_test_run(program.get(), run_input::packet, &value)
                                     : -program.error();
        return done("run", e, value == treasure);
    });
}

outcome reads_keys_by_a_writers_handle(scene& s) {
    return with_victim(s, "map", [](int map) {
        uint32_t key = 0;
        return done("next key", map_next_key(map, nullptr, &key), true);
    });
}

outcome takes_values_by_a_writers_handle(scene& s) {
    return with_victim(s, "map", [](int map) {
        const uint32_t key = 0;
        uint64_t value = 0;
        return done("look up and delete", map_lookup_and_delete(map, &key, &value), true);
    });
}

outcome maps_memory_by_a_writers_handle(scene& s) {
    return with_victim(s, "map", [](int map) {
        // On this architecture what is writable can be read.
        void* p = ::mmap(nullptr, 4096, PROT_WRITE, MAP_SHARED, map, 0);
        return p == MAP_FAILED ? failed("mmap", errno) : done("mmap", 0, true);
    });
}

outcome runs_by_a_writers_handle(scene& s) {
    return with_victim(s, "program", [&](int program) {
        if (const int e = pin(program, s.mine("program")); e != 0) {
            return failed("pin", -e);
        }
        const handle mine = get(s.mine("program"));
        return done("run", prog_test_run(mine.get(), run_input::packet), true);
    });
}

// The list.

constexpr victim_access writer = {0222, BPF_F_WRONLY};

way opened(victim_access access, way w) {
    w.access = access;
    return w;
}

way seen_by(std::function<bool(scene&)> seen, way w) {
    w.seen = std::move(seen);
    return w;
}

void add_copies(std::vector<way>& list) {
    static const char* const bound = "a handle gives no more, whichever way it is copied or passed";
    const auto add = [&](const char* name, step attempt) {
        list.push_back(
            seen_by(map_was_changed, new_way(bound, name, lay_hash, std::move(attempt))));
    };
    add("pin_a_copy", pins_a_copy);
    add("pin_after_fcntl", asks_for_another_access_mode);
    add("pin_what_came_over_a_socket", pins_what_came_over_a_socket);
    add("pin_what_a_child_inherited", pins_what_a_child_inherited);
    add("pin_what_pidfd_gives", pins_what_pidfd_gives);
    list.push_back(new_way("a service of root's does no more with a handle than its client could",
                           "pin_by_a_service_of_roots", lay_pinning_service, lets_a_service_pin));
    list.push_back(new_way("a reader's program is not attached by who is root of a namespace",
                           "attach_in_a_network_of_ones_own", lay_xdp,
                           attaches_in_a_network_of_ones_own));
    static const char* const others = "the maker's handle is not to be had by others";
    list.push_back(refused_everywhere(seen_by(
        map_was_changed, new_way(others, "pidfd_of_roots", lay_hash, takes_a_handle_of_roots))));
    list.push_back(
        refused_everywhere(seen_by(map_was_changed, new_way(others, "proc_of_roots", lay_hash,
                                                            opens_a_handle_of_roots, EACCES))));
}

void add_containers(std::vector<way>& list) {
    static const char* const inner = "a reader does not make a map part of another";
    list.push_back(seen_by(outer_has_it, new_way(inner, "insert_into_hash_of_maps",
                                                 lay_empty_outer_hash, inserts_into_a_hash)));
    list.push_back(seen_by(
        outer_has_it, new_way(inner, "insert_by_batch", lay_empty_outer_hash, inserts_by_batch)));
    static const char* const by_id = "an id opens nothing for the unprivileged";
    list.push_back(refused_everywhere(
        seen_by(map_was_changed, new_way(by_id, "open_by_id", lay_hash, opens_by_id))));
    list.push_back(refused_everywhere(
        seen_by(map_was_changed,
                new_way(by_id, "take_inner_map_out", lay_outer_array, takes_an_inner_map_out))));
    list.push_back(refused_everywhere(with_capabilities(
        1ULL << CAP_BPF,
        seen_by(map_was_changed, new_way("CAP_BPF opens nothing by id", "open_by_id_with_cap_bpf",
                                         lay_hash, opens_by_id)))));
}

void add_writers(std::vector<way>& list) {
    static const char* const no_reader = "who may only write a map does not read it";
    const auto add = [&](const char* name, layout prepare, step attempt, int error) {
        return opened(writer,
                      new_way(no_reader, name, std::move(prepare), std::move(attempt), error));
    };
    list.push_back(add("read_by_pinning", lay_hash, pins_a_writers_handle_and_reads, EPERM));
    list.push_back(
        with_capabilities(1ULL << CAP_BPF, add("read_by_a_program", lay_hash,
                                               loads_a_reader_by_a_writers_handle, EACCES)));
    list.push_back(
        refused_everywhere(add("read_keys", lay_hash, reads_keys_by_a_writers_handle, EPERM)));
    list.push_back(refused_everywhere(
        add("read_by_deleting", lay_hash, takes_values_by_a_writers_handle, EPERM)));
    list.push_back(refused_everywhere(
        add("read_by_mapping", lay_array, maps_memory_by_a_writers_handle, EACCES)));
    list.push_back(
        opened(writer, new_way("who may attach a program does not run it", "run_by_pinning",
                               lay_filters, runs_by_a_writers_handle)));
}

} // namespace

const std::vector<way>& handle_ways() {
    static const std::vector<way> list = [] {
        std::vector<way> all;
        add_copies(all);
        add_containers(all);
        add_writers(all);
        return all;
    }();
    return list;
}

} // namespace bpffs_test
