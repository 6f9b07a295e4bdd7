// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The mounts and processes of a walk (world.hpp).

#include "world.hpp"

#include <cerrno>
#include <cstring>

#include <linux/capability.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hands.hpp"
#include "support/passing.hpp"

namespace bpffs_walk {

using namespace bpffs_test;

namespace {

/// A step on its way to a process.
struct message {
    enum what : uint32_t { do_it, give, take } request = do_it;
    verb step_what = verb::look;
    uint32_t slot = 0;
    uint32_t other = 0;
    uint32_t value = 0;
    char path[128] = {};
    char to[128] = {};
};

identity of(unsigned who) {
    const person& p = actors().at(who);
    identity i{p.uid, p.gid, p.groups, 1ULL << CAP_SETGID};
    if (who == root || who == warden) {
        i.capabilities = all_capabilities;
    }
    if (who == warden) {
        i.capabilities &= ~(1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_DAC_READ_SEARCH);
    }
    return i;
}

message to_message(const step& s, const std::string& path, const std::string& to) {
    message m;
    m.step_what = s.what;
    m.slot = s.slot;
    m.other = s.other;
    m.value = s.value;
    path.copy(m.path, sizeof(m.path) - 1);
    to.copy(m.to, sizeof(m.to) - 1);
    return m;
}

step to_step(const message& m) {
    step s;
    s.what = m.step_what;
    s.slot = m.slot;
    s.other = m.other;
    s.value = m.value;
    s.path = m.path;
    s.to = m.to;
    return s;
}

bool tell(int line, const answer& a) {
    return ::send(line, &a, sizeof(a), MSG_NOSIGNAL) == sizeof(a);
}

/// What a process does until nobody asks any more.
void serve(int line, int outer) {
    hands mine(outer);
    message m;
    while (::recv(line, &m, sizeof(m), MSG_WAITALL) == sizeof(m)) {
        bool heard = true;
        if (m.request == message::give) {
            // Without a descriptor where there is none.
            heard = mine.holds(m.slot) ? send_handle(line, mine.give(m.slot))
                                       : ::send(line, "", 1, MSG_NOSIGNAL) == 1;
        } else if (m.request == message::take) {
            mine.take(m.slot, receive_handle(line));
        } else {
            heard = tell(line, mine.apply(to_step(m)));
        }
        if (!heard) {
            return;
        }
    }
}

std::string options(const features& kernel) {
    std::string text = "gid=" + std::to_string(staff) + ",mode=0775";
    if (kernel.fmode) {
        text += ",fmode";
    }
    if (kernel.nr_inodes) {
        text += ",nr_inodes=" + std::to_string(room);
    }
    if (kernel.token) {
        text += ",delegate_cmds=0x21,delegate_maps=0x2,delegate_progs=0x2,"
                "delegate_attachs=0xffffffffffffffff,delegate_caps=bpf";
    }
    return text;
}

} // namespace

world::world(const features& kernel)
    : marked_(options(kernel)),
      plain_("mode=0777"),
      view_(marked_.directory(), mount_access::read_only) {
    error_ = marked_.error() != 0 ? marked_.error() : plain_.error() + view_.error();
    const handle inner = create_map(BPF_MAP_TYPE_HASH, 4, 8, 4);
    outer_ = create_map_of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS, inner.get());
    if (error_ == 0 && (!outer_.good() || ::unshare(CLONE_NEWNET) != 0)) {
        error_ = outer_.good() ? errno : outer_.error();
    }
    for (unsigned who = 0; error_ == 0 && who < actor_count; who++) {
        error_ = start(who);
    }
}

world::~world() {
    for (process& p : processes_) {
        p.line.close();
    }
    for (const process& p : processes_) {
        if (p.id > 0) {
            ::waitpid(p.id, nullptr, 0);
        }
    }
}

int world::start(unsigned who) {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return errno;
    }
    const handle theirs(ends[1]);
    processes_.at(who).line = handle(ends[0]);
    processes_.at(who).id = ::fork();
    if (processes_.at(who).id == 0) {
        // The others' lines, too: they must end with the walk and not with this process.
        for (process& p : processes_) {
            p.line.close();
        }
        ::umask(022);
        if (become(of(who))) {
            serve(theirs.get(), outer_.get());
        }
        ::_exit(0);
    }
    return processes_.at(who).id < 0 ? errno : 0;
}

std::string world::real(const std::string& path) const {
    const size_t end = path.find('/');
    const std::string mount = path.substr(0, end);
    const std::string rest = end == std::string::npos ? "" : path.substr(end);
    if (mount.empty()) {
        return "";
    }
    if (mount == fmode_mount) {
        return marked_.directory() + rest;
    }
    return (mount == plain_mount ? plain_.directory() : view_.directory()) + rest;
}

answer world::apply(const step& s) {
    const int line = processes_.at(s.who).line.get();
    message m = to_message(s, real(s.path), real(s.to));
    answer a;
    if (s.what == verb::pass) {
        m.request = message::give;
        (void)!::send(line, &m, sizeof(m), MSG_NOSIGNAL);
        const handle passed = receive_handle(line);
        if (!passed.good()) {
            return {EBADF};
        }
        const int other = processes_.at(s.other).line.get();
        m.request = message::take;
        m.slot = s.value % slots;
        (void)!::send(other, &m, sizeof(m), MSG_NOSIGNAL);
        send_handle(other, passed.get());
        return {};
    }
    (void)!::send(line, &m, sizeof(m), MSG_NOSIGNAL);
    if (::recv(line, &a, sizeof(a), MSG_WAITALL) != sizeof(a)) {
        return {ECHILD};
    }
    return a;
}

} // namespace bpffs_walk
