// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Each allocation on the way of a call fails once, the first, the second and so on, until the call
// is through: it must answer ENOMEM, leave nothing behind, and work the next time. Needs a kernel
// with failslab (kernel-patches/build --debug), whose log and leak detector see the rest.

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

constexpr int enotsupp = 524;   // the kernel's own, for a program that the JIT has no memory for
constexpr unsigned most = 3000; // allocations of one call; there are far fewer
const std::string owned = "fmode,uid=1000,gid=1000,mode=0700,nr_inodes=50,"
                          "delegate_cmds=0xffffffff,delegate_maps=0xffffffff,"
                          "delegate_progs=0xffffffff,delegate_attachs=0xffffffffffffffff,"
                          "delegate_caps=bpf";

void write_word(const std::string& file, const std::string& word) {
    std::ofstream(file) << word;
}

/// Allocations that may wait fail, too, and without a stack trace in the log, while this exists.
class failing_allocations {
public:
    failing_allocations() { set({"N", "0", "0"}); }
    failing_allocations(const failing_allocations&) = delete;
    failing_allocations& operator=(const failing_allocations&) = delete;
    failing_allocations(failing_allocations&&) = delete;
    failing_allocations& operator=(failing_allocations&&) = delete;
    ~failing_allocations() { set({"Y", "2", "1"}); } // as at boot

private:
    struct settings {
        const char* ignore_wait;
        const char* verbose;
        const char* least_order;
    };
    static void set(const settings& wanted) {
        for (const char* kind : {"failslab", "fail_page_alloc"}) {
            const std::string directory = std::string("/sys/kernel/debug/") + kind;
            write_word(directory + "/ignore-gfp-wait", wanted.ignore_wait);
            write_word(directory + "/verbose", wanted.verbose);
        }
        write_word("/sys/kernel/debug/fail_page_alloc/min-order", wanted.least_order);
    }
};

/// The calling thread's next allocations: the nth one fails.
class nth_failure {
public:
    [[nodiscard]] bool good() const { return file_.good(); }
    bool arm(unsigned n) const {
        const std::string word = std::to_string(n);
        return ::pwrite(file_.get(), word.c_str(), word.size(), 0) ==
               static_cast<ssize_t>(word.size());
    }
    /// Has it failed? Nothing fails any more.
    [[nodiscard]] bool disarm() const {
        char word[16] = {};
        const bool injected = ::pread(file_.get(), word, sizeof(word) - 1, 0) > 0 && word[0] == '0';
        return arm(0) && injected;
    }

private:
    handle file_ = open_file("/proc/thread-self/fail-nth", O_RDWR);
};

struct attempt {
    std::function<int()> call;                         ///< negative: -errno
    std::function<void()> undo = [] {};                ///< after success
    std::function<bool()> clean = [] { return true; }; ///< after failure: is all as before?
    std::vector<int> errors = {ENOMEM};
};

/// What says that there is no memory: bpffs has always called an inode that it cannot have ENOSPC.
const std::vector<int> no_memory_for_inodes = {ENOMEM, ENOSPC};

/// seen: at least one allocation failed, and the call with it.
outcome walk(const attempt& tried) {
    const nth_failure failure;
    outcome result;
    if (!failure.good()) {
        return failed("fail-nth", EACCES);
    }
    for (unsigned n = 1; n < most; n++) {
        const std::string step = "allocation " + std::to_string(n);
        failure.arm(n);
        const int value = tried.call();
        const bool injected = failure.disarm();
        if (value < 0) {
            if (std::find(tried.errors.begin(), tried.errors.end(), -value) == tried.errors.end()) {
                return failed(step.c_str(), -value);
            }
            if (!injected) {
                return failed((step + ": by itself").c_str(), -value);
            }
            if (!tried.clean()) {
                return failed((step + ": left something").c_str(), EEXIST);
            }
            result.seen = true;
        } else {
            tried.undo();
        }
        if (!injected) {
            return result;
        }
    }
    return failed("there is no end", E2BIG);
}

/// How many more files and directories a mount takes.
uint64_t room_in(const bpffs_mount& mount) {
    struct statfs about = {};
    return ::statfs(mount.directory().c_str(), &about) == 0 ? about.f_ffree : 0;
}

/// A creation of this file, on a mount with nr_inodes: when it fails nothing is there, and as much
/// room as before, neither less nor more.
attempt creation(const bpffs_mount& mount, const std::string& path, std::function<int()> call) {
    attempt tried;
    tried.errors = no_memory_for_inodes;
    tried.call = std::move(call);
    tried.undo = [path] { ::remove(path.c_str()); };
    tried.clean = [&mount, path, room = room_in(mount)] {
        return ::access(path.c_str(), F_OK) != 0 && room_in(mount) == room;
    };
    return tried;
}

int closed(const handle& fd) {
    return fd.good() ? 0 : -fd.error();
}

class fault_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "fmode", "token", "pin_mode",
                                 "nr_inodes", "failslab"}) {
            BPFFS_NEEDS(need);
        }
    }

    /// As alice, on a mount of hers.
    static void expect_recovery(const attempt& tried) {
        const failing_allocations on;
        const outcome o = as_user(alice, [&] { return walk(tried); });
        EXPECT_EQ(o.error, 0) << "at " << o.step;
        EXPECT_TRUE(o.seen) << "no allocation failed";
    }

    static void expect_recovery_as_root(const attempt& tried) {
        const failing_allocations on;
        const outcome o = walk(tried);
        EXPECT_EQ(o.error, 0) << "at " << o.step;
        EXPECT_TRUE(o.seen) << "no allocation failed";
    }
};

TEST_F(fault_test, mounting_with_the_options) {
    char directory[] = "/tmp/bpffs-fault.XXXXXX";
    ASSERT_NE(::mkdtemp(directory), nullptr);
    attempt tried;
    tried.call = [&] { return ::mount("bpf", directory, "bpf", 0, owned.c_str()) ? -errno : 0; };
    tried.undo = [&] { ::umount(directory); };
    tried.clean = [&] { return mount_options(directory).empty(); };
    expect_recovery_as_root(tried);
    ::rmdir(directory);
}

TEST_F(fault_test, remounting_with_fmode) {
    const bpffs_mount mount("");
    attempt tried;
    tried.call = [&] { return mount.remount("fmode"); };
    expect_recovery_as_root(tried);
    EXPECT_TRUE(has_option(mount_options(mount.directory()), "fmode"));
}

TEST_F(fault_test, token_from_a_directory) {
    const bpffs_mount mount(owned);
    ASSERT_EQ(mount.error(), 0);
    const handle directory = open_file(mount.directory(), O_PATH);
    attempt tried;
    tried.errors = no_memory_for_inodes;
    tried.call = [&] { return closed(token_create(directory.get())); };
    expect_recovery(tried);
}

TEST_F(fault_test, creating_with_a_token) {
    const bpffs_mount mount(owned);
    ASSERT_EQ(mount.error(), 0);
    const handle directory = open_file(mount.directory(), O_PATH);
    const handle token = token_create(directory.get());
    ASSERT_TRUE(token.good());
    map_create_attr attr;
    attr.map_type = BPF_MAP_TYPE_HASH;
    attr.key_size = attr.value_size = 8;
    attr.max_entries = 4;
    attr.map_flags = flag_token_fd;
    attr.map_token_fd = token.get();
    attempt tried;
    tried.call = [&] { return closed(create_map(attr)); };
    expect_recovery(tried);
    tried.call = [&] { return closed(btf_load(small_btf(), token.get())); };
    expect_recovery(tried);
}

TEST_F(fault_test, pinning) {
    const bpffs_mount mount(owned);
    ASSERT_EQ(mount.error(), 0);
    const std::string path = mount / "new";
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
    expect_recovery(creation(mount, path, [&] { return pin(map.get(), path); }));
    expect_recovery(creation(mount, path, [&] { return pin_with_mode(map.get(), path, 0640); }));
}

TEST_F(fault_test, making_directories_and_links_within_a_bound) {
    // One is all that fits: were a failed one still counted, the next would be ENOSPC.
    const bpffs_mount mount("fmode,uid=1000,mode=0700,nr_inodes=2");
    ASSERT_EQ(mount.error(), 0);
    const std::string path = mount / "new";
    expect_recovery(
        creation(mount, path, [&] { return ::mkdir(path.c_str(), 0700) != 0 ? -errno : 0; }));
    expect_recovery(
        creation(mount, path, [&] { return ::symlink("target", path.c_str()) != 0 ? -errno : 0; }));
}

class fault_open_test : public fault_test {
protected:
    void SetUp() override {
        ASSERT_NO_FATAL_FAILURE(fault_test::SetUp());
        if (IsSkipped()) {
            return;
        }
        ASSERT_EQ(mount_.error(), 0);
        // Whatever the umask is.
        ASSERT_EQ(pin(map_.get(), mount_ / "map"), 0);
        ASSERT_EQ(pin(program_.get(), mount_ / "program"), 0);
        ASSERT_EQ(::chmod((mount_ / "map").c_str(), 0666), 0);
        ASSERT_EQ(::chmod((mount_ / "program").c_str(), 0666), 0);
    }

    // NOLINTBEGIN(misc-non-private-member-variables-in-classes)
    bpffs_mount mount_{"fmode,mode=0755"};
    handle map_ = create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
    handle program_ = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(-1));
    // NOLINTEND(misc-non-private-member-variables-in-classes)
};

TEST_F(fault_open_test, opening_for_reading_and_for_writing) {
    for (const char* name : {"map", "program"}) {
        for (const uint32_t flags : {BPF_F_RDONLY, BPF_F_WRONLY}) {
            attempt tried;
            tried.call = [&] { return closed(get(mount_ / name, flags)); };
            expect_recovery(tried);
        }
    }
}

TEST_F(fault_open_test, program_that_reads) {
    BPFFS_NEEDS("reader_programs");
    const handle reader = get(mount_ / "map", BPF_F_RDONLY);
    ASSERT_TRUE(reader.good());
    attempt tried;
    tried.call = [&] {
        return closed(load_program(BPF_PROG_TYPE_SOCKET_FILTER, reads_first_value(reader.get())));
    };
    // Since 6.9 bpf(2) says EINVAL where there is no memory for the program itself.
    tried.errors = {ENOMEM, EINVAL, enotsupp};
    expect_recovery_as_root(tried);
}

TEST_F(fault_open_test, attaching_to_a_socket) {
    const handle program = get(mount_ / "program", BPF_F_WRONLY);
    ASSERT_TRUE(program.good());
    const int fd = program.get();
    const handle socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    attempt tried;
    tried.call = [&] {
        return ::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)) != 0 ? -errno
                                                                                           : 0;
    };
    expect_recovery(tried);
}

TEST_F(fault_open_test, attaching_to_a_cgroup) {
    const char* directory = "/sys/fs/cgroup/bpffs-fault";
    BPFFS_NEEDS("cgroup2", ::mkdir(directory, 0755) == 0 ? "" : "no cgroup can be made");
    const handle made = load_program(BPF_PROG_TYPE_CGROUP_SKB, returns(1));
    ASSERT_EQ(pin(made.get(), mount_ / "skb"), 0);
    const handle program = get(mount_ / "skb", BPF_F_WRONLY);
    const handle target = open_file(directory, O_RDONLY | O_DIRECTORY);
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.target_fd = static_cast<uint32_t>(target.get());
    attr.attach_type = BPF_CGROUP_INET_INGRESS;
    attempt tried;
    tried.call = [&] { return closed(link_create(attr)); };
    expect_recovery_as_root(tried);
    ::rmdir(directory);
}

} // namespace

} // namespace bpffs_test
