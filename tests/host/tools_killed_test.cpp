// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The tools, killed at each of their system calls: under the names that were asked for there is all
// or nothing, and nothing stays in the kernel that no file holds.
#include "kill_everywhere.hpp"
#include "map_runner.hpp"

#include "map/map_tool.hpp"
#include "prog/prog_tool.hpp"
#include "support/probe.hpp"

#include <bpffs/bpffs.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <thread>

#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>
#include <fcntl.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

using ids = std::set<std::uint32_t>;

ids all_ids(bpffs::object_kind kind) {
    ids all;
    for (auto id = bpffs::next_id(kind, 0); id; id = bpffs::next_id(kind, *id)) {
        all.insert(*id);
    }
    return all;
}

struct objects {
    ids maps = all_ids(bpffs::object_kind::map);
    ids programs = all_ids(bpffs::object_kind::program);
    ids links = all_ids(bpffs::object_kind::link);
};

bool within(const ids& some, const ids& all) {
    return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

/// Whether there is nothing but what was there, or soon will be: the kernel frees what a killed
/// process held a little later, and what other tests held before.
bool nothing_new(const objects& before) {
    for (int tries = 0; tries < 500; ++tries) {
        const objects now;
        if (within(now.maps, before.maps) && within(now.programs, before.programs) &&
            within(now.links, before.links)) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

std::string contents(const std::string& file) {
    std::ifstream from(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()};
}

/// All names below a directory.
std::set<std::string> names(const std::string& directory) {
    std::set<std::string> all;
    for (const auto& entry : boost::filesystem::recursive_directory_iterator(directory)) {
        all.insert(boost::filesystem::relative(entry.path(), directory).native());
    }
    return all;
}

class tools_killed : public map_tool_test {
protected:
    void SetUp() override {
        map_tool_test::SetUp();
        scratch_ = "/tmp/bpffs-killed-test-" + std::to_string(::getpid());
        boost::filesystem::create_directory(scratch_);
        if (!IsSkipped()) { // the root of a bpffs may have files of the kernel's
            boost::filesystem::create_directory(at("d"));
        }
    }
    void TearDown() override { boost::filesystem::remove_all(scratch_); }

    [[nodiscard]] std::string scratch(const std::string& name) const {
        return scratch_ + "/" + name;
    }

    // Kills the tool at each call. What is in d afterwards is in a directory of the tool's
    // own, or all of what it leaves when it is not killed; and without the files the kernel
    // has nothing of it.
    void kill(const fsctl::tool& which, const arguments& words) const {
        const objects before;
        ASSERT_EQ(run_tool(which, words).status, 0);
        const std::set<std::string> whole = names(at("d"));
        clear();
        ASSERT_TRUE(nothing_new(before));
        const int kills = kill_at_every_call([&] { run_tool(which, words); },
                                             [&](int call) {
                                                 std::set<std::string> found = names(at("d"));
                                                 std::erase_if(found, is_private);
                                                 EXPECT_TRUE(found.empty() || found == whole)
                                                     << "killed at " << call;
                                                 clear();
                                                 EXPECT_TRUE(nothing_new(before))
                                                     << "killed at " << call;
                                             });
        BPFFS_NEEDS("ptrace", kills < 0 ? "refused" : "");
        EXPECT_GT(kills, 2);
    }

private:
    static bool is_private(const std::string& name) { return name.starts_with("bpffs-new-"); }

    void clear() const {
        for (const auto& entry : boost::filesystem::directory_iterator(at("d"))) {
            boost::filesystem::remove_all(entry.path());
        }
    }

    std::string scratch_;
};

std::string compiled(const std::string& name) {
    return std::string(BPFFS_TEST_OBJECTS) + "/" + name + ".bpf.o";
}

bool has_objects() {
    return ::access(compiled("lib_count").c_str(), R_OK) == 0;
}

TEST_F(tools_killed, CreateMakesAMapOrNone) {
    kill(fsctl::map_tool, {"create", at("d/m"), "type", "hash", "key", "4", "value", "8", "entries",
                           "16", "mode", "0640"});
}

TEST_F(tools_killed, LoadPinsAllProgramsAndMapsOrNone) {
    BPFFS_NEEDS("bpf_objects", has_objects() ? "" : "no clang");
    kill(fsctl::prog_tool, {"loadall", compiled("lib_count"), at("d/set"), "mode", "0750"});
}

TEST_F(tools_killed, AFileIsWrittenWholeOrKept) {
    BPFFS_NEEDS("bpf_objects", has_objects() ? "" : "no clang");
    ASSERT_EQ(run_tool(fsctl::prog_tool, {"load", compiled("lib_filter"), at("keep")}).status, 0);
    const arguments dump = {"dump", "xlated", at("keep"), "file", scratch("code")};
    ASSERT_EQ(run_tool(fsctl::prog_tool, dump).status, 0);
    const std::string code = contents(scratch("code"));
    ASSERT_FALSE(code.empty());
    std::ofstream(scratch("code")) << "before";
    const int kills = kill_at_every_call([&] { run_tool(fsctl::prog_tool, dump); },
                                         [&](int call) {
                                             const std::string now = contents(scratch("code"));
                                             EXPECT_TRUE(now == code || now == "before")
                                                 << "killed at " << call;
                                             std::ofstream(scratch("code")) << "before";
                                         });
    BPFFS_NEEDS("ptrace", kills < 0 ? "refused" : "");
    EXPECT_GT(kills, 2);
}

} // namespace

} // namespace bpffs_test
