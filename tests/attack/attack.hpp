// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// An attack: a known way to do more with a pinned object than its mode says.
//
// Each is data: what root lays out, what the attacker then tries with nothing but a handle opened
// BPF_F_RDONLY from a 0444 pin, how the effect is seen, and which error is expected where. The same
// code runs against a mount with `fmode` (it must fail) and one without (it must work as it always
// did: this shows that the attack is real, and that nothing changes for mounts that did not ask).

#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "support/bpf_call.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

/// The stage of one attack: a bpffs, root's objects in it, a directory of the attacker's own.
class scene {
public:
    explicit scene(const std::string& mount_options);

    [[nodiscard]] int error() const { return error_; }

    // Root's side.
    /// Keeps the maker's handle under this name and pins it with that mode.
    void pin(const std::string& name, handle object, mode_t mode);
    /// The maker's own handle, unbound.
    [[nodiscard]] int own(const std::string& name) const;
    /// Something was not possible when the stage was laid: the machine cannot do this.
    [[nodiscard]] const std::string& impossible() const { return impossible_; }
    void cannot(const std::string& what) { impossible_ = what; }

    // The attacker's side.
    /// The victim: opened BPF_F_RDONLY (in the rehearsal: root's own handle).
    [[nodiscard]] handle victim(const std::string& name) const;
    /// Another pin, which the attacker may read and write.
    [[nodiscard]] handle partner(const std::string& name) const;
    /// A path in the attacker's own directory.
    [[nodiscard]] std::string mine(const std::string& name) const;

    /// From now on victim() gives root's handles: finds out whether the machine can do this at all.
    void rehearse(bool on) { rehearsal_ = on; }

    /// Where a cgroup of this scene is (made when asked for the first time); "" when there can be
    /// none.
    std::string cgroup();
    ~scene();
    scene(const scene&) = delete;
    scene& operator=(const scene&) = delete;
    scene(scene&&) = delete;
    scene& operator=(scene&&) = delete;

private:
    bpffs_mount mount_;
    std::map<std::string, handle> own_;
    std::string impossible_;
    std::string cgroup_root_;
    bool rehearsal_ = false;
    int error_ = 0;
};

struct attack {
    std::string name;
    std::function<void(scene&)> prepare;
    std::function<outcome(scene&)> attempt;
    /// Root looks whether it had an effect; without it, outcome::seen counts.
    std::function<bool(scene&)> seen = nullptr;
    /// Root takes back what a successful attempt leaves behind outside of the mount.
    std::function<void(scene&)> undo = nullptr;
    int refused = EPERM;       ///< errno on a mount with fmode
    int elsewhere = 0;         ///< errno on one without: 0, it works
    uint64_t capabilities = 0; ///< that the attacker has, beside the handle
};

/// All of them, one list a file.
const std::vector<attack>& map_attacks();
const std::vector<attack>& program_attacks();
const std::vector<attack>& attach_attacks();
const std::vector<attack>& link_attacks();
std::vector<attack> all_attacks();

/// The interface of the private network namespace that programs are attached to.
constexpr uint32_t loopback = 1;

} // namespace bpffs_test
