// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// check: reads the policy, says all that is wrong in it, and remarks on users
// and groups that this machine does not have.
#include "policy_file.hpp"
#include "target.hpp"
#include "verbs.hpp"

#include <unordered_map>
#include <unordered_set>

namespace fsctl {

namespace {

void remark_absent(context& with, const origin& from, const std::string& what) {
    with.remark(fmt::format("{}:{}:{}: there is no {}; it is passed over", *from.file, from.line,
                            from.column, what));
}

// Contradictions that show only when all the rules for somebody are together.
class judging_named {
public:
    judging_named(const policy& rules, failures& wrong) : index_(rules), wrong_(wrong) {
        for (account& who : accounts_for(rules)) {
            const std::string name = who.name;
            firsts_.emplace(who.user, name);
            accounts_.emplace(name, std::move(who));
        }
    }

    // False where there is no such user.
    bool judge(const std::string& user) {
        const auto found = accounts_.find(user);
        if (found == accounts_.end()) {
            return false;
        }
        if (judged_.insert(user).second) {
            const account& who = found->second;
            try {
                (void)index_.judge(who);
                if (const std::string& first = firsts_.at(who.user); first != user) {
                    check_second_name(index_, accounts_.at(first), who);
                }
            } catch (const failure& error) {
                wrong_.add(failure(fmt::format("{}: {}", user, error.what()), error.remedy()));
            }
        }
        return true;
    }

private:
    rule_index index_;
    failures& wrong_;
    std::unordered_map<std::string, account> accounts_;
    std::unordered_map<uid_t, std::string> firsts_;
    std::unordered_set<std::string> judged_;
};

void check_groups(context& with, const rule& which, failures& wrong) {
    for (const auto& [group, about] : which.who.groups) {
        if (!about.group->unanswered.empty()) {
            wrong.add(failure(fmt::format("{}:{}:{}: who is in group '{}' cannot be told: {}",
                                          *about.from.file, about.from.line, about.from.column,
                                          group, about.group->unanswered)));
        } else if (!about.group->is) {
            remark_absent(with, about.from, fmt::format("group '{}'", group));
        }
    }
}

void check_names(context& with, const policy& rules) {
    failures wrong;
    judging_named named(rules, wrong);
    for (const rule& each : rules.rules) {
        for (const auto& [user, from] : each.who.users) {
            if (!named.judge(user)) {
                remark_absent(with, from, fmt::format("user '{}'", user));
            }
        }
        check_groups(with, each, wrong);
    }
    for (const shared_area& area : rules.areas) {
        if (!find_group(area.what.group.value)) {
            remark_absent(with, area.what.group.from,
                          fmt::format("group '{}'", area.what.group.value));
        }
    }
    wrong.throw_any();
}

} // namespace

void admin_check(context& with, words& given) {
    std::vector<bpffs::path> files;
    while (!given.empty()) {
        files.emplace_back(given.next("a FILE"));
    }
    const policy rules = files.empty() ? read_policy() : read_policy(files, file_owner::anybody);
    check_names(with, rules); // first: what is wrong has no room in the object
    if (with.chosen.json) {
        with.json.start_object();
        with.json.name("files");
        with.json.start_array();
        for (const bpffs::path& file : rules.files) {
            with.json.string(file.native());
        }
        with.json.end_array();
        with.json.end_object();
    }
    for (const bpffs::path& file : rules.files) {
        with.remark(fmt::format("{}: good", file.native()));
    }
    if (rules.files.empty()) {
        with.remark("no policy: /etc/bpffs.d, /run/bpffs.d and /usr/lib/bpffs.d have no *.conf");
    }
}

} // namespace fsctl
