// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Where kernel-level and host tests play: a mount and a network namespace of the process' own, a
// bpffs mounted for one test, and code run as somebody else.
//
// Everything here needs root; ask `private_namespaces()` first (it skips the test where it cannot
// be had).

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace bpffs_test {

constexpr uid_t alice = 1000; ///< the ordinary user of all tests
constexpr uid_t bob = 1001;   ///< another one

/// Moves the process into its own mount and network namespaces, once; false when it may not.
bool private_namespaces();

/// A bpffs mounted on a directory of its own below /tmp, unmounted again at the end.
class bpffs_mount {
public:
    /// `options` as for mount(8): "fmode,mode=0755". On failure error() says why.
    explicit bpffs_mount(const std::string& options);
    bpffs_mount(const bpffs_mount&) = delete;
    bpffs_mount& operator=(const bpffs_mount&) = delete;
    bpffs_mount(bpffs_mount&&) = delete;
    bpffs_mount& operator=(bpffs_mount&&) = delete;
    ~bpffs_mount();

    [[nodiscard]] int error() const { return error_; }
    [[nodiscard]] const std::string& directory() const { return directory_; }
    [[nodiscard]] std::string operator/(const std::string& name) const {
        return directory_ + "/" + name;
    }
    /// mount -o remount,`options`: 0 or -errno.
    [[nodiscard]] int remount(const std::string& options) const;

private:
    std::string directory_;
    int error_ = 0;
};

enum class mount_access { read_write, read_only };

/// The same directory seen through another mount, on a directory of its own.
class bind_mount {
public:
    explicit bind_mount(const std::string& of, mount_access access = mount_access::read_write);
    bind_mount(const bind_mount&) = delete;
    bind_mount& operator=(const bind_mount&) = delete;
    bind_mount(bind_mount&&) = delete;
    bind_mount& operator=(bind_mount&&) = delete;
    ~bind_mount();

    [[nodiscard]] int error() const { return error_; }
    [[nodiscard]] const std::string& directory() const { return directory_; }
    [[nodiscard]] std::string operator/(const std::string& name) const {
        return directory_ + "/" + name;
    }

private:
    std::string directory_;
    int error_ = 0;
};

/// A new cgroup, below a cgroup2 mounted on a directory of its own. Cgroups are in no namespace of
/// the test's: the name is one that no other test has.
class own_cgroup {
public:
    own_cgroup();
    own_cgroup(const own_cgroup&) = delete;
    own_cgroup& operator=(const own_cgroup&) = delete;
    own_cgroup(own_cgroup&&) = delete;
    own_cgroup& operator=(own_cgroup&&) = delete;
    ~own_cgroup();

    [[nodiscard]] int error() const { return error_; }
    /// Where cgroup2 is mounted.
    [[nodiscard]] const std::string& root() const { return root_; }
    [[nodiscard]] const std::string& directory() const { return directory_; }
    [[nodiscard]] std::string operator/(const std::string& name) const {
        return directory_ + "/" + name;
    }

private:
    std::string root_;
    std::string directory_;
    int error_ = 0;
};

/// The index of a netkit device of the calling process' network namespace, which is made when there
/// is none; 0 when that is not possible.
unsigned netkit_device();

/// The super options of the mount at this directory as /proc/self/mountinfo shows them; "" when
/// none.
std::string mount_options(const std::string& directory);
/// Is `option` one of the comma-separated ones?
bool has_option(const std::string& options, const std::string& option);

/// What came of something tried: errno (0: it worked), whether its effect was seen, and which step
/// failed.
struct outcome {
    int error = 0;
    bool seen = false;
    char step[48] = {};
};
outcome failed(const char* step, int error);
/// `value` as bpf_call() gives it.
outcome done(const char* step, int value, bool seen = false);

constexpr uint64_t all_capabilities = ~0ULL;

struct identity {
    uid_t uid = alice;
    gid_t gid = alice;
    std::vector<gid_t> groups = {};
    uint64_t capabilities = 0; ///< mask of CAP_*: those of them that root has here are kept
};
/// Makes the calling process, which is root, one with that identity and no other privilege.
bool become(const identity& who);
/// Runs `body` in a child process with that identity and no other privilege. Descriptors of this
/// process are there too. error is ECHILD when the child died instead of answering.
outcome as(const identity& who, const std::function<outcome()>& body);
outcome as_user(uid_t uid, const std::function<outcome()>& body);

} // namespace bpffs_test
