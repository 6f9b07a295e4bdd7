// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Two processes do everything that can be done with names of a bpffs to the same few names, at once
// and many times: nothing may be counted wrong, no handle may be more than it was opened as, and
// no call may give an error that it should not (nor a line in the kernel's log, which
// tests/vm/run looks at).

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

constexpr unsigned rounds = 4000;
constexpr unsigned inodes = 6; // fewer than the racers want
const std::array<const char*, 4> names = {"a", "b", "c", "d"};

/// One of the two. Everything it does is drawn from its seed.
class racer {
public:
    racer(const bpffs_mount& mount, unsigned seed) : mount_(mount), dice_(seed) {}

    /// 0, or the errno that no call may give; `step` says which call.
    outcome run() {
        using move = outcome (racer::*)();
        const std::array<move, 9> moves = {&racer::pins,    &racer::pins,     &racer::opens,
                                           &racer::opens,   &racer::chmods,   &racer::unlinks,
                                           &racer::renames, &racer::remounts, &racer::makes};
        if (!map_.good()) {
            return failed("create", map_.error());
        }
        for (unsigned i = 0; i < rounds; i++) {
            const outcome o = (this->*moves[dice_() % moves.size()])();
            if (o.error != 0) {
                return o;
            }
        }
        return {};
    }

private:
    std::string name() { return mount_ / names[dice_() % names.size()]; }

    static outcome allow(const char* step, int value, std::initializer_list<int> errors) {
        const bool fine =
            value >= 0 || std::find(errors.begin(), errors.end(), -value) != errors.end();
        return fine ? outcome{} : failed(step, -value);
    }
    static int result(int value) { return value < 0 ? -errno : value; }

    outcome pins() {
        return allow("pin", pin_with_mode(map_.get(), name(), dice_() & 0777U),
                     {EEXIST, ENOSPC, ENOENT});
    }

    outcome opens() {
        const std::array<uint32_t, 3> ways = {0, BPF_F_RDONLY, BPF_F_WRONLY};
        const uint32_t flags = ways[dice_() % ways.size()];
        const handle opened = get(name(), flags);
        // A directory is no object: EACCES.
        const outcome o = allow("open", opened.good() ? 0 : -opened.error(), {ENOENT, EACCES});
        return o.error != 0 || !opened.good() ? o : uses(opened.get(), flags);
    }

    static outcome uses(int fd, uint32_t flags) {
        const uint32_t key = 0;
        uint32_t value = 0;
        const bool read = flags != BPF_F_WRONLY;
        const bool write = flags != BPF_F_RDONLY;
        if (map_lookup(fd, &key, &value) != (read ? 0 : -EPERM)) {
            return failed("look-up", EPROTO);
        }
        if (map_update(fd, &key, &value) != (write ? 0 : -EPERM)) {
            return failed("update", EPROTO);
        }
        return {};
    }

    outcome chmods() {
        return allow("chmod", result(::chmod(name().c_str(), dice_() & 0777U)), {ENOENT});
    }
    outcome unlinks() {
        const std::string path = name();
        // EPERM or EISDIR, ENOTDIR: what the name is may change between the two calls.
        const outcome o = allow("unlink", result(::unlink(path.c_str())), {ENOENT, EISDIR, EPERM});
        return o.error != 0 ? o : allow("rmdir", result(::rmdir(path.c_str())), {ENOENT, ENOTDIR});
    }
    outcome renames() {
        return allow("rename", result(::rename(name().c_str(), name().c_str())),
                     {ENOENT, EISDIR, ENOTDIR, EEXIST, EBUSY});
    }
    outcome remounts() { return allow("remount", mount_.remount("fmode"), {EBUSY}); }
    outcome makes() {
        return allow("mkdir", result(::mkdir(name().c_str(), 0755)), {EEXIST, ENOSPC});
    }

    const bpffs_mount& mount_;
    std::minstd_rand dice_;
    handle map_ = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
};

uint64_t free_inodes(const bpffs_mount& mount) {
    struct statfs room = {};
    return ::statfs(mount.directory().c_str(), &room) == 0 ? room.f_ffree : ~0ULL;
}

void remove_all(const bpffs_mount& mount) {
    for (const char* name : names) {
        ::unlink((mount / name).c_str());
        ::rmdir((mount / name).c_str());
    }
}

class race_test : public testing::TestWithParam<unsigned> {
protected:
    void SetUp() override {
        for (const char* need :
             {"root", "namespaces", "bpf", "bpffs", "fmode", "pin_mode", "nr_inodes"}) {
            BPFFS_NEEDS(need);
        }
    }
};

TEST_P(race_test, two_processes_on_the_same_names) {
    const bpffs_mount mount("fmode,mode=0755,nr_inodes=" + std::to_string(inodes));
    ASSERT_EQ(mount.error(), 0);
    const uint64_t before = free_inodes(mount);
    const pid_t other = ::fork();
    ASSERT_GE(other, 0);
    if (other == 0) {
        const outcome o = racer(mount, 2 * GetParam() + 1).run();
        if (o.error != 0) {
            ::perror(o.step);
        }
        ::_exit(o.error);
    }
    const outcome o = racer(mount, 2 * GetParam()).run();
    int status = 0;
    ASSERT_EQ(::waitpid(other, &status, 0), other);
    EXPECT_EQ(o.error, 0) << "at " << o.step;
    EXPECT_EQ(status, 0) << "the other one: errno " << WEXITSTATUS(status);
    remove_all(mount);
    EXPECT_EQ(free_inodes(mount), before) << "files are counted wrong";
}

INSTANTIATE_TEST_SUITE_P(seeds, race_test, testing::Range(1U, 4U));

} // namespace

} // namespace bpffs_test
