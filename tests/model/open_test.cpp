// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Opening a pin: whom the mode lets in and how far, through which mounts, and which error comes
// first.

#include <array>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <linux/if_link.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operation.hpp"
#include "support/probe.hpp"

namespace bpffs_test {

namespace {

constexpr uint32_t reading = BPF_F_RDONLY;
constexpr uint32_t writing = BPF_F_WRONLY;
constexpr std::array<uint32_t, 3> all_accesses = {reading, writing, 0};

handle make(object_kind kind) {
    switch (kind) {
    case object_kind::map:
        return create_map(BPF_MAP_TYPE_HASH, 4, 8, 1);
    case object_kind::program:
        return load_program(BPF_PROG_TYPE_SCHED_CLS, returns(0));
    case object_kind::link:
        break;
    }
    const handle program = load_iterator("bpf_map", returns(0));
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.attach_type = BPF_TRACE_ITER;
    return link_create(attr);
}

class open_test : public testing::TestWithParam<object_kind> {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs"}) {
            BPFFS_NEEDS(need);
        }
        const handle object = make(GetParam());
        BPFFS_NEEDS(std::string("make_") + name_of(GetParam()),
                    object.good() ? "" : "errno " + std::to_string(object.error()));
    }

    static void pin_on(const std::string& path, mode_t mode) {
        ASSERT_EQ(pin(make(GetParam()).get(), path), 0);
        ASSERT_EQ(::chown(path.c_str(), alice, alice), 0);
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    }

    static int open_as(const identity& who, const std::string& path, uint32_t flags) {
        return as(who, [&] { return failed("open", get(path, flags).error()); }).error;
    }
};

/// owner, group member, everybody else
const std::array<identity, 3> classes = {identity{alice, bob, {}, 0},
                                         identity{bob, bob, {alice}, 0}, identity{bob, bob, {}, 0}};

bool bits_allow(unsigned bits, uint32_t flags) {
    return (flags == writing || (bits & 4U) != 0) && (flags == reading || (bits & 2U) != 0);
}

TEST_P(open_test, owner_group_and_mode_decide) {
    BPFFS_NEEDS("fmode");
    const bpffs_mount mount("fmode,mode=0755");
    for (unsigned who = 0; who < classes.size(); who++) {
        for (unsigned bits = 0; bits < 8; bits += 2) {
            // Only the bits of the caller's own class count: the others say the opposite.
            const unsigned shift = 6 - 3 * who;
            const mode_t mode = (0666U & ~(7U << shift) & (bits == 0 ? 0666U : 0U)) | bits << shift;
            const std::string path = mount / ("pin" + std::to_string(who) + std::to_string(bits));
            pin_on(path, mode);
            for (const uint32_t flags : all_accesses) {
                EXPECT_EQ(open_as(classes[who], path, flags), bits_allow(bits, flags) ? 0 : EACCES)
                    << std::oct << mode << " class " << who << " " << name_of_access(flags);
            }
        }
    }
}

TEST_P(open_test, root_passes_modes_but_gets_what_it_asked_for) {
    BPFFS_NEEDS("fmode");
    const bpffs_mount mount("fmode,mode=0755");
    pin_on(mount / "p", 0);
    for (const uint32_t flags : all_accesses) {
        const handle opened = get(mount / "p", flags);
        ASSERT_TRUE(opened.good()) << opened.error();
        const int expected = flags == reading ? O_RDONLY : flags == writing ? O_WRONLY : O_RDWR;
        EXPECT_EQ(::fcntl(opened.get(), F_GETFL) & O_ACCMODE, expected); // NOLINT
        EXPECT_EQ(pin(opened.get(), mount / "again"), flags == 0 ? 0 : -EPERM);
    }
    EXPECT_EQ(get(mount / "p", reading | writing).error(), EINVAL);
}

TEST_P(open_test, search_permission_on_the_way_is_needed) {
    BPFFS_NEEDS("fmode");
    const bpffs_mount mount("fmode,mode=0755");
    ASSERT_EQ(::mkdir((mount / "closed").c_str(), 0700), 0);
    pin_on(mount / "closed/p", 0666);
    for (const uint32_t flags : all_accesses) {
        EXPECT_EQ(open_as(identity{}, mount / "closed/p", flags), EACCES);
    }
    EXPECT_EQ(open_as(identity{}, mount / "absent", reading), ENOENT);
}

TEST_P(open_test, a_read_only_mount_gives_readers_only) {
    BPFFS_NEEDS("fmode");
    const bpffs_mount mount("fmode,mode=0755");
    pin_on(mount / "p", 0666);
    const bind_mount view(mount.directory(), mount_access::read_only);
    ASSERT_EQ(view.error(), 0);
    for (const auto& [uid, expected] : {std::pair{alice, EROFS}, std::pair{uid_t{0}, EROFS}}) {
        const identity who{uid, uid, {}, uid == 0 ? all_capabilities : 0};
        EXPECT_EQ(open_as(who, view / "p", reading), 0);
        EXPECT_EQ(open_as(who, view / "p", writing), expected);
        EXPECT_EQ(open_as(who, view / "p", 0), expected);
        EXPECT_EQ(open_as(who, mount / "p", 0), 0) << "the mount itself";
    }
    EXPECT_EQ(pin(make(GetParam()).get(), view / "new"), -EROFS);
}

TEST_P(open_test, without_fmode_a_read_only_bind_mount_is_no_obstacle) {
    const bpffs_mount mount("mode=0755");
    pin_on(mount / "p", 0666);
    const bind_mount view(mount.directory(), mount_access::read_only);
    ASSERT_EQ(view.error(), 0);
    EXPECT_EQ(open_as(identity{}, view / "p", 0), 0);
    EXPECT_EQ(pin(make(GetParam()).get(), view / "new"), -EROFS);
}

TEST_P(open_test, without_fmode_handles_are_as_ever) {
    const bpffs_mount mount("mode=0755");
    pin_on(mount / "p", 0666);
    const handle reader = get(mount / "p", reading);
    if (GetParam() == object_kind::link) {
        EXPECT_EQ(reader.error(), EINVAL);
        return;
    }
    ASSERT_TRUE(reader.good()) << reader.error();
    const int access = ::fcntl(reader.get(), F_GETFL) & O_ACCMODE; // NOLINT
    EXPECT_EQ(access, GetParam() == object_kind::map ? O_RDONLY : O_RDWR);
    EXPECT_EQ(pin(reader.get(), mount / "again"), 0);
}

INSTANTIATE_TEST_SUITE_P(kinds, open_test,
                         testing::Values(object_kind::map, object_kind::program, object_kind::link),
                         [](const auto& test) { return std::string(name_of(test.param)); });

// `cat` of a pinned iterator: the file itself is opened, and its mode decides, on any mount.

class iterator_file_test : public testing::TestWithParam<const char*> {};

TEST_P(iterator_file_test, is_read_by_those_who_may_read) {
    for (const char* need : {"root", "namespaces", "bpf", "bpffs"}) {
        BPFFS_NEEDS(need);
    }
    const handle link = make(object_kind::link);
    BPFFS_NEEDS("make_link", link.good() ? "" : "errno " + std::to_string(link.error()));
    const bpffs_mount mount(GetParam());
    ASSERT_EQ(pin(link.get(), mount / "i"), 0);
    for (const auto& [mode, expected] : {std::pair{0444U, 0}, std::pair{0222U, EACCES}}) {
        ASSERT_EQ(::chmod((mount / "i").c_str(), mode), 0);
        const outcome o = as_user(alice, [&] {
            const handle file = open_file(mount / "i", O_RDONLY);
            char buffer[64];
            return file.good()
                       ? done("read", ::read(file.get(), buffer, sizeof(buffer)) < 0 ? -errno : 0)
                       : failed("open", file.error());
        });
        EXPECT_EQ(o.error, expected) << std::oct << mode << " " << o.step;
    }
}

INSTANTIATE_TEST_SUITE_P(mounts, iterator_file_test,
                         testing::Values("mode=0755", "fmode,mode=0755"), [](const auto& test) {
                             return has_option(test.param, "fmode") ? "fmode" : "plain";
                         });

// The kind of an object is looked at before its rights: EINVAL, whatever the handle may.

class kind_first_test : public testing::TestWithParam<uint32_t> {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "fmode"}) {
            BPFFS_NEEDS(need);
        }
    }
};

TEST_P(kind_first_test, wrong_objects_are_invalid) {
    const bpffs_mount mount("fmode");
    ASSERT_EQ(pin(make(object_kind::map).get(), mount / "map"), 0);
    ASSERT_EQ(pin(make(object_kind::program).get(), mount / "program"), 0);
    const handle map = get(mount / "map", GetParam());
    const handle program = get(mount / "program", GetParam());
    ASSERT_TRUE(map.good() && program.good());
    uint64_t key = 0;
    EXPECT_EQ(map_lookup(program.get(), &key, &key), -EINVAL);
    EXPECT_EQ(map_freeze(program.get()), -EINVAL);
    EXPECT_EQ(prog_test_run(map.get(), run_input::packet), -EINVAL);
    EXPECT_EQ(link_update(map.get(), program.get()), -EINVAL);
    EXPECT_EQ(link_detach(program.get()), -EINVAL);
    EXPECT_EQ(iter_create(program.get()).error(), EINVAL);
    EXPECT_EQ(raw_tracepoint_open("sched_switch", map.get()).error(), EINVAL);
}

TEST_P(kind_first_test, a_program_of_another_type_is_invalid) {
    const bpffs_mount mount("fmode");
    ASSERT_EQ(pin(make(object_kind::program).get(), mount / "program"), 0);
    const handle program = get(mount / "program", GetParam());
    const handle sock(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    const int fd = program.get();
    ASSERT_EQ(::setsockopt(sock.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
    for (const int option : {SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_EBPF}) {
        EXPECT_NE(::setsockopt(sock.get(), SOL_SOCKET, option, &fd, sizeof(fd)), 0);
        EXPECT_EQ(errno, EINVAL) << option;
    }
}

INSTANTIATE_TEST_SUITE_P(accesses, kind_first_test, testing::ValuesIn(all_accesses),
                         [](const auto& test) { return std::string(name_of_access(test.param)); });

} // namespace

} // namespace bpffs_test
