// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The judging half of a diagnosis, on data: for each set-up the first thing in the way and what the
// sentence says of it.
#include "diagnosis.hpp"

#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace {

using namespace bpffs;

constexpr uid_t user = 54321; // has no name on any machine
constexpr uid_t stranger = 54322;

identity ordinary() {
    identity who;
    who.user = user;
    who.group = user;
    return who;
}

/// /b is a bpffs of `user`'s own with all that the main job needs, and the pin /b/m in it.
facts good() {
    facts known;
    known.way = {{"/", file_type::directory, mode{0755}, 0, 0},
                 {"/b", file_type::directory, mode{0700}, user, user}};
    known.target = "/b/m";
    known.name = "m";
    known.file = waypoint{"/b/m", file_type::file, mode{0600}, user, user};
    known.on_bpffs = true;
    known.mount =
        mount_info::parse("9 1 0:9 / /b rw - bpf bpf "
                          "rw,fmode,delegate_cmds=map_create,delegate_maps=hash:array:xskmap,"
                          "delegate_caps=bpf");
    known.unprivileged_bpf_disabled = 2;
    return known;
}

facts good_new() {
    facts known = good();
    known.file.reset();
    return known;
}

struct row {
    const char* name;
    wanted wish;
    std::function<void(facts&, identity&)> spoil;
    std::optional<obstacle> first;
    const char* words; ///< a part of the sentence
};

void PrintTo(const row& one, std::ostream* out) {
    *out << one.name;
}

class first_obstacle : public ::testing::TestWithParam<row> {};

TEST_P(first_obstacle, is_named) {
    const row& one = GetParam();
    const bool makes = one.wish.what == action::create || one.wish.what == action::pin;
    facts known = makes ? good_new() : good();
    identity who = ordinary();
    one.spoil(known, who);
    const diagnosis said = judge(known, one.wish, who);
    if (one.first) {
        ASSERT_FALSE(said.findings.empty()) << said.sentence;
        EXPECT_EQ(said.findings.front().what, *one.first) << said.sentence;
    } else {
        EXPECT_TRUE(said.findings.empty()) << said.sentence;
    }
    EXPECT_NE(said.sentence.find(one.words), std::string::npos) << said.sentence;
}

const wanted read = wanted::to_open(access::read);
const wanted write = wanted::to_open(access::write);
const wanted make = wanted::to_create(map_kind::hash);

void make_strangers_file(facts& known, unsigned bits) {
    known.file = waypoint{"/b/m", file_type::file, mode{bits}, stranger, stranger};
}

void make_strangers_directory(facts& known, unsigned bits) {
    known.way.back() = {"/b", file_type::directory, mode{bits}, stranger, stranger};
}

// NOLINTBEGIN(performance-unnecessary-value-param)
INSTANTIATE_TEST_SUITE_P(
    rows, first_obstacle,
    ::testing::Values(
        row{"nothing_reading", read, [](facts&, identity&) {}, {}, "nothing known stands"},
        row{"nothing_creating", make, [](facts&, identity&) {}, {}, "creating '/b/m'"},
        row{"no_read_bit", read, [](facts& f, identity&) { make_strangers_file(f, 0200); },
            obstacle::no_read_bit, "'/b/m' is --w------- 54322:54322, and uid 54321 may not read it; "
                                   "54322 can run: chmod o+r '/b/m'"},
        row{"no_write_bit", write, [](facts& f, identity&) { make_strangers_file(f, 0444); },
            obstacle::no_write_bit, "may not write it; 54322 can run: chmod o+w '/b/m'"},
        row{"own_bits_count_first", write,
            [](facts& f, identity&) { f.file->bits = mode{0466}; }, obstacle::no_write_bit,
            "chmod u+w"},
        row{"group_bits", write,
            [](facts& f, identity& who) {
                make_strangers_file(f, 0646);
                who.groups = {stranger};
            },
            obstacle::no_write_bit, "chmod g+w"},
        row{"group_suffices", write,
            [](facts& f, identity& who) {
                make_strangers_file(f, 0660);
                who.groups = {7, stranger};
            },
            {}, "nothing"},
        row{"join_the_group", write, [](facts& f, identity&) { make_strangers_file(f, 0660); },
            obstacle::no_write_bit, "usermod -aG 54322 54321"},
        row{"dac_override", write,
            [](facts& f, identity& who) {
                make_strangers_file(f, 0);
                who.capabilities = 1U << 1;
            },
            {}, "nothing"},
        row{"dac_read_search_reads", read,
            [](facts& f, identity& who) {
                make_strangers_file(f, 0);
                who.capabilities = 1U << 2;
            },
            {}, "nothing"},
        row{"dac_read_search_writes_not", write,
            [](facts& f, identity& who) {
                make_strangers_file(f, 0);
                who.capabilities = 1U << 2;
            },
            obstacle::no_write_bit, "may not write"},
        row{"search_first", write,
            [](facts& f, identity&) {
                make_strangers_file(f, 0444);
                make_strangers_directory(f, 0700);
            },
            obstacle::no_search_permission,
            "'/b' is drwx------ 54322:54322, and uid 54321 may not search it; 54322 can run: chmod "
            "o+x '/b'"},
        row{"walk_refused", read,
            [](facts& f, identity&) {
                make_strangers_directory(f, 0700);
                f.end = walk_end::refused;
                f.file.reset();
            },
            obstacle::no_search_permission, "may not search"},
        row{"missing_directory", make,
            [](facts& f, identity&) {
                f.end = walk_end::missing;
                f.stopped_at = "/b/dir";
            },
            obstacle::no_such_file, "'/b/dir' does not exist; make it first: mkdir '/b/dir'"},
        row{"not_a_directory", read,
            [](facts& f, identity&) {
                f.end = walk_end::not_a_directory;
                f.stopped_at = "/b/m";
            },
            obstacle::not_a_directory, "'/b/m' is no directory"},
        row{"loop", read,
            [](facts& f, identity&) {
                f.end = walk_end::loop;
                f.stopped_at = "/b/l";
            },
            obstacle::link_loop, "'/b/l'"},
        row{"missing_pin", read, [](facts& f, identity&) { f.file.reset(); },
            obstacle::no_such_file, "'/b/m' does not exist; look what there is: ls -l '/b'"},
        row{"not_bpffs_open", read, [](facts& f, identity&) { f.on_bpffs = false; },
            obstacle::not_a_bpffs, "findmnt -t bpf"},
        row{"not_bpffs_create", make, [](facts& f, identity&) { f.on_bpffs = false; },
            obstacle::not_a_bpffs, "'/b' is not on a BPF file system"},
        row{"directory_opened", read,
            [](facts& f, identity&) { f.file->type = file_type::directory; }, obstacle::not_a_pin,
            "a directory"},
        row{"read_only_mount_write", write,
            [](facts& f, identity&) { f.mount->protection = write_protection::read_only; },
            obstacle::read_only_mount, "mount -o remount,rw '/b'"},
        row{"read_only_mount_read", read,
            [](facts& f, identity&) { f.mount->protection = write_protection::read_only; }, {},
            "nothing"},
        row{"dot", make,
            [](facts& f, identity&) {
                f.name = "m.1";
                f.target = "/b/m.1";
            },
            obstacle::dot_in_name, "'/b/m.1' has a dot in its name"},
        row{"directory_not_writable", make,
            [](facts& f, identity&) { make_strangers_directory(f, 0755); },
            obstacle::no_write_permission, "may not write to it; 54322 can run: chmod o+w '/b'"},
        row{"name_taken", make, [](facts& f, identity&) { f.file = good().file; },
            obstacle::name_exists, "rm '/b/m'"},
        row{"no_fmode", make,
            [](facts& f, identity&) { f.mount->fmode = fmode_option::off; },
            obstacle::no_delegation, "mounted without fmode and delegate_caps; root can run: "
                                     "bpffs-admin add 54321"},
        row{"no_caps_delegated", make,
            [](facts& f, identity&) { f.mount->delegated.capabilities = {}; },
            obstacle::no_delegation, "mounted without delegate_caps"},
        row{"kind_not_delegated", wanted::to_create(map_kind::lru_hash),
            [](facts&, identity&) {}, obstacle::kind_not_delegated,
            "delegates maps of kind hash:array:xskmap, not lru_hash"},
        row{"command_not_delegated", make,
            [](facts& f, identity&) { f.mount->delegated.commands = {command::btf_load}; },
            obstacle::kind_not_delegated, "does not delegate map_create"},
        row{"capability_not_delegated", wanted::to_create(map_kind::xskmap),
            [](facts&, identity&) {}, obstacle::capability_not_delegated, "net_admin"},
        row{"cap_bpf_needs_no_token", make,
            [](facts& f, identity& who) {
                f.mount->delegated = {};
                who.capabilities = 1ULL << 39;
            },
            {}, "nothing"},
        row{"cap_bpf_of_another_namespace", make,
            [](facts& f, identity& who) {
                f.mount->delegated = {};
                who.capabilities = 1ULL << 39;
                who.initial_user_namespace = false;
            },
            obstacle::no_delegation, "mounted without"},
        row{"open_system", make,
            [](facts& f, identity&) {
                f.mount->delegated = {};
                f.unprivileged_bpf_disabled = 0;
            },
            {}, "nothing"},
        row{"open_system_privileged_kind", wanted::to_create(map_kind::lru_hash),
            [](facts& f, identity&) {
                f.mount->delegated = {};
                f.unprivileged_bpf_disabled = 0;
            },
            obstacle::no_delegation, "mounted without"},
        row{"pin_half_a_handle", wanted::to_pin(access::read), [](facts&, identity&) {},
            obstacle::handle_lacks_right, "open for read only"},
        row{"chmod_anothers", wanted::to_change_mode(),
            [](facts& f, identity&) { make_strangers_file(f, 0666); }, obstacle::not_the_owner,
            "54322 or root can do it"},
        row{"chmod_own", wanted::to_change_mode(), [](facts&, identity&) {}, {}, "nothing"},
        row{"chown_own", wanted::to_change_owner(), [](facts&, identity&) {},
            obstacle::not_the_owner, "root can do it"},
        row{"sticky", wanted::to_remove(),
            [](facts& f, identity&) {
                make_strangers_file(f, 0666);
                make_strangers_directory(f, 01777);
            },
            obstacle::sticky_directory, "54322 can run: rm '/b/m'"},
        row{"remove_needs_directory", wanted::to_remove(),
            [](facts& f, identity&) { make_strangers_directory(f, 0755); },
            obstacle::no_write_permission, "may not write to it"}),
    [](const auto& one) { return std::string{one.param.name}; });
// NOLINTEND(performance-unnecessary-value-param)

TEST(diagnosis, lists_everything_in_order) {
    facts known = good_new();
    identity who = ordinary();
    make_strangers_directory(known, 0700);
    known.mount->fmode = fmode_option::off;
    known.name = "a.b";
    const diagnosis said = judge(known, make, who);
    std::vector<obstacle> order;
    for (const finding& one : said.findings) {
        order.push_back(one.what);
    }
    EXPECT_EQ(order, (std::vector{obstacle::no_search_permission, obstacle::dot_in_name,
                                  obstacle::no_write_permission, obstacle::no_delegation,
                                  obstacle::sysctl_disables}));
}

TEST(diagnosis, offers_no_delegation_of_system_call_programs) {
    facts known = good_new();
    delegation& to = known.mount->delegated;
    to.commands = delegated_set<command>::any();
    to.programs = delegated_set<program_kind>::any();
    to.attachments = delegated_set<attach_kind>::any();
    to.capabilities = delegated_set<capability>::any();
    const auto load = [](program_kind kind) { return wanted::to_load(kind, attach_kind{}); };
    EXPECT_TRUE(judge(known, load(program_kind::sk_reuseport), ordinary()).findings.empty());
    const diagnosis said = judge(known, load(program_kind::syscall), ordinary());
    ASSERT_EQ(said.findings.size(), 2U) << said.sentence;
    EXPECT_EQ(said.findings[0].what, obstacle::kind_not_delegated);
    EXPECT_EQ(said.findings[1].what, obstacle::capability_missing);
    EXPECT_EQ(said.sentence, "no directory delegates programs of kind syscall");
    known.mount->delegated = {};
    EXPECT_EQ(judge(known, load(program_kind::syscall), ordinary()).sentence, said.sentence);
    identity who = ordinary();
    who.capabilities = 1ULL << 39;
    EXPECT_TRUE(judge(known, load(program_kind::syscall), who).findings.empty());
}

TEST(diagnosis, quotes_names_for_the_shell) {
    facts known = good();
    known.file = waypoint{"/b/it's", file_type::file, mode{0}, stranger, stranger};
    const diagnosis said = judge(known, read, ordinary());
    EXPECT_NE(said.sentence.find("chmod o+r '/b/it'\\''s'"), std::string::npos) << said.sentence;
}

TEST(diagnosis, walks_a_real_path) {
    const diagnosis said = explain("/proc/self/status/x", read);
    ASSERT_FALSE(said.findings.empty());
    EXPECT_EQ(said.findings.front().what, obstacle::not_a_directory);
    EXPECT_EQ(explain("/proc/self/../self/status", read).findings.front().what,
              obstacle::not_a_bpffs);
    EXPECT_EQ(explain("", read).findings.front().what, obstacle::bad_name);
}

} // namespace
