// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// diff: what apply would change, and changes nothing.
#include "home_link.hpp"
#include "json_list.hpp"
#include "memory_limits.hpp"
#include "policy_file.hpp"
#include "private_places.hpp"
#include "step.hpp"
#include "user_mount.hpp"
#include "verbs.hpp"

#include <bpffs/identity.hpp>

#include <fmt/format.h>

namespace fsctl {

namespace {

// One line: what happens to whose directory, and which line of the policy says so.
void print(context& with, std::string_view sign, const std::string& user,
           const bpffs::path& directory, const origin& from, const std::string& words) {
    if (with.chosen.json) {
        with.json.start_object();
        with.json.member("change", sign == "+" ? "give" : sign == "-" ? "take" : "change");
        with.json.member("user", user);
        with.json.member("directory", directory.native());
        with.json.member("policy", to_string(from));
        with.json.member("words", words);
        with.json.end_object();
    } else {
        with.out.print("{} {} '{}' by {}{}{}\n", sign, user, directory.native(),
                       from.file ? to_string(from) : "no policy file", words.empty() ? "" : ": ",
                       words);
    }
}

// Only root can look into homes as their users.
bool link_would_change(const target& wanted, homes& visitor) {
    if (!wanted.who || !wanted.what.link.value) {
        return false;
    }
    const link_state now =
        home_link(*wanted.who, wanted.directory(), visitor, wanted.former_directory()).look();
    return now == link_state::absent || now == link_state::former;
}

void print_step(context& with, const target& wanted, const mount_table& mounts, homes* visitor) {
    const memory_size memory = wanted.who ? memory_limits().of(wanted.owner) : memory_size();
    const step todo = step_for(wanted, mounts, memory);
    if (todo.what == act::mount) {
        print(with, "+", wanted.name, wanted.directory(), wanted.decided, "");
    } else if (todo.what != act::nothing) {
        print(with, "~", wanted.name, wanted.directory(), wanted.decided, todo.words);
    } else if (visitor != nullptr && link_would_change(wanted, *visitor)) {
        print(with, "~", wanted.name, wanted.directory(), wanted.decided, "the link to it");
    }
}

void print_all(context& with, const policy& rules, const std::vector<account>& accounts,
               failures& wrong) {
    const mount_table mounts(all_mounts(private_places::find()));
    const rule_index index(rules);
    homes visitor;
    const bool may_look = bpffs::identity::of_caller().user == 0;
    const auto note = [&](const refusal& each) { wrong.add(failure(each.message, each.remedy)); };
    std::size_t out_of_sight = 0;
    for (const target& each : all_targets(rules.areas, index, accounts, note)) {
        if (!may_look && each.what.visible.value == visibility::owner) {
            ++out_of_sight;
            continue;
        }
        try {
            print_step(with, each, mounts, may_look ? &visitor : nullptr);
        } catch (const failure& error) {
            wrong.add(failure(fmt::format("{}: {}", each.name, error.what()), error.remedy()));
        }
    }
    for (const withdrawal& each : withdrawals(rules, index, accounts, mounts)) {
        print(with, "-", each.name, each.directory, each.decided, "");
    }
    if (out_of_sight != 0) {
        with.remark(fmt::format("only root can look at private directories, of which there {} {}",
                                out_of_sight == 1 ? "is" : "are", out_of_sight));
    }
}

void print_system(context& with, const policy& rules) {
    if (!rules.fmode || !rules.fmode->value) {
        return;
    }
    bpffs::error_code code;
    const bpffs::directory root = bpffs::directory::open("/sys/fs/bpf", code);
    const bpffs::mount_info there =
        code ? bpffs::mount_info() : bpffs::mount_info::of(root.fd(), code);
    if (!code && there.fmode != bpffs::fmode_option::on) {
        print(with, "~", "system", "/sys/fs/bpf", rules.fmode->from, "fmode off, now on");
    }
}

} // namespace

void admin_diff(context& with, words& given) {
    given.end();
    const policy rules = read_policy();
    failures wrong;
    const std::vector<account> accounts = accounts_for(rules);
    start_list(with);
    print_all(with, rules, accounts, wrong);
    print_system(with, rules);
    end_list(with, wrong);
}

} // namespace fsctl
