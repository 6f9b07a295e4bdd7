// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The one place where a pinned program is attached by its path: the match "bpf" of iptables. There
// is no handle, so the file is asked directly: on a mount with fmode it has to be writable.

#include <array>
#include <cerrno>
#include <cstring>

#include <gtest/gtest.h>

#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

// What iptables hands to the kernel, as in linux/netfilter_ipv4/ip_tables.h, which is no C++.

struct ipt_counters {
    uint64_t packets, bytes;
};

struct rule_head { // struct ipt_entry
    uint8_t address[84];
    uint32_t nfcache;
    uint16_t target_offset;
    uint16_t next_offset;
    uint32_t comefrom;
    ipt_counters counters;
};

struct extension_head { // struct xt_entry_match, xt_entry_target
    uint16_t size;
    char name[29];
    uint8_t revision;
};

struct verdict_target { // struct xt_standard_target
    extension_head head;
    int32_t verdict;
    uint32_t pad;
};

struct error_target { // struct xt_error_target
    extension_head head;
    char text[32];
};

struct bpf_match { // with struct xt_bpf_info_v1
    extension_head head;
    uint16_t mode;
    uint16_t instructions;
    int32_t fd;
    char path[512];
    uint64_t kernel_only;
};

struct table { // struct ipt_replace: one rule with the match, three policies, the end
    char name[32];
    uint32_t valid_hooks, entries, size;
    uint32_t hook_entry[5], underflow[5];
    uint32_t counters;
    ipt_counters* old_counters;

    rule_head rule;
    bpf_match match;
    verdict_target rule_target;
    struct {
        rule_head head;
        verdict_target target;
    } policy[3];
    rule_head last;
    error_target last_target;
};

constexpr uint32_t first_entry = offsetof(table, rule);
constexpr int accept = -2; // -NF_ACCEPT - 1
constexpr int replace_table = 64;

void fill_policies(table& t) {
    for (unsigned i = 0; i < 3; i++) { // NF_INET_LOCAL_IN, FORWARD, LOCAL_OUT
        auto& policy = t.policy[i];
        policy.head.target_offset = sizeof(rule_head);
        policy.head.next_offset = sizeof(policy);
        policy.target.head.size = sizeof(verdict_target);
        policy.target.verdict = accept;
        const auto at =
            static_cast<uint32_t>(offsetof(table, policy) - first_entry + i * sizeof(t.policy[0]));
        t.underflow[i + 1] = at;
        t.hook_entry[i + 1] = i == 0 ? 0 : at; // incoming packets meet the rule first
    }
}

table table_with(const std::string& program) {
    table t = {};
    std::strcpy(t.name, "filter"); // NOLINT(clang-analyzer-security.insecureAPI.strcpy)
    t.valid_hooks = 0xe;
    t.entries = 5;
    t.size = sizeof(table) - first_entry;
    t.counters = 4; // of the table that is replaced
    t.rule.target_offset = sizeof(rule_head) + sizeof(bpf_match);
    t.rule.next_offset = sizeof(rule_head) + sizeof(bpf_match) + sizeof(verdict_target);
    t.match.head.size = sizeof(bpf_match);
    std::memcpy(t.match.head.name, "bpf", 4);
    t.match.head.revision = 1;
    t.match.mode = 1; // XT_BPF_MODE_PATH_PINNED
    program.copy(t.match.path, sizeof(t.match.path) - 1);
    t.rule_target.head.size = sizeof(verdict_target);
    t.rule_target.verdict = accept;
    fill_policies(t);
    t.last.target_offset = sizeof(rule_head);
    t.last.next_offset = sizeof(rule_head) + sizeof(error_target);
    t.last_target.head.size = sizeof(error_target);
    std::memcpy(t.last_target.head.name, "ERROR", 6);
    std::memcpy(t.last_target.text, "ERROR", 6);
    return t;
}

outcome attach_by_path(const std::string& program) {
    const handle sock(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    table t = table_with(program);
    std::array<ipt_counters, 4> old = {};
    t.old_counters = old.data();
    const int value = ::setsockopt(sock.get(), IPPROTO_IP, replace_table, &t, sizeof(t));
    return failed("IPT_SO_SET_REPLACE", value != 0 ? errno : 0);
}

class path_attach_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs"}) {
            BPFFS_NEEDS(need);
        }
        const bpffs_mount mount("mode=0755");
        pin_filter(mount / "p", 0644);
        const int error = attach_as(0, mount / "p");
        BPFFS_NEEDS("iptables_bpf", error == 0 ? "" : "errno " + std::to_string(error));
    }

    static void pin_filter(const std::string& path, mode_t mode) {
        const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(1));
        ASSERT_EQ(pin(program.get(), path), 0);
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    }

    /// alice may change the rules of this network namespace, and no more.
    static int attach_as(uid_t uid, const std::string& path) {
        identity who{uid, uid, {}, all_capabilities};
        if (uid != 0) {
            who.capabilities = 1ULL << CAP_NET_ADMIN | 1ULL << CAP_NET_RAW;
        }
        // In a child's own network namespace: the table is as new each time.
        return as({0, 0, {}, all_capabilities},
                  [&] {
                      return ::unshare(CLONE_NEWNET) != 0
                                 ? failed("unshare", errno)
                                 : as(who, [&] { return attach_by_path(path); });
                  })
            .error;
    }
};

TEST_F(path_attach_test, takes_write_permission_on_an_fmode_mount) {
    BPFFS_NEEDS("fmode");
    const bpffs_mount mount("fmode,mode=0755");
    for (const auto& [mode, expected] : {std::pair{0444U, EACCES}, std::pair{0222U, 0},
                                         std::pair{0666U, 0}, std::pair{0U, EACCES}}) {
        const std::string path = mount / ("p" + std::to_string(mode));
        pin_filter(path, mode);
        EXPECT_EQ(attach_as(alice, path), expected) << std::oct << mode;
        EXPECT_EQ(attach_as(0, path), 0) << "root passes modes";
    }
}

TEST_F(path_attach_test, does_not_work_through_a_read_only_mount) {
    BPFFS_NEEDS("fmode");
    const bpffs_mount mount("fmode,mode=0755");
    pin_filter(mount / "p", 0666);
    const bind_mount view(mount.directory(), mount_access::read_only);
    ASSERT_EQ(view.error(), 0);
    EXPECT_EQ(attach_as(alice, view / "p"), EROFS);
    EXPECT_EQ(attach_as(alice, mount / "p"), 0);
}

TEST_F(path_attach_test, takes_read_permission_elsewhere) {
    const bpffs_mount mount("mode=0755");
    pin_filter(mount / "reader", 0444);
    pin_filter(mount / "writer", 0222);
    EXPECT_EQ(attach_as(alice, mount / "reader"), 0);
    EXPECT_EQ(attach_as(alice, mount / "writer"), EACCES);
}

} // namespace

} // namespace bpffs_test
