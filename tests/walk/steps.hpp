// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A step of the walk: one call by one of several processes, on pins, handles and directories; and
// what comes of it. Steps are drawn at random, have a form in words, and are done twice: by the
// reference (reference.hpp) and by the kernel (world.hpp).

#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace bpffs_walk {

/// The processes, each with an identity of its own (actors()).
enum actor : unsigned { root, warden, alice, bob, carol, actor_count };
/// What a process can hold at once, by number.
constexpr unsigned slots = 6;

enum class verb : unsigned {
    make_map,      ///< slot
    make_filter,   ///< slot; a socket filter that uses the map in `other` (value: 1 writes it)
    make_lookup,   ///< slot; a program for network namespaces
    make_token,    ///< slot, path of a directory
    make_map_with, ///< slot, with the token in `other`
    load_with,     ///< slot, with the token in `other`; a filter that uses no map
    pin,           ///< slot, path
    pin_mode,      ///< slot, path, mode in value
    get,           ///< slot, path, flags in value
    close,         ///< slot
    copy,          ///< slot, from `other`
    pass,          ///< slot, to slot `value` of the process `other`
    link,          ///< slot, of the program in `other`
    update_link,   ///< slot, to the program in `other`
    detach_link,   ///< slot
    read,          ///< slot of a map: its value
    write,         ///< slot of a map, value
    erase,         ///< slot of a map
    freeze,        ///< slot of a map
    insert,        ///< slot of a map, into a map of maps
    bind,          ///< slot of a program, map in `other`
    run,           ///< slot of a program
    attach,        ///< slot of a program, to a socket
    chmod,         ///< path, mode in value
    chown,         ///< path, owner in value, group in `other`
    mkdir,         ///< path, mode in value
    rmdir,         ///< path
    unlink,        ///< path
    rename,        ///< path, to
    hard_link,     ///< path, to
    umask,         ///< value
    drop_groups,   //
    fork,          ///< the process goes on as a child of itself
    remount,       ///< path of a mount; value: 1 fmode, 2 nofmode
    look,          ///< path: owner, group, mode, number of names
    count
};

struct step {
    verb what = verb::look;
    unsigned who = root;
    unsigned slot = 0;
    unsigned other = 0;
    uint32_t value = 0;
    std::string path = {};
    std::string to = {};
};

/// What came of a step: an errno, or 0 and something that was read.
struct answer {
    int error = 0;
    uint64_t value = 0;
    bool operator==(const answer& other) const = default;
};

/// What `look` reads, in one number (`names` is 0 for directories).
constexpr uint64_t shown(uint32_t uid, uint32_t gid, uint32_t mode, unsigned names) {
    return uint64_t{uid} << 36U | uint64_t{gid} << 20U | uint64_t{mode} << 8U | names;
}

/// As one line, and back; parse() throws std::runtime_error for what is no step.
std::string words(const step& s);
step parse(const std::string& line);
std::string words(const answer& a);

/// Who the processes are.
struct person {
    const char* name;
    uint32_t uid;
    uint32_t gid;
    std::vector<uint32_t> groups;
};
const std::vector<person>& actors();
/// The group of some of them, and of the directory that they share.
constexpr uint32_t staff = 3000;

/// What the kernel under test can do, and how the system is set up.
struct features {
    bool fmode = false;
    bool token = false;
    bool pin_mode = false;
    bool nr_inodes = false;
    bool protected_hardlinks = false;
};

/// The mounts' names: the first component of each path. "view" is "fmode", mounted read-only.
constexpr const char* fmode_mount = "fmode";
constexpr const char* plain_mount = "plain";
constexpr const char* read_only_view = "view";
/// How many files "fmode" has room for, its root included.
constexpr unsigned room = 14;
/// The modes of their roots, which bpffs makes sticky.
constexpr uint32_t fmode_mode = 01775;
constexpr uint32_t plain_mode = 01777;

/// The same numbers for the same seed, everywhere.
class dice {
public:
    explicit dice(uint64_t seed) : engine_(seed) {}
    uint32_t below(uint32_t n) { return static_cast<uint32_t>(engine_() % n); }
    bool once_in(uint32_t n) { return below(n) == 0; }

private:
    std::mt19937_64 engine_;
};

} // namespace bpffs_walk
