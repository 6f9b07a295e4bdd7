// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// apply: makes the machine as the policy says. login: the same for one user, as
// they log in.
#include "apply.hpp"

#include "carry_over.hpp"
#include "home_link.hpp"
#include "json_list.hpp"
#include "policy_file.hpp"
#include "saves.hpp"
#include "trusted.hpp"
#include "undo.hpp"
#include "user_mount.hpp"
#include "verbs.hpp"

#include <bpffs/pin.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>

#include <fmt/format.h>

namespace fsctl {

namespace {

constexpr const char* system_bpffs = "/sys/fs/bpf";

constexpr unsigned sticky = 01000; // which the kernel gives each new bpffs

// While it changes hands it is open to the owner alone: what the old group could
// do is nothing for the new one.
void set_group_and_mode(const target& wanted, const bpffs::location& root, bool other_group) {
    const bpffs::mode in_the_end = wanted.what.mode.from.file
                                       ? bpffs::mode(wanted.what.mode.value.bits() | sticky)
                                       : bpffs::look_at(root).permissions; // the owner's choice
    if (other_group) {
        bpffs::permissions(root, bpffs::mode(0700 | sticky));
        bpffs::change_owner(root, std::nullopt, wanted.group);
    }
    bpffs::permissions(root, in_the_end);
}

// In place: what needs no new mount.
void adjust(const target& wanted, const bpffs::location& place, const bpffs::mount_info& there) {
    const bpffs::directory root = bpffs::directory::open(place, bpffs::symlinks::refuse);
    if (there.fmode != bpffs::fmode_option::on) {
        bpffs::turn_fmode_on(root);
    }
    // Owner and mode of a read-only file system cannot be changed, so this is not
    // the last step; it opens nothing that was not open before the interruption.
    if (there.protection == bpffs::write_protection::read_only) {
        bpffs::protect_file_system(root, bpffs::write_protection::writable);
    }
    const bool other_group = wanted.what.group.from.file && there.group != wanted.group;
    if (other_group || wanted.what.mode.from.file) {
        set_group_and_mode(wanted, {root, "."}, other_group);
    }
}

} // namespace

void applier::open(const std::vector<bpffs::path>& bases) {
    for (const bpffs::path& each : std::set<bpffs::path>(bases.begin(), bases.end())) {
        try {
            bases_.emplace(each, open_trusted(each, if_absent::make).handle);
        } catch (const std::exception& error) {
            wrong_.add(error);
        }
    }
}

const bpffs::directory& applier::base_of(const bpffs::path& directory) const {
    const auto found = bases_.find(directory.parent_path());
    if (found == bases_.end()) {
        throw failure(fmt::format("'{}' cannot be used", directory.parent_path().native()));
    }
    return found->second;
}

void applier::report(audited what, const std::string& user, const bpffs::path& directory,
                     const origin& from, const std::string& words) {
    const audit_entry entry{what, user, directory, from, words};
    audit(entry, with_.process.err);
    if (what == audited::refused) {
        return; // it is an error, and told as one
    }
    ++changes_;
    if (with_.chosen.json) {
        with_.json.start_object();
        with_.json.member("event", word(what));
        with_.json.member("user", user);
        with_.json.member("directory", directory.native());
        with_.json.member("policy", to_string(from));
        with_.json.member("words", words);
        with_.json.end_object();
    } else {
        with_.out.print("{}\n", to_line(entry));
    }
}

void applier::apply(const target& wanted, const std::vector<bpffs::mount_info>* there) {
    try {
        undo back;
        take_bound_back_at_the_end(wanted, back);
        if (const auto wrong = unbounded_.find(wanted.owner);
            wanted.who && wrong != unbounded_.end()) {
            std::rethrow_exception(wrong->second);
        }
        const step todo = step_for(wanted, there, memory_before(wanted));
        change(wanted, todo, there != nullptr ? &there->back() : nullptr, back);
    } catch (const std::exception& error) {
        const trouble told = describe(error);
        report(audited::refused, wanted.name, wanted.directory(), wanted.decided, told.message);
        wrong_.add(failure(fmt::format("{}: {}", wanted.name, told.message), told.remedy));
    }
}

void applier::replace(const target& wanted, const bpffs::location& place,
                      const bpffs::mount_info& there) {
    const bool read_only = there.protection == bpffs::write_protection::read_only;
    // One of a policy's is read-only where a change was interrupted that had been
    // let carry pins over: it is completed.
    const bool interrupted = read_only && there.source == policy_source;
    if (pins_ == occupied::leave && !interrupted) {
        const bpffs::directory root = bpffs::directory::open(place, bpffs::symlinks::refuse);
        if (read_only) { // what is refused stays as it is, but is not left useless
            bpffs::protect_file_system(root, bpffs::write_protection::writable);
        }
        check_no_pins(root, fmt::format("Its rights stay as they are. 'bpffs-admin apply {} force' "
                                        "changes them and carries the pins over.",
                                        wanted.name));
    }
    bpffs::mount_spec spec = wanted.spec();
    if (!wanted.what.mode.from.file) { // the owner's to choose, but not what the kernel refuses
        spec.permissions = spec.delegated.capabilities.empty()
                               ? there.permissions
                               : there.permissions.without(bpffs::mode(0002));
    }
    if (!wanted.what.group.from.file) {
        spec.group = there.group;
    }
    replace_mount(place, spec);
}

namespace {

// The link in the home, which is the user's: what they plant there, or a home
// that cannot be read or does not answer, stops a directory from being given, since that is all or
// nothing, but no change of one that they have. So what is wrong is kept for the
// end.
class wanted_link {
public:
    wanted_link(const target& wanted, act step, homes& by)
        : link_(wanted.who.value_or(account()), wanted.directory(), by), step_(step) {
        // Without a home there is nothing to link from.
        if (wanted.who && wanted.what.link.value) {
            trying([&] { missing_ = link_.look() == link_state::absent; });
        }
    }

    [[nodiscard]] bool in_order() const noexcept { return !missing_ && wrong_ == nullptr; }
    [[nodiscard]] bpffs::path file() const { return link_.file(); }

    void make_if_missing() {
        if (missing_) {
            trying([&] {
                link_.make();
                made_ = true;
            });
        }
    }
    [[nodiscard]] bool made() const noexcept { return made_; }
    void throw_what_was_wrong() const {
        if (wrong_ != nullptr) {
            std::rethrow_exception(wrong_);
        }
    }

private:
    template <class Work> void trying(Work work) {
        try {
            work();
        } catch (const std::exception&) {
            if (step_ == act::mount) {
                throw;
            }
            wrong_ = std::current_exception();
        }
    }

    home_link link_;
    act step_;
    bool missing_ = false;
    bool made_ = false;
    std::exception_ptr wrong_;
};

} // namespace

// After a boot, say. What cannot be brought back takes nothing away.
brought_back applier::bring_back(const target& wanted, const bpffs::directory& root) {
    brought_back old;
    try {
        old.counts = restore_into(root, wanted.directory(), system_saves, names_, old.damaged);
    } catch (const std::exception& error) {
        old.damaged.add(error);
    }
    return old;
}

// What is shared is charged to whoever makes it.
void applier::bound_memory(const target& wanted) {
    if (!wanted.who) {
        return;
    }
    const memory_size most = wanted.what.memory.value;
    if (most.bytes != 0) {
        bounded_.insert(wanted.owner);
    }
    try {
        const memory_size before = limits_.of(wanted.owner);
        if (before != most) {
            limits_.set(wanted.owner, most);
            before_.emplace(wanted.owner, before);
        }
    } catch (const std::exception&) {
        unbounded_.emplace(wanted.owner, std::current_exception());
    }
}

// A file beside a unit bounds nothing until systemd has read it, and what is to be
// bounded is never unbounded.
void applier::bound_memory(const std::vector<target>& targets, const mount_table& mounts) {
    for (const target& each : targets) {
        bound_memory(each);
    }
    try {
        memory_limits::tell_systemd();
    } catch (const std::exception& error) {
        told_in_vain_ = true;
        wrong_.add(error);
        for (const target& each : targets) {
            if (each.who && each.what.memory.value.bytes != 0 &&
                (before_.contains(each.owner) || mounts.on(each.directory()) == nullptr)) {
                unbounded_.emplace(each.owner, std::current_exception());
            }
        }
    }
}

memory_size applier::memory_before(const target& wanted) const {
    if (!wanted.who) {
        return {};
    }
    const auto other = before_.find(wanted.owner);
    return other != before_.end() ? other->second : wanted.what.memory.value;
}

void applier::take_bound_back_at_the_end(const target& wanted, undo& back) {
    const auto other = before_.find(wanted.owner);
    if (!wanted.who || other == before_.end()) {
        return;
    }
    back.add([this, before = other->second, user = wanted.owner] {
        try {
            limits_.set(user, before);
        } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): the next apply does
        }
    });
}

void applier::change(const target& wanted, const step& todo, const bpffs::mount_info* there,
                     undo& back) {
    const bpffs::path shown = wanted.directory();
    wanted_link link(wanted, todo.what, homes_); // looked at before anything is changed
    if (todo.what == act::nothing && link.in_order()) {
        return;
    }
    const bpffs::location place(base_of(shown), wanted.name);
    brought_back old;
    switch (todo.what) {
    case act::mount:
        make_mount_point(place, back);
        if (wanted.what.persist.value) {
            // Before it is there: an empty one that a process which was killed had
            // left would take the place of the save.
            mount_user(
                place, wanted.spec(),
                [&](const bpffs::directory& root) { old = bring_back(wanted, root); }, back);
        } else {
            mount_user(place, wanted.spec(), back);
        }
        break;
    case act::adjust:
        adjust(wanted, place, *there);
        break;
    case act::replace:
        replace(wanted, place, *there);
        break;
    case act::finish:
        bpffs::detach_mount(place);
        break;
    case act::nothing:
        break;
    }
    link.make_if_missing();
    back.keep();
    if (todo.what != act::nothing) {
        report(todo.what == act::mount ? audited::granted : audited::changed, wanted.name, shown,
               wanted.decided, todo.words);
    } else if (link.made()) {
        report(audited::changed, wanted.name, shown, wanted.decided,
               fmt::format("linked as '{}'", link.file().native()));
    }
    report(wanted, old);
    link.throw_what_was_wrong();
}

void applier::report(const target& wanted, const brought_back& old) {
    for (const trouble& each : old.damaged.list()) {
        wrong_.add(failure(each.message, each.remedy));
    }
    const bool all = old.damaged.list().empty();
    if (old.counts.maps != 0 || !all) {
        report(audited::changed, wanted.name, wanted.directory(), wanted.what.persist.from,
               fmt::format("{} map{} brought back{}", old.counts.maps,
                           old.counts.maps == 1 ? "" : "s", all ? "" : ", but not all"));
    }
}

void applier::take_away(const withdrawal& what) {
    try {
        withdraw(base_of(what.directory), what.name, with_pins::refuse,
                 fmt::format("bpffs-admin remove {} force dir {}", what.name,
                             what.directory.parent_path().native()));
    } catch (const std::exception& error) {
        const trouble told = describe(error);
        report(audited::refused, what.name, what.directory, what.decided,
               "not taken away: " + told.message);
        wrong_.add(failure(fmt::format("{}: {}", what.name, told.message), told.remedy));
        return;
    }
    if (what.who) {
        (void)home_link(*what.who, what.directory, homes_).remove();
    }
    report(audited::withdrawn, what.name, what.directory, what.decided, "");
    if (what.who && !bounded_.contains(what.who->user)) { // who has another directory instead
        try {
            limits_.drop(what.who->user);
        } catch (const std::exception& error) { // the directory is gone all the same
            wrong_.add(error);
        }
    }
}

void applier::apply_system(const policy& rules) {
    if (!rules.fmode || !rules.fmode->value) {
        return;
    }
    try {
        const bpffs::directory root = bpffs::directory::open(system_bpffs);
        if (bpffs::mount_info::of(root.fd()).fmode == bpffs::fmode_option::on) {
            return;
        }
        bpffs::turn_fmode_on(root);
        report(audited::changed, "system", system_bpffs, rules.fmode->from, "fmode off, now on");
    } catch (const std::exception& error) {
        const trouble told = describe(error);
        report(audited::refused, "system", system_bpffs, rules.fmode->from, told.message);
        wrong_.add(error);
    }
}

void applier::finish() {
    if (told_in_vain_) { // which the next run makes good
        return;
    }
    try {
        memory_limits::tell_systemd();
    } catch (const std::exception& error) {
        wrong_.add(error);
    }
}

void applier::refuse(const refusal& who) {
    report(audited::refused, who.name, who.directory, who.from, who.message);
    wrong_.add(failure(who.message, who.remedy));
}

namespace {

enum class scope { everything, these_users };

void apply_policy(context& with, applier& work, const policy& rules,
                  const std::vector<account>& accounts, scope which) {
    const rule_index index(rules);
    start_list(with);
    const std::vector<target> targets =
        all_targets(which == scope::everything ? rules.areas : std::vector<shared_area>(), index,
                    accounts, [&](const refusal& each) { work.refuse(each); });

    const std::vector<bpffs::mount_info> there = bpffs::list_mounts(); // nobody changes it now
    std::vector<bpffs::path> bases;
    bases.reserve(targets.size());
    for (const target& each : targets) {
        bases.push_back(each.what.directory.value);
    }
    for (const bpffs::mount_info& each : there) {
        if (each.type == "bpf" && each.source == policy_source) {
            bases.push_back(each.mount_point.parent_path());
        }
    }
    work.open(bases);

    const mount_table mounts(there);
    work.bound_memory(targets, mounts);
    for (const target& each : targets) {
        work.apply(each, mounts.on(each.directory()));
    }
    for (const withdrawal& each : withdrawals(rules, index, accounts, mounts)) {
        if (which == scope::everything || each.who) {
            work.take_away(each);
        }
    }
    if (which == scope::everything) {
        work.apply_system(rules);
    }
    work.finish();
}

std::vector<account> take_accounts(const std::vector<std::string>& users) {
    std::vector<account> accounts;
    accounts.reserve(users.size());
    for (const std::string& user : users) {
        accounts.push_back(take_account(user));
    }
    return accounts;
}

} // namespace

void admin_apply(context& with, words& given) {
    std::vector<std::string> users;
    occupied pins = occupied::leave;
    while (!given.empty()) {
        const std::string word = given.next("a USER");
        if (word == "force") { // in full only: it is no user's name by mistake
            pins = occupied::carry_over;
        } else {
            users.push_back(word);
        }
    }
    (void)take_accounts(users); // wrong words wait for nobody
    require_root();
    applier work(with, pins);
    work.wait_for_turn(std::nullopt);
    // Whoever had the turn before may have been told to change these.
    const policy rules = read_policy();
    apply_policy(with, work, rules, users.empty() ? accounts_for(rules) : take_accounts(users),
                 users.empty() ? scope::everything : scope::these_users);
    if (work.changes() == 0) {
        with.remark("nothing to change");
    }
    end_list(with, work.wrong());
}

namespace {

// Whether somebody who logs in gets or loses anything. Most have nothing to do with
// any policy, and are not to wait for those who change directories.
bool is_concerned(const account& who) {
    const policy rules = read_policy();
    const rule_index index(rules);
    try {
        if (index.judge(who).decided) {
            return true;
        }
    } catch (const policy_failure&) {
        return true; // told of when it is their turn
    }
    // Shared directories that are to go are for apply, so they make nobody wait.
    const std::vector<withdrawal> all =
        withdrawals(rules, index, {who}, mount_table(bpffs::list_mounts()));
    return std::any_of(all.begin(), all.end(),
                       [](const withdrawal& each) { return each.who.has_value(); });
}

void audit_log_in(const policy& rules, const account& who, std::ostream& without_journal) {
    try {
        const verdict result = judge(rules, who);
        if (!result.gets && result.decided) {
            audit({audited::refused, who.name, default_entitlement().directory.value / who.name,
                   *result.decided, "at log-in"},
                  without_journal);
        }
    } catch (const policy_failure&) { // NOLINT(bugprone-empty-catch): it is refused as one
    }
}

} // namespace

void admin_login(context& with, words& given) {
    const char* by_pam = std::getenv("PAM_USER"); // NOLINT(concurrency-mt-unsafe)
    const char* stage = std::getenv("PAM_TYPE");  // NOLINT(concurrency-mt-unsafe)
    const std::string user = !given.empty() || by_pam == nullptr ? given.next("a USER") : by_pam;
    given.end();
    if (stage != nullptr && std::string_view(stage) != "open_session") {
        return;
    }
    std::optional<account> who = find_account(user);
    if (!who || who->user == 0) {
        return; // whoever logs in is not for this to judge
    }
    require_root();
    who = first_name_of(*who);
    if (!is_concerned(*who)) {
        return;
    }
    applier work(with, occupied::leave);
    work.wait_for_turn(std::chrono::seconds(10)); // whoever logs in waits with it
    const policy rules = read_policy();
    audit_log_in(rules, *who, with.process.err);
    apply_policy(with, work, rules, {*who}, scope::these_users);
    end_list(with, work.wrong());
}

} // namespace fsctl
