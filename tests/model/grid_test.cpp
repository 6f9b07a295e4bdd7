// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Tries the grid (grid.hpp). With BPFFS_GRID set each case is told in a line, for
// tests/model/matrix, which makes a page of them:
//   case OBJECT KIND MOUNT WHO HANDLE USE NEEDED EXPECTED FOUND

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>

#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grid.hpp"
#include "support/probe.hpp"

namespace bpffs_test {

namespace {

constexpr gid_t group = 3000;
constexpr mode_t mode_for_opening = 0640; // owner: all, group: read, others: nothing
constexpr size_t uses_at_most = 32;

struct somebody {
    const char* name;
    identity who;
    unsigned bits; ///< of mode_for_opening: 6, 4 or 0
    bool own_namespace = false;
};

const std::array<somebody, 6>& everybody() {
    static const uint64_t all_but_modes =
        all_capabilities & ~(1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH);
    static const std::array<somebody, 6> list = {{
        {"owner", {alice, alice, {}, 0}, 6},
        {"group", {bob, bob, {group}, 0}, 4},
        {"other", {bob, bob, {}, 0}, 0},
        {"root", {0, 0, {}, all_capabilities}, 6},
        {"root without CAP_DAC_OVERRIDE", {0, 0, {}, all_but_modes}, 0},
        {"root of a user namespace", {bob, bob, {}, 0}, 0, true},
    }};
    return list;
}

constexpr std::array<uint32_t, 3> handles = {BPF_F_RDONLY, BPF_F_WRONLY, 0};

/// What each use gave, by its number; -1: it was not come to.
using results = std::array<int, uses_at_most>;

/// Memory that a child writes and its parent reads.
class shared_results {
public:
    shared_results()
        : memory_(::mmap(nullptr, sizeof(results), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        get().fill(-1);
    }
    shared_results(const shared_results&) = delete;
    shared_results& operator=(const shared_results&) = delete;
    shared_results(shared_results&&) = delete;
    shared_results& operator=(shared_results&&) = delete;
    ~shared_results() { ::munmap(memory_, sizeof(results)); }
    [[nodiscard]] results& get() const { return *static_cast<results*>(memory_); }

private:
    void* memory_;
};

std::string name_of_error(int error) {
    if (error == 0) {
        return "works";
    }
    const char* name = ::strerrorname_np(error);
    return name != nullptr ? name : std::to_string(error); // the kernel's own, 524
}

class grid_test : public testing::TestWithParam<grid_kind> {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs"}) {
            BPFFS_NEEDS(need);
        }
        const handle object = fresh();
        BPFFS_NEEDS("make_" + GetParam().name,
                    object.good() ? "" : "errno " + std::to_string(object.error()));
    }

    /// In a network namespace where nothing is attached.
    static handle fresh() {
        return ::unshare(CLONE_NEWNET) == 0 ? GetParam().make() : handle(-errno);
    }

    void try_all(const std::string& mount, bool binds) {
        const bpffs_mount place((binds ? "fmode,mode=0755" : "mode=0755"));
        ASSERT_EQ(place.error(), 0);
        mount_ = mount;
        for (const somebody& one : everybody()) {
            for (const uint32_t flags : handles) {
                try_opening(place, one, flags, binds);
                try_uses(place, one, flags, binds);
            }
        }
        EXPECT_EQ(differences_, 0U) << "of " << cases_ << " cases";
    }

private:
    /// What one person gets done: by the handle of a pin, or (no path) by the maker's own.
    results use(const somebody& one, const handle& object, const std::string& pinned,
                uint32_t flags, const surroundings& s) const {
        const shared_results shared;
        const outcome o = as(one.who, [&] {
            if (one.own_namespace && ::unshare(CLONE_NEWUSER) != 0) {
                return failed("namespace", errno);
            }
            const handle opened = pinned.empty() ? handle() : get(pinned, flags);
            if (!pinned.empty() && !opened.good()) {
                return failed("open", opened.error());
            }
            const int fd = pinned.empty() ? object.get() : opened.get();
            for (size_t i = 0; i < GetParam().uses.size(); i++) {
                shared.get().at(i) = GetParam().uses[i].call(fd, s);
            }
            return outcome{};
        });
        EXPECT_EQ(o.error, 0) << o.step;
        return shared.get();
    }

    /// All that is used with a new object, and the object; `name` is where it is pinned.
    results try_new(const bpffs_mount& place, const somebody& one, bool by_pin, uint32_t flags) {
        const handle object = fresh();
        const handle partner =
            GetParam().make_partner ? GetParam().make_partner(object.get()) : handle();
        const own_cgroup own;
        const handle cgroup = open_file(own.directory(), 0);
        const std::string directory = place / std::to_string(count_++);
        ::mkdir(directory.c_str(), 0700);
        ::chmod(directory.c_str(), 0777);
        const std::string path = directory + "/victim";
        pin(object.get(), path);
        ::chmod(path.c_str(), 0666);
        return use(one, object, by_pin ? path : "", flags, {directory, &partner, &cgroup});
    }

    void try_opening(const bpffs_mount& place, const somebody& one, uint32_t flags, bool binds) {
        const std::string path = place / ("open" + std::to_string(count_++));
        ASSERT_EQ(pin(fresh().get(), path), 0);
        ASSERT_EQ(::chown(path.c_str(), alice, group), 0);
        ASSERT_EQ(::chmod(path.c_str(), mode_for_opening), 0);
        const unsigned wanted =
            (flags != BPF_F_WRONLY ? 4U : 0U) | (flags != BPF_F_RDONLY ? 2U : 0U);
        int expected = (one.bits & wanted) == wanted ? 0 : EACCES;
        if (expected == 0 && !binds && flags != 0 && GetParam().object == object_kind::link) {
            expected = EINVAL;
        }
        const int found = as(one.who, [&] {
                              if (one.own_namespace && ::unshare(CLONE_NEWUSER) != 0) {
                                  return failed("namespace", errno);
                              }
                              return failed("open", get(path, flags).error());
                          }).error;
        judge(one, flags, "open a file of mode 0640", "mode", {expected}, found);
    }

    void try_uses(const bpffs_mount& place, const somebody& one, uint32_t flags, bool binds) {
        if (!binds && flags != 0 && GetParam().object == object_kind::link) {
            return; // cannot be opened so: see above
        }
        const results control = try_new(place, one, false, 0);
        const results found = try_new(place, one, true, flags);
        for (size_t i = 0; i < GetParam().uses.size(); i++) {
            const grid_use& u = GetParam().uses[i];
            const right needed = rights_of(GetParam().object, u.use).needed;
            std::vector<int> expected = {control.at(i)};
            if (!enough(needed, flags) && (binds || refused_without(u))) {
                // What no handle can do may be found out first.
                expected = {u.refused};
                if (control.at(i) != 0) {
                    expected.push_back(control.at(i));
                }
            } else if (binds && u.by_right_alone) {
                expected = {0};
            }
            if (!binds && flags != 0 && &u == memory_for_reading()) {
                expected = {control.at(i), EACCES, EINVAL};
            }
            judge(one, flags, u.name, name_of_right(needed), expected, found.at(i));
        }
    }

    /// Where no handle is bound: elements, and memory that is written.
    static bool refused_without(const grid_use& u) {
        return GetParam().object == object_kind::map &&
               (u.of_elements || std::strcmp(u.name, "mmap for writing") == 0);
    }

    /// Unbound read-only handles are mapped by newer kernels only.
    static const grid_use* memory_for_reading() {
        for (const grid_use& u : GetParam().uses) {
            if (std::strcmp(u.name, "mmap for reading") == 0) {
                return &u;
            }
        }
        return nullptr;
    }

    static const char* name_of_right(right r) {
        static const std::array<const char*, 5> names = {"-", "R", "W", "RW", "none"};
        return names.at(static_cast<size_t>(r));
    }

    void judge(const somebody& one, uint32_t flags, const char* use, const char* needed,
               const std::vector<int>& expected, int found) {
        cases_++;
        const bool good = std::find(expected.begin(), expected.end(), found) != expected.end();
        differences_ += good ? 0 : 1;
        std::string said;
        for (const int e : expected) {
            said += (said.empty() ? "" : " or ") + name_of_error(e);
        }
        EXPECT_TRUE(good) << name_of(GetParam().object) << " " << GetParam().name << ", " << mount_
                          << ", " << one.name << ", " << name_of_access(flags) << ": " << use
                          << ": expected " << said << ", found " << name_of_error(found);
        static const bool told = std::getenv("BPFFS_GRID") != nullptr; // NOLINT
        if (told) {
            std::printf("case\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name_of(GetParam().object),
                        GetParam().name.c_str(), mount_.c_str(), one.name, name_of_access(flags),
                        use, needed, said.c_str(), name_of_error(found).c_str());
        }
    }

    std::string mount_;
    unsigned count_ = 0;
    unsigned cases_ = 0;
    unsigned differences_ = 0;
};

TEST_P(grid_test, on_a_mount_with_fmode_the_right_counts) {
    BPFFS_NEEDS("fmode");
    try_all("fmode", true);
}

TEST_P(grid_test, on_a_mount_without_all_is_as_ever) {
    try_all("plain", false);
}

std::vector<grid_kind> all_kinds() {
    std::vector<grid_kind> all = map_kinds();
    for (const auto& more : {program_kinds(), link_kinds()}) {
        all.insert(all.end(), more.begin(), more.end());
    }
    return all;
}

TEST(grid, has_kinds_enough) {
    EXPECT_GE(map_kinds().size(), 15U);
    EXPECT_GE(program_kinds().size(), 12U);
    EXPECT_GE(link_kinds().size(), 6U);
}

INSTANTIATE_TEST_SUITE_P(kinds, grid_test, testing::ValuesIn(all_kinds()), [](const auto& test) {
    std::string name = std::string(name_of(test.param.object)) + "_" + test.param.name;
    std::replace(name.begin(), name.end(), ' ', '_');
    return name;
});

} // namespace

} // namespace bpffs_test
