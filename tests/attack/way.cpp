// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the ways around the model (way.hpp) have in common.

#include "way.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ostream>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace bpffs_test {

way new_way(const char* claim, const char* name, layout prepare, step attempt, int refused) {
    way w;
    w.claim = claim;
    w.name = name;
    w.prepare = std::move(prepare);
    w.attempt = std::move(attempt);
    w.refused = refused;
    return w;
}

way refused_everywhere(way w) {
    w.before = as_ever::is_refused;
    return w;
}

way with_capabilities(uint64_t capabilities, way w) {
    w.capabilities = capabilities;
    return w;
}

void PrintTo(const way& w, std::ostream* out) {
    *out << w.name;
}

std::vector<way> all_ways() {
    std::vector<way> all;
    for (const auto* list : {&path_ways(), &handle_ways(), &memory_ways(), &race_ways(),
                             &program_ways(), &target_ways()}) {
        all.insert(all.end(), list->begin(), list->end());
    }
    return all;
}

void tell(const std::string& name, const char* mount, const outcome& o, const std::string& claim) {
    const char* what = o.error == 0 ? "no effect" : ::strerrorname_np(o.error);
    if (o.error == 0 && o.seen) {
        what = "succeeds";
    }
    std::printf("way\t%s\t%s\t%s\t%s\n", name.c_str(), mount, what, claim.c_str());
    (void)std::fflush(stdout);
}

void lay_map(scene& s, uint32_t type, uint32_t entries, uint32_t flags) {
    handle map = create_map(type, 4, 8, entries, flags);
    const uint32_t key = 0;
    const uint64_t value = treasure;
    if (map.good() && map_update(map.get(), &key, &value) != 0) {
        s.cannot("fill the map");
    }
    s.pin_victim("map", std::move(map));
}

void lay_hash(scene& s) {
    lay_map(s, BPF_MAP_TYPE_HASH, 4);
}

void lay_array(scene& s) {
    lay_map(s, BPF_MAP_TYPE_ARRAY, 1, BPF_F_MMAPABLE);
}

void lay_hash_and_own(scene& s) {
    lay_hash(s);
    handle own = create_map(BPF_MAP_TYPE_HASH, 4, 8, 4);
    change(own.get());
    s.pin_partner("own", std::move(own));
}

void lay_filters(scene& s) {
    s.pin_victim("program", load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0)));
    s.pin_partner("own", load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(-1)));
}

bool map_was_changed(scene& s) {
    const uint32_t key = 0;
    uint64_t value = 0;
    return map_lookup(s.own("map"), &key, &value) != 0 || value != treasure;
}

int change(int map) {
    const uint32_t key = 0;
    const uint64_t value = loot;
    return map_update(map, &key, &value);
}

outcome open_and_change(const std::string& path) {
    const handle map = get(path);
    return map.good() ? done("update", change(map.get())) : failed("open for all", map.error());
}

outcome pin_and_change(int map, const std::string& path) {
    if (const int e = pin(map, path); e != 0) {
        return failed("pin", -e);
    }
    return open_and_change(path);
}

outcome with_victim(scene& s, const char* name, const std::function<outcome(int)>& use) {
    const handle object = s.victim(name);
    return object.good() ? use(object.get()) : failed("open", object.error());
}

namespace {

bool write_file(const char* path, const std::string& text) {
    const handle file = open_file(path, O_WRONLY);
    return ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

} // namespace

outcome enter_own_namespaces(int more) {
    const std::string user = std::to_string(::geteuid());
    const std::string group = std::to_string(::getegid());
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS | more) != 0) {
        return failed("namespaces", ENOSYS);
    }
    const bool mapped = write_file("/proc/self/uid_map", "0 " + user + " 1") &&
                        write_file("/proc/self/setgroups", "deny") &&
                        write_file("/proc/self/gid_map", "0 " + group + " 1");
    return mapped ? outcome{} : failed("map of users", ENOSYS);
}

} // namespace bpffs_test
