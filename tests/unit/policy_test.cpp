// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Policy files: which count, what is read, what is said of what is wrong, and
// what comes out for one user.
#include "admin/policy_file.hpp"
#include "common/failure.hpp"

#include <fstream>

#include <boost/filesystem/operations.hpp>
#include <gtest/gtest.h>

namespace {

using fsctl::failures;
using fsctl::policy;

policy read(const std::string& text) {
    policy all;
    failures wrong;
    fsctl::read_policy_text(text, "/p/10.conf", all, wrong);
    for (const fsctl::trouble& each : wrong.list()) {
        ADD_FAILURE() << each.message;
    }
    return all;
}

/// All that is said about a text, a line for each mistake.
std::string complaints(const std::string& text) {
    policy all;
    failures wrong;
    fsctl::read_policy_text(text, "f", all, wrong);
    std::string lines;
    for (const fsctl::trouble& each : wrong.list()) {
        lines += each.message + "\n";
    }
    return lines;
}

fsctl::account somebody(const std::string& name, uid_t user, std::vector<gid_t> groups = {}) {
    fsctl::account who;
    who.name = name;
    who.user = user;
    who.group = 12345;
    who.groups = std::move(groups);
    return who;
}

bool gets(const policy& rules, const fsctl::account& who) {
    return fsctl::judge(rules, who).gets.has_value();
}

// Reading

TEST(Policy, EveryKeyIsRead) {
    const policy rules = read(R"([[grant]]
users = ["alice", "@daemon", "5000-5999", "7"]
visible = "all"
directory = "/run/elsewhere/"
mode = "0750"
group = "daemon"
cmds = ["map_create", "btf_load"]
maps = "hash:array"
progs = ["socket_filter"]
attachs = "any"
caps = ["bpf", "perfmon"]
nr_inodes = 100
memory = "64M"
link = false
persist = true

[system]
fmode = true
)");
    ASSERT_EQ(rules.rules.size(), 1U);
    const fsctl::verdict got = fsctl::judge(rules, somebody("alice", 1000));
    ASSERT_TRUE(got.gets.has_value());
    const fsctl::entitlement& what = *got.gets;
    EXPECT_EQ(what.directory.value, "/run/elsewhere");
    EXPECT_EQ(what.mode.value, bpffs::mode(0750));
    EXPECT_EQ(what.group.value, "daemon");
    EXPECT_EQ(bpffs::to_string(what.cmds.value), "map_create:btf_load");
    EXPECT_EQ(bpffs::to_string(what.maps.value), "hash:array");
    EXPECT_EQ(bpffs::to_string(what.progs.value), "socket_filter");
    EXPECT_TRUE(what.attachs.value.is_any());
    EXPECT_EQ(bpffs::to_string(what.caps.value), "bpf:perfmon");
    EXPECT_EQ(what.nr_inodes.value, 100U);
    EXPECT_EQ(what.memory.value.bytes, std::uint64_t{64} << 20);
    EXPECT_EQ(to_string(what.memory.value), "64M");
    EXPECT_FALSE(what.link.value);
    EXPECT_TRUE(what.persist.value);
    EXPECT_EQ(what.visible.value, fsctl::visibility::all);
    EXPECT_TRUE(what.visible.from.file);
    ASSERT_TRUE(rules.fmode.has_value());
    EXPECT_TRUE(rules.fmode->value);
    EXPECT_EQ(to_string(what.maps.from), "/p/10.conf:8");
    EXPECT_EQ(what.maps.from.column, 8U);
}

TEST(Policy, WhatOnlyTheOwnerSeesIsInOnePlace) {
    const std::string hidden = "[[grant]]\nusers = \"alice\"\nvisible = \"owner\"\n";
    const fsctl::verdict got = fsctl::judge(read(hidden), somebody("alice", 1000));
    ASSERT_TRUE(got.gets.has_value());
    EXPECT_EQ(got.gets->visible.value, fsctl::visibility::owner);
    const policy both = read(hidden + "directory = \"/run/elsewhere\"\n");
    try {
        (void)fsctl::judge(both, somebody("alice", 1000));
        ADD_FAILURE();
    } catch (const fsctl::policy_failure& error) {
        EXPECT_EQ(
            std::string(error.what()),
            "what only its owner sees (/p/10.conf:3) is in /run/bpffs-private, and in no other "
            "directory (/p/10.conf:4)");
        EXPECT_EQ(error.from().line, 4U);
    }
}

TEST(Policy, WhatNoFileSaysIsTheDefault) {
    const policy rules = read("[[grant]]\nusers = \"alice\"\n");
    const fsctl::verdict got = fsctl::judge(rules, somebody("alice", 1000));
    ASSERT_TRUE(got.gets.has_value());
    EXPECT_EQ(got.gets->mode.value, bpffs::mode(0700));
    EXPECT_EQ(got.gets->directory.value, "/run/bpffs");
    EXPECT_EQ(bpffs::to_string(got.gets->caps.value), "bpf");
    EXPECT_TRUE(got.gets->link.value);
    EXPECT_EQ(to_string(got.gets->mode.from), "default");
    EXPECT_EQ(to_string(*got.decided), "/p/10.conf:1");
}

TEST(Policy, NoneIsNothing) {
    const policy rules = read("[[grant]]\nusers = \"alice\"\nmaps = []\ncaps = \"none\"\n");
    const auto got = fsctl::judge(rules, somebody("alice", 1000)).gets;
    ASSERT_TRUE(got.has_value());
    EXPECT_TRUE(got->maps.value.empty());
    EXPECT_TRUE(got->caps.value.empty());
}

TEST(Policy, AnEmptyFileIsAPolicy) {
    EXPECT_TRUE(read("").rules.empty());
    EXPECT_TRUE(read("# nothing\n").areas.empty());
}

// What is wrong

TEST(Policy, MistakesAreNamedWithLineAndColumn) {
    struct mistake {
        const char* text;
        const char* said;
    };
    const mistake list[] = {
        {"[[grant]]\nusers = \"a\"\nmod = \"0700\"\n",
         "f:3:1: unknown key 'mod' (did you mean 'mode'?)\n"},
        {"[[grants]]\n", "f:1:3: unknown key 'grants' (did you mean 'grant'?)\n"},
        {"[grant]\nusers = \"a\"\n", "f:1:2: 'grant' is not a list of tables\n"},
        {"grant = 1\n", "f:1:1: 'grant' is not a list of tables\n"},
        {"[[grant]]\n", "f:1:1: nobody is named\n"},
        {"[[grant]]\nusers = [\"a\", \"root\"]\n", "f:2:15: root needs no directory to be given\n"},
        {"[[grant]]\nusers = [\"a/b\"]\n",
         "f:2:10: 'a/b' is neither a user's name, nor @GROUP, nor FIRST-LAST in uids\n"},
        {"[[grant]]\nusers = \"10-5\"\n", "f:2:9: '10-5' is no range of uids above 0\n"},
        {"[[grant]]\nusers = \"0\"\n", "f:2:9: '0' is no range of uids above 0\n"},
        {"[[grant]]\nusers = \"1-99999999999\"\n",
         "f:2:9: '1-99999999999' is no range of uids above 0\n"},
        {"[[grant]]\nusers = 1000\n", "f:2:9: expected a string, in quotes\n"},
        {"[[grant]]\nusers = \"a\"\nmode = 750\n", "f:3:8: a mode is octal, and a string\n"},
        {"[[grant]]\nusers = \"a\"\nmode = \"rwx\"\n", "f:3:8: a mode is octal, and a string\n"},
        {"[[grant]]\nusers = \"a\"\nmaps = [\"hash\", \"aray\"]\n",
         "f:3:17: 'aray' is not known here (did you mean 'array'?)\n"},
        {"[[grant]]\nusers = \"a\"\ncaps = \"sys_admin\"\n",
         "f:3:8: 'sys_admin' is not known here"},
        {"[[grant]]\nusers = \"a\"\nnr_inodes = 0\n",
         "f:3:13: expected a number above 0, 2147483647 at most\n"},
        {"[[grant]]\nusers = \"a\"\nnr_inodes = -1\n",
         "f:3:13: expected a number above 0, 2147483647 at most\n"},
        {"[[grant]]\nusers = \"a\"\nnr_inodes = 2147483648\n", "f:3:13: expected a number above 0"},
        {"[[grant]]\nusers = \"a\"\nmemory = 1\n",
         "f:3:10: an amount of memory is a string, of a mebibyte at least\n"},
        {"[[grant]]\nusers = \"a\"\nmemory = \"64m\"\n", "f:3:10: an amount of memory"},
        {"[[grant]]\nusers = \"a\"\nmemory = \"1023K\"\n", "f:3:10: an amount of memory"},
        {"[[grant]]\nusers = \"a\"\nmemory = \"99999999999G\"\n", "f:3:10: an amount of memory"},
        {"[[grant]]\nusers = \"a\"\nvisible = \"owners\"\n",
         "f:3:11: a directory is visible to \"all\" or to its \"owner\"\n"},
        {"[[grant]]\nusers = \"a\"\nvisible = true\n", "f:3:11: expected a string"},
        {"[[shared]]\nname = \"x\"\ngroup = \"g\"\nvisible = \"owner\"\n",
         "f:4:1: unknown key 'visible'"},
        {"[[shared]]\nname = \"x\"\ngroup = \"g\"\nmemory = \"1M\"\n",
         "f:4:1: unknown key 'memory'"},
        {"[[grant]]\nusers = \"a\"\nlink = \"yes\"\n", "f:3:8: expected true or false\n"},
        {"[[grant]]\nusers = \"a\"\ndirectory = \"run/x\"\n",
         "f:3:13: a directory is written in full, from / on\n"},
        {"[[refuse]]\nusers = \"a\"\nmode = \"0700\"\n", "f:3:1: unknown key 'mode'"},
        {"[[shared]]\ngroup = \"g\"\n", "f:1:1: a shared directory needs a name\n"},
        {"[[shared]]\nname = \"x\"\n", "f:1:1: 'x' is shared by no group\n"},
        {"[[shared]]\nname = \"../x\"\n", "f:2:8: '../x' cannot name a directory\n"},
        {"[[shared]]\nname = \"x\"\ngroup = \"g\"\nlink = true\n", "f:4:1: unknown key 'link'"},
        {"[system]\nfmod = true\n", "f:2:1: unknown key 'fmod' (did you mean 'fmode'?)\n"},
        {"system = true\n", "f:1:1: 'system' is not a table\n"},
    };
    for (const mistake& each : list) {
        const std::string said = complaints(each.text);
        EXPECT_TRUE(said.starts_with(each.said)) << each.text << "said: " << said;
    }
}

TEST(Policy, AnyCapabilityIsThoseThatCanBeDelegated) {
    const policy rules = read("[[grant]]\nusers = [\"alice\"]\ncaps = \"any\"\n");
    const fsctl::verdict got = fsctl::judge(rules, somebody("alice", 1000));
    EXPECT_EQ(bpffs::to_string(got.gets->caps.value), "bpf:net_admin:perfmon");
    // CAP_NET_ADMIN is 12; CAP_SYS_ADMIN, 21, is none that a mount delegates.
    EXPECT_EQ(complaints("[[grant]]\nusers = [\"alice\"]\ncaps = \"0x1000\"\n"), "");
    for (const char* mask : {"0x200000", "0x201000"}) {
        EXPECT_EQ(complaints(std::string("[[grant]]\nusers = [\"alice\"]\ncaps = [\"bpf\", \"") +
                             mask + "\"]\n"),
                  std::string("f:3:16: '") + mask +
                      "' holds other capabilities than bpf, net_admin and perfmon\n");
    }
}

TEST(Policy, WhatIsNoTomlSaysWhere) {
    EXPECT_TRUE(complaints("[[grant]]\nusers = [\"a\"\nmode = 0750\n").starts_with("f:3:"));
    EXPECT_TRUE(complaints("[[grant]]\nusers = \"a\"\nusers = \"b\"\n").starts_with("f:3:"));
    EXPECT_TRUE(complaints(std::string("\0\0", 2)).starts_with("f:1:1"));
}

TEST(Policy, OneRunShowsAllMistakes) {
    EXPECT_EQ(complaints("[[grant]]\nusers = \"a\"\nmod = 1\nlink = 2\n[sytem]\nx = 1\n"),
              "f:4:8: expected true or false\n"
              "f:3:1: unknown key 'mod' (did you mean 'mode'?)\n"
              "f:5:2: unknown key 'sytem' (did you mean 'system'?)\n");
}

// Merging

TEST(Policy, TheLastWordOnEachKeyCounts) {
    const policy rules = read(R"([[grant]]
users = ["1-9999"]
mode = "0711"
maps = "hash"
[[grant]]
users = ["alice"]
maps = "array"
)");
    const auto alice = fsctl::judge(rules, somebody("alice", 1000)).gets;
    const auto bob = fsctl::judge(rules, somebody("bob", 1001)).gets;
    ASSERT_TRUE(alice && bob);
    EXPECT_EQ(alice->mode.value, bpffs::mode(0711));
    EXPECT_EQ(to_string(alice->mode.from), "/p/10.conf:3");
    EXPECT_EQ(bpffs::to_string(alice->maps.value), "array");
    EXPECT_EQ(to_string(alice->maps.from), "/p/10.conf:7");
    EXPECT_EQ(bpffs::to_string(bob->maps.value), "hash");
}

TEST(Policy, NamesRangesAndGroupsName) {
    // Group 1 is "daemon" on every Debian.
    const policy rules = read("[[grant]]\nusers = [\"alice\", \"5000-5001\", \"@daemon\"]\n");
    EXPECT_TRUE(gets(rules, somebody("alice", 1)));
    EXPECT_TRUE(gets(rules, somebody("x", 5000)));
    EXPECT_TRUE(gets(rules, somebody("x", 5001)));
    EXPECT_FALSE(gets(rules, somebody("x", 5002)));
    EXPECT_FALSE(gets(rules, somebody("x", 4999)));
    EXPECT_TRUE(gets(rules, somebody("x", 1, {7, 1})));
    EXPECT_FALSE(gets(rules, somebody("x", 1, {7})));
    EXPECT_FALSE(fsctl::judge(rules, somebody("x", 1)).decided.has_value());
}

TEST(Policy, AGroupThatDoesNotExistNamesNobody) {
    const policy rules = read("[[grant]]\nusers = \"@no-such-group-here\"\n");
    EXPECT_FALSE(gets(rules, somebody("x", 1, {0})));
}

TEST(Policy, RefusalsCountFromTheirPlaceOn) {
    const policy rules = read(R"([[grant]]
users = ["1-9999"]
mode = "0711"
[[refuse]]
users = ["alice", "bob"]
[[grant]]
users = ["bob"]
)");
    const fsctl::verdict alice = fsctl::judge(rules, somebody("alice", 1000));
    EXPECT_FALSE(alice.gets.has_value());
    EXPECT_EQ(to_string(*alice.decided), "/p/10.conf:4");
    const auto bob = fsctl::judge(rules, somebody("bob", 1001)).gets;
    ASSERT_TRUE(bob.has_value());
    EXPECT_EQ(bob->mode.value, bpffs::mode(0700)) << "a refusal takes all that came before";
    EXPECT_TRUE(gets(rules, somebody("carol", 1002)));
}

// Groups that nobody can be asked about

/// Rules of which all that name groups name one that the database does not tell of.
policy without_answers(const std::string& text) {
    policy rules = read(text);
    for (fsctl::rule& each : rules.rules) {
        for (auto& [name, group] : each.who.groups) {
            group.group = std::make_shared<const fsctl::known_group>(
                fsctl::known_group{std::nullopt, "no answer"});
        }
    }
    return rules;
}

TEST(Policy, ARefusalThatCannotBeToldGivesNothing) {
    const policy rules =
        without_answers("[[grant]]\nusers = [\"alice\"]\n[[refuse]]\nusers = [\"@g\", \"bob\"]\n");
    try {
        (void)fsctl::judge(rules, somebody("alice", 1000));
        FAIL() << "given";
    } catch (const fsctl::doubt& error) {
        const std::string said = error.what();
        EXPECT_EQ(said, "whether /p/10.conf:3 names alice cannot be told: no answer");
        EXPECT_EQ(error.from().line, 3U);
    }
    EXPECT_FALSE(gets(rules, somebody("bob", 1001))) << "who is named is refused";
    EXPECT_FALSE(gets(rules, somebody("carol", 1002))) << "whom nothing gives anything";
}

TEST(Policy, AGrantThatCannotBeToldChangesNothing) {
    const std::string grant = "[[grant]]\nusers = [\"@g\"]\nmaps = \"hash\"\n";
    EXPECT_THROW((void)fsctl::judge(without_answers(grant), somebody("alice", 1000)), fsctl::doubt);
    EXPECT_FALSE(
        gets(without_answers(grant + "[[refuse]]\nusers = [\"alice\"]\n"), somebody("alice", 1000)))
        << "a later refusal leaves no doubt";
    EXPECT_THROW((void)fsctl::judge(without_answers(grant + "[[grant]]\nusers = [\"alice\"]\n"),
                                    somebody("alice", 1000)),
                 fsctl::doubt);
}

TEST(Policy, WhoseGroupsAreNotAllKnownIsGivenNothingThatAGroupIsRefused) {
    const policy rules =
        read("[[grant]]\nusers = [\"1-9999\"]\n[[refuse]]\nusers = [\"@daemon\"]\n");
    fsctl::account who = somebody("x", 1000, {7});
    EXPECT_TRUE(gets(rules, who));
    who.groups_in_doubt = "no answer";
    EXPECT_THROW((void)fsctl::judge(rules, who), fsctl::doubt);
    who.groups.push_back(1);
    EXPECT_FALSE(gets(rules, who)) << "that much is known";
}

TEST(Policy, WhoIsListedAsAMemberIsOne) {
    policy rules = read("[[grant]]\nusers = [\"1-9999\"]\n[[refuse]]\nusers = [\"@g\"]\n");
    rules.rules[1].who.groups.begin()->second.group = std::make_shared<const fsctl::known_group>(
        fsctl::known_group{fsctl::user_group{4711, {"alice"}}, ""});
    EXPECT_FALSE(gets(rules, somebody("alice", 1000))) << "whatever the list of all groups says";
    EXPECT_TRUE(gets(rules, somebody("bob", 1001)));
    EXPECT_FALSE(gets(rules, somebody("bob", 1001, {4711})));
}

// Many rules

/// What the rules say, gone through one by one.
std::optional<unsigned> decided_one_by_one(const policy& rules, const fsctl::account& who) {
    std::optional<unsigned> line;
    for (const fsctl::rule& each : rules.rules) {
        bool named = each.who.users.contains(who.name);
        for (const fsctl::uid_range& range : each.who.ranges) {
            named = named || (range.first <= who.user && who.user <= range.last);
        }
        line = named ? std::optional(each.from.line) : line;
    }
    return line;
}

TEST(Policy, OfManyRulesThoseThatNameSomebodyAreFound) {
    std::string text;
    unsigned drawn = 1;
    const auto draw = [&](unsigned below) {
        drawn = drawn * 1103515245 + 12345;
        return (drawn >> 16) % below;
    };
    for (int i = 0; i < 300; i++) {
        const unsigned first = 1 + draw(200);
        text += "[[grant]]\nusers = [\"u" + std::to_string(draw(200)) + "\", \"" +
                std::to_string(first) + "-" + std::to_string(first + draw(20)) + "\", \"" +
                std::to_string(1 + draw(200)) + "\"]\n";
    }
    const policy rules = read(text);
    const fsctl::rule_index index(rules);
    for (uid_t user = 1; user < 230; user++) {
        const fsctl::account who = somebody("u" + std::to_string(user), user);
        const auto found = index.judge(who).decided;
        EXPECT_EQ(found ? std::optional(found->line) : std::nullopt, decided_one_by_one(rules, who))
            << user;
    }
}

TEST(Policy, ContradictionsNameBothPlaces) {
    const policy rules = read("[[grant]]\nusers = \"alice\"\nmode = \"0777\"\ncaps = \"bpf\"\n");
    try {
        (void)fsctl::judge(rules, somebody("alice", 1000));
        FAIL() << "accepted";
    } catch (const fsctl::failure& error) {
        const std::string said = error.what();
        EXPECT_NE(said.find("0777 (/p/10.conf:3)"), std::string::npos) << said;
        EXPECT_NE(said.find("bpf (/p/10.conf:4)"), std::string::npos) << said;
    }
}

TEST(Policy, SharedDirectoriesOfOneNameAreOne) {
    const policy rules = read(R"([[shared]]
name = "staff"
group = "daemon"
[[shared]]
name = "staff"
group = "bin"
maps = "hash"
)");
    ASSERT_EQ(rules.areas.size(), 1U);
    EXPECT_EQ(rules.areas[0].what.group.value, "bin");
    EXPECT_EQ(rules.areas[0].what.mode.value, bpffs::mode(02770));
    EXPECT_EQ(bpffs::to_string(rules.areas[0].what.maps.value), "hash");
}

// Files

class policy_files_test : public testing::Test {
protected:
    void SetUp() override {
        top = boost::filesystem::temp_directory_path() / boost::filesystem::unique_path();
        for (const char* name : {"etc", "run", "lib"}) {
            boost::filesystem::create_directories(top / name);
            directories.push_back(top / name);
        }
    }
    void TearDown() override { boost::filesystem::remove_all(top); }

    void write(const std::string& name, const std::string& text = "") {
        std::ofstream((top / name).native()) << text;
    }
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const bpffs::path& file : fsctl::policy_files(directories)) {
            found.push_back(file.lexically_relative(top).native());
        }
        return found;
    }

    bpffs::path top;
    std::vector<bpffs::path> directories;
};

TEST_F(policy_files_test, are_sorted_by_name_whatever_directory_they_are_in) {
    write("etc/50-b.conf");
    write("lib/10-a.conf");
    write("run/90-c.conf");
    EXPECT_EQ(names(),
              (std::vector<std::string>{"lib/10-a.conf", "etc/50-b.conf", "run/90-c.conf"}));
}

TEST_F(policy_files_test, of_one_name_mask_each_other) {
    write("lib/10.conf");
    write("run/10.conf");
    EXPECT_EQ(names(), std::vector<std::string>{"run/10.conf"});
    write("etc/10.conf");
    EXPECT_EQ(names(), std::vector<std::string>{"etc/10.conf"});
}

TEST_F(policy_files_test, of_other_names_do_not_count) {
    for (const char* name :
         {"etc/README", "etc/.hidden.conf", "etc/10.conf~", "etc/10.conf.dpkg"}) {
        write(name);
    }
    boost::filesystem::create_directory(top / "etc/dir.conf");
    EXPECT_TRUE(names().empty());
}

TEST_F(policy_files_test, need_no_directory) {
    boost::filesystem::remove_all(top / "run");
    write("lib/10.conf");
    EXPECT_EQ(names(), std::vector<std::string>{"lib/10.conf"});
}

TEST_F(policy_files_test, a_link_to_dev_null_masks_and_says_nothing) {
    write("lib/10.conf", "[[grant]]\nusers = \"alice\"\n");
    boost::filesystem::create_symlink("/dev/null", top / "etc/10.conf");
    const policy rules =
        fsctl::read_policy(fsctl::policy_files(directories), fsctl::file_owner::anybody);
    EXPECT_EQ(rules.files.size(), 1U);
    EXPECT_TRUE(rules.rules.empty());
}

TEST_F(policy_files_test, later_files_have_the_last_word) {
    write("lib/10.conf", "[[grant]]\nusers = \"alice\"\nmode = \"0700\"\n");
    write("etc/20.conf", "[[grant]]\nusers = \"alice\"\nmode = \"0750\"\n");
    const policy rules =
        fsctl::read_policy(fsctl::policy_files(directories), fsctl::file_owner::anybody);
    const auto got = fsctl::judge(rules, somebody("alice", 1000)).gets;
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->mode.value, bpffs::mode(0750));
    EXPECT_EQ(to_string(got->mode.from), (top / "etc/20.conf").native() + ":3");
}

TEST_F(policy_files_test, that_others_may_change_give_nothing) {
    write("etc/10.conf", "[[grant]]\nusers = \"alice\"\n");
    boost::filesystem::permissions(top / "etc/10.conf", boost::filesystem::perms(0666));
    EXPECT_THROW(
        (void)fsctl::read_policy(fsctl::policy_files(directories), fsctl::file_owner::root),
        failures);
}

TEST_F(policy_files_test, mistakes_in_several_are_told_together) {
    write("etc/10.conf", "[[grant]]\n");
    write("run/20.conf", "x = 1\n");
    try {
        (void)fsctl::read_policy(fsctl::policy_files(directories), fsctl::file_owner::anybody);
        FAIL() << "accepted";
    } catch (const failures& wrong) {
        EXPECT_EQ(wrong.list().size(), 2U);
    }
}

} // namespace
