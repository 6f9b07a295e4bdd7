// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-admin on policy files, on any kernel: check and show.
#include "admin_scene.hpp"

#include <fstream>

namespace bpffs_test {

namespace {

class admin_policy_test : public admin_test {
protected:
    static void write(const std::string& name, const std::string& text) {
        ::mkdir("/run/bpffs.d", 0755);
        std::ofstream("/run/bpffs.d/" + name) << text;
    }
};

TEST_F(admin_policy_test, check_names_the_files_that_are_good) {
    write("10.conf", "[[grant]]\nusers = [\"alice\"]\n");
    const answer got = run_admin("check");
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_NE(got.out.find("/run/bpffs.d/10.conf: good\n"), std::string::npos) << got.out;
    EXPECT_NE(run_admin("-j check").out.find("\"/run/bpffs.d/10.conf\""), std::string::npos);
}

TEST_F(admin_policy_test, check_names_each_mistake_and_its_place) {
    write("10.conf", "[[grant]]\nusers = [\"alice\"]\nmodes = \"0700\"\n");
    write("20.conf", "[[grant]\n");
    expect_error("check", 1,
                 {"/run/bpffs.d/10.conf:3:1: unknown key 'modes'", "/run/bpffs.d/20.conf:1:"});
    expect_error("show alice", 1, {"/run/bpffs.d/10.conf:3:1"});
}

TEST_F(admin_policy_test, check_takes_files_that_are_not_in_place_yet) {
    const std::string file = "/run/draft";
    std::ofstream(file) << "x = 1\n";
    expect_error("check " + file, 1, {"/run/draft:1:1: unknown key 'x'"});
    expect_error("check /run/absent", 1, {"/run/absent: cannot be read"});
}

TEST_F(admin_policy_test, check_remarks_on_users_that_do_not_exist) {
    write("10.conf", "[[grant]]\nusers = [\"carol\", \"@nosuchgroup\"]\n");
    const answer got = run_admin("check");
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_NE(got.out.find("10.conf:2:10: there is no user 'carol'"), std::string::npos) << got.out;
    EXPECT_NE(got.out.find("10.conf:2:19: there is no group 'nosuchgroup'"), std::string::npos);
}

TEST_F(admin_policy_test, check_finds_contradictions_between_tables) {
    write("10.conf", "[[grant]]\nusers = [\"alice\"]\nmode = \"0777\"\ncaps = \"none\"\n"
                     "[[grant]]\nusers = [\"alice\"]\ncaps = \"bpf\"\n");
    expect_error("check", 1,
                 {"alice: mode 0777 (/run/bpffs.d/10.conf:3)", "bpf (/run/bpffs.d/10.conf:7)"});
}

TEST_F(admin_policy_test, show_says_what_results_and_from_which_line) {
    write("10.conf", "[[grant]]\nusers = [\"1000-1999\"]\nmode = \"0750\"\nmaps = \"hash\"\n");
    write("20.conf", "[[grant]]\nusers = [\"alice\"]\nmaps = [\"array\", \"ringbuf\"]\n");
    const answer got = run_admin("show alice");
    EXPECT_EQ(got.status, 0) << got.err;
    for (const char* line : {"[[grant]] # /run/bpffs.d/20.conf:1\n", "users = [\"alice\"]\n",
                             "mode = \"0750\" # /run/bpffs.d/10.conf:3\n",
                             "maps = [\"array\", \"ringbuf\"] # /run/bpffs.d/20.conf:3\n",
                             "caps = [\"bpf\"] # default\n"}) {
        EXPECT_NE(got.out.find(line), std::string::npos) << line << "in: " << got.out;
    }
    EXPECT_NE(run_admin("-j show alice").out.find(R"("maps":["array","ringbuf"])"),
              std::string::npos);
}

TEST_F(admin_policy_test, what_show_prints_is_a_policy_file) {
    write("10.conf", "[[grant]]\nusers = [\"alice\"]\nmode = \"0750\"\nnr_inodes = 10\n");
    const std::string shown = run_admin("show alice").out;
    std::ofstream("/run/again") << shown;
    EXPECT_EQ(run_admin("check /run/again").status, 0) << shown;
}

TEST_F(admin_policy_test, show_says_why_there_is_nothing) {
    const answer unnamed = run_admin("show alice");
    EXPECT_EQ(unnamed.status, 1);
    EXPECT_NE(unnamed.out.find("no policy file names them"), std::string::npos) << unnamed.out;
    write("10.conf", "[[refuse]]\nusers = [\"alice\"]\n");
    const answer refused = run_admin("show alice");
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.out.find("refused by /run/bpffs.d/10.conf:1"), std::string::npos);
    EXPECT_EQ(run_admin("-j show alice").out, "null\n");
}

TEST_F(admin_policy_test, a_file_that_others_may_change_gives_nothing) {
    write("10.conf", "[[grant]]\nusers = [\"alice\"]\n");
    ASSERT_EQ(::chmod("/run/bpffs.d/10.conf", 0664), 0);
    expect_error("show alice", 1, {"/run/bpffs.d/10.conf", "others than root", "0664"});
    ASSERT_EQ(::chmod("/run/bpffs.d/10.conf", 0644), 0);
    ASSERT_EQ(::chown("/run/bpffs.d/10.conf", bob, bob), 0);
    expect_error("show alice", 1, {"owner bob"});
}

TEST_F(admin_policy_test, a_directory_that_others_may_change_gives_nothing) {
    write("10.conf", "[[grant]]\nusers = [\"alice\"]\n");
    ASSERT_EQ(::chown("/run/bpffs.d", bob, bob), 0);
    for (const char* line : {"show alice", "diff", "apply", "check"}) {
        expect_error(line, 1, {"'/run/bpffs.d'", "others than root", "owner bob", "chown root"});
    }
    ASSERT_EQ(::chown("/run/bpffs.d", 0, 0), 0);
    ASSERT_EQ(::chmod("/run/bpffs.d", 01777), 0);
    expect_error("show alice", 1, {"'/run/bpffs.d'", "mode 1777", "chmod go-w '/run/bpffs.d'"});
    ASSERT_EQ(::unlink("/run/bpffs.d/10.conf"), 0);
    expect_error("apply", 1, {"'/run/bpffs.d'"}); // a refusal may have been in there
    ASSERT_EQ(::chmod("/run/bpffs.d", 0755), 0);
    ASSERT_EQ(::chmod("/run", 0775), 0);
    expect_error("show alice", 1, {"'/run'", "mode 0775"});
    ASSERT_EQ(::chmod("/run", 0755), 0);
    expect_ok("apply");
}

TEST_F(admin_policy_test, a_link_is_as_good_as_the_way_that_it_leads) {
    write("real", "[[grant]]\nusers = [\"alice\"]\n");
    ASSERT_EQ(::symlink("/home/bob/middle", "/run/bpffs.d/10.conf"), 0);
    ASSERT_EQ(::symlink("/run/bpffs.d/real", "/home/bob/middle"), 0);
    expect_error("show alice", 1, {"10.conf", "'/home/bob'", "owner bob"}); // who may change it
    ASSERT_EQ(::unlink("/run/bpffs.d/10.conf"), 0);
    ASSERT_EQ(::symlink("../bpffs.d/./real", "/run/bpffs.d/10.conf"), 0);
    expect_ok("show alice");
    ASSERT_EQ(::symlink("11.conf", "/run/bpffs.d/11.conf"), 0);
    expect_error("show alice", 1, {"11.conf", "symbolic link"});
    ASSERT_EQ(::unlink("/run/bpffs.d/11.conf"), 0);
    ASSERT_EQ(::mkfifo("/run/bpffs.d/11.conf", 0644), 0);
    expect_error("show alice", 1, {"11.conf", "no file"}); // and nobody waits for its other end
}

TEST_F(admin_policy_test, a_link_to_dev_null_says_nothing) {
    write("10.conf", "[[grant]]\nusers = [\"alice\"]\n");
    ASSERT_EQ(::symlink("/dev/null", "/run/bpffs.d/20.conf"), 0);
    const answer got = run_admin("check");
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_NE(got.out.find("/run/bpffs.d/20.conf: good\n"), std::string::npos) << got.out;
}

TEST_F(admin_policy_test, check_speaks_one_json_document) {
    write("10.conf", "[[grant]]\nusers = [\"alice\"]\nmode = \"0777\"\ncaps = \"bpf\"\n");
    const answer got = run_admin("-j check");
    EXPECT_EQ(got.status, 1);
    expect_json(got, {R"({"error":"alice: mode 0777)"});
}

} // namespace

} // namespace bpffs_test
