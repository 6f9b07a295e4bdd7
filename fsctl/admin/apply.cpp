// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// apply: makes the machine as the policy says. login: the same for one user, as
// they log in.
#include "apply.hpp"

#include "grant.hpp"
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

void applier::open(const std::vector<bpffs::path>& bases, std::optional<private_places> hidden) {
    hidden_ = std::move(hidden);
    for (const bpffs::path& each : std::set<bpffs::path>(bases.begin(), bases.end())) {
        if (each == private_base) {
            continue;
        }
        try {
            bases_.emplace(each, open_trusted(each, if_absent::make).handle);
        } catch (const std::exception& error) {
            wrong_.add(error);
        }
    }
}

mounted_place applier::place_of(const bpffs::path& directory) {
    if (is_private(directory)) {
        if (!hidden_) {
            hidden_ = private_places::make();
        }
        private_ = hidden_->of(directory.filename().native(), private_places::if_none::make);
        return {{private_, directory.filename()}, hidden_->view()};
    }
    const auto found = bases_.find(directory.parent_path());
    if (found == bases_.end()) {
        throw failure(fmt::format("'{}' cannot be used", directory.parent_path().native()));
    }
    return {{found->second, directory.filename()}, {}};
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

void applier::apply(const target& wanted, const mount_table& mounts) {
    try {
        undo back;
        take_bound_back_at_the_end(wanted, back);
        if (const auto wrong = unbounded_.find(wanted.owner);
            wanted.who && wrong != unbounded_.end()) {
            std::rethrow_exception(wrong->second);
        }
        forget_name(wanted);
        change(wanted, step_for(wanted, mounts, memory_before(wanted)), mounts, back);
    } catch (const std::exception& error) {
        const trouble told = describe(error);
        report(audited::refused, wanted.name, wanted.directory(), wanted.decided, told.message);
        wrong_.add(failure(fmt::format("{}: {}", wanted.name, told.message), told.remedy));
    }
}

void applier::check_may_carry(const target& wanted, const bpffs::location& place,
                              const bpffs::mount_info& there) {
    const bool read_only = there.protection == bpffs::write_protection::read_only;
    // One of a policy's is read-only where a change was interrupted that had been
    // let carry pins over: it is completed.
    const bool interrupted = read_only && there.source == policy_source;
    if (pins_ == occupied::carry_over || interrupted) {
        return;
    }
    const bpffs::directory root = bpffs::directory::open(place, bpffs::symlinks::refuse);
    if (read_only) { // what is refused stays as it is, but is not left useless
        bpffs::protect_file_system(root, bpffs::write_protection::writable);
    }
    check_no_pins(root, fmt::format("It stays as it is. 'bpffs-admin apply {} force' "
                                    "changes it and carries the pins over.",
                                    wanted.name));
}

namespace {

// The mode and the group that no file states are the owner's to choose.
bpffs::mount_spec spec_after(const target& wanted, const bpffs::mount_info& there) {
    bpffs::mount_spec spec = wanted.spec();
    if (!wanted.what.mode.from.file) { // but not what the kernel refuses
        spec.permissions = spec.delegated.capabilities.empty()
                               ? there.permissions
                               : there.permissions.without(bpffs::mode(0002));
    }
    if (!wanted.what.group.from.file) {
        spec.group = there.group;
    }
    return spec;
}

} // namespace

void applier::replace(const target& wanted, const mounted_place& place,
                      const bpffs::mount_info& there) {
    check_may_carry(wanted, place.at, there);
    replace_mount(place.at, spec_after(wanted, there), place.view);
}

void applier::move(const target& wanted, const mounted_place& place,
                   const bpffs::mount_info& former) {
    const mounted_place old = place_of(wanted.former_directory());
    check_may_carry(wanted, old.at, former);
    move_mount_to(place, old, spec_after(wanted, former));
    bpffs::error_code ignored; // an empty directory
    bpffs::remove_directory(old.at, ignored);
}

// Who was killed as the directory went out of sight may have left an empty one, whose
// name says that there is another one.
void applier::forget_name(const target& wanted) {
    const bpffs::path former = wanted.former_directory();
    const auto base = bases_.find(former.parent_path());
    if (wanted.who && wanted.what.visible.value == visibility::owner && base != bases_.end()) {
        bpffs::error_code ignored; // there is none, or something is mounted on it
        bpffs::remove_directory({base->second, former.filename()}, ignored);
    }
}

// What is read-only has been carried over, and the process killed before it could go.
void applier::leave(const target& wanted, const bpffs::mount_info& former) {
    const mounted_place old = place_of(wanted.former_directory());
    if (former.protection == bpffs::write_protection::read_only) {
        const mount_view::inside guard = old.view.enter();
        bpffs::detach_mount(old.at);
    }
    withdraw(*old.at.base(), old.view, wanted.name, with_pins::refuse,
             fmt::format("bpffs-admin remove {} force dir {}", wanted.name,
                         wanted.former_directory().parent_path().native()));
}

namespace {

home_link link_to(const target& wanted, homes& by) {
    return {wanted.who.value_or(account()), wanted.directory(), by, wanted.former_directory()};
}

// Without a home there is nothing to link from.
seen_link look(const target& wanted, homes& by) {
    seen_link seen;
    if (wanted.who && wanted.what.link.value) {
        try {
            seen.state = link_to(wanted, by).look();
        } catch (const std::exception&) {
            seen.wrong = std::current_exception();
        }
    }
    return seen;
}

std::string key_of(const target& wanted) {
    return fmt::format("{}:{}:{}", wanted.who ? wanted.who->user : 0,
                       wanted.who ? wanted.who->home.native() : "", wanted.directory().native());
}

// The link in the home, which is the user's: what they plant there, or a home
// that cannot be read or does not answer, stops a directory from being given, since that is all or
// nothing, but no change of one that they have. So what is wrong is kept for the
// end.
class wanted_link {
public:
    wanted_link(const target& wanted, act step, homes& by, const seen_link& seen)
        : link_(link_to(wanted, by)), step_(step) {
        trying([&] {
            if (seen.wrong != nullptr) {
                std::rethrow_exception(seen.wrong);
            }
        });
        missing_ = seen.state == link_state::absent || seen.state == link_state::former;
    }

    [[nodiscard]] bool in_order() const noexcept { return !missing_ && wrong_ == nullptr; }
    [[nodiscard]] bpffs::path file() const { return link_.file(); }

    void make_if_missing() {
        if (missing_) {
            trying([&] { made_ = link_.make(); });
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

void applier::look_at_homes(const std::vector<target>& targets) {
    for (const target& each : targets) {
        if (each.who && each.what.link.value) {
            links_.emplace(key_of(each), look(each, homes_));
        }
    }
}

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

void applier::give(const target& wanted, const mounted_place& place, brought_back& old,
                   undo& back) {
    make_mount_point(place.at, back);
    if (!wanted.what.persist.value) {
        mount_user(place.at, place.view, wanted.spec(), back);
        return;
    }
    // Before it is there: an empty one that a process which was killed had left would
    // take the place of the save.
    mount_user(
        place.at, place.view, wanted.spec(),
        [&](const bpffs::directory& root) { old = bring_back(wanted, root); }, back);
}

void applier::change(const target& wanted, const step& todo, const mount_table& mounts,
                     undo& back) {
    const bpffs::path shown = wanted.directory();
    // Looked at before anything is changed: who the policy names since is no matter.
    const auto seen = links_.find(key_of(wanted));
    wanted_link link(wanted, todo.what, homes_,
                     seen != links_.end() ? seen->second : look(wanted, homes_));
    if (todo.what == act::nothing && link.in_order()) {
        return;
    }
    const mounted_place place = place_of(shown);
    const auto there = [&]() -> const bpffs::mount_info& { return mounts.on(shown)->back(); };
    brought_back old;
    switch (todo.what) {
    case act::mount:
        give(wanted, place, old, back);
        break;
    case act::adjust: {
        const mount_view::inside guard = place.view.enter();
        adjust(wanted, place.at, there());
        break;
    }
    case act::replace:
        replace(wanted, place, there());
        break;
    case act::finish: {
        const mount_view::inside guard = place.view.enter();
        bpffs::detach_mount(place.at);
        break;
    }
    case act::move:
        make_mount_point(place.at, back);
        move(wanted, place, *former_mount(wanted, mounts));
        break;
    case act::leave:
        leave(wanted, *former_mount(wanted, mounts));
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
        const mounted_place place = place_of(what.directory);
        withdraw(*place.at.base(), place.view, what.name, with_pins::refuse,
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
        dead_links_.emplace_back(*what.who, what.directory);
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
    if (!told_in_vain_) { // which the next run makes good
        try {
            memory_limits::tell_systemd();
        } catch (const std::exception& error) {
            wrong_.add(error);
        }
    }
    alone_.reset();
    for (const auto& [who, directory] : dead_links_) {
        (void)home_link(who, directory, homes_).remove();
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

    std::optional<private_places> hidden = private_places::find();
    const std::vector<bpffs::mount_info> there = all_mounts(hidden); // nobody changes it now
    std::vector<bpffs::path> bases;
    bases.reserve(targets.size());
    for (const target& each : targets) {
        bases.push_back(each.directory().parent_path());
    }
    bpffs::error_code absent;
    (void)bpffs::look_at(grant().base, absent);
    if (!absent && std::find(bases.begin(), bases.end(), private_base) != bases.end()) {
        bases.push_back(grant().base); // what goes out of sight comes from there
    }
    for (const bpffs::mount_info& each : there) {
        if (each.type == "bpf" && each.source == policy_source) {
            bases.push_back(each.mount_point.parent_path());
        }
    }
    work.open(bases, std::move(hidden));

    const mount_table mounts(there);
    work.bound_memory(targets, mounts);
    for (const target& each : targets) {
        work.apply(each, mounts);
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

// What is going to be wanted, as far as it can be told before the turn.
void look_at_homes(applier& work, const policy& rules, const std::vector<account>& accounts) {
    const auto ignore = [](const refusal&) {}; // told of when it is their turn
    work.look_at_homes(all_targets({}, rule_index(rules), accounts, ignore));
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
    const std::vector<account> accounts = take_accounts(users); // wrong words wait for nobody
    require_root();
    applier work(with, pins);
    {
        const policy rules = read_policy();
        look_at_homes(work, rules, users.empty() ? accounts_for(rules) : accounts);
    }
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
        withdrawals(rules, index, {who}, mount_table(all_mounts(private_places::find())));
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
    look_at_homes(work, read_policy(), {*who});
    work.wait_for_turn(std::chrono::seconds(10)); // whoever logs in waits with it
    const policy rules = read_policy();
    audit_log_in(rules, *who, with.process.err);
    apply_policy(with, work, rules, {*who}, scope::these_users);
    end_list(with, work.wrong());
}

} // namespace fsctl
