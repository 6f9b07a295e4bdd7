// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Loading programs with directory tokens: which ones, how they are verified, who can refuse. Where
// they may be attached is target_test.cpp's.

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/btf.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/inspect.hpp"
#include "support/instructions.hpp"
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

/// The errno of alice, with no capabilities but these, loading with a token from the mount; a
/// program that loads is pinned as "program".
int load_as_alice(const bpffs_mount& mount, const attempt& a, uint64_t capabilities = 0) {
    return as({alice, alice, {}, capabilities},
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
    EXPECT_EQ(load_type(filters, BPF_PROG_TYPE_SK_REUSEPORT), EPERM);
    EXPECT_EQ(load_type(delegating("bpf"), BPF_PROG_TYPE_SK_REUSEPORT), 0);
}

// It has no target that could agree, and makes system calls as the kernel: none is delegated.
TEST_F(program_token_test, loads_no_system_call_programs) {
    const std::string syscalls = bit(BPF_PROG_TYPE_SYSCALL);
    for (const char* capabilities : {"bpf", "bpf:perfmon", "bpf:net_admin:perfmon"}) {
        EXPECT_EQ(load_type(delegating(capabilities), BPF_PROG_TYPE_SYSCALL), EPERM)
            << capabilities;
        EXPECT_EQ(load_type(delegating(capabilities, syscalls), BPF_PROG_TYPE_SYSCALL), EPERM)
            << capabilities;
    }
    const bpffs_mount mount(delegating("bpf"));
    attempt own;
    own.type = BPF_PROG_TYPE_SYSCALL;
    own.options.flags = BPF_F_SLEEPABLE;
    EXPECT_EQ(load_as_alice(mount, own, 1ULL << CAP_BPF), 0) << "by a capability of her own";
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
    EXPECT_EQ(load_type(delegating("net_admin:perfmon"), BPF_PROG_TYPE_SK_REUSEPORT), EPERM)
        << "bpf";
    EXPECT_EQ(load_type(delegating("bpf:perfmon"), BPF_PROG_TYPE_XDP), EPERM) << "net_admin";
    EXPECT_EQ(load_type(delegating("bpf:net_admin"), BPF_PROG_TYPE_XDP), 0);
    EXPECT_EQ(load_type(delegating("bpf:net_admin"), BPF_PROG_TYPE_RAW_TRACEPOINT), EPERM)
        << "perfmon";
    EXPECT_EQ(load_type(delegating("bpf:perfmon"), BPF_PROG_TYPE_RAW_TRACEPOINT), 0);
}

// The verifier's protections hang on perfmon.

int load_text(const std::string& capabilities, const program_text& text,
              uint32_t type = BPF_PROG_TYPE_SOCKET_FILTER) {
    const bpffs_mount mount(delegating(capabilities));
    attempt a;
    a.type = type;
    a.text = text;
    return mount.error() != 0 ? mount.error() : load_as_alice(mount, a);
}

TEST_F(program_token_test, pointers_do_not_leak_without_perfmon) {
    EXPECT_EQ(load_text("bpf:net_admin", returns_pointer()), EACCES);
    EXPECT_EQ(load_text("bpf:net_admin:perfmon", returns_pointer()), 0);
}

/// The address of a variable of the kernel's.
TEST_F(program_token_test, variables_of_the_kernel_need_perfmon) {
    const int variable = kernel_type("bpf_prog_active", BTF_KIND_VAR);
    BPFFS_NEEDS("kernel_types", variable > 0 ? "" : "no variable to name");
    const program_text text = load_constant(BPF_REG_1, BPF_PSEUDO_BTF_ID, variable) + returns(0);
    EXPECT_EQ(load_text("bpf:net_admin", text), EPERM);
    EXPECT_EQ(load_text("bpf:net_admin:perfmon", text), 0);
    const bpffs_mount mount(delegating("bpf:net_admin"));
    attempt own;
    own.text = text;
    EXPECT_EQ(load_as_alice(mount, own, 1ULL << CAP_PERFMON), 0) << "by a capability of her own";
}

// Network namespaces that a program names by number are anybody's.

constexpr int helper_skc_lookup_tcp = 99;
constexpr int current_namespace = -1; // BPF_F_CURRENT_NETNS

/// Looks for a socket with one of these helpers in the network namespace that `instruction` puts
/// into r4, and lets it go again.
program_text looks_for_a_socket(int helper, const bpf_insn& instruction) {
    return {insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -16, 0),
            insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0),
            instruction,
            move(BPF_REG_2, BPF_REG_10),
            add(BPF_REG_2, -16),
            set(BPF_REG_3, 12), // an IPv4 tuple
            set(BPF_REG_5, 0),
            call(helper),
            if_null(2),
            move(BPF_REG_1, BPF_REG_0),
            call(BPF_FUNC_sk_release),
            set(BPF_REG_0, 0),
            leave()};
}

TEST_F(program_token_test, sockets_are_looked_for_in_the_own_namespace) {
    // Of a struct xdp_md: its queue's number. The verifier does not know it.
    const bpf_insn unknown = insn(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_4, BPF_REG_1, 16, 0);
    for (const int helper : {static_cast<int>(BPF_FUNC_sk_lookup_tcp),
                             static_cast<int>(BPF_FUNC_sk_lookup_udp), helper_skc_lookup_tcp}) {
        SCOPED_TRACE(helper);
        const auto load_in = [&](const bpf_insn& instruction) {
            return load_text("bpf:net_admin", looks_for_a_socket(helper, instruction),
                             BPF_PROG_TYPE_XDP);
        };
        EXPECT_EQ(load_in(set(BPF_REG_4, current_namespace)), 0);
        EXPECT_EQ(load_in(set(BPF_REG_4, 0)), EACCES);
        EXPECT_EQ(load_in(set(BPF_REG_4, 5)), EACCES);
        EXPECT_EQ(load_in(unknown), EACCES);
        const program_text anywhere = looks_for_a_socket(helper, unknown);
        EXPECT_EQ(load_program(BPF_PROG_TYPE_XDP, anywhere).error(), 0) << "no token";
    }
}

struct named_namespace {
    const char* name;
    uint32_t type;
    const char* function; ///< takes options that have the number of a namespace
    int options_size;
    const char* release;
    bool tuple; ///< the options come after the address of a connection
};

void PrintTo(const named_namespace& one, std::ostream* out) {
    *out << one.name;
}

/// Calls a function of the kernel's with options that say "this namespace", and lets go of what it
/// gives.
program_text finds(const named_namespace& what) {
    program_text text;
    for (int at = -64; at < 0; at += 8) {
        text.push_back(insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, at, 0));
    }
    text.push_back(insn(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -64, current_namespace));
    const unsigned options = what.tuple ? BPF_REG_4 : BPF_REG_2;
    const auto kernel_function = [](const char* name) {
        return insn(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0,
                    kernel_type(name, BTF_KIND_FUNC));
    };
    if (what.tuple) {
        text = text +
               program_text{move(BPF_REG_2, BPF_REG_10), add(BPF_REG_2, -16), set(BPF_REG_3, 12)};
    }
    return text + program_text{move(options, BPF_REG_10),
                               add(options, -64),
                               set(options + 1, what.options_size),
                               kernel_function(what.function),
                               if_null(2),
                               move(BPF_REG_1, BPF_REG_0),
                               kernel_function(what.release),
                               set(BPF_REG_0, 0),
                               leave()};
}

class named_namespace_test : public program_token_test,
                             public testing::WithParamInterface<named_namespace> {};

TEST_P(named_namespace_test, is_not_reached) {
    const named_namespace& what = GetParam();
    const bool known = kernel_type(what.function, BTF_KIND_FUNC) > 0;
    BPFFS_NEEDS(what.function, known ? "" : "the kernel has it not, or in a module");
    const program_text text = finds(what);
    std::string log;
    load_options by_root;
    by_root.log = &log;
    EXPECT_EQ(load_program(what.type, text, by_root).error(), 0) << "no token\n" << log;
    for (const char* capabilities : {"bpf:net_admin", "bpf:net_admin:perfmon"}) {
        EXPECT_EQ(load_text(capabilities, text, what.type), EACCES) << capabilities;
    }
}

const named_namespace namers[] = {
    {"connection_of_xdp", BPF_PROG_TYPE_XDP, "bpf_xdp_ct_lookup", 16, "bpf_ct_release", true},
    {"connection_of_tc", BPF_PROG_TYPE_SCHED_CLS, "bpf_skb_ct_lookup", 16, "bpf_ct_release", true},
    {"transformation_of_xdp", BPF_PROG_TYPE_XDP, "bpf_xdp_get_xfrm_state", 36,
     "bpf_xdp_xfrm_state_release", false},
};

INSTANTIATE_TEST_SUITE_P(functions, named_namespace_test, testing::ValuesIn(namers),
                         [](const auto& test) { return test.param.name; });

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
