// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The stage of an attack (attack.hpp): mount, pins, the attacker's directory, a cgroup.

#include "attack.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bpffs_test {

scene::scene(const std::string& mount_options) : mount_(mount_options), error_(mount_.error()) {
    if (error_ != 0) {
        return;
    }
    // A link that is closed lets go of its device a moment later: the next scene has one of its
    // own.
    if (::unshare(CLONE_NEWNET) != 0) {
        error_ = errno;
        return;
    }
    const std::string directory = mount_ / "mine";
    if (::mkdir(directory.c_str(), 0700) != 0 || ::chown(directory.c_str(), alice, alice) != 0) {
        error_ = errno;
    }
}

scene::~scene() {
    if (cgroup_root_.empty()) {
        return;
    }
    ::rmdir((cgroup_root_ + "/bpffs-attack").c_str());
    ::umount2(cgroup_root_.c_str(), MNT_DETACH);
    ::rmdir(cgroup_root_.c_str());
}

void scene::pin(const std::string& name, handle object, mode_t mode) {
    const std::string path = mount_ / name;
    if (!object.good()) {
        cannot("make " + name + ", errno " + std::to_string(object.error()));
        return;
    }
    if (bpffs_test::pin(object.get(), path) != 0 || ::chmod(path.c_str(), mode) != 0) {
        cannot("pin " + name);
    }
    own_[name] = std::move(object);
}

int scene::own(const std::string& name) const {
    const auto found = own_.find(name);
    return found == own_.end() ? -EBADF : found->second.get();
}

handle scene::victim(const std::string& name) const {
    if (rehearsal_) {
        return handle(::fcntl(own(name), F_DUPFD_CLOEXEC, 3));
    }
    return get(mount_ / name, BPF_F_RDONLY);
}

handle scene::partner(const std::string& name) const {
    if (rehearsal_) {
        return handle(::fcntl(own(name), F_DUPFD_CLOEXEC, 3));
    }
    return get(mount_ / name);
}

std::string scene::mine(const std::string& name) const {
    return mount_ / ("mine/" + name);
}

std::string scene::cgroup() {
    if (cgroup_root_.empty()) {
        char name[] = "/tmp/bpffs-cgroup.XXXXXX";
        if (::mkdtemp(name) == nullptr) {
            return "";
        }
        if (::mount("none", name, "cgroup2", 0, nullptr) != 0) {
            ::rmdir(name);
            return "";
        }
        cgroup_root_ = name;
        ::chmod(name, 0755); // the mount point below; the cgroup file system has its own mode
        if (::mkdir((cgroup_root_ + "/bpffs-attack").c_str(), 0755) != 0 && errno != EEXIST) {
            return "";
        }
    }
    return cgroup_root_ + "/bpffs-attack";
}

std::vector<attack> all_attacks() {
    std::vector<attack> all;
    for (const auto* list :
         {&map_attacks(), &program_attacks(), &attach_attacks(), &link_attacks()}) {
        all.insert(all.end(), list->begin(), list->end());
    }
    return all;
}

} // namespace bpffs_test
