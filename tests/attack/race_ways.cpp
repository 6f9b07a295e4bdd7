// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ways by time: while a call looks at a descriptor, another thread puts another object under its
// number. What was asked about one object must not be done to another.

#include <atomic>
#include <cerrno>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "way.hpp"

namespace bpffs_test {

namespace {

constexpr unsigned rounds = 1500;
constexpr unsigned rounds_at_most = 60000;

enum class exchange { by_dup2, by_close };

/// Puts the one and the other under one number, for as long as it lives.
class switching_number {
public:
    switching_number(int one, int other, exchange how)
        : slot_(::fcntl(one, F_DUPFD_CLOEXEC, 100)), // NOLINT
          thread_([=, this] {
              while (!stop_) {
                  put(other, how);
                  put(one, how);
              }
          }) {}
    switching_number(const switching_number&) = delete;
    switching_number& operator=(const switching_number&) = delete;
    switching_number(switching_number&&) = delete;
    switching_number& operator=(switching_number&&) = delete;
    ~switching_number() {
        stop_ = true;
        thread_.join();
        ::close(slot_);
    }

    [[nodiscard]] int get() const { return slot_; }

private:
    void put(int fd, exchange how) const {
        if (how == exchange::by_close) {
            ::close(slot_);
        }
        ::dup2(fd, slot_);
        ::sched_yield();
    }

    int slot_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

/// Does `call` with a number that is now the victim, now something of alice's own. Each call gives
/// 0 (for either) or one of two errors: the refusal, or `absent` when there was nothing; any other
/// is a result of the way. `hit` tells whether the victim was what a successful call took.
struct race {
    const char* victim;
    std::function<int(int fd)> call;
    std::function<bool()> hit;
    int refused = EPERM;
    exchange how = exchange::by_dup2;
    int absent = EBADF;
};

struct tally {
    unsigned granted = 0;
    unsigned refused = 0;

    // Both objects must have been there, or it was no race.
    [[nodiscard]] bool was_race() const { return granted > 0 && refused > 0; }
};

/// One call; the outcome where it decides.
std::optional<outcome> try_once(const race& r, int number, tally& so_far) {
    const int e = -r.call(number);
    if (e == 0) {
        so_far.granted++;
        return r.hit() ? std::optional(done("hit", 0, true)) : std::nullopt;
    }
    if (e == r.refused) {
        so_far.refused++;
        return std::nullopt;
    }
    const bool was_closed = e == r.absent && r.how == exchange::by_close;
    return was_closed ? std::nullopt : std::optional(failed("call", e));
}

outcome run(scene& s, const race& r) {
    return with_victim(s, r.victim, [&](int victim) {
        const handle own = s.partner("own");
        const switching_number number(victim, own.get(), r.how);
        tally so_far;
        for (unsigned i = 0; i < rounds || (i < rounds_at_most && !so_far.was_race()); i++) {
            if (const auto decided = try_once(r, number.get(), so_far)) {
                return *decided;
            }
            ::sched_yield();
        }
        return so_far.was_race() ? failed("all", r.refused) : failed("no race", ETIME);
    });
}

uint32_t map_id(int fd) {
    object_ids ids;
    return map_ids(fd, ids) == 0 ? ids.id : 0;
}

uint32_t program_id(int fd) {
    object_ids ids;
    return prog_ids(fd, ids) == 0 ? ids.id : 0;
}

outcome pins(scene& s, exchange how) {
    const std::string path = s.mine("raced");
    const uint32_t victim = map_id(s.own("map"));
    return run(s, {"map",
                   [&](int fd) {
                       ::unlink(path.c_str());
                       return pin(fd, path);
                   },
                   [&] { return map_id(get(path).get()) == victim; }, EPERM, how, EINVAL});
}

outcome updates(scene& s, exchange how) {
    return run(s, {"map", change, [&] { return map_was_changed(s); }, EPERM, how});
}

outcome inserts_inner(scene& s, exchange how) {
    const handle outer = s.partner("outer");
    const uint32_t victim = map_id(s.own("map"));
    return run(s, {"map",
                   [&](int fd) {
                       const uint32_t key = 0;
                       const auto value = static_cast<uint32_t>(fd);
                       return map_update(outer.get(), &key, &value);
                   },
                   [&] {
                       const uint32_t key = 0;
                       uint32_t id = 0;
                       return map_lookup(outer.get(), &key, &id) == 0 && id == victim;
                   },
                   EPERM, how});
}

outcome loads_a_writer(scene& s, exchange how) {
    handle program;
    return run(s, {"map",
                   [&](int fd) {
                       program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, writes_first_value(fd));
                       return -program.error();
                   },
                   [&] {
                       prog_test_run(program.get(), run_input::packet);
                       return map_was_changed(s);
                   },
                   EACCES, how});
}

outcome test_runs(scene& s, exchange how) {
    uint32_t result = 1;
    return run(s, {"program", [&](int fd) { return prog_test_run(fd, run_input::packet, &result); },
                   [&] { return result == 0; }, EPERM, how});
}

outcome attaches_to_a_socket(scene& s, exchange how) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        return failed("socketpair", errno);
    }
    const handle in(ends[0]);
    const handle out(ends[1]);
    return run(s, {"program",
                   [&](int fd) {
                       return ::setsockopt(in.get(), SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)) !=
                                      0
                                  ? -errno
                                  : 0;
                   },
                   [&] {
                       char c = 0;
                       (void)!::send(out.get(), "x", 1, 0);
                       return ::recv(in.get(), &c, 1, 0) != 1; // dropped
                   },
                   EPERM, how});
}

outcome inserts_a_program(scene& s, exchange how) {
    const handle array = s.partner("array");
    const uint32_t victim = program_id(s.own("program"));
    return run(s, {"program",
                   [&](int fd) {
                       const uint32_t key = 0;
                       const auto value = static_cast<uint32_t>(fd);
                       return map_update(array.get(), &key, &value);
                   },
                   [&] {
                       const uint32_t key = 0;
                       uint32_t id = 0;
                       return map_lookup(array.get(), &key, &id) == 0 && id == victim;
                   },
                   EPERM, how});
}

// The scenes.

void lay_two_maps(scene& s) {
    lay_hash_and_own(s);
    s.pin_partner("outer", create_map_of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS, s.own("map")));
}

void lay_two_programs(scene& s) {
    lay_filters(s);
    s.pin_partner("array", create_map(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1));
}

using raced = outcome (*)(scene&, exchange);

void add(std::vector<way>& list, const std::string& name, const layout& prepare, raced call,
         int refused = EPERM) {
    for (const auto& [suffix, how] : {std::pair{"_under_dup2", exchange::by_dup2},
                                      std::pair{"_under_close", exchange::by_close}}) {
        list.push_back(new_way(
            "what is asked about one handle is not done to another", (name + suffix).c_str(),
            prepare, [call, how = how](scene& s) { return call(s, how); }, refused));
    }
}

} // namespace

const std::vector<way>& race_ways() {
    static const std::vector<way> list = [] {
        std::vector<way> all;
        add(all, "pin", lay_two_maps, pins);
        add(all, "insert_inner_map", lay_two_maps, inserts_inner);
        add(all, "load_a_writer", lay_two_maps, loads_a_writer, EACCES);
        add(all, "test_run", lay_two_programs, test_runs);
        add(all, "attach_to_socket", lay_two_programs, attaches_to_a_socket);
        add(all, "insert_program", lay_two_programs, inserts_a_program);
        const size_t updating = all.size();
        add(all, "update", lay_two_maps, updates);
        for (size_t i = updating; i < all.size(); i++) {
            all[i] = refused_everywhere(all[i]);
        }
        for (way& w : all) {
            if (w.name.rfind("load", 0) == 0) {
                w.capabilities = 1ULL << CAP_BPF;
            }
        }
        return all;
    }();
    return list;
}

} // namespace bpffs_test
