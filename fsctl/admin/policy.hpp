// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The policy: who gets a directory, and with which rights. It comes from files
// (policy_file.hpp) as a list of rules; for one user, every rule that names
// them counts, in order, and of each key the last word. Each value knows the
// place in the files that it comes from.
#pragma once

#include "account.hpp"
#include "common/failure.hpp"

#include <bpffs/delegation.hpp>
#include <bpffs/mode.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fsctl {

// A place in a policy file, or none for what is so by default.
struct origin {
    std::shared_ptr<const std::string> file;
    unsigned line = 0;
    unsigned column = 0;
};

// "/etc/bpffs.d/10-staff.conf:3", or "default".
std::string to_string(const origin& from);

template <class T> struct setting {
    T value{};
    origin from;
};

// Of memory; 0: no limit.
struct memory_size {
    std::uint64_t bytes = 0;
    bool operator==(const memory_size&) const = default;
};

// "64M"; "" where there is no limit.
std::string to_string(memory_size size);

// Who is to know of a directory: all who look, or its owner's sessions only.
enum class visibility : unsigned char { all, owner };
std::string_view word(visibility which);

// The keys of a table that say how a directory is to be. `Slot` is a setting
// that is there (a whole answer) or may be missing (what one table says).
template <template <class> class Slot> struct directory_keys {
    Slot<bpffs::path> directory; // where the user's own is made
    Slot<bpffs::mode> mode;
    Slot<std::string> group; // "": the user's login group
    Slot<bpffs::delegated_set<bpffs::command>> cmds;
    Slot<bpffs::delegated_set<bpffs::map_kind>> maps;
    Slot<bpffs::delegated_set<bpffs::program_kind>> progs;
    Slot<bpffs::delegated_set<bpffs::attach_kind>> attachs;
    Slot<bpffs::delegated_set<bpffs::capability>> caps;
    Slot<std::uint64_t> nr_inodes; // 0: no limit
    Slot<memory_size> memory;      // of all that the user runs, with the maps they make
    Slot<bool> link;
    Slot<bool> persist; // whether maps outlive a reboot
    Slot<visibility> visible;
};

template <class T> using maybe_setting = std::optional<setting<T>>;
using wishes = directory_keys<maybe_setting>;
using entitlement = directory_keys<setting>;

// Calls use("mode", a.mode, b.mode) and so on: the one list of the keys.
template <class A, class B, class Use> void each_key(A& a, B& b, Use use) {
    use("directory", a.directory, b.directory);
    use("mode", a.mode, b.mode);
    use("group", a.group, b.group);
    use("cmds", a.cmds, b.cmds);
    use("maps", a.maps, b.maps);
    use("progs", a.progs, b.progs);
    use("attachs", a.attachs, b.attachs);
    use("caps", a.caps, b.caps);
    use("nr_inodes", a.nr_inodes, b.nr_inodes);
    use("memory", a.memory, b.memory);
    use("link", a.link, b.link);
    use("persist", a.persist, b.persist);
    use("visible", a.visible, b.visible);
}

// "alice", "@staff", "5000-5999": whom a rule names.
struct uid_range {
    uid_t first = 0;
    uid_t last = 0;
};
struct known_group {
    std::optional<user_group> is; // nothing where there is no such group
    std::string unanswered;       // why nobody can say; empty where that is known
};
struct named_group {
    origin from;
    std::shared_ptr<const known_group> group;
};
struct subjects {
    std::map<std::string, origin, std::less<>> users;
    std::map<std::string, named_group, std::less<>> groups; // without the @
    std::vector<uid_range> ranges;
};

enum class rule_kind { grant, refuse };

struct rule {
    rule_kind kind = rule_kind::grant;
    origin from;
    subjects who;
    wishes says; // nothing in a refusal
};

// A directory that the members of a group have together.
struct shared_area {
    std::string name;
    origin from; // of the table that first names it
    entitlement what;
};

struct policy {
    std::vector<bpffs::path> files; // as they were read
    std::vector<rule> rules;        // in the order of files and lines
    std::vector<shared_area> areas;
    std::optional<setting<bool>> fmode; // of /sys/fs/bpf
    // Those that rules name: each is asked for once.
    std::map<std::string, std::shared_ptr<const known_group>, std::less<>> groups;
};

// What the policy says cannot be done, and which line of it.
class policy_failure : public failure {
public:
    policy_failure(origin from, const std::string& message, std::string remedy = {})
        : failure(message, std::move(remedy)), from_(std::move(from)) {}

    [[nodiscard]] const origin& from() const noexcept { return from_; }

private:
    origin from_;
};

// It cannot be told whether a rule names somebody.
class doubt : public policy_failure {
public:
    using policy_failure::policy_failure;
};

// What holds where no file says anything: default_delegation(), 0700.
entitlement default_entitlement();

// Makes `onto` what it is with these wishes on top.
void overlay(entitlement& onto, const wishes& more);

// What one user gets.
struct verdict {
    std::optional<entitlement> gets;
    // The last rule that names them; nothing where none does.
    std::optional<origin> decided;
};

// The rules, laid out so that those that name somebody are found without going
// through the others: for many users. The policy outlives it.
class rule_index {
public:
    explicit rule_index(const policy& rules);

    // What the rules give one user. policy_failure, with the places, where they
    // contradict each other: a mode that lets everybody write beside caps. doubt
    // where a rule that matters names a group, and nobody can say who is in it:
    // nobody is given what they may have been refused.
    [[nodiscard]] verdict judge(const account& who) const;

private:
    using places = std::vector<std::size_t>; // of rules
    struct span {
        uid_range uids;
        uid_t furthest = 0; // that this one, or one before it, reaches
        std::size_t place = 0;
    };
    enum class naming { certain, possible };

    void add(const subjects& some, std::size_t place);
    [[nodiscard]] std::map<std::size_t, naming> rules_for(const account& who) const;

    const policy& rules_;
    std::unordered_map<std::string_view, places> by_name_; // members of groups, too
    std::unordered_map<gid_t, places> by_group_;
    std::vector<span> by_number_;
    places by_any_group_;
    places by_unanswered_group_;
};

// The same for one user.
verdict judge(const policy& rules, const account& who);

// policy_failure for what contradicts itself, in any entitlement.
void check_together(const entitlement& what);

} // namespace fsctl
