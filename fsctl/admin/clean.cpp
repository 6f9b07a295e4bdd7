// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// clean: the directories of users whose account is gone, and their saves. Reports
// each, and takes it away; with pins in it only when told to.
#include "alone.hpp"
#include "audit.hpp"
#include "grant.hpp"
#include "json_list.hpp"
#include "memory_limits.hpp"
#include "private_places.hpp"
#include "saves.hpp"
#include "stale_saves.hpp"
#include "step.hpp"
#include "trusted.hpp"
#include "verbs.hpp"
#include "withdraw.hpp"

#include <fmt/format.h>

namespace fsctl {

namespace {

class cleaning {
public:
    cleaning(context& with, with_pins pins) : with_(with), pins_(pins) {}

    void clean(const account_book& accounts) {
        const std::optional<private_places> hidden = private_places::find();
        const mount_table mounts(all_mounts(hidden));
        for (const withdrawal& gone : gone_users(accounts, mounts, grant().base)) {
            trying(gone.name, gone.directory, [&] { take_away(gone, hidden); });
        }
        trying([&] { clean_limits(accounts); });
        for (const stale_save& one : stale_saves(system_saves, accounts, wrong_)) {
            trying(one.user, one.place, [&] { remove(one); });
        }
    }
    [[nodiscard]] const failures& wrong() const { return wrong_; }

private:
    template <class Work>
    void trying(const std::string& user, const bpffs::path& directory, Work work) {
        try {
            audit_refusal(user, directory, with_.process.err, work);
        } catch (const std::exception& error) {
            const trouble told = describe(error);
            wrong_.add(failure(fmt::format("{} is no user any more: {}", user, told.message),
                               told.remedy));
        }
    }

    // So that whoever is given the number next does not have the limit with it. What
    // is wrong with one keeps neither the others nor the saves.
    void clean_limits(const account_book& accounts) {
        for (const uid_t user : limits_.users()) {
            trying([&] {
                if (!accounts.has_number(user)) {
                    limits_.drop(user);
                }
            });
        }
        trying([] { memory_limits::tell_systemd(); });
    }

    template <class Work> void trying(Work work) {
        try {
            work();
        } catch (const std::exception& error) {
            wrong_.add(error);
        }
    }

    void take_away(const withdrawal& gone, const std::optional<private_places>& hidden) {
        const std::string forced = "bpffs-admin clean force";
        if (is_private(gone.directory)) {
            withdraw(hidden->of(gone.name, private_places::if_none::nothing), hidden->view(),
                     gone.name, pins_, forced);
        } else {
            withdraw(open_trusted(gone.directory.parent_path(), if_absent::fail).handle, {},
                     gone.name, pins_, forced);
        }
        audit({audited::withdrawn, gone.name, gone.directory, {}, "the account is gone"},
              with_.process.err);
        print(gone.name, "directory", gone.directory);
    }

    void remove(const stale_save& one) {
        if (one.in_doubt && pins_ == with_pins::refuse) {
            throw failure(
                fmt::format("'{}' is the save of {}, uid {}; an account has the name or the "
                            "number, but none has both",
                            one.place.native(), one.user, one.number),
                "It is restored for nobody. 'bpffs-admin clean force' removes it; where the user "
                "was renamed, move the maps first.");
        }
        remove_stale(one);
        audit({audited::withdrawn, one.user, one.place, {}, "a save, and the account is gone"},
              with_.process.err);
        print(one.user, "save", one.place);
    }

    void print(const std::string& user, const char* what, const bpffs::path& place) {
        if (with_.chosen.json) {
            with_.json.start_object();
            with_.json.member("user", user);
            with_.json.member(what, place.native());
            with_.json.end_object();
        } else {
            with_.out.print("{} is no user any more: '{}' removed\n", user, place.native());
        }
    }

    context& with_;
    with_pins pins_;
    memory_limits limits_;
    failures wrong_;
};

} // namespace

void admin_clean(context& with, words& given) {
    with_pins pins = with_pins::refuse;
    while (!given.empty()) {
        if (given.keyword({"force"}) == "force") {
            pins = with_pins::drop;
        } else {
            given.end();
        }
    }
    require_root();
    const bpffs::owned_fd held = alone(); // before anything is looked at
    const account_book accounts;
    start_list(with);
    cleaning work(with, pins);
    work.clean(accounts);
    end_list(with, work.wrong());
}

} // namespace fsctl
