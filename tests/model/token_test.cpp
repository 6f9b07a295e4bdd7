// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Directory tokens: which mounts delegate, who gets a token from which directory, what it stands
// for.

#include <fstream>
#include <initializer_list>
#include <sstream>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

/// Numbers instead of names: they need no BTF in the kernel.
std::string mask(const char* option, std::initializer_list<unsigned> bits) {
    uint64_t value = 0;
    for (const unsigned bit : bits) {
        value |= 1ULL << bit;
    }
    std::ostringstream text;
    text << option << "=0x" << std::hex << value;
    return text.str();
}

const std::string commands = mask("delegate_cmds", {BPF_MAP_CREATE, BPF_BTF_LOAD, BPF_PROG_LOAD});
const std::string types =
    mask("delegate_maps", {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LPM_TRIE, BPF_MAP_TYPE_DEVMAP});
const std::string programs =
    mask("delegate_progs", {BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_SYSCALL});
const std::string attachs = "delegate_attachs=0xffffffffffffffff";
const std::string all_delegated = commands + "," + types + "," + programs + "," + attachs;
const std::string alices = "fmode,uid=1000,gid=1000,mode=0700,";

map_create_attr map_of(uint32_t type) {
    map_create_attr attr;
    attr.map_type = type;
    attr.key_size = type == BPF_MAP_TYPE_LPM_TRIE ? 8 : 4;
    attr.value_size = 4;
    attr.max_entries = 4;
    attr.map_flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0;
    return attr;
}

handle create_with(int token, uint32_t type) {
    map_create_attr attr = map_of(type);
    attr.map_flags |= flag_token_fd;
    attr.map_token_fd = token;
    return create_map(attr);
}

/// The token, or why not, from the directory at this path.
handle token_from(const std::string& directory, int flags = O_RDONLY) {
    const handle fd = open_file(directory, O_DIRECTORY | flags);
    return fd.good() ? token_create(fd.get()) : handle(-fd.error());
}

int token_error(const identity& who, const std::string& directory, int flags = O_PATH) {
    return as(who, [&] { return failed("token", token_from(directory, flags).error()); }).error;
}

class token_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "fmode", "token"}) {
            BPFFS_NEEDS(need);
        }
    }
};

// The mount.

int mount_error(const std::string& options) {
    return bpffs_mount(options).error();
}

TEST_F(token_test, delegating_capabilities_has_conditions) {
    const std::string good = "fmode,mode=0700,delegate_caps=bpf";
    EXPECT_EQ(mount_error(good), 0);
    EXPECT_EQ(mount_error("fmode,mode=0775,delegate_caps=bpf"), 0);
    EXPECT_EQ(mount_error("fmode,mode=0700,delegate_caps=bpf:net_admin:perfmon"), 0);
    EXPECT_EQ(mount_error("mode=0700,delegate_caps=bpf"), EINVAL) << "without fmode";
    EXPECT_EQ(mount_error("fmode,delegate_caps=bpf"), EINVAL) << "without a mode";
    EXPECT_EQ(mount_error("fmode,mode=0777,delegate_caps=bpf"), EINVAL) << "for everybody";
    EXPECT_EQ(mount_error("fmode,mode=01702,delegate_caps=bpf"), EINVAL) << "for everybody";
}

TEST_F(token_test, only_the_capabilities_of_bpf_can_be_delegated) {
    for (const char* word : {"", "sys_admin", "BPF", "cap_bpf", "any", "0x1", "39", "bpf:", ":bpf",
                             "bpf:sys_admin", "bpf net_admin"}) {
        const std::string option = std::string("delegate_caps=") + word;
        EXPECT_EQ(mount_error("fmode,mode=0700," + option), EINVAL) << word;
    }
}

TEST_F(token_test, mountinfo_shows_what_is_delegated) {
    const bpffs_mount mount(alices + "delegate_caps=perfmon:bpf");
    ASSERT_EQ(mount.error(), 0);
    const std::string shown = mount_options(mount.directory());
    EXPECT_TRUE(has_option(shown, "delegate_caps=bpf:perfmon")) << shown;
}

TEST_F(token_test, names_are_known_where_the_kernel_has_types) {
    BPFFS_NEEDS("kernel_btf", ::access("/sys/kernel/btf/vmlinux", R_OK) == 0 ? "" : "no BTF");
    const bpffs_mount mount(
        alices + "delegate_cmds=map_create:btf_load,delegate_maps=hash:array,delegate_caps=bpf");
    ASSERT_EQ(mount.error(), 0);
    const std::string shown = mount_options(mount.directory());
    EXPECT_TRUE(has_option(shown, "delegate_cmds=map_create:btf_load")) << shown;
    EXPECT_TRUE(has_option(shown, "delegate_maps=hash:array")) << shown;
}

TEST_F(token_test, remount_does_not_change_delegation) {
    const bpffs_mount mount(alices + all_delegated + ",delegate_caps=bpf");
    ASSERT_EQ(mount.error(), 0);
    const std::string before = mount_options(mount.directory());
    EXPECT_EQ(mount.remount("delegate_caps=bpf:net_admin"), -EINVAL);
    EXPECT_EQ(mount_options(mount.directory()), before);
    const bpffs_mount plain("fmode,mode=0700");
    EXPECT_EQ(plain.remount("delegate_caps=bpf"), -EINVAL);
    EXPECT_EQ(token_from(plain.directory()).error(), EOPNOTSUPP);
}

TEST_F(token_test, delegating_takes_an_administrator) {
    // alice, administrator of a user namespace of her own, may mount; she may not delegate.
    const outcome o = as_user(alice, [] {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
            return failed("user namespace", 0);
        }
        return failed("mount", mount_error("fmode,mode=0700,delegate_caps=bpf"));
    });
    BPFFS_NEEDS("user_namespaces", o.error != 0 ? "" : "none for alice");
    EXPECT_TRUE(o.error == EPERM || o.error == EACCES) << o.error;
}

// Who gets one.

TEST_F(token_test, comes_from_any_directory_one_may_write) {
    const bpffs_mount mount(alices + all_delegated + ",delegate_caps=bpf");
    ASSERT_EQ(mount.error(), 0);
    ASSERT_EQ(::mkdir((mount / "sub").c_str(), 0700), 0);
    ASSERT_EQ(::chown((mount / "sub").c_str(), alice, alice), 0);
    for (const char* name : {"", "sub"}) {
        for (const int flags : {O_RDONLY, O_PATH}) {
            EXPECT_EQ(token_error({}, mount / name, flags), 0) << name << " " << flags;
        }
    }
    EXPECT_EQ(token_error({0, 0, {}, all_capabilities}, mount.directory()), 0) << "root";
}

TEST_F(token_test, needs_write_and_search_permission) {
    const bpffs_mount mount("fmode,mode=0755," + all_delegated + ",delegate_caps=bpf");
    ASSERT_EQ(mount.error(), 0);
    EXPECT_EQ(token_error({}, mount.directory()), EACCES) << "root's directory";
    const std::string directory = mount / "d";
    ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
    ASSERT_EQ(::chown(directory.c_str(), alice, 3000), 0);
    const identity member{bob, bob, {3000}, 0};
    for (unsigned bits = 0; bits < 8; bits++) {
        const int expected = (bits & 3U) == 3U ? 0 : EACCES;
        ASSERT_EQ(::chmod(directory.c_str(), bits << 6U), 0);
        EXPECT_EQ(token_error({}, directory), expected) << "owner " << bits;
        ASSERT_EQ(::chmod(directory.c_str(), bits << 3U), 0);
        EXPECT_EQ(token_error(member, directory), expected) << "group " << bits;
        ASSERT_EQ(::chmod(directory.c_str(), bits), 0);
        EXPECT_EQ(token_error({bob, bob, {}, 0}, directory), expected) << "other " << bits;
    }
}

TEST_F(token_test, needs_no_capability_and_bpf_is_not_enough) {
    const bpffs_mount mount(alices + all_delegated + ",delegate_caps=bpf");
    EXPECT_EQ(token_error({bob, bob, {}, 1ULL << 39U}, mount.directory()), EACCES) << "CAP_BPF";
}

TEST_F(token_test, ends_with_its_directory) {
    const bpffs_mount mount(alices + all_delegated + ",delegate_caps=bpf");
    const outcome o = as_user(alice, [&] {
        const std::string path = mount / "gone";
        ::mkdir(path.c_str(), 0700);
        const handle fd = open_file(path, O_PATH | O_DIRECTORY);
        ::rmdir(path.c_str());
        return failed("token", token_create(fd.get()).error());
    });
    EXPECT_EQ(o.error, ENOENT);
}

TEST_F(token_test, does_not_come_through_a_read_only_mount) {
    const bpffs_mount mount(alices + all_delegated + ",delegate_caps=bpf");
    const bind_mount view(mount.directory(), mount_access::read_only);
    ASSERT_EQ(view.error(), 0);
    EXPECT_EQ(token_error({}, view.directory()), EROFS);
    EXPECT_EQ(token_error({0, 0, {}, all_capabilities}, view.directory()), EROFS);
    EXPECT_EQ(token_error({}, mount.directory()), 0);
}

TEST_F(token_test, is_for_the_mounts_user_namespace) {
    const bpffs_mount mount(alices + all_delegated + ",delegate_caps=bpf");
    const outcome o = as_user(alice, [&] {
        const handle fd = open_file(mount.directory(), O_PATH | O_DIRECTORY);
        if (::unshare(CLONE_NEWUSER) != 0) {
            return failed("user namespace", 0);
        }
        return failed("token", token_create(fd.get()).error());
    });
    BPFFS_NEEDS("user_namespaces", o.error != 0 ? "" : "none for alice");
    EXPECT_EQ(o.error, EPERM);
}

TEST_F(token_test, wrong_descriptors_are_invalid) {
    const bpffs_mount mount(alices + all_delegated + ",delegate_caps=bpf");
    const handle map = create_map(map_of(BPF_MAP_TYPE_HASH));
    ASSERT_EQ(pin(map.get(), mount / "file"), 0);
    EXPECT_EQ(token_from("/tmp").error(), EINVAL) << "another file system";
    EXPECT_EQ(token_create(open_file(mount / "file", O_PATH).get()).error(), EINVAL) << "a pin";
    EXPECT_EQ(token_create(map.get()).error(), EINVAL) << "a map";
    EXPECT_EQ(token_create(-1).error(), EBADF);
    const handle directory = open_file(mount.directory(), O_PATH | O_DIRECTORY);
    EXPECT_EQ(token_create(directory.get(), 1).error(), EINVAL) << "unknown flags";
}

TEST_F(token_test, there_is_none_where_nothing_is_delegated) {
    const bpffs_mount mount(alices + "delegate_caps=bpf");
    ASSERT_EQ(mount.error(), 0);
    EXPECT_EQ(token_error({}, mount.directory()), ENOENT);
}

// Without delegate_caps all is as upstream, on every kernel.

class upstream_token_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "upstream_token"}) {
            BPFFS_NEEDS(need);
        }
    }
};

TEST_F(upstream_token_test, plain_delegation_is_not_for_the_initial_namespace) {
    const bpffs_mount mount("mode=0777," + all_delegated);
    ASSERT_EQ(mount.error(), 0);
    EXPECT_EQ(token_from(mount.directory()).error(), EOPNOTSUPP);
    EXPECT_EQ(token_error({}, mount.directory(), O_RDONLY), EPERM);
    EXPECT_EQ(token_from(mount.directory(), O_PATH).error(), EBADF);
    ASSERT_EQ(::mkdir((mount / "sub").c_str(), 0777), 0);
    EXPECT_EQ(token_from(mount / "sub").error(), EINVAL);
    EXPECT_EQ(token_from("/tmp").error(), EINVAL);
}

TEST_F(upstream_token_test, fmode_alone_changes_nothing) {
    BPFFS_NEEDS("fmode");
    const bpffs_mount mount("fmode,mode=0777," + all_delegated);
    ASSERT_EQ(mount.error(), 0);
    EXPECT_EQ(token_from(mount.directory()).error(), EOPNOTSUPP);
    EXPECT_EQ(token_error({}, mount.directory(), O_RDONLY), EPERM);
}

// What it stands for.

/// alice makes a token and tries something with it.
int with_token(const bpffs_mount& mount, int (*what)(int token)) {
    return as_user(alice,
                   [&] {
                       const handle token = token_from(mount.directory(), O_PATH);
                       return token.good() ? failed("with token", what(token.get()))
                                           : failed("token", -token.error());
                   })
        .error;
}

int make_hash(int token) {
    return create_with(token, BPF_MAP_TYPE_HASH).error();
}
int make_trie(int token) {
    return create_with(token, BPF_MAP_TYPE_LPM_TRIE).error();
}
int make_lru(int token) {
    return create_with(token, BPF_MAP_TYPE_LRU_HASH).error();
}
int make_devmap(int token) {
    return create_with(token, BPF_MAP_TYPE_DEVMAP).error();
}
int make_btf(int token) {
    return btf_load(small_btf(), token).error();
}

int make_trie_without(int /*token*/) {
    return create_map(map_of(BPF_MAP_TYPE_LPM_TRIE)).error();
}

TEST_F(token_test, makes_maps_of_the_delegated_kinds) {
    const bpffs_mount mount(alices + all_delegated + ",delegate_caps=bpf");
    EXPECT_EQ(with_token(mount, make_hash), 0);
    EXPECT_EQ(with_token(mount, make_trie), 0) << "a kind that takes CAP_BPF";
    EXPECT_EQ(with_token(mount, make_lru), EPERM) << "not delegated";
    EXPECT_EQ(with_token(mount, make_trie_without), EPERM) << "the token must be given";
}

TEST_F(token_test, carries_only_the_delegated_capabilities) {
    const bpffs_mount bpf_only(alices + all_delegated + ",delegate_caps=bpf");
    EXPECT_EQ(with_token(bpf_only, make_devmap), EPERM) << "takes CAP_NET_ADMIN";
    const bpffs_mount both(alices + all_delegated + ",delegate_caps=bpf:net_admin");
    EXPECT_EQ(with_token(both, make_devmap), 0);
    const bpffs_mount other(alices + all_delegated + ",delegate_caps=perfmon");
    EXPECT_EQ(with_token(other, make_trie), EPERM) << "takes CAP_BPF";
}

TEST_F(token_test, stands_for_the_delegated_commands_only) {
    const std::string maps_only = mask("delegate_cmds", {BPF_MAP_CREATE}) + "," + types;
    const std::string types_only = mask("delegate_cmds", {BPF_BTF_LOAD}) + "," + types;
    const bpffs_mount maps(alices + maps_only + ",delegate_caps=bpf");
    const bpffs_mount btf(alices + types_only + ",delegate_caps=bpf");
    EXPECT_EQ(with_token(maps, make_trie), 0);
    EXPECT_EQ(with_token(maps, make_btf), EPERM);
    EXPECT_EQ(with_token(btf, make_btf), 0);
    EXPECT_EQ(with_token(btf, make_trie), EPERM);
}

TEST_F(token_test, says_what_it_stands_for) {
    const bpffs_mount mount(alices + commands + "," + types + ",delegate_caps=bpf:net_admin");
    const outcome o = as_user(alice, [&] {
        const handle token = token_from(mount.directory(), O_PATH);
        std::ifstream file("/proc/self/fdinfo/" + std::to_string(token.get()));
        std::stringstream text;
        text << file.rdbuf();
        const std::string said = text.str();
        const bool complete = said.find("allowed_caps:\t0x8000001000\n") != std::string::npos &&
                              said.find("allowed_cmds:\t0x40021\n") != std::string::npos &&
                              said.find("allowed_progs:\t0x0\n") != std::string::npos;
        return done("fdinfo", -token.error(), complete);
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_TRUE(o.seen);
}

TEST_F(token_test, can_be_passed_on_and_outlives_permission) {
    // As a handle does: what was opened stays open.
    const bpffs_mount mount(alices + all_delegated + ",delegate_caps=bpf");
    const outcome o = as_user(alice, [&] {
        const handle token = token_from(mount.directory(), O_PATH);
        ::chmod(mount.directory().c_str(), 0500);
        return failed("create", token.good() ? make_trie(token.get()) : token.error());
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_EQ(token_error({}, mount.directory()), EACCES);
}

// All together.

outcome make_use_and_share(const std::string& directory) {
    const handle token = token_from(directory, O_PATH);
    const handle map = create_with(token.get(), BPF_MAP_TYPE_HASH);
    if (!map.good()) {
        return failed("create", map.error());
    }
    ::umask(0);
    if (const int e = pin_with_mode(map.get(), directory + "/m", 0640); e != 0) {
        return failed("pin", -e);
    }
    const handle again = get(directory + "/m");
    const uint32_t key = 1;
    uint32_t value = 5;
    if (const int e = map_update(again.get(), &key, &value); e != 0) {
        return failed("update", -e);
    }
    value = 0;
    const int looked_up = map_lookup(again.get(), &key, &value);
    return done("look up", looked_up, value == 5);
}

TEST_F(token_test, a_user_makes_uses_and_shares_a_map_as_a_file) {
    BPFFS_NEEDS("pin_mode");
    const bpffs_mount mount("fmode,uid=1000,gid=3000,mode=0750," + all_delegated +
                            ",delegate_caps=bpf");
    ASSERT_EQ(mount.error(), 0);
    const outcome o =
        as({alice, 3000, {}, 0}, [&] { return make_use_and_share(mount.directory()); });
    EXPECT_EQ(o.error, 0) << o.step;
    EXPECT_TRUE(o.seen);
    struct stat st = {};
    ASSERT_EQ(::stat((mount / "m").c_str(), &st), 0);
    EXPECT_EQ(st.st_uid, alice);
    EXPECT_EQ(st.st_gid, 3000U);
    EXPECT_EQ(st.st_mode & 07777U, 0640U);
    const auto open_as_bob = [&](uint32_t flags, std::vector<gid_t> groups) {
        return as({bob, bob, std::move(groups), 0},
                  [&] { return failed("open", get(mount / "m", flags).error()); })
            .error;
    };
    EXPECT_EQ(open_as_bob(BPF_F_RDONLY, {3000}), 0);
    EXPECT_EQ(open_as_bob(0, {3000}), EACCES);
    EXPECT_EQ(open_as_bob(BPF_F_RDONLY, {}), EACCES);
}

} // namespace

} // namespace bpffs_test
