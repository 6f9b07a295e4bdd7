// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Comparing what is with what is to be; see step.hpp.
#include "step.hpp"

#include "common/failure.hpp"
#include "user_mount.hpp"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

namespace fsctl {

namespace {

// "caps bpf:perfmon, now bpf; nr_inodes 10, now unlimited"
class differences {
public:
    void add(std::string_view key, const std::string& now, const std::string& then) {
        if (now != then) {
            words_ += fmt::format("{}{} {}, now {}", words_.empty() ? "" : "; ", key,
                                  now.empty() ? "none" : now, then.empty() ? "none" : then);
        }
    }
    [[nodiscard]] const std::string& words() const { return words_; }

private:
    std::string words_;
};

// "0" where there is none.
std::string inodes_of(const bpffs::mount_info& there) {
    constexpr std::string_view name = "nr_inodes=";
    for (const std::string& option : there.options) {
        if (option.starts_with(name)) {
            return option.substr(name.size());
        }
    }
    return "0";
}

std::string delegation_words(const target& wanted, const bpffs::mount_info& there) {
    const bpffs::delegation& old = there.delegated;
    const entitlement& what = wanted.what;
    differences all;
    all.add("cmds", bpffs::to_string(old.commands), bpffs::to_string(what.cmds.value));
    all.add("maps", bpffs::to_string(old.maps), bpffs::to_string(what.maps.value));
    all.add("progs", bpffs::to_string(old.programs), bpffs::to_string(what.progs.value));
    all.add("attachs", bpffs::to_string(old.attachments), bpffs::to_string(what.attachs.value));
    all.add("caps", bpffs::to_string(old.capabilities), bpffs::to_string(what.caps.value));
    all.add("nr_inodes", inodes_of(there), fmt::format("{}", what.nr_inodes.value));
    return all.words();
}

// The mode and the group that no file states are the owner's to change.
std::string adjustment_words(const target& wanted, const bpffs::mount_info& there,
                             memory_size memory) {
    differences all;
    all.add("memory", to_string(memory), to_string(wanted.what.memory.value));
    if (wanted.what.mode.from.file) {
        const bpffs::mode sticky(01000); // which each bpffs has, and the kernel does not show
        all.add("mode", there.permissions.without(sticky).octal(),
                wanted.what.mode.value.without(sticky).octal());
    }
    if (wanted.what.group.from.file) {
        all.add("gid", fmt::format("{}", there.group), fmt::format("{}", wanted.group));
    }
    if (there.fmode != bpffs::fmode_option::on) {
        all.add("fmode", "off", "on");
    }
    if (there.protection == bpffs::write_protection::read_only) {
        all.add("writable", "no", "yes");
    }
    return all.words();
}

// Each one on the one before, whatever order the kernel lists them in.
void order(std::vector<bpffs::mount_info>& stack) {
    for (std::size_t i = 0; i + 1 < stack.size(); i++) {
        const auto under = [&](const bpffs::mount_info& lower) {
            return std::none_of(
                stack.begin() + static_cast<std::ptrdiff_t>(i), stack.end(),
                [&](const bpffs::mount_info& other) { return other.id == lower.parent_id; });
        };
        const auto lowest =
            std::find_if(stack.begin() + static_cast<std::ptrdiff_t>(i), stack.end(), under);
        if (lowest != stack.end()) {
            std::swap(stack[i], *lowest);
        }
    }
}

void check_whose(const target& wanted, const bpffs::mount_info& there) {
    const std::string shown = wanted.directory().native();
    if (there.type != "bpf") {
        throw failure(fmt::format("'{}' is {}", shown, describe(there)), "It is left alone.");
    }
    if (there.owner != wanted.owner) {
        throw failure(fmt::format("'{}' belongs to {}, not to {}", shown, name_of_user(there.owner),
                                  name_of_user(wanted.owner)),
                      fmt::format("It is left alone. 'bpffs-admin remove {}' takes it away first.",
                                  wanted.name));
    }
}

} // namespace

mount_table::mount_table(const std::vector<bpffs::mount_info>& mounts) {
    for (const bpffs::mount_info& one : mounts) {
        by_directory_[one.mount_point.native()].push_back(one);
    }
    for (auto& [directory, stack] : by_directory_) {
        order(stack);
    }
}

const std::vector<bpffs::mount_info>* mount_table::on(const bpffs::path& directory) const {
    const auto found = by_directory_.find(directory.native());
    return found == by_directory_.end() ? nullptr : &found->second;
}

void mount_table::for_each(const std::function<void(const bpffs::mount_info&)>& visit) const {
    for (const auto& [directory, stack] : by_directory_) {
        visit(stack.back());
    }
}

const bpffs::mount_info* former_mount(const target& wanted, const mount_table& mounts) {
    const std::vector<bpffs::mount_info>* there =
        wanted.who ? mounts.on(wanted.former_directory()) : nullptr;
    if (there == nullptr || there->back().type != "bpf" || there->back().source != policy_source ||
        there->back().owner != wanted.owner) {
        return nullptr;
    }
    return &there->back();
}

step step_for(const target& wanted, const mount_table& mounts, memory_size memory) {
    const std::vector<bpffs::mount_info>* there = mounts.on(wanted.directory());
    const bpffs::mount_info* former = former_mount(wanted, mounts);
    if (there == nullptr && former == nullptr) {
        return {act::mount, {}};
    }
    if (there == nullptr) {
        return {act::move,
                fmt::format("visible {}, now {}",
                            word(wanted.what.visible.value == visibility::all ? visibility::owner
                                                                              : visibility::all),
                            word(wanted.what.visible.value))};
    }
    const bpffs::mount_info& top = there->back();
    check_whose(wanted, top);
    if (former != nullptr) {
        return {act::leave, fmt::format("'{}' is taken away, which it has taken the place of",
                                        wanted.former_directory().native())};
    }
    if (there->size() == 2 && top.protection == bpffs::write_protection::read_only &&
        there->front().type == "bpf") {
        return {act::finish, "a change that was interrupted is completed"};
    }
    if (std::string words = delegation_words(wanted, top); !words.empty()) {
        return {act::replace, std::move(words)};
    }
    if (std::string words = adjustment_words(wanted, top, memory); !words.empty()) {
        return {act::adjust, std::move(words)};
    }
    return {};
}

namespace {

using directory_names = std::unordered_set<std::string>;

directory_names shared_directories(const policy& rules) {
    directory_names all;
    for (const shared_area& area : rules.areas) {
        all.insert((area.what.directory.value / area.name).native());
    }
    return all;
}

// Whether the policy still wants a user's directory, although it may not be able
// to make it now.
bool still_wanted(const rule_index& index, const account& who, const bpffs::path& directory,
                  origin& decided) {
    try {
        const verdict result = index.judge(who);
        decided = result.decided.value_or(origin());
        // What has another place now, since others are to see it or not to, is moved.
        return result.gets && (directory_of(*result.gets, who.name) == directory ||
                               former_directory_of(*result.gets, who.name) == directory);
    } catch (const failure&) {
        return true; // contradictory rules take nothing away, nor do doubts
    }
}

} // namespace

std::vector<withdrawal> withdrawals(const policy& rules, const rule_index& index,
                                    const std::vector<account>& everybody,
                                    const mount_table& mounts) {
    const directory_names shared = shared_directories(rules);
    std::unordered_map<std::string, const account*> by_name;
    for (const account& who : everybody) {
        by_name.emplace(who.name, &who);
    }
    std::vector<withdrawal> all;
    mounts.for_each([&](const bpffs::mount_info& one) {
        if (one.type != "bpf" || one.source != policy_source) {
            return;
        }
        withdrawal made{one.mount_point.filename().native(), one.mount_point, {}, {}};
        const auto found = by_name.find(made.name);
        const account* who = found == by_name.end() ? nullptr : found->second;
        // A shared directory is root's. Whose account is gone is for `clean`.
        if (shared.contains(one.mount_point.native()) || (who == nullptr && one.owner != 0) ||
            (who != nullptr && still_wanted(index, *who, one.mount_point, made.decided))) {
            return;
        }
        if (who != nullptr) {
            made.who = *who;
        }
        all.push_back(std::move(made));
    });
    std::sort(all.begin(), all.end(),
              [](const withdrawal& a, const withdrawal& b) { return a.directory < b.directory; });
    return all;
}

std::vector<withdrawal> gone_users(const account_book& accounts, const mount_table& mounts,
                                   const bpffs::path& base) {
    std::vector<withdrawal> all;
    mounts.for_each([&](const bpffs::mount_info& one) {
        const std::string name = one.mount_point.filename().native();
        const bool ours = one.source == policy_source || one.mount_point.parent_path() == base;
        if (one.type == "bpf" && ours && one.owner != 0 && !accounts.has_name(name) &&
            !accounts.has_number(one.owner)) {
            all.push_back({name, one.mount_point, {}, {}});
        }
    });
    std::sort(all.begin(), all.end(),
              [](const withdrawal& a, const withdrawal& b) { return a.directory < b.directory; });
    return all;
}

} // namespace fsctl
