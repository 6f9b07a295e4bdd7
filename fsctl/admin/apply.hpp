// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Making the machine as the policy says, one directory at a time, each all or
// nothing. What fails is noted and audited, and the others still done.
#pragma once

#include "alone.hpp"
#include "audit.hpp"
#include "homes.hpp"
#include "memory_limits.hpp"
#include "saved_tree.hpp"
#include "step.hpp"
#include "withdraw.hpp"

#include "common/tool.hpp"

#include <bpffs/directory.hpp>
#include <bpffs/fd.hpp>

#include <exception>
#include <map>
#include <set>

namespace fsctl {

// What happens to a directory with pins in it that is to have other rights. No
// pins are ever dropped: one that the policy gives no more stays as long as it
// has some.
enum class occupied { leave, carry_over };

class undo;

// What a new directory was filled with.
struct brought_back {
    saved_counts counts;
    failures damaged;
};

class applier {
public:
    applier(context& with, occupied pins) : with_(with), pins_(pins) {}

    // Waits until no other process changes directories of users. What is to be done
    // is looked at after that. Nothing else is to be locked afterwards. failure of
    // alone().
    void wait_for_turn(patience most) { alone_ = alone(most); }

    // Opens the places that the directories are in. One that cannot be used is noted.
    void open(const std::vector<bpffs::path>& bases);

    // Before any of them is given: sets the bounds of memory, and lets systemd know.
    // Whose bound does not hold is refused by apply().
    void bound_memory(const std::vector<target>& targets, const mount_table& mounts);
    void apply(const target& wanted, const std::vector<bpffs::mount_info>* there);
    void take_away(const withdrawal& what);
    // fmode for /sys/fs/bpf, where a file says so.
    void apply_system(const policy& rules);
    // The last of it: lets systemd know.
    void finish();

    // Somebody who cannot be given anything.
    void refuse(const refusal& who);
    // What has gone wrong.
    [[nodiscard]] const failures& wrong() const noexcept { return wrong_; }

    [[nodiscard]] std::size_t changes() const noexcept { return changes_; }

private:
    [[nodiscard]] const bpffs::directory& base_of(const bpffs::path& directory) const;
    void change(const target& wanted, const step& todo, const bpffs::mount_info* there, undo& back);
    void bound_memory(const target& wanted);
    // What the user was bounded to before.
    [[nodiscard]] memory_size memory_before(const target& wanted) const;
    void take_bound_back_at_the_end(const target& wanted, undo& back);
    void replace(const target& wanted, const bpffs::location& place,
                 const bpffs::mount_info& there);
    brought_back bring_back(const target& wanted, const bpffs::directory& root);
    void report(const target& wanted, const brought_back& old);
    void report(audited what, const std::string& user, const bpffs::path& directory,
                const origin& from, const std::string& words);

    context& with_;
    occupied pins_;
    bpffs::owned_fd alone_;
    std::map<bpffs::path, bpffs::directory> bases_;
    homes homes_;
    memory_limits limits_;
    std::map<uid_t, memory_size> before_;           // where it was another bound
    std::map<uid_t, std::exception_ptr> unbounded_; // who cannot be bounded, and why
    bool told_in_vain_ = false;                     // systemd
    std::set<uid_t> bounded_; // whose memory is the policy's to bound, whatever else is taken away
    user_names names_;
    failures wrong_;
    std::size_t changes_ = 0;
};

} // namespace fsctl
