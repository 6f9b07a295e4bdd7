// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Identities of the calling thread.
#include <bpffs/identity.hpp>

#include "failure.hpp"
#include "text.hpp"

#include <algorithm>
#include <cstdlib>

namespace bpffs {
namespace {

/// The fourth of four numbers: real, effective, saved, file system.
std::optional<unsigned> file_system_id(std::string_view status, std::string_view key) {
    std::string_view ids = field(status, key).value_or("");
    cut(ids, '\t');
    cut(ids, '\t');
    cut(ids, '\t');
    return number<unsigned>(ids);
}

/// The initial user namespace maps every id to itself, from 0 on.
bool maps_everything() {
    failure ignored;
    const std::string map = read_file("/proc/thread-self/uid_map", ignored);
    std::vector<std::uint64_t> numbers;
    for (std::string_view rest{map}; !rest.empty();) {
        if (const auto one = number(cut(rest, ' '))) {
            numbers.push_back(*one);
        }
        if (const auto last = rest.find_first_not_of(' '); last != std::string_view::npos) {
            rest.remove_prefix(last);
        }
        if (!rest.empty() && rest.back() == '\n') {
            rest.remove_suffix(1);
        }
    }
    return numbers == std::vector<std::uint64_t>{0, 0, 4294967295ULL};
}

identity of_caller_body(failure& why) {
    const std::string status = read_file("/proc/thread-self/status", why);
    if (why) {
        return {};
    }
    identity who;
    const auto user = file_system_id(status, "Uid");
    const auto group = file_system_id(status, "Gid");
    const auto capabilities = number(field(status, "CapEff").value_or(""), 16);
    if (!user || !group || !capabilities) {
        why.set(errc::unsupported, "/proc/thread-self/status shows no ids");
        return {};
    }
    who.user = *user;
    who.group = *group;
    who.capabilities = *capabilities;
    for (std::string_view rest = field(status, "Groups").value_or(""); !rest.empty();) {
        if (const auto one = number<gid_t>(cut(rest, ' '))) {
            who.groups.push_back(*one);
        }
    }
    who.initial_user_namespace = maps_everything();
    return who;
}

std::vector<gid_t> current_groups(failure& why) {
    std::vector<gid_t> groups(why.take(sys::getgroups({})));
    if (!why && !groups.empty()) {
        groups.resize(why.take(sys::getgroups(groups)));
    }
    return groups;
}

constexpr auto unchanged = static_cast<unsigned>(-1);

/// setfsuid(2) tells no errors: ask for an impossible id to learn what it is now.
uid_t current_fsuid() noexcept {
    return sys::setfsuid(unchanged);
}

gid_t current_fsgid() noexcept {
    return sys::setfsgid(unchanged);
}

/// What is effective again afterwards. One for a thread: who acts as another has no capability to
/// act as a third.
thread_local std::uint64_t kept_capabilities = 0;

sys::status make_effective(std::uint64_t capabilities) noexcept {
    auto sets = sys::capget();
    if (sets.error != 0) {
        return sets.error;
    }
    sets.value.effective = capabilities & sets.value.permitted;
    return sys::capset(sets.value);
}

} // namespace

identity identity::of_caller() {
    return loudly("find out who is asking", path{}, {},
                  [](failure& why) { return of_caller_body(why); });
}

identity identity::of_caller(error_code& code) noexcept {
    return quietly(code, [](failure& why) { return of_caller_body(why); });
}

bool identity::has_group(gid_t wanted) const noexcept {
    return group == wanted || std::find(groups.begin(), groups.end(), wanted) != groups.end();
}

bool identity::has_capability(unsigned number) const noexcept {
    return number < 64 && (capabilities >> number & 1) != 0;
}

acting_as::acting_as(uid_t user, gid_t group, const std::vector<gid_t>& groups)
    : user_{current_fsuid()}, group_{current_fsgid()} {
    failure why;
    if (user_ == unchanged || group_ == unchanged) {
        // A filter of system calls (seccomp) answers so. There would be nothing to go back to.
        why.set(EPERM);
    }
    const std::uint64_t effective = why ? 0 : why.take(sys::capget()).effective;
    if (!why) {
        groups_ = current_groups(why);
    }
    if (!why) {
        why.set(sys::setgroups(groups));
    }
    if (!why) {
        kept_capabilities = effective;
        sys::setfsgid(group);
        sys::setfsuid(user);
        const bool taken = current_fsgid() == group && current_fsuid() == user;
        // Those for bpf(2) would show a user more than they may see. User 0 is taken to have them.
        why.set(taken ? make_effective(user == 0 ? effective : 0) : EPERM);
        if (why) {
            restore();
        }
    }
    if (why) {
        raise(std::move(why), "act as another user", {});
    }
}

acting_as::~acting_as() {
    restore();
}

void acting_as::restore() noexcept {
    bool all_back = make_effective(kept_capabilities) == 0;
    sys::setfsuid(user_);
    sys::setfsgid(group_);
    all_back = sys::setgroups(groups_) == 0 && all_back;
    // The file system's user may have taken some away again.
    all_back = make_effective(kept_capabilities) == 0 && all_back;
    if (!all_back || current_fsuid() != user_ || current_fsgid() != group_) {
        std::abort();
    }
}

} // namespace bpffs
