// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Every system call of the operations on files fails once: nothing leaks, nothing is half done.
// Creating and pinning maps, which need bpf(2), are treated alike in tests/host.
#include "fault.hpp"

#include <bpffs/bpffs.hpp>

#include <boost/filesystem/operations.hpp>

#include <cstdlib>

#include <gtest/gtest.h>

namespace {

using namespace bpffs;
using bpffs_test::fail_every_call;

class faults : public ::testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/bpffs-unit.XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        base_ = name;
    }
    void TearDown() override { boost::filesystem::remove_all(base_); }

    path base_;
};

TEST_F(faults, in_opening_a_directory) {
    const int injected = fail_every_call(
        [&] {
            error_code code;
            const directory opened = directory::open(base_, code);
            EXPECT_NE(code.failed(), static_cast<bool>(opened));
            return !code;
        },
        [](bool) {});
    EXPECT_GE(injected, 3);
}

TEST_F(faults, in_changing_a_mode) {
    make_directory(base_ / "d", mode{0700});
    const int injected = fail_every_call(
        [&] {
            error_code code;
            permissions(base_ / "d", mode_change::parse("g+rx"), code);
            return !code;
        },
        [&](bool succeeded) {
            EXPECT_EQ(inspect(base_ / "d").permissions, mode{succeeded ? 0750U : 0700U});
            permissions(base_ / "d", mode{0700});
        });
    EXPECT_GE(injected, 3 * 4);
}

TEST_F(faults, in_renaming) {
    make_directory(base_ / "a", mode{0700});
    fail_every_call(
        [&] {
            error_code code;
            bpffs::rename(base_ / "a", base_ / "b", on_conflict::fail, code);
            return !code;
        },
        [&](bool succeeded) {
            EXPECT_EQ(boost::filesystem::exists(base_ / "b"), succeeded);
            EXPECT_NE(boost::filesystem::exists(base_ / "a"), succeeded);
            if (succeeded) {
                bpffs::rename(base_ / "b", base_ / "a");
            }
        });
}

TEST_F(faults, in_finding_a_mount_and_listing) {
    const directory here = directory::open(base_);
    make_directory(base_ / "d", mode{0700});
    const int injected = fail_every_call(
        [&] {
            error_code code;
            (void)mount_info::of(here.fd(), code);
            error_code listing;
            here.for_each([](const directory_entry&) { return true; }, listing);
            return !code && !listing;
        },
        [](bool) {});
    EXPECT_GE(injected, 3 * 6);
}

TEST_F(faults, in_a_diagnosis_end_in_a_sentence_or_an_error) {
    const int injected = fail_every_call(
        [&] {
            error_code code;
            const diagnosis said = explain(base_ / "m", wanted::to_create(map_kind::hash), code);
            EXPECT_NE(code.failed(), !said.sentence.empty());
            return !code;
        },
        [](bool) {});
    EXPECT_GE(injected, 3 * 10);
}

TEST_F(faults, are_passed_on_as_they_are) {
    const bpffs_test::fault now{0, EMFILE};
    error_code code;
    (void)directory::open(base_, code);
    EXPECT_EQ(code, boost::system::errc::too_many_files_open);
}

} // namespace
