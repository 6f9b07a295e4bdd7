// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// An operation: one way to use a pinned object, tried for real.
//
// Each is data: the row of the rights table that it belongs to, what root lays out, what somebody
// then tries with nothing but a handle opened from the pin, how the effect is seen, and which error
// is expected. tests/model tries every operation with every kind of handle on a mount with `fmode`;
// tests/attack tries those which R does not allow with an R handle of a 0444 pin, there and on a
// mount without `fmode`, where they must work as on every kernel before.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rights.hpp"
#include "support/bpf_call.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

/// How the objects under test are pinned, and opened by whoever tries something.
struct victim_access {
    mode_t mode = 0444;
    uint32_t open_flags = BPF_F_RDONLY;
};

/// The stage of one attempt: a bpffs, root's objects in it, a directory of alice's own, and a
/// network namespace that nobody else is in.
class scene {
public:
    scene(const std::string& mount_options, const victim_access& access);
    scene(const scene&) = delete;
    scene& operator=(const scene&) = delete;
    scene(scene&&) = delete;
    scene& operator=(scene&&) = delete;
    ~scene() = default;

    /// 0, or the errno of the mount.
    [[nodiscard]] int error() const { return error_; }

    // Root's side.
    /// Keeps the maker's handle and pins the object as one under test.
    void pin_victim(const std::string& name, handle object);
    /// The same for something that everybody may use in every way.
    void pin_partner(const std::string& name, handle object);
    /// The maker's own handle, unbound.
    [[nodiscard]] int own(const std::string& name) const;
    /// What was not possible when the stage was laid: this machine cannot do it. "" when all was.
    [[nodiscard]] const std::string& impossible() const { return impossible_; }
    void cannot(const std::string& what) { impossible_ = what; }

    /// From now on the programs under test are loaded with this directory token: they are
    /// delegated.
    void load_with(handle token) { token_ = std::move(token); }
    /// The token, or -1.
    [[nodiscard]] int token() const { return token_.good() ? token_.get() : -1; }

    // The other side.
    /// The object under test, opened as `access` says (in a rehearsal: root's own handle).
    [[nodiscard]] handle victim(const std::string& name) const;
    /// Another pin, opened for reading and writing.
    [[nodiscard]] handle partner(const std::string& name) const;
    /// A path in alice's own directory.
    [[nodiscard]] std::string mine(const std::string& name) const;
    /// Where the object of this name is pinned.
    [[nodiscard]] std::string path(const std::string& name) const { return mount_ / name; }

    /// Anything else that root lays out, for as long as the scene lasts: another mount, say.
    void keep(const std::string& name, std::shared_ptr<void> thing) {
        kept_[name] = std::move(thing);
    }
    template <typename Thing> [[nodiscard]] Thing& kept(const std::string& name) const {
        return *static_cast<Thing*>(kept_.at(name).get());
    }

    /// From now on victim() gives root's handles: is this possible on this machine at all?
    void rehearse() { rehearsal_ = true; }

    /// Where a cgroup of this scene is (made when asked for the first time); "" when there is none.
    std::string cgroup();

private:
    void pin_as(const std::string& name, handle object, mode_t mode);

    bpffs_mount mount_;
    victim_access access_;
    std::map<std::string, handle> own_;
    std::string impossible_;
    std::optional<own_cgroup> cgroup_;
    std::map<std::string, std::shared_ptr<void>> kept_;
    handle token_;
    bool rehearsal_ = false;
    int error_ = 0;
};

/// What whoever attaches a delegated program must have besides the right on its handle.
enum class attach_target {
    own,       ///< a descriptor that is theirs
    network,   ///< CAP_NET_ADMIN over the network namespace that they are in
    elsewhere, ///< CAP_NET_ADMIN over the scene's network namespace, wherever they are
    cgroup,    ///< CAP_NET_ADMIN
    tracing,   ///< CAP_PERFMON, or a token that carries it
};

struct operation {
    object_kind object = object_kind::map;
    const char* use = ""; ///< the row of the rights table
    std::string name;     ///< how it is tried
    std::function<void(scene&)> prepare;
    /// Runs in a child process with the identity of whoever tries; the step "open" is the opening.
    std::function<outcome(scene&)> attempt;
    /// Root looks whether it had an effect; without it, outcome::seen counts.
    std::function<bool(scene&)> seen = nullptr;
    /// Root takes back what an attempt leaves behind outside of the mount.
    std::function<void(scene&)> undo = nullptr;
    int refused = EPERM;       ///< errno where the handle is not enough
    int elsewhere = 0;         ///< errno through R on a mount without fmode: 0, it works
    uint64_t capabilities = 0; ///< needed on top of the handle's right
    /// The errno where the handle is enough, for what is built only far enough to ask for the
    /// right.
    int granted = 0;
    const char* needs = nullptr; ///< a probe
    attach_target target = attach_target::own;
    bool delegable = true; ///< directory tokens load programs like the one under test

    [[nodiscard]] right needed() const { return rights_of(object, use).needed; }
};

/// All of them, one list a file.
const std::vector<operation>& map_operations();
const std::vector<operation>& program_operations();
const std::vector<operation>& attach_operations();
const std::vector<operation>& link_operations();
std::vector<operation> all_operations();
void PrintTo(const operation& op, std::ostream* out); // NOLINT(readability-identifier-naming)

/// Root with its own handles does the same on a mount without fmode: "" when this machine can do
/// it.
std::string rehearse(const operation& op);
/// Lets `uid` (0: root with all capabilities) try it in a scene that is prepared.
outcome try_operation(const operation& op, scene& s, uid_t uid);

/// The interface of the scene's network namespace that programs are attached to.
constexpr uint32_t loopback = 1;

} // namespace bpffs_test
