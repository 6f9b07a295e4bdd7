// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the verbs of bpffs-link do: to the attachment, to the file, with no more
// rights than they need, and in bpftool's words where bpftool has them.
#include "map_runner.hpp"

#include "link/link_tool.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <cstdlib>
#include <memory>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>

namespace bpffs_test {

namespace {

class link_verbs : public map_tool_test {
protected:
    void SetUp() override {
        map_tool_test::SetUp();
        if (HasFatalFailure() || IsSkipped()) {
            return;
        }
        group_ = std::make_unique<own_cgroup>();
        BPFFS_NEEDS("cgroup", group_->error() == 0 ? "" : "no cgroup can be made here");
        for (const char* name : {"one", "two"}) {
            const handle program = load_program(BPF_PROG_TYPE_CGROUP_SKB, returns(1),
                                                {.expected_attach_type = BPF_CGROUP_INET_EGRESS});
            ASSERT_EQ(pin(program.get(), at(name)), 0);
        }
        const handle other = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0));
        ASSERT_EQ(pin(other.get(), at("filter")), 0);
        const handle directory = open_file(group_->directory(), O_RDONLY | O_DIRECTORY);
        const handle program = get(at("one"));
        link_create_attr attr;
        attr.prog_fd = static_cast<uint32_t>(program.get());
        attr.target_fd = static_cast<uint32_t>(directory.get());
        attr.attach_type = BPF_CGROUP_INET_EGRESS;
        const handle made = link_create(attr);
        ASSERT_EQ(made.error(), 0);
        ASSERT_EQ(pin(made.get(), at("link")), 0);
    }

    void pin_tracepoint(const std::string& name) const {
        const handle program = load_program(BPF_PROG_TYPE_RAW_TRACEPOINT, returns(0));
        const handle made = raw_tracepoint_open("sched_switch", program.get());
        ASSERT_EQ(made.error(), 0);
        ASSERT_EQ(pin(made.get(), at(name)), 0);
    }

    // {m} is the link made by SetUp.
    [[nodiscard]] answer run(const std::string& line) const {
        return run_tool(fsctl::link_tool, split_line(line, at("link")));
    }
    [[nodiscard]] answer run_as(const identity& who, const std::string& line) const {
        return run_tool_as(who, fsctl::link_tool, split_line(line, at("link")));
    }
    void expect_works(const std::string& line) const {
        const answer got = run(line);
        EXPECT_EQ(got.status, 0) << line << ": " << got.err;
        EXPECT_EQ(got.out + got.err, "") << line;
    }

    [[nodiscard]] object_ids seen(const std::string& name) const {
        object_ids ids;
        EXPECT_EQ(link_ids(get(at(name)).get(), ids), 0);
        return ids;
    }
    [[nodiscard]] uint32_t program_id(const std::string& name) const {
        object_ids ids;
        EXPECT_EQ(prog_ids(get(at(name)).get(), ids), 0);
        return ids.id;
    }
    static bool exists(const std::string& file) {
        struct stat about {};
        return ::lstat(file.c_str(), &about) == 0;
    }

private:
    std::unique_ptr<own_cgroup> group_;
};

TEST_F(link_verbs, ShowSaysWhatBpftoolSays) {
    const bool there = std::system("bpftool version >/dev/null 2>&1") == 0;
    BPFFS_NEEDS("bpftool", there ? "" : "bpftool does not run");
    pin_tracepoint("tracepoint");
    for (const char* name : {"link", "tracepoint"}) {
        for (const std::string layout : {"", "-j", "-p", "-f", "-jf", "-pf"}) {
            const std::string theirs = bpftool(layout.empty() ? "" : "-" + layout.substr(1), "link",
                                               {"show", "pinned", at(name)});
            arguments words = {"show", "pinned", at(name)};
            for (const char option : layout.empty() ? "" : layout.substr(1)) {
                words.push_back(std::string("-") + option);
            }
            EXPECT_NE(theirs, "");
            EXPECT_EQ(run_tool(fsctl::link_tool, words).out, theirs) << name << " " << layout;
        }
    }
    EXPECT_EQ(run("-j show").out, bpftool("-j", "link", {"show"}));
}

TEST_F(link_verbs, ListShowsTheLinksBelowADirectory) {
    const answer got = run_tool(fsctl::link_tool, {"list", mount().directory()});
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_NE(got.out.find("cgroup  prog " + std::to_string(program_id("one")) + "  cgroup_id "),
              std::string::npos)
        << got.out;
    EXPECT_NE(got.out.find("cgroup_inet_egress  " + at("link") + "\n"), std::string::npos)
        << got.out;
    EXPECT_EQ(got.out.find(at("one")), std::string::npos) << got.out;
    const answer json = run_tool(fsctl::link_tool, {"-j", "list", mount().directory()});
    EXPECT_NE(json.out.find("[{\"path\":\"" + at("link") + "\",\"id\":"), std::string::npos)
        << json.out;
}

TEST_F(link_verbs, UpdatePutsAnotherProgramInPlace) {
    expect_works("update {m} " + at("two"));
    EXPECT_EQ(seen("link").second, program_id("two"));
    const answer refused = run("update {m} " + at("one") + " old " + at("one"));
    expect_error(refused, 1,
                 {"update link '" + at("link") + "': Operation not permitted",
                  "is not the attached", std::to_string(program_id("two"))});
    EXPECT_EQ(seen("link").second, program_id("two"));
    expect_works("update {m} " + at("one") + " old " + at("two"));
    EXPECT_EQ(seen("link").second, program_id("one"));
}

TEST_F(link_verbs, UpdateTakesProgramsOfTheSameKindOnly) {
    expect_error(run("update {m} " + at("filter")), 1,
                 {"Invalid argument", "this one is a socket_filter"});
    expect_error(run("update {m} {m}"), 1, {at("link")});
    EXPECT_EQ(seen("link").second, program_id("one"));
}

TEST_F(link_verbs, DetachEndsTheAttachment) {
    expect_works("detach {m}");
    const answer after = run("-j show {m}");
    EXPECT_NE(after.out.find("\"cgroup_id\":0"), std::string::npos) << after.out;
    expect_error(run("update {m} " + at("two")), 1, {"The link has been detached"});
    pin_tracepoint("tracepoint");
    expect_error(run_tool(fsctl::link_tool, {"detach", at("tracepoint")}), 1,
                 {"raw_tracepoint", "'bpffs-link rm' its pins"});
}

TEST_F(link_verbs, PinGivesAFurtherName) {
    expect_works("pin {m} " + at("again") + " mode 0640");
    EXPECT_EQ(seen("again").id, seen("link").id);
    expect_error(run("pin {m} " + at("again")), 1, {at("again"), "File exists"});
    expect_works("chmod 0444 " + at("again"));
    expect_works("chown 1000:1000 " + at("again"));
    const answer listed = run_tool(fsctl::link_tool, {"-j", "list", mount().directory()});
    EXPECT_NE(listed.out.find("\"mode\":\"0444\""), std::string::npos) << listed.out;
    expect_works("rm " + at("again"));
    EXPECT_FALSE(exists(at("again")));
    expect_error(run("rm " + at("one") + " {m}"), 1, {"it holds a program, not a link"});
    EXPECT_TRUE(exists(at("link")));
}

TEST_F(link_verbs, OthersNeedTheRightBits) {
    const identity user;
    expect_error(run_as(user, "show {m}"), 1, {"Permission denied", at("link")});
    expect_error(run_as(user, "detach {m}"), 1, {"Permission denied", "chmod o+w"});
    expect_error(run_as(user, "show id 1"), 1, {"Operation not permitted", "CAP_SYS_ADMIN"});
    expect_error(run_as(user, "show"), 1, {"'bpffs-link list DIRECTORY'"});
    expect_error(run_as(user, "chmod 0666 {m}"), 1, {"only the owner changes its mode"});
    expect_error(run_as(user, "rm {m}"), 1, {"may not write to it"});
    EXPECT_EQ(seen("link").second, program_id("one"));
}

class link_rights : public link_verbs {
protected:
    void SetUp() override {
        BPFFS_NEEDS("fmode");
        link_verbs::SetUp();
    }
    [[nodiscard]] std::string options() const override { return "fmode,mode=0755"; }
};

TEST_F(link_rights, ReadShowsAndWriteChanges) {
    const identity user;
    expect_works("chmod 0444 {m}");
    EXPECT_EQ(run_as(user, "show {m}").status, 0);
    expect_error(run_as(user, "detach {m}"), 1, {"Permission denied", "may not write it"});
    expect_works("chmod 0222 {m}");
    EXPECT_EQ(run_as(user, "show {m}").status, 0);
    // Of the program, W is asked, too.
    expect_error(run_as(user, "update {m} " + at("two")), 1, {at("two"), "Permission denied"});
    expect_works("chmod 0222 " + at("two"));
    EXPECT_EQ(run_as(user, "update {m} " + at("two")).status, 0);
    EXPECT_EQ(seen("link").second, program_id("two"));
    expect_error(run_as(user, "pin {m} " + at("mine")), 1, {"Permission denied"});
    EXPECT_EQ(run_as(user, "detach {m}").status, 0);
}

} // namespace

} // namespace bpffs_test
