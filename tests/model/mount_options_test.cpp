// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The options of a bpffs mount are read strictly: what contradicts itself or is no value is refused
// and the kernel says why to whoever mounts, what is in force is shown, and an option that the
// kernel does not know is ignored, as it always was.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <sstream>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

/// What the kernel says to a mount with these options: "" where it is content.
std::string complaint(const std::string& options) {
    const handle context(::fsopen("bpf", FSOPEN_CLOEXEC));
    std::istringstream list(options);
    std::string option;
    bool good = context.good();
    while (good && std::getline(list, option, ',')) {
        const size_t equals = option.find('=');
        const std::string key = option.substr(0, equals);
        good =
            ::fsconfig(context.get(),
                       equals == std::string::npos ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING,
                       key.c_str(),
                       equals == std::string::npos ? nullptr : option.c_str() + equals + 1, 0) == 0;
    }
    good = good && ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0;
    if (good) {
        return "";
    }
    std::string said(4096, '\0');
    const ssize_t length = ::read(context.get(), said.data(), said.size());
    said.resize(length < 0 ? 0 : static_cast<size_t>(length));
    return said.empty() ? "refused without a word" : said;
}

int mount_error(const std::string& options) {
    return bpffs_mount(options).error();
}

/// Refused, and the reason has these words in it.
void expect_refused(const std::string& options, const std::string& words, int error = EINVAL) {
    EXPECT_EQ(mount_error(options), error) << options;
    const std::string said = complaint(options);
    EXPECT_NE(said.find(words), std::string::npos) << options << ": " << said;
}

class mount_options_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs"}) {
            BPFFS_NEEDS(need);
        }
    }
};

/// Those with the options of the series.
class fmode_options_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need :
             {"root", "namespaces", "bpf", "bpffs", "fmode", "nr_inodes", "token"}) {
            BPFFS_NEEDS(need);
        }
    }
};

TEST_F(fmode_options_test, fmode_and_its_opposite_contradict_each_other) {
    expect_refused("fmode,nofmode", "fmode and nofmode contradict each other");
    expect_refused("nofmode,fmode", "fmode and nofmode contradict each other");
    expect_refused("fmode,mode=0700,nofmode", "fmode and nofmode contradict each other");
    EXPECT_EQ(mount_error("fmode,fmode"), 0) << "said twice";
    EXPECT_EQ(mount_error("nofmode,nofmode"), 0);
    const bpffs_mount mount("");
    EXPECT_EQ(mount.remount("fmode,nofmode"), -EINVAL);
    EXPECT_FALSE(has_option(mount_options(mount.directory()), "fmode"));
}

TEST_F(fmode_options_test, fmode_has_no_value) {
    for (const char* bad : {"fmode=1", "fmode=on"}) {
        EXPECT_EQ(mount_error(bad), EINVAL) << bad;
    }
}

TEST_F(fmode_options_test, there_is_one_limit) {
    expect_refused("nr_inodes=5,nr_inodes=6", "nr_inodes is given twice");
    expect_refused("nr_inodes=5,nr_inodes=0", "nr_inodes is given twice");
    expect_refused("nr_inodes=0,nr_inodes=5", "nr_inodes is given twice");
    EXPECT_EQ(mount_error("nr_inodes=5,nr_inodes=5"), 0);
    const bpffs_mount mount("nr_inodes=5");
    EXPECT_EQ(mount.remount("nr_inodes=0"), -EINVAL) << "to lift it is to change it";
    EXPECT_TRUE(has_option(mount_options(mount.directory()), "nr_inodes=5"));
    const bpffs_mount unlimited("");
    EXPECT_EQ(unlimited.remount("nr_inodes=0"), 0) << "it is as it was";
}

TEST_F(fmode_options_test, no_limit_is_anything_but_a_number) {
    for (const char* bad : {"nr_inodes", "nr_inodes=", "nr_inodes=5k", "nr_inodes=-1",
                            "nr_inodes= 5", "nr_inodes=2147483648", "nr_inodes=5:6"}) {
        EXPECT_EQ(mount_error(bad), EINVAL) << bad;
        EXPECT_NE(complaint(bad).find("nr_inodes"), std::string::npos) << complaint(bad);
    }
}

TEST_F(fmode_options_test, a_word_that_is_no_name_is_named) {
    expect_refused("delegate_maps=hash:hsh", "delegate_maps: 'hsh' is neither a name nor a number");
    expect_refused("delegate_maps=hash:", "'' is neither");
    expect_refused("delegate_maps=:hash", "'' is neither");
    expect_refused("delegate_cmds=0x1::0x2", "'' is neither");
    expect_refused("delegate_cmds=", "delegate_cmds");
    expect_refused("delegate_progs=0x10000000000000000", "'0x10000000000000000'", ERANGE);
    expect_refused("delegate_attachs=-1", "'-1'");
    expect_refused("fmode,mode=0700,delegate_caps=bpf:sys_admin",
                   "'sys_admin' cannot be delegated");
}

TEST_F(fmode_options_test, numbers_and_names_add_up) {
    BPFFS_NEEDS("kernel_btf", ::access("/sys/kernel/btf/vmlinux", R_OK) == 0 ? "" : "no BTF");
    for (const char* same :
         {"hash:0x4", "0x4:hash", "0x2:0x4", "0x6", "hash:array", "array:hash:0x6:6"}) {
        const bpffs_mount mount(std::string("delegate_maps=") + same);
        ASSERT_EQ(mount.error(), 0) << same;
        EXPECT_TRUE(has_option(mount_options(mount.directory()), "delegate_maps=hash:array"))
            << same << ": " << mount_options(mount.directory());
    }
    const bpffs_mount twice("delegate_maps=hash,delegate_maps=0x4");
    EXPECT_TRUE(has_option(mount_options(twice.directory()), "delegate_maps=hash:array"));
    const bpffs_mount any("delegate_maps=0x4:any");
    EXPECT_TRUE(has_option(mount_options(any.directory()), "delegate_maps=any"));
}

TEST_F(fmode_options_test, what_is_refused_changes_nothing) {
    const bpffs_mount mount("fmode,mode=0700,nr_inodes=9,delegate_cmds=0x1,delegate_caps=bpf");
    ASSERT_EQ(mount.error(), 0);
    const std::string before = mount_options(mount.directory());
    for (const char* bad : {"nofmode", "nr_inodes=10", "nr_inodes=0", "delegate_caps=perfmon",
                            "delegate_caps=bpf:net_admin", "fmode,nofmode", "delegate_maps=hsh"}) {
        EXPECT_EQ(mount.remount(bad), -EINVAL) << bad;
        EXPECT_EQ(mount_options(mount.directory()), before) << bad;
    }
    EXPECT_EQ(mount.remount("fmode,nr_inodes=9,delegate_caps=bpf"), 0) << "as it is";
    EXPECT_EQ(mount_options(mount.directory()), before);
}

TEST_F(fmode_options_test, fmode_that_a_refused_remount_asked_for_is_off) {
    const bpffs_mount mount("nr_inodes=9");
    EXPECT_EQ(mount.remount("fmode,nr_inodes=10"), -EINVAL);
    EXPECT_FALSE(has_option(mount_options(mount.directory()), "fmode"));
}

// As on every kernel.

TEST_F(mount_options_test, unknown_options_are_ignored) {
    for (const char* unknown : {"no_such_option", "no_such_option=1", "fmod", "delegate_cap=bpf"}) {
        const bpffs_mount mount(unknown);
        EXPECT_EQ(mount.error(), 0) << unknown;
        EXPECT_EQ(mount.remount(unknown), 0) << unknown;
    }
}

TEST_F(mount_options_test, the_last_owner_and_mode_count) {
    const bpffs_mount mount("uid=1,uid=1000,gid=1,gid=1001,mode=0777,mode=0750");
    ASSERT_EQ(mount.error(), 0);
    const std::string shown = mount_options(mount.directory());
    for (const char* option : {"uid=1000", "gid=1001", "mode=750"}) {
        EXPECT_TRUE(has_option(shown, option)) << shown;
    }
}

} // namespace

} // namespace bpffs_test
