// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-doctor: its verdicts are what then happens, those about somebody else are
// what they are told themselves, and its remedies help.
#include "map_runner.hpp"

#include "doctor/doctor_tool.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

// Somebody whom every machine has.
const identity somebody{65534, 65534};

class doctor : public map_tool_test {
protected:
    [[nodiscard]] answer ask(const std::string& line) const {
        return run_tool(fsctl::doctor_tool, split_line(line, at("m")));
    }
    [[nodiscard]] answer ask_as(const identity& who, const std::string& line) const {
        return run_tool_as(who, fsctl::doctor_tool, split_line(line, at("m")));
    }
    void make_map(unsigned mode) const {
        const handle map = create_map(BPF_MAP_TYPE_HASH, 4, 4, 4);
        ::unlink(at("m").c_str());
        ASSERT_EQ(pin(map.get(), at("m")), 0);
        ASSERT_EQ(::chmod(at("m").c_str(), mode), 0);
    }
    static void expect_words(const answer& got, const std::vector<std::string>& words) {
        for (const std::string& each : words) {
            EXPECT_NE(got.out.find(each), std::string::npos) << "'" << each << "' in: " << got.out;
        }
    }
};

TEST_F(doctor, TellsTheTruth) {
    const std::string file = at("m");
    for (const unsigned mode : {0600U, 0644U, 0622U, 0666U}) {
        make_map(mode);
        const auto opens = [&](uint32_t flags) {
            return as(somebody, [&] { return failed("open", get(file, flags).error()); }).error ==
                   0;
        };
        const std::vector<std::pair<std::string, bool>> truth = {
            {"read", opens(BPF_F_RDONLY)}, {"write", opens(BPF_F_WRONLY)}, {"open", opens(0)}};
        for (const auto& [deed, works] : truth) {
            const answer own = ask_as(somebody, "{m} --for " + deed);
            EXPECT_EQ(own.status, works ? 0 : 1) << std::oct << mode << " " << deed << own.err;
            EXPECT_EQ(own.out.find(works ? " yes" : " no") != std::string::npos, true) << own.out;
            // Root, looking for them, comes to the same in the same words.
            const answer theirs = ask("{m} --for " + deed + " --as nobody");
            EXPECT_EQ(theirs.status, own.status);
            EXPECT_EQ(theirs.out, own.out);
        }
    }
}

TEST_F(doctor, NamesTheBitAndTheRemedyThatHelps) {
    make_map(0600);
    const answer before = ask("{m} --for read --as nobody");
    EXPECT_EQ(before.status, 1);
    expect_words(before, {"read    no\n", "is -rw------- root:root, and nobody (uid 65534) may not",
                          "-> root can run: chmod o+r '" + at("m") + "'"});
    ASSERT_EQ(::chmod(at("m").c_str(), 0604), 0); // as told
    EXPECT_EQ(ask("{m} --for read --as nobody").out, "read    yes\n");
}

TEST_F(doctor, WithoutADeedItLooksAtAll) {
    make_map(0640);
    const answer got = ask("{m}");
    EXPECT_EQ(got.status, 0) << got.err;
    expect_words(got, {"path  " + at("m") + ": map, -rw-r----- root:root", "for  root (uid 0)",
                       "kernel  has", "mount  " + mount().directory() + ": ", "read    yes\n",
                       "write   yes\n", "chmod   yes\n", "rm      yes\n"});
    EXPECT_EQ(got.out.find("attach "), std::string::npos) << got.out; // of programs
    const answer refused = ask("{m} --as nobody");
    EXPECT_EQ(refused.status, 0); // nothing was asked for
    expect_words(refused, {"read    no\n", "chmod   no\n"});
}

TEST_F(doctor, JsonHasEveryFinding) {
    ASSERT_EQ(::mkdir(at("d").c_str(), 0700), 0);
    make_map(0600);
    const answer got = run_tool(fsctl::doctor_tool, {"-j", at("m"), "--for=open", "--as=nobody"});
    EXPECT_EQ(got.status, 1);
    expect_words(got,
                 {"{\"path\":\"" + at("m") + "\",\"user\":\"nobody\",\"uid\":65534,\"kernel\":{",
                  "\"mount\":{\"path\":\"" + mount().directory() + "\"",
                  "\"pin\":{\"kind\":\"map\",\"owner\":\"root\"",
                  "\"answers\":[{\"for\":\"open\",\"works\":false,\"diagnosis\":\"",
                  "may not read it\",\"remedy\":\"root can run", "may not write it\""});
    EXPECT_EQ(got.err, "");
}

TEST_F(doctor, VerboseSaysEverythingInTheWay) {
    make_map(0600);
    const answer brief = ask("{m} --for open --as nobody");
    EXPECT_EQ(brief.out.find("may not write it"), std::string::npos) << brief.out;
    const answer all = ask("{m} --for open --as nobody -v");
    expect_words(all, {"may not read it", "may not write it", "kernel  has"});
}

TEST_F(doctor, KnowsWhatThePinHolds) {
    make_map(0666);
    const answer got = ask("{m} --for attach");
    EXPECT_EQ(got.status, 1);
    expect_words(got, {"holds a map, and only a program can be meant"});
    const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0));
    ASSERT_EQ(pin(program.get(), at("p")), 0);
    EXPECT_EQ(run_tool(fsctl::doctor_tool, {at("p"), "--for", "attach"}).status, 0);
    expect_words(run_tool(fsctl::doctor_tool, {at("p")}), {"attach  yes", "run     yes"});
}

TEST_F(doctor, LooksForNewNamesInDirectories) {
    const answer roots = run_tool(fsctl::doctor_tool, {mount().directory()});
    expect_words(roots, {"pin     yes\n", "create  yes  hash\n", "load    yes  socket_filter\n"});
    const answer refused =
        run_tool_as(somebody, fsctl::doctor_tool, {mount().directory(), "--for", "create"});
    EXPECT_EQ(refused.status, 1);
    expect_words(refused, {"create  no\n", "may not write to it"});
    // A name that is taken, and one that is free.
    make_map(0600);
    expect_words(ask("{m} --for create"), {"exists already", "choose another name"});
    EXPECT_EQ(
        run_tool(fsctl::doctor_tool, {at("free"), "--for", "create", "--type", "array"}).status, 0);
    expect_words(run_tool(fsctl::doctor_tool, {"/proc/self", "--for", "pin"}),
                 {"not on a BPF file system"});
}

TEST_F(doctor, LooksForOthersForRootOnly) {
    make_map(0666);
    const answer got = ask_as(somebody, "{m} --as root --for read");
    expect_error(got, 1, {"--as is for root only"});
    expect_error(ask("{m} --as no-such-user"), 2, {"there is no user 'no-such-user'"});
}

class doctor_delegation : public map_tool_test {
protected:
    void SetUp() override {
        BPFFS_NEEDS("token");
        map_tool_test::SetUp();
    }
    [[nodiscard]] std::string options() const override {
        return "fmode,uid=1000,gid=1000,mode=0700,delegate_cmds=0x21,delegate_maps=0x6,"
               "delegate_progs=cgroup_skb:syscall,delegate_attachs=0x2,delegate_caps=bpf";
    }
};

TEST_F(doctor_delegation, NamesTheKindsThatAreDelegated) {
    const identity user;
    const answer got = run_tool_as(user, fsctl::doctor_tool, {mount().directory()});
    EXPECT_NE(got.out.find("create  yes  hash array\n"), std::string::npos) << got.out;
    EXPECT_NE(got.out.find("load    yes  cgroup_skb\n"), std::string::npos) << got.out;
    EXPECT_NE(got.out.find("has the permission model"), std::string::npos) << got.out;
    const answer other = run_tool_as(
        user, fsctl::doctor_tool, {mount().directory(), "--for", "create", "--type", "lru_hash"});
    EXPECT_EQ(other.status, 1);
    EXPECT_NE(other.out.find("delegates maps of kind hash:array, not lru_hash"), std::string::npos)
        << other.out;
    const arguments load = {mount().directory(), "--for",   "load", "--type",
                            "cgroup_skb",        "--attach"};
    arguments egress = load;
    egress.emplace_back("cgroup_inet_egress");
    EXPECT_EQ(run_tool_as(user, fsctl::doctor_tool, egress).status, 0);
    arguments ingress = load;
    ingress.emplace_back("cgroup_inet_ingress");
    EXPECT_EQ(run_tool_as(user, fsctl::doctor_tool, ingress).status, 1);
    arguments syscalls = egress;
    syscalls[4] = "syscall";
    const answer never = run_tool_as(user, fsctl::doctor_tool, syscalls);
    EXPECT_EQ(never.status, 1);
    EXPECT_NE(never.out.find("no directory delegates programs of kind syscall"), std::string::npos)
        << never.out;
}

} // namespace

} // namespace bpffs_test
