// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// cgroup.bpf: whose it is, what its descriptor gives for which programs, what it lists. A user who
// is given it works here with a program of a directory token, as one would.

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

const identity nobody_special{alice, alice, {}, 0};
const identity network_admin{alice, alice, {}, 1ULL << CAP_NET_ADMIN};

uint32_t number(const handle& h) {
    return static_cast<uint32_t>(h.get());
}

std::string content(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

class cgroup_bpf_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "fmode", "token",
                                 "program_tokens", "cgroup_bpf"}) {
            BPFFS_NEEDS(need);
        }
        ASSERT_EQ(cgroup_.error(), 0);
        const bpffs_mount mount("fmode,mode=0700,delegate_cmds=0x20,delegate_caps=bpf:net_admin,"
                                "delegate_progs=0xffffffffffffffff,"
                                "delegate_attachs=0xffffffffffffffff");
        token_ = token_create(open_file(mount.directory(), O_PATH | O_DIRECTORY).get());
        ASSERT_TRUE(token_.good());
    }

    [[nodiscard]] const own_cgroup& cgroup() const { return cgroup_; }
    [[nodiscard]] std::string file() const { return cgroup_ / "cgroup.bpf"; }
    void give_to_alice() const { ASSERT_EQ(::chown(file().c_str(), alice, alice), 0); }

    /// A delegated program: `result` 0 drops all packets, 1 keeps them.
    [[nodiscard]] handle filter(int32_t result = 1) const {
        return load(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, result);
    }
    [[nodiscard]] handle load(uint32_t type, uint32_t attach_type, int32_t result = 1) const {
        load_options options;
        options.expected_attach_type = attach_type;
        options.token = token_.get();
        return load_program(type, returns(result), options);
    }

private:
    own_cgroup cgroup_;
    handle token_;
};

attach_attr to(uint32_t target, const handle& program, uint32_t flags = BPF_F_ALLOW_MULTI,
               uint32_t type = BPF_CGROUP_INET_EGRESS) {
    attach_attr attr;
    attr.target = target;
    attr.program = number(program);
    attr.attach_type = type;
    attr.flags = flags;
    return attr;
}

link_create_attr link_to(uint32_t target, const handle& program) {
    link_create_attr attr;
    attr.prog_fd = number(program);
    attr.target_fd = target;
    attr.attach_type = BPF_CGROUP_INET_EGRESS;
    return attr;
}

// Whose it is.

TEST_F(cgroup_bpf_test, every_cgroup_has_one_of_roots) {
    for (const std::string& directory : {cgroup().root(), cgroup().directory()}) {
        struct stat st = {};
        ASSERT_EQ(::stat((directory + "/cgroup.bpf").c_str(), &st), 0) << directory;
        EXPECT_EQ(st.st_mode & 07777U, 0600U);
        EXPECT_EQ(st.st_uid, 0U);
        EXPECT_EQ(st.st_gid, 0U);
    }
}

TEST_F(cgroup_bpf_test, who_manages_a_cgroup_is_not_given_it) {
    // What systemd gives away with a cgroup: its directory and what the kernel says may go with it.
    EXPECT_EQ(content("/sys/kernel/cgroup/delegate").find("cgroup.bpf"), std::string::npos);
    std::istringstream names(content("/sys/kernel/cgroup/delegate"));
    ASSERT_EQ(::chown(cgroup().directory().c_str(), alice, alice), 0);
    for (std::string name; std::getline(names, name);) {
        (void)!::chown((cgroup() / name).c_str(), alice, alice); // some are of absent controllers
    }
    const std::string child = cgroup() / "child";
    const outcome o = as_user(alice, [&] {
        if (::mkdir(child.c_str(), 0755) != 0) {
            return failed("make a cgroup in it", errno);
        }
        struct stat st = {};
        ::stat((child + "/cgroup.bpf").c_str(), &st);
        const bool all_refused = open_file(file(), O_RDONLY).error() == EACCES &&
                                 open_file(file(), O_WRONLY).error() == EACCES &&
                                 open_file(child + "/cgroup.bpf", O_RDONLY).error() == EACCES &&
                                 ::chmod((child + "/cgroup.bpf").c_str(), 0666) != 0;
        return done("", 0, st.st_uid == 0 && (st.st_mode & 07777U) == 0600U && all_refused);
    });
    EXPECT_EQ(o.error, 0) << o.step;
    EXPECT_TRUE(o.seen);
    ::rmdir(child.c_str());
}

TEST_F(cgroup_bpf_test, a_namespace_that_is_a_delegation_boundary_does_not_open_its_roots) {
    ASSERT_EQ(::mount(nullptr, cgroup().root().c_str(), nullptr, MS_REMOUNT, "nsdelegate"), 0);
    const outcome o = as({0, 0, {}, all_capabilities}, [&] {
        std::ofstream(cgroup() / "cgroup.procs") << 0 << std::flush;
        const int before = open_file(file(), O_WRONLY).error();
        if (::unshare(CLONE_NEWCGROUP) != 0) {
            return failed("cgroup namespace", errno);
        }
        return done("", before,
                    open_file(file(), O_WRONLY).error() == EPERM &&
                        open_file(file(), O_RDONLY).good());
    });
    ASSERT_EQ(::mount(nullptr, cgroup().root().c_str(), nullptr, MS_REMOUNT, ""), 0);
    EXPECT_EQ(o.error, 0) << o.step;
    EXPECT_TRUE(o.seen);
}

TEST_F(cgroup_bpf_test, only_cgroup2_has_it) {
    char name[] = "/tmp/bpffs-cgroup1.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    const bool mounted = ::mount("none", name, "cgroup", 0, "none,name=bpffs-test") == 0;
    const std::string path = name;
    const bool has = ::access((path + "/cgroup.bpf").c_str(), F_OK) == 0;
    const handle procs = open_file(path + "/cgroup.procs", O_RDWR);
    const int error = prog_attach(to(number(procs), filter()));
    ::umount2(name, MNT_DETACH);
    ::rmdir(name);
    BPFFS_NEEDS("cgroup1", mounted ? "" : "cannot be mounted");
    EXPECT_FALSE(has);
    EXPECT_EQ(error, -EBADF) << "another file";
}

// What its descriptor gives.

outcome attach_and_detach(const std::string& path, const handle& program) {
    const handle file = open_file(path, O_WRONLY);
    if (!file.good()) {
        return failed("open", file.error());
    }
    for (const uint32_t flags : {0U, static_cast<uint32_t>(BPF_F_ALLOW_MULTI)}) {
        if (const int e = prog_attach(to(number(file), program, flags)); e != 0) {
            return failed("attach", -e);
        }
        if (const int e = prog_detach(to(number(file), program, 0)); e != 0) {
            return failed("detach", -e);
        }
    }
    return done("link", -link_create(link_to(number(file), program)).error());
}

TEST_F(cgroup_bpf_test, opened_for_writing_it_attaches_and_detaches) {
    const handle program = filter();
    ASSERT_TRUE(program.good());
    const auto attempt = [&] { return attach_and_detach(file(), program); };
    EXPECT_EQ(as(nobody_special, attempt).error, EACCES) << "still root's";
    EXPECT_EQ(as({0, 0, {}, all_capabilities}, attempt).error, 0) << "root";
    give_to_alice();
    const outcome o = as(nobody_special, attempt);
    EXPECT_EQ(o.error, 0) << o.step;
}

TEST_F(cgroup_bpf_test, a_link_says_first_that_it_takes_no_program_of_another_kind) {
    const handle directory = open_file(cgroup().directory(), O_RDONLY | O_DIRECTORY);
    const handle link = link_create(link_to(number(directory), filter()));
    ASSERT_TRUE(link.good()) << link.error();
    const handle same = filter(0);
    const handle other = load(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE);
    ASSERT_TRUE(same.good() && other.good());
    const auto update = [&](const identity& who, const handle& program) {
        return as(who, [&] { return done("update", link_update(link.get(), program.get())); })
            .error;
    };
    EXPECT_EQ(update(nobody_special, other), EINVAL);
    EXPECT_EQ(update(network_admin, other), EINVAL);
    EXPECT_EQ(update(nobody_special, same), EPERM) << "she has not the cgroup";
    EXPECT_EQ(update(network_admin, same), 0);
}

TEST_F(cgroup_bpf_test, gives_the_same_for_other_programs_about_packets) {
    load_options options;
    options.expected_attach_type = BPF_CGROUP_INET_EGRESS;
    const handle program = load_program(BPF_PROG_TYPE_CGROUP_SKB, returns(1), options);
    give_to_alice();
    const outcome o = as(nobody_special, [&] { return attach_and_detach(file(), program); });
    EXPECT_EQ(o.error, 0) << o.step;
}

TEST_F(cgroup_bpf_test, the_directory_gives_nothing) {
    const handle program = filter();
    const handle directory = open_file(cgroup().directory(), O_RDONLY | O_DIRECTORY);
    const auto attr = to(number(directory), program);
    const auto attach = [&] { return done("", prog_attach(attr)); };
    const auto link = [&] {
        return failed("", link_create(link_to(number(directory), program)).error());
    };
    give_to_alice();
    EXPECT_EQ(as(nobody_special, attach).error, EPERM);
    EXPECT_EQ(as(nobody_special, link).error, EPERM);
    EXPECT_EQ(as(network_admin, link).error, 0);
    EXPECT_EQ(as(network_admin, attach).error, 0);
    const auto named = to(number(directory), program, 0);
    EXPECT_EQ(as(nobody_special, [&] { return done("", prog_detach(named)); }).error, EPERM)
        << "the token's capability is for loading";
    EXPECT_EQ(as(network_admin, [&] { return done("", prog_detach(named)); }).error, 0);
}

TEST_F(cgroup_bpf_test, the_direction_counts_for_root_too) {
    const handle program = filter();
    const handle reader = open_file(file(), O_RDONLY);
    const handle writer = open_file(file(), O_WRONLY);
    const handle path = open_file(file(), O_PATH);
    EXPECT_EQ(prog_attach(to(number(reader), program)), -EPERM);
    EXPECT_EQ(link_create(link_to(number(reader), program)).error(), EPERM);
    EXPECT_EQ(prog_attach(to(number(path), program)), -EBADF);
    ASSERT_EQ(prog_attach(to(number(writer), program)), 0);
    EXPECT_EQ(prog_query_count(number(reader), BPF_CGROUP_INET_EGRESS), 1);
    EXPECT_EQ(prog_query_count(number(writer), BPF_CGROUP_INET_EGRESS), -EPERM);
    EXPECT_EQ(prog_query_count(number(path), BPF_CGROUP_INET_EGRESS), -EBADF);
    EXPECT_EQ(prog_detach(to(number(reader), program, 0)), -EPERM);
    EXPECT_EQ(prog_detach(to(number(writer), program, 0)), 0);
}

TEST_F(cgroup_bpf_test, opened_for_reading_it_queries) {
    const handle directory = open_file(cgroup().directory(), O_RDONLY | O_DIRECTORY);
    const auto ask = [&](const std::string& name, int flags) {
        return as(nobody_special,
                  [&] {
                      const handle target = open_file(name, flags);
                      return target.good() ? done("query", prog_query_count(number(target),
                                                                            BPF_CGROUP_DEVICE))
                                           : failed("open", target.error());
                  })
            .error;
    };
    EXPECT_EQ(ask(file(), O_RDONLY), EACCES);
    give_to_alice();
    EXPECT_EQ(ask(file(), O_RDONLY), 0);
    EXPECT_EQ(ask(cgroup().directory(), O_RDONLY), EPERM);
}

TEST_F(cgroup_bpf_test, a_descriptor_that_is_passed_on_keeps_what_it_gives) {
    const handle program = filter();
    const handle writer = open_file(file(), O_WRONLY); // root's
    const outcome o = as(nobody_special,
                         [&] { return done("attach", prog_attach(to(number(writer), program))); });
    EXPECT_EQ(o.error, 0);
    EXPECT_EQ(prog_detach(to(number(writer), program, 0)), 0);
}

TEST_F(cgroup_bpf_test, a_link_made_with_it_is_updated_by_its_holder) {
    const handle program = filter();
    const handle other = filter(0);
    const handle writer = open_file(file(), O_WRONLY);
    const handle directory = open_file(cgroup().directory(), O_RDONLY | O_DIRECTORY);
    const handle by_file = link_create(link_to(number(writer), program));
    const handle by_capability = link_create(link_to(number(directory), program));
    ASSERT_TRUE(by_file.good() && by_capability.good());
    const auto update = [&](const handle& link) {
        return as(nobody_special, [&] { return done("", link_update(link.get(), other.get())); })
            .error;
    };
    EXPECT_EQ(update(by_file), 0);
    EXPECT_EQ(update(by_capability), EPERM);
}

TEST_F(cgroup_bpf_test, detaches_what_root_attached_about_packets) {
    load_options options;
    options.expected_attach_type = BPF_CGROUP_INET_EGRESS;
    const handle program = load_program(BPF_PROG_TYPE_CGROUP_SKB, returns(1), options);
    const handle directory = open_file(cgroup().directory(), O_RDONLY | O_DIRECTORY);
    give_to_alice();
    for (const uint32_t flags : {0U, static_cast<uint32_t>(BPF_F_ALLOW_MULTI)}) {
        ASSERT_EQ(prog_attach(to(number(directory), program, flags)), 0);
        const outcome o = as(nobody_special, [&] {
            const handle writer = open_file(file(), O_WRONLY);
            return done("detach", prog_detach(to(number(writer), program, 0)));
        });
        EXPECT_EQ(o.error, 0);
    }
}

// Setuid programs may run in the cgroup of whoever has the file: only packets are at stake.

struct other_kind {
    uint32_t type;
    uint32_t attach_type;
};

const other_kind other_kinds[] = {
    {BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE},
    {BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETPEERNAME},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG},
    {BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT},
    {BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT},
    {BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL},
    {BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE},
    {BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS},
};

/// Attaches, or detaches, with the cgroup's file opened for writing.
int with_file(const identity& who, const std::string& file, int (*what)(const attach_attr&),
              const handle& program, uint32_t attach_type) {
    return as(who,
              [&] {
                  const handle writer = open_file(file, O_WRONLY);
                  return done("", what(to(number(writer), program, 0, attach_type)));
              })
        .error;
}

void expect_capability_is_needed(const std::string& file, const handle& program, uint32_t type) {
    ASSERT_TRUE(program.good()) << type << " errno " << program.error();
    EXPECT_EQ(with_file(nobody_special, file, prog_attach, program, type), EPERM) << type;
    EXPECT_EQ(with_file(network_admin, file, prog_attach, program, type), 0) << type;
    EXPECT_EQ(with_file(nobody_special, file, prog_detach, program, type), EPERM) << type;
    EXPECT_EQ(with_file(network_admin, file, prog_detach, program, type), 0) << type;
}

TEST_F(cgroup_bpf_test, other_kinds_of_programs_take_the_capability_even_so) {
    give_to_alice();
    for (const other_kind& kind : other_kinds) {
        load_options options;
        options.expected_attach_type = kind.attach_type;
        const handle undelegated = load_program(kind.type, returns(1), options);
        expect_capability_is_needed(file(), undelegated, kind.attach_type);
        expect_capability_is_needed(file(), load(kind.type, kind.attach_type), kind.attach_type);
    }
}

bool bring_loopback_up() {
    const handle sock(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request = {};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return ::ioctl(sock.get(), SIOCSIFFLAGS, &request) == 0; // NOLINT
}

/// Sends itself a datagram: 0 if it arrives.
int send_to_oneself() {
    const handle sock(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address = {};
    socklen_t size = sizeof(address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    char c = 'x';
    if (::bind(sock.get(), any, sizeof(address)) != 0 ||
        ::getsockname(sock.get(), any, &size) != 0) {
        return errno;
    }
    if (::sendto(sock.get(), &c, 1, 0, any, size) != 1) {
        return errno;
    }
    return ::recv(sock.get(), &c, 1, 0) == 1 ? 0 : errno;
}

TEST_F(cgroup_bpf_test, packets_of_privileged_programs_are_dropped_nothing_else_happens) {
    ASSERT_TRUE(bring_loopback_up());
    const handle program = load(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, 0);
    give_to_alice();
    const handle control = open_file(file(), O_WRONLY);
    const auto attr = to(number(control), program, BPF_F_ALLOW_MULTI, BPF_CGROUP_INET_INGRESS);
    ASSERT_EQ(as(nobody_special, [&] { return done("", prog_attach(attr)); }).error, 0);
    // Root in that cgroup, as a setuid program of alice's is.
    const outcome inside = as({0, 0, {}, all_capabilities}, [&] {
        std::ofstream procs(cgroup() / "cgroup.procs");
        procs << 0 << std::flush;
        return procs ? failed("send", send_to_oneself()) : failed("enter the cgroup", EIO);
    });
    const outcome outside =
        as({0, 0, {}, all_capabilities}, [] { return failed("send", send_to_oneself()); });
    EXPECT_EQ(prog_detach(to(number(control), program, 0, BPF_CGROUP_INET_INGRESS)), 0);
    EXPECT_EQ(outside.error, 0);
    EXPECT_EQ(inside.error, EAGAIN) << inside.step;
}

// What it is a descriptor of.

TEST_F(cgroup_bpf_test, ends_with_its_cgroup) {
    const std::string path = cgroup() / "short";
    ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
    const handle both = open_file(path + "/cgroup.bpf", O_RDWR);
    ASSERT_TRUE(both.good());
    ASSERT_EQ(::rmdir(path.c_str()), 0);
    EXPECT_EQ(prog_attach(to(number(both), filter())), -ENOENT);
    EXPECT_EQ(prog_query_count(number(both), BPF_CGROUP_INET_EGRESS), -ENOENT);
    char c = 0;
    EXPECT_EQ(::read(both.get(), &c, 1), -1);
    EXPECT_EQ(errno, ENODEV);
}

/// Uses the file once, wherever it is in its life: 0, or the errno that is none of a vanished file.
int use_vanishing(const std::string& path, const handle& program) {
    const handle both = open_file(path, O_RDWR);
    char text[256];
    if (!both.good()) {
        return both.error() == ENOENT || both.error() == ENODEV ? 0 : both.error();
    }
    if (::read(both.get(), text, sizeof(text)) < 0 && errno != ENODEV) {
        return errno;
    }
    const int attached = prog_attach(to(number(both), program));
    if (attached == 0) {
        prog_detach(to(number(both), program, 0)); // the next use may find the same cgroup
    }
    return attached == 0 || attached == -ENOENT || attached == -ENODEV ? 0 : -attached;
}

TEST_F(cgroup_bpf_test, is_used_while_cgroups_come_and_go) {
    const std::string path = cgroup() / "busy";
    const handle program = filter();
    const pid_t other = ::fork();
    if (other == 0) {
        for (int i = 0; i < 200; i++) {
            ::mkdir(path.c_str(), 0755);
            ::rmdir(path.c_str());
        }
        ::_exit(0);
    }
    int error = 0;
    while (error == 0 && ::waitpid(other, nullptr, WNOHANG) == 0) {
        error = use_vanishing(path + "/cgroup.bpf", program);
    }
    EXPECT_EQ(error, 0);
    ::waitpid(other, nullptr, 0);
    ::rmdir(path.c_str());
}

TEST_F(cgroup_bpf_test, is_in_threaded_cgroups) {
    const std::string path = cgroup() / "threads";
    ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
    std::ofstream(path + "/cgroup.type") << "threaded";
    EXPECT_EQ(content(path + "/cgroup.type"), "threaded\n");
    const outcome o = as({0, 0, {}, all_capabilities},
                         [&] { return attach_and_detach(path + "/cgroup.bpf", filter()); });
    EXPECT_EQ(o.error, 0) << o.step;
    ::rmdir(path.c_str());
}

TEST_F(cgroup_bpf_test, is_no_cgroup_to_others) {
    const handle array = create_map(BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 1);
    const handle writer = open_file(file(), O_RDWR);
    const handle directory = open_file(cgroup().directory(), O_RDONLY | O_DIRECTORY);
    const uint32_t key = 0;
    const auto insert = [&](const handle& cgroup) {
        const uint32_t value = number(cgroup);
        return map_update(array.get(), &key, &value);
    };
    EXPECT_EQ(insert(writer), -EBADF);
    EXPECT_EQ(insert(directory), 0);
}

TEST_F(cgroup_bpf_test, nothing_can_be_written) {
    const handle writer = open_file(file(), O_WRONLY);
    EXPECT_EQ(::write(writer.get(), "1", 1), -1);
    EXPECT_EQ(errno, EINVAL);
}

// What it lists.

TEST_F(cgroup_bpf_test, lists_what_is_attached) {
    EXPECT_EQ(content(file()), "");
    const handle program = filter();
    const handle linked = filter(0);
    const handle writer = open_file(file(), O_WRONLY);
    ASSERT_EQ(prog_attach(to(number(writer), program)), 0);
    const handle link = link_create(link_to(number(writer), linked));
    object_ids first;
    object_ids second;
    object_ids its_link;
    ASSERT_EQ(prog_ids(program.get(), first), 0);
    ASSERT_EQ(prog_ids(linked.get(), second), 0);
    ASSERT_EQ(link_ids(link.get(), its_link), 0);
    std::ostringstream expected;
    expected << "cgroup_inet_egress prog_id=" << first.id << " mode=multi\n"
             << "cgroup_inet_egress prog_id=" << second.id << " link_id=" << its_link.id
             << " mode=multi\n";
    EXPECT_EQ(content(file()), expected.str());
    EXPECT_EQ(prog_detach(to(number(writer), program, 0)), 0);

    const handle device = load(BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE);
    ASSERT_EQ(prog_attach(to(number(writer), device, BPF_F_ALLOW_OVERRIDE, BPF_CGROUP_DEVICE)), 0);
    EXPECT_NE(content(file()).find("cgroup_device prog_id="), std::string::npos);
    EXPECT_NE(content(file()).find("mode=override\n"), std::string::npos);
    EXPECT_EQ(prog_detach(to(number(writer), device, 0, BPF_CGROUP_DEVICE)), 0);
}

TEST_F(cgroup_bpf_test, lists_more_than_a_page) {
    std::vector<handle> links;
    const handle writer = open_file(file(), O_WRONLY);
    for (int i = 0; i < 64; i++) {
        links.push_back(link_create(link_to(number(writer), filter())));
        ASSERT_TRUE(links.back().good());
    }
    const std::string all = content(file());
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 64);
    EXPECT_EQ(content(cgroup().root() + "/cgroup.bpf").find("cgroup_inet_egress"),
              std::string::npos)
        << "the parent's are its own";
}

} // namespace

} // namespace bpffs_test
