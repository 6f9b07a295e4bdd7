// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Loading programs with directory tokens: which ones, how they are verified, who can refuse. Where
// they may be attached is target_test.cpp's.

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

std::string bit(unsigned number) {
    std::ostringstream text;
    text << "0x" << std::hex << (1ULL << number);
    return text.str();
}

const std::string any = "0xffffffffffffffff";
const std::string alices = "fmode,uid=1000,gid=1000,mode=0700,";

/// A mount that delegates loading, to alice, of programs of these types and attachment types.
std::string delegating(const std::string& capabilities, const std::string& types = any,
                       const std::string& attachments = any) {
    return alices + "delegate_cmds=" + any + ",delegate_maps=" + any + ",delegate_progs=" + types +
           ",delegate_attachs=" + attachments + ",delegate_caps=" + capabilities;
}

struct attempt {
    uint32_t type = BPF_PROG_TYPE_SOCKET_FILTER;
    program_text text = returns(0);
    load_options options = {};
};

/// The errno of alice, without capabilities, loading with a token from the mount; a program that
/// loads is pinned as "program".
int load_as_alice(const bpffs_mount& mount, const attempt& a) {
    return as_user(alice,
                   [&] {
                       const handle directory = open_file(mount.directory(), O_PATH | O_DIRECTORY);
                       const handle token = token_create(directory.get());
                       load_options options = a.options;
                       options.token = token.get();
                       const handle program = load_program(a.type, a.text, options);
                       if (program.good()) {
                           pin(program.get(), mount / "program");
                       }
                       return failed("load", program.error());
                   })
        .error;
}

int load_type(const std::string& options, uint32_t type, uint32_t attach_type = 0) {
    const bpffs_mount mount(options);
    attempt a;
    a.type = type;
    a.options.expected_attach_type = attach_type;
    a.options.flags = type == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0;
    return mount.error() != 0 ? mount.error() : load_as_alice(mount, a);
}

class program_token_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need :
             {"root", "namespaces", "bpf", "bpffs", "fmode", "token", "program_tokens"}) {
            BPFFS_NEEDS(need);
        }
    }
};

TEST_F(program_token_test, loads_the_delegated_types) {
    const std::string filters = delegating("bpf", bit(BPF_PROG_TYPE_SOCKET_FILTER));
    EXPECT_EQ(load_type(filters, BPF_PROG_TYPE_SOCKET_FILTER), 0);
    EXPECT_EQ(load_type(filters, BPF_PROG_TYPE_SYSCALL), EPERM);
    EXPECT_EQ(load_type(delegating("bpf"), BPF_PROG_TYPE_SYSCALL), 0);
}

TEST_F(program_token_test, loads_for_the_delegated_attachments) {
    const std::string ingress = delegating("bpf:net_admin", any, bit(BPF_CGROUP_INET_INGRESS));
    EXPECT_EQ(load_type(ingress, BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS), 0);
    EXPECT_EQ(load_type(ingress, BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS), EPERM);
    EXPECT_EQ(load_type(ingress, BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE), EPERM);
}

TEST_F(program_token_test, needs_the_command_delegated) {
    EXPECT_EQ(load_type(alices + "delegate_cmds=" + bit(BPF_MAP_CREATE) + ",delegate_progs=" + any +
                            ",delegate_attachs=" + any + ",delegate_caps=bpf",
                        BPF_PROG_TYPE_SOCKET_FILTER),
              EPERM);
}

TEST_F(program_token_test, each_type_needs_its_capabilities_delegated) {
    EXPECT_EQ(load_type(delegating("net_admin:perfmon"), BPF_PROG_TYPE_SYSCALL), EPERM) << "bpf";
    EXPECT_EQ(load_type(delegating("bpf:perfmon"), BPF_PROG_TYPE_XDP), EPERM) << "net_admin";
    EXPECT_EQ(load_type(delegating("bpf:net_admin"), BPF_PROG_TYPE_XDP), 0);
    EXPECT_EQ(load_type(delegating("bpf:net_admin"), BPF_PROG_TYPE_RAW_TRACEPOINT), EPERM)
        << "perfmon";
    EXPECT_EQ(load_type(delegating("bpf:perfmon"), BPF_PROG_TYPE_RAW_TRACEPOINT), 0);
}

// The verifier's protections hang on perfmon.

int load_text(const std::string& capabilities, const program_text& text) {
    const bpffs_mount mount(delegating(capabilities));
    attempt a;
    a.text = text;
    return mount.error() != 0 ? mount.error() : load_as_alice(mount, a);
}

TEST_F(program_token_test, pointers_do_not_leak_without_perfmon) {
    EXPECT_EQ(load_text("bpf:net_admin", returns_pointer()), EACCES);
    EXPECT_EQ(load_text("bpf:net_admin:perfmon", returns_pointer()), 0);
}

/// How long a program became that alice loads with a token from such a mount.
uint32_t verified_size(const std::string& capabilities) {
    const bpffs_mount mount(delegating(capabilities));
    const handle map = create_map(BPF_MAP_TYPE_HASH, 8, 256, 1);
    attempt a;
    a.text = reads_at_unknown_offset(map.get());
    if (mount.error() != 0 || load_as_alice(mount, a) != 0) {
        return 0;
    }
    return verified_instructions(get(mount / "program").get());
}

TEST_F(program_token_test, speculation_is_bounded_without_perfmon) {
    std::ifstream file("/sys/devices/system/cpu/vulnerabilities/spectre_v1");
    std::string state;
    std::getline(file, state);
    BPFFS_NEEDS("mitigations", state.find("Mitigation") == 0 ? "" : "spectre_v1: " + state);
    const uint32_t with_perfmon = verified_size("bpf:perfmon");
    ASSERT_NE(with_perfmon, 0U);
    EXPECT_GT(verified_size("bpf"), with_perfmon);
    EXPECT_GT(verified_size("bpf:net_admin"), with_perfmon);
}

// The struct_ops kinds of maps have no other use than being registered.

TEST_F(program_token_test, a_struct_ops_map_needs_perfmon) {
    for (const char* capabilities : {"bpf:net_admin", "bpf:net_admin:perfmon"}) {
        const bpffs_mount mount(delegating(capabilities));
        const outcome o = as_user(alice, [&] {
            const handle directory = open_file(mount.directory(), O_PATH | O_DIRECTORY);
            const handle token = token_create(directory.get());
            map_create_attr attr;
            attr.map_type = BPF_MAP_TYPE_STRUCT_OPS;
            attr.key_size = 4;
            attr.value_size = 4;
            attr.max_entries = 1;
            attr.btf_vmlinux_value_type_id = 1; // is none of them
            attr.map_flags = flag_token_fd;
            attr.map_token_fd = token.get();
            return failed("create", create_map(attr).error());
        });
        const bool carries = std::string(capabilities).find("perfmon") != std::string::npos;
        EXPECT_EQ(o.error == EPERM, !carries) << capabilities << ", errno " << o.error;
    }
}

// A devmap names devices: who creates one with a token has to have them.

int enter_loopback(const std::string& capabilities, uint64_t own_capabilities) {
    const bpffs_mount mount(delegating(capabilities));
    return as({alice, alice, {}, own_capabilities},
              [&] {
                  const handle directory = open_file(mount.directory(), O_PATH | O_DIRECTORY);
                  const handle token = token_create(directory.get());
                  map_create_attr attr;
                  attr.map_type = BPF_MAP_TYPE_DEVMAP;
                  attr.key_size = 4;
                  attr.value_size = 4;
                  attr.max_entries = 1;
                  attr.map_flags = flag_token_fd;
                  attr.map_token_fd = token.get();
                  const handle map = create_map(attr);
                  const uint32_t key = 0;
                  const uint32_t device = 1;
                  return map.good() ? done("enter", map_update(map.get(), &key, &device))
                                    : failed("create", ENOEXEC);
              })
        .error;
}

TEST_F(program_token_test, a_devmap_takes_devices_of_whoever_has_them) {
    EXPECT_EQ(enter_loopback("bpf:net_admin", 0), EPERM);
    EXPECT_EQ(enter_loopback("bpf:net_admin", 1ULL << 12U), 0) << "CAP_NET_ADMIN";
}

// Where the token comes from.

TEST_F(program_token_test, outlives_its_directory) {
    // As a handle does: what was opened stays open.
    const bpffs_mount mount(delegating("bpf"));
    const outcome o = as_user(alice, [&] {
        const std::string path = mount / "gone";
        ::mkdir(path.c_str(), 0700);
        const handle token = token_create(open_file(path, O_PATH | O_DIRECTORY).get());
        ::rmdir(path.c_str());
        load_options options;
        options.token = token.get();
        return failed("load",
                      load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0), options).error());
    });
    EXPECT_EQ(o.error, 0);
}

TEST_F(program_token_test, comes_through_a_bind_mount_and_not_through_what_covers_it) {
    const bpffs_mount mount(delegating("bpf"));
    const bind_mount view(mount.directory());
    const auto token_of = [&](const std::string& path) {
        return as_user(alice,
                       [&] {
                           const handle directory = open_file(path, O_RDONLY | O_DIRECTORY);
                           return failed("token", token_create(directory.get()).error());
                       })
            .error;
    };
    EXPECT_EQ(token_of(view.directory()), 0);
    ASSERT_EQ(::mount("tmpfs", view.directory().c_str(), "tmpfs", 0, "mode=0777"), 0);
    EXPECT_EQ(token_of(view.directory()), EINVAL) << "that is a tmpfs now";
    EXPECT_EQ(token_of(mount.directory()), 0);
    ::umount2(view.directory().c_str(), MNT_DETACH);
}

// Who can refuse.

TEST_F(program_token_test, security_modules_refuse) {
    const bpffs_mount mount(delegating("bpf"));
    for (const char* hook : {"bpf_token_capable", "bpf_token_cmd"}) {
        const handle guard = load_traced(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, hook, returns(-EACCES));
        const handle attached = raw_tracepoint_open(nullptr, guard.get());
        BPFFS_NEEDS("bpf_lsm", attached.good() ? "" : "no BPF LSM here");
        EXPECT_EQ(load_as_alice(mount, {}), EPERM) << hook;
    }
    EXPECT_EQ(load_as_alice(mount, {}), 0);
}

TEST_F(program_token_test, says_what_it_stands_for) {
    const bpffs_mount mount(delegating("bpf", bit(BPF_PROG_TYPE_XDP), bit(BPF_XDP)));
    const outcome o = as_user(alice, [&] {
        const handle directory = open_file(mount.directory(), O_PATH | O_DIRECTORY);
        const handle token = token_create(directory.get());
        std::ifstream file("/proc/self/fdinfo/" + std::to_string(token.get()));
        std::stringstream text;
        text << file.rdbuf();
        const std::string said = text.str();
        return done("fdinfo", -token.error(),
                    said.find("allowed_progs:\t0x40\n") != std::string::npos &&
                        said.find("allowed_attachs:\t0x2000000000\n") != std::string::npos);
    });
    EXPECT_EQ(o.error, 0);
    EXPECT_TRUE(o.seen);
}

} // namespace

} // namespace bpffs_test
