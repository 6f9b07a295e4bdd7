// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Making the machine as the policy says, one directory at a time, each all or
// nothing. What fails is noted and audited, and the others still done.
#pragma once

#include "alone.hpp"
#include "audit.hpp"
#include "carry_over.hpp"
#include "homes.hpp"
#include "memory_limits.hpp"
#include "private_places.hpp"
#include "saved_tree.hpp"
#include "step.hpp"
#include "withdraw.hpp"

#include "common/tool.hpp"

#include <bpffs/directory.hpp>
#include <bpffs/fd.hpp>

#include <exception>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fsctl {

// What happens to a directory with pins in it that is to have other rights. No
// pins are ever dropped: one that the policy gives no more stays as long as it
// has some.
enum class occupied { leave, carry_over };

class undo;

// What a look at the link in a home has shown.
struct seen_link {
    link_state state = link_state::no_home;
    std::exception_ptr wrong; // why it cannot be told, or what has its name
};

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

    // Looks at the links in the homes, before the turn: homes may not answer, and
    // nobody is to wait for them with whoever has it.
    void look_at_homes(const std::vector<target>& targets);

    // Opens the places that the directories are in, but for the private ones. One that
    // cannot be used is noted.
    void open(const std::vector<bpffs::path>& bases, std::optional<private_places> hidden);

    // Before any of them is given: sets the bounds of memory, and lets systemd know.
    // Whose bound does not hold is refused by apply().
    void bound_memory(const std::vector<target>& targets, const mount_table& mounts);
    void apply(const target& wanted, const mount_table& mounts);
    void take_away(const withdrawal& what);
    // fmode for /sys/fs/bpf, where a file says so.
    void apply_system(const policy& rules);
    // The last of it: lets systemd know, lets others have their turn, and then takes
    // the links away that lead to nothing any more.
    void finish();

    // Somebody who cannot be given anything.
    void refuse(const refusal& who);
    // What has gone wrong.
    [[nodiscard]] const failures& wrong() const noexcept { return wrong_; }

    [[nodiscard]] std::size_t changes() const noexcept { return changes_; }

private:
    // The place of a directory. A private one's is open until that of the next is asked for.
    mounted_place place_of(const bpffs::path& directory);
    void change(const target& wanted, const step& todo, const mount_table& mounts, undo& back);
    void give(const target& wanted, const mounted_place& place, brought_back& old, undo& back);
    void bound_memory(const target& wanted);
    // What the user was bounded to before.
    [[nodiscard]] memory_size memory_before(const target& wanted) const;
    void take_bound_back_at_the_end(const target& wanted, undo& back);
    // failure where there are pins that nobody has let it carry over.
    void check_may_carry(const target& wanted, const bpffs::location& place,
                         const bpffs::mount_info& there);
    void replace(const target& wanted, const mounted_place& place, const bpffs::mount_info& there);
    void move(const target& wanted, const mounted_place& place, const bpffs::mount_info& former);
    void leave(const target& wanted, const bpffs::mount_info& former);
    void forget_name(const target& wanted);
    brought_back bring_back(const target& wanted, const bpffs::directory& root);
    void report(const target& wanted, const brought_back& old);
    void report(audited what, const std::string& user, const bpffs::path& directory,
                const origin& from, const std::string& words);

    context& with_;
    occupied pins_;
    bpffs::owned_fd alone_;
    std::map<bpffs::path, bpffs::directory> bases_;
    std::optional<private_places> hidden_;
    bpffs::directory private_; // what place_of() has come to last
    homes homes_;
    std::unordered_map<std::string, seen_link> links_; // by where they are and lead to
    std::vector<std::pair<account, bpffs::path>> dead_links_;
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
