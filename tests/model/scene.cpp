// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The stage of an operation (operation.hpp), and how an operation is tried on it.

#include "operation.hpp"

#include <cerrno>
#include <ostream>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bpffs_test {

scene::scene(const std::string& mount_options, const victim_access& access)
    : mount_(mount_options), access_(access), error_(mount_.error()) {
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

void scene::pin_as(const std::string& name, handle object, mode_t mode) {
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

void scene::pin_victim(const std::string& name, handle object) {
    pin_as(name, std::move(object), access_.mode);
}

void scene::pin_partner(const std::string& name, handle object) {
    pin_as(name, std::move(object), 0666);
}

int scene::own(const std::string& name) const {
    const auto found = own_.find(name);
    return found == own_.end() ? -EBADF : found->second.get();
}

handle scene::victim(const std::string& name) const {
    if (rehearsal_) {
        return handle(::fcntl(own(name), F_DUPFD_CLOEXEC, 3));
    }
    return get(mount_ / name, access_.open_flags);
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
    if (!cgroup_) {
        cgroup_.emplace();
    }
    return cgroup_->error() == 0 ? cgroup_->directory() : "";
}

std::vector<operation> all_operations() {
    std::vector<operation> all;
    for (const auto* list :
         {&map_operations(), &program_operations(), &attach_operations(), &link_operations()}) {
        all.insert(all.end(), list->begin(), list->end());
    }
    return all;
}

void PrintTo(const operation& op, std::ostream* out) {
    *out << op.name;
}

std::string rehearse(const operation& op) {
    scene s("mode=0755", {});
    if (s.error() != 0) {
        return "mount, errno " + std::to_string(s.error());
    }
    op.prepare(s);
    s.rehearse();
    outcome o;
    if (s.impossible().empty()) {
        o = try_operation(op, s, 0);
    }
    if (!s.impossible().empty()) {
        return s.impossible();
    }
    return o.error == op.granted ? "" : std::string(o.step) + ", errno " + std::to_string(o.error);
}

outcome try_operation(const operation& op, scene& s, uid_t uid) {
    identity who;
    who.uid = uid;
    who.gid = uid;
    who.capabilities = uid == 0 ? all_capabilities : op.capabilities;
    outcome o = as(who, [&] { return op.attempt(s); });
    if (op.seen) {
        o.seen = op.seen(s);
    }
    if (op.undo) {
        op.undo(s);
    }
    return o;
}

} // namespace bpffs_test
