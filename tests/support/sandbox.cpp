// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Namespaces, mounts and identities of sandbox.hpp.

#include "sandbox.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include <grp.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bpffs_test {

bool private_namespaces() {
    static const bool entered = [] {
        if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) {
            return false;
        }
        return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    }();
    return entered;
}

bpffs_mount::bpffs_mount(const std::string& options) {
    char name[] = "/tmp/bpffs-test.XXXXXX";
    if (::mkdtemp(name) == nullptr) {
        error_ = errno;
        return;
    }
    directory_ = name;
    if (::mount("bpf", name, "bpf", 0, options.c_str()) != 0) {
        error_ = errno;
    }
}

bpffs_mount::~bpffs_mount() {
    if (directory_.empty()) {
        return;
    }
    if (error_ == 0) {
        ::umount2(directory_.c_str(), MNT_DETACH);
    }
    ::rmdir(directory_.c_str());
}

int bpffs_mount::remount(const std::string& options) const {
    const int value = ::mount("bpf", directory_.c_str(), "bpf", MS_REMOUNT, options.c_str());
    return value != 0 ? -errno : 0;
}

bind_mount::bind_mount(const std::string& of, mount_access access) {
    char name[] = "/tmp/bpffs-bind.XXXXXX";
    if (::mkdtemp(name) == nullptr) {
        error_ = errno;
        return;
    }
    directory_ = name;
    if (::mount(of.c_str(), name, nullptr, MS_BIND, nullptr) != 0) {
        error_ = errno;
        return;
    }
    const unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY;
    if (access == mount_access::read_only && ::mount(nullptr, name, nullptr, flags, nullptr) != 0) {
        error_ = errno;
    }
}

bind_mount::~bind_mount() {
    if (!directory_.empty()) {
        ::umount2(directory_.c_str(), MNT_DETACH);
        ::rmdir(directory_.c_str());
    }
}

own_cgroup::own_cgroup() {
    static int count = 0;
    char name[] = "/tmp/bpffs-cgroup.XXXXXX";
    if (::mkdtemp(name) == nullptr) {
        error_ = errno;
        return;
    }
    root_ = name;
    directory_ =
        root_ + "/bpffs-test-" + std::to_string(::getpid()) + "." + std::to_string(count++);
    if (::mount("none", name, "cgroup2", 0, nullptr) != 0 ||
        ::mkdir(directory_.c_str(), 0755) != 0) {
        error_ = errno;
    }
}

own_cgroup::~own_cgroup() {
    if (root_.empty()) {
        return;
    }
    ::rmdir(directory_.c_str());
    ::umount2(root_.c_str(), MNT_DETACH);
    ::rmdir(root_.c_str());
}

namespace {

/// Not "nk0", which the peer gets.
const char netkit_name[8] = "netkit0";

/// RTM_NEWLINK: what `ip link add netkit0 type netkit` sends.
void add_netkit() {
    struct {
        nlmsghdr header = {};
        ifinfomsg link = {};
        nlattr name = {};
        char name_value[sizeof(netkit_name)] = {};
        nlattr info = {};
        nlattr kind = {};
        char kind_value[8] = "netkit";
    } request;
    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = RTM_NEWLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    std::memcpy(request.name_value, netkit_name, sizeof(netkit_name));
    request.name = {sizeof(nlattr) + sizeof(request.name_value), IFLA_IFNAME};
    request.info = {2 * sizeof(nlattr) + sizeof(request.kind_value), IFLA_LINKINFO | NLA_F_NESTED};
    request.kind = {sizeof(nlattr) + sizeof(request.kind_value), IFLA_INFO_KIND};
    const int sock = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    char answer[512];
    if (::send(sock, &request, sizeof(request), 0) > 0) {
        (void)!::recv(sock, answer, sizeof(answer), 0);
    }
    ::close(sock);
}

} // namespace

unsigned netkit_device() {
    if (::if_nametoindex(netkit_name) == 0) {
        add_netkit();
    }
    return ::if_nametoindex(netkit_name);
}

std::string mount_options(const std::string& directory) {
    std::ifstream table("/proc/self/mountinfo");
    std::string line;
    std::string found;
    while (std::getline(table, line)) {
        std::istringstream words(line);
        std::string word;
        std::string point;
        for (int i = 0; i < 5; i++) {
            words >> point;
        }
        if (point != directory) {
            continue;
        }
        while (words >> word && word != "-") {
        }
        words >> word >> word >> found; // type, source, super options
    }
    return found;
}

bool has_option(const std::string& options, const std::string& option) {
    return ("," + options + ",").find("," + option + ",") != std::string::npos;
}

outcome failed(const char* step, int error) {
    outcome o;
    o.error = error;
    std::strncpy(o.step, step, sizeof(o.step) - 1);
    return o;
}

outcome done(const char* step, int value, bool seen) {
    if (value < 0) {
        return failed(step, -value);
    }
    outcome o;
    o.seen = seen;
    return o;
}

namespace {

int set_capabilities(uint64_t mask) {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    if (::syscall(SYS_capget, &header, data) != 0) {
        return -1;
    }
    for (unsigned i = 0; i < 2; i++) {
        data[i].permitted &= static_cast<uint32_t>(mask >> (32 * i));
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    return static_cast<int>(::syscall(SYS_capset, &header, data));
}

} // namespace

bool become(const identity& who) {
    if (::setgroups(who.groups.size(), who.groups.data()) != 0) {
        return false;
    }
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) {
        return false;
    }
    if (::setresgid(who.gid, who.gid, who.gid) != 0 ||
        ::setresuid(who.uid, who.uid, who.uid) != 0) {
        return false;
    }
    // Whoever changed identity may not look into its own /proc/self otherwise.
    return set_capabilities(who.capabilities) == 0 && ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

outcome as(const identity& who, const std::function<outcome()>& body) {
    int ends[2];
    if (::pipe(ends) != 0) {
        return failed("pipe", errno);
    }
    const pid_t child = ::fork();
    if (child < 0) {
        return failed("fork", errno);
    }
    if (child == 0) {
        const outcome o = become(who) ? body() : failed("become", errno);
        const ssize_t n = ::write(ends[1], &o, sizeof(o));
        ::_exit(n == static_cast<ssize_t>(sizeof(o)) ? 0 : 1);
    }
    ::close(ends[1]);
    outcome o;
    if (::read(ends[0], &o, sizeof(o)) != static_cast<ssize_t>(sizeof(o))) {
        o = failed("child died", ECHILD);
    }
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return o;
}

outcome as_user(uid_t uid, const std::function<outcome()>& body) {
    identity who;
    who.uid = uid;
    who.gid = uid;
    return as(who, body);
}

} // namespace bpffs_test
