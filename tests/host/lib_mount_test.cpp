// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Mounting and unmounting on descriptors against the real kernel.
#include "lib_scene.hpp"

#include "unit/fault.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdlib>
#include <latch>
#include <optional>
#include <thread>

namespace {

using namespace lib_test;

class mounting : public ::testing::Test {
protected:
    void SetUp() override {
        for (const char* probe : {"root", "bpffs"}) {
            BPFFS_NEEDS(probe);
        }
        ASSERT_TRUE(bpffs_test::private_namespaces());
        char name[] = "/tmp/bpffs-mount.XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        base_ = name;
    }
    void TearDown() override {
        if (!base_.empty()) {
            remove_directory(base_);
        }
    }
    [[nodiscard]] bool mounted() const { return directory::open(base_).is_bpffs(); }

    path base_;
};

TEST_F(mounting, gives_what_was_asked_for) {
    mount_spec plain;
    plain.source = "of a user";
    plain.owner = 1000;
    plain.group = 1001;
    plain.permissions = mode{0750};
    plain.fmode = fmode_option::off;
    mount_bpffs(base_, plain);
    ASSERT_TRUE(mounted());
    {
        const mount_info made = mount_info::of(directory::open(base_).fd());
        EXPECT_EQ(made.type, "bpf");
        EXPECT_EQ(made.source, "of a user");
        EXPECT_EQ(made.mount_point, base_);
        EXPECT_EQ(made.owner, 1000U);
        EXPECT_EQ(made.group, 1001U);
        EXPECT_EQ(made.permissions, mode{0750});
        EXPECT_FALSE(made.gives_tokens());
    }
    error_code code;
    {
        const directory busy = directory::open(base_);
        unmount(base_, code);
        EXPECT_EQ(code, boost::system::errc::device_or_resource_busy);
    }
    unmount(base_);
    EXPECT_FALSE(mounted());
    unmount(base_, code);
    EXPECT_EQ(code, boost::system::errc::invalid_argument) << "nothing is mounted";
}

TEST_F(mounting, read_only_refuses_to_create) {
    mount_spec plain;
    plain.fmode = fmode_option::off;
    plain.protection = write_protection::read_only;
    mount_bpffs(base_, plain);
    error_code code;
    (void)create_map(base_ / "m", {}, code);
    EXPECT_EQ(code, boost::system::errc::read_only_file_system);
    const diagnosis said = explain(base_ / "m", wanted::to_create(map_kind::hash));
    ASSERT_FALSE(said.findings.empty());
    EXPECT_EQ(said.findings.front().what, obstacle::read_only_mount);
    unmount(base_);
}

TEST_F(mounting, with_fmode_on_a_kernel_without_it_leaves_nothing) {
    if (bpffs_test::probe("fmode")) {
        GTEST_SKIP() << "probe 'fmode' says yes; this is about kernels without";
    }
    error_code code;
    mount_bpffs(base_, {}, code);
    EXPECT_EQ(code, errc::no_fmode);
    EXPECT_FALSE(mounted());
}

TEST_F(mounting, with_fmode_and_delegation) {
    BPFFS_NEEDS("token");
    mount_spec spec;
    spec.owner = bpffs_test::alice;
    spec.delegated.commands = {command::map_create, command::btf_load};
    spec.delegated.maps = {map_kind::hash, map_kind::array};
    spec.delegated.capabilities = {capability::bpf};
    mount_bpffs(base_, spec);
    {
        const mount_info made = mount_info::of(directory::open(base_).fd());
        EXPECT_EQ(made.fmode, fmode_option::on);
        EXPECT_EQ(made.delegated, spec.delegated);
        EXPECT_TRUE(made.gives_tokens());
    }
    unmount(base_);
}

TEST_F(mounting, with_a_bad_option_says_what_the_kernel_says) {
    mount_spec bad;
    bad.fmode = fmode_option::off;
    bad.more = {"uid=nobody"};
    try {
        mount_bpffs(base_, bad);
        ADD_FAILURE();
    } catch (const error& why) {
        EXPECT_EQ(why.code(), boost::system::errc::invalid_argument);
        EXPECT_NE(why.detail().find("uid=nobody"), std::string::npos) << why.what();
    }
    EXPECT_FALSE(mounted());
}

TEST_F(mounting, by_an_ordinary_user_is_refused) {
    as_alice([&]() -> std::string {
        error_code code;
        mount_bpffs(base_, {}, code);
        return code == boost::system::errc::operation_not_permitted ? "" : code.message();
    });
    EXPECT_FALSE(mounted());
}

// Capabilities for bpf(2) would show more than the user may see, so they go, too. User 0 keeps
// them.
TEST(acting, as_another_user_is_without_capabilities) {
    const identity before = identity::of_caller();
    BPFFS_NEEDS("setuid", before.has_capability(CAP_SETUID) && before.has_capability(CAP_SETGID)
                              ? ""
                              : "no CAP_SETUID");
    {
        const acting_as alice{bpffs_test::alice, bpffs_test::alice, {bpffs_test::bob}};
        const identity now = identity::of_caller();
        EXPECT_EQ(now.user, bpffs_test::alice);
        EXPECT_EQ(now.groups, std::vector<gid_t>{bpffs_test::bob});
        EXPECT_EQ(now.capabilities, 0U);
        EXPECT_THROW((acting_as{bpffs_test::bob, bpffs_test::bob}), error);
    }
    {
        const acting_as root{0, 0};
        const identity now = identity::of_caller();
        EXPECT_EQ(now.capabilities, before.capabilities);
    }
    const identity after = identity::of_caller();
    EXPECT_EQ(after.user, before.user);
    EXPECT_EQ(after.groups, before.groups);
    EXPECT_EQ(after.capabilities, before.capabilities);
}

/// A thread that may act as others, and what it was.
class acting_in_part : public ::testing::Test {
public:
    void SetUp() override {
        BPFFS_NEEDS("setuid",
                    before_.has_capability(CAP_SETUID) && before_.has_capability(CAP_SETGID)
                        ? ""
                        : "no CAP_SETUID");
    }

protected:
    static bool same(const identity& one, const identity& other) {
        return one.user == other.user && one.group == other.group && one.groups == other.groups &&
               one.capabilities == other.capabilities;
    }
    identity before_ = identity::of_caller();
};

TEST_F(acting_in_part, begins_whole_or_not_at_all) {
    int refused = 0;
    for (int call = 0;; ++call) {
        std::optional<acting_as> alice;
        bool happened = false;
        {
            const bpffs_test::fault now{call, EPERM};
            try {
                alice.emplace(bpffs_test::alice, bpffs_test::alice);
            } catch (const error& why) {
                ++refused;
                EXPECT_EQ(why.code(), boost::system::errc::operation_not_permitted);
            }
            happened = bpffs_test::fault::happened();
        }
        EXPECT_NE(alice.has_value(), happened) << "call " << call;
        EXPECT_EQ(same(identity::of_caller(), before_), happened) << "call " << call;
        alice.reset();
        EXPECT_TRUE(same(identity::of_caller(), before_)) << "call " << call;
        if (!happened || HasFailure()) {
            break;
        }
    }
    EXPECT_GE(refused, 10);
}

TEST_F(acting_in_part, ends_the_process_where_it_cannot_end) {
    for (int call = 0; call < 9; ++call) {
        std::optional<acting_as> alice{std::in_place, bpffs_test::alice, bpffs_test::alice};
        const auto end_with_a_fault = [&] {
            const bpffs_test::fault now{call, EPERM};
            alice.reset();
        };
        EXPECT_EXIT(end_with_a_fault(), ::testing::KilledBySignal(SIGABRT), "") << call;
    }
}

TEST_F(acting_in_part, changes_one_thread_and_forgets_its_signal) {
    identity theirs;
    identity mine;
    int signal = 0;
    std::latch acts{1};
    std::latch seen{1};
    std::thread other{[&] {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        const acting_as alice{bpffs_test::alice, bpffs_test::alice};
        ::prctl(PR_GET_PDEATHSIG, &signal);
        theirs = identity::of_caller();
        acts.count_down();
        seen.wait();
    }};
    acts.wait();
    mine = identity::of_caller();
    seen.count_down();
    other.join();
    EXPECT_EQ(theirs.user, bpffs_test::alice);
    EXPECT_TRUE(same(mine, before_));
    EXPECT_EQ(signal, 0);
}

TEST_F(mounting, as_another_user_makes_their_files) {
    mount_spec spec;
    spec.fmode = fmode_option::off;
    spec.owner = bpffs_test::alice;
    mount_bpffs(base_, spec);
    make_directory(base_ / "of_root", mode{0700});
    {
        const acting_as alice{bpffs_test::alice, bpffs_test::bob};
        make_symlink("target", base_ / "l");
        error_code code;
        make_directory(base_ / "of_root/d", mode{0700}, code);
        EXPECT_EQ(code, boost::system::errc::permission_denied);
    }
    EXPECT_EQ(inspect(base_ / "l").owner, bpffs_test::alice);
    EXPECT_EQ(inspect(base_ / "l").group, bpffs_test::bob);
    EXPECT_EQ(identity::of_caller().user, 0U);
    EXPECT_TRUE(identity::of_caller().has_capability(1)) << "CAP_DAC_OVERRIDE is back";
    unmount(base_);
}

} // namespace
