// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A way around the model: what somebody with less than a right tries in order to have it.
//
// Each is data, begins with the claim that it would break, and is tried as an operation of
// tests/model is: root lays out a scene, alice does something in it, root looks whether she got
// what she wanted. On a mount with fmode the kernel has to refuse with the right error. On a mount
// without, and on kernels without the series, each does what it always did: where that is to
// succeed, it shows that the attempt is a real one.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/operation.hpp"

namespace bpffs_test {

/// What happens to a way around the model where nobody asked for the model.
enum class as_ever {
    works,     ///< it has its effect, as ever
    is_refused ///< older permissions stand in the way already, with the same error
};

struct way : operation {
    const char* claim = "";
    as_ever before = as_ever::works;
    victim_access access = {0444, BPF_F_RDONLY};
    std::string options = {};    ///< of the mount, beside `fmode`
    bool on_every_mount = false; ///< the series refuses it without `fmode`, too
    bool takes_alice = false;    ///< root cannot rehearse it: it is about what is alice's
};

void PrintTo(const way& w, std::ostream* out); // NOLINT(readability-identifier-naming)

using step = std::function<outcome(scene&)>;
using layout = std::function<void(scene&)>;

/// What "refused" means and what else differs is set on what this returns.
way new_way(const char* claim, const char* name, layout prepare, step attempt, int refused = EPERM);
way refused_everywhere(way w);
way with_capabilities(uint64_t capabilities, way w);

const std::vector<way>& path_ways();
const std::vector<way>& handle_ways();
const std::vector<way>& memory_ways();
const std::vector<way>& race_ways();
const std::vector<way>& program_ways();
const std::vector<way>& target_ways();
std::vector<way> all_ways();

/// One line for the table (tests/attack/table): what came of an attempt on a mount ("fmode",
/// "plain") to break a claim.
void tell(const std::string& name, const char* mount, const outcome& o, const std::string& claim);

// What many of them are made of.

constexpr uint32_t treasure = 7;
constexpr uint32_t loot = 42;

/// Pins "map" with `treasure` under key 0, in 8 bytes.
void lay_map(scene& s, uint32_t type, uint32_t entries, uint32_t flags = 0);
void lay_hash(scene& s);
/// One that can be mapped, of one value.
void lay_array(scene& s);
/// Pins "map" and, for everybody, "own", which is like it.
void lay_hash_and_own(scene& s);
/// Pins "program", which drops what a socket receives, and "own", which does not.
void lay_filters(scene& s);
/// Is anything else than `treasure` under key 0?
bool map_was_changed(scene& s);
int change(int map);
/// Opens the pin for reading and writing and changes the map.
outcome open_and_change(const std::string& path);
/// Pins the handle there, opens that for everything, changes the map.
outcome pin_and_change(int map, const std::string& path);
/// The value of an operation on a descriptor, or why there is none.
outcome with_victim(scene& s, const char* name, const std::function<outcome(int)>& use);

/// Moves to user and mount namespaces (and `more`) of one's own, as their root; ENOSYS where
/// nobody may.
outcome enter_own_namespaces(int more = 0);

} // namespace bpffs_test
