// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The system calls of the walk's steps (hands.hpp).

#include "hands.hpp"

#include <cerrno>

#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bpffs_walk {

using namespace bpffs_test;

namespace {

/// A number that no descriptor has.
constexpr int no_descriptor = 9999;

/// Of what bpf_call() and its like give.
answer of(int value) {
    return {value < 0 ? -value : 0};
}

/// Of what a function of the C library gives.
answer of_libc(long value) {
    return {value < 0 ? errno : 0};
}

map_create_attr hash() {
    map_create_attr attr;
    attr.map_type = BPF_MAP_TYPE_HASH;
    attr.key_size = 4;
    attr.value_size = 8;
    attr.max_entries = 4;
    return attr;
}

} // namespace

hands::hands(int outer) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)), outer_(outer) {}

int hands::give(unsigned slot) const {
    const handle& h = held_.at(slot);
    return h.good() ? h.get() : no_descriptor;
}

answer hands::keep(unsigned slot, handle made) {
    const int error = made.error();
    if (error == 0) {
        held_.at(slot) = std::move(made);
    }
    return {error};
}

answer hands::make(const step& s) {
    load_options options;
    map_create_attr attr = hash();
    switch (s.what) {
    case verb::make_map:
        return keep(s.slot, create_map(attr));
    case verb::make_map_with:
        attr.map_flags = flag_token_fd;
        attr.map_token_fd = give(s.other);
        return keep(s.slot, create_map(attr));
    case verb::make_filter:
        return keep(s.slot, load_program(BPF_PROG_TYPE_SOCKET_FILTER,
                                         s.value == 1 ? writes_first_value(give(s.other))
                                                      : reads_first_value(give(s.other))));
    case verb::load_with:
        options.token = give(s.other);
        return keep(s.slot, load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0), options));
    default:
        options.expected_attach_type = BPF_SK_LOOKUP;
        return keep(s.slot, load_program(BPF_PROG_TYPE_SK_LOOKUP, returns(1), options));
    }
}

answer hands::make_token(const step& s) {
    const handle directory = open_file(s.path, O_PATH | O_DIRECTORY);
    return directory.good() ? keep(s.slot, token_create(directory.get()))
                            : answer{directory.error()};
}

answer hands::open(const step& s) {
    switch (s.what) {
    case verb::pin:
        return of(bpffs_test::pin(give(s.slot), s.path));
    case verb::pin_mode:
        return of(pin_with_mode(give(s.slot), s.path, s.value));
    case verb::get:
        return keep(s.slot, bpffs_test::get(s.path, s.value));
    case verb::copy:
        return keep(s.slot, [&] {
            const int fd = ::fcntl(give(s.other), F_DUPFD_CLOEXEC, 3); // NOLINT
            return handle(fd < 0 ? -errno : fd);
        }());
    default: {
        const bool open = held_.at(s.slot).good();
        held_.at(s.slot).close();
        return {open ? 0 : EBADF};
    }
    }
}

answer hands::use_map(const step& s) {
    const uint32_t key = 0;
    uint64_t value = s.value;
    const auto fd = static_cast<uint32_t>(give(s.slot));
    switch (s.what) {
    case verb::read: {
        const answer a = of(map_lookup(give(s.slot), &key, &value));
        return {a.error, a.error == 0 ? value : 0};
    }
    case verb::write:
        return of(map_update(give(s.slot), &key, &value));
    case verb::erase:
        return of(map_delete(give(s.slot), &key));
    case verb::freeze:
        return of(map_freeze(give(s.slot)));
    default:
        return of(map_update(outer_, &key, &fd));
    }
}

answer hands::use(const step& s) {
    link_create_attr attr;
    int fd = give(s.slot);
    switch (s.what) {
    case verb::link: {
        const handle net = open_file("/proc/self/ns/net", O_RDONLY);
        attr.prog_fd = static_cast<uint32_t>(give(s.other));
        attr.target_fd = static_cast<uint32_t>(net.get());
        attr.attach_type = BPF_SK_LOOKUP;
        return keep(s.slot, link_create(attr));
    }
    case verb::update_link:
        return of(link_update(give(s.slot), give(s.other)));
    case verb::detach_link:
        return of(link_detach(give(s.slot)));
    case verb::bind:
        return of(prog_bind_map(give(s.slot), give(s.other)));
    case verb::run:
        return of(prog_test_run(give(s.slot), run_input::packet));
    default:
        return of_libc(::setsockopt(socket_.get(), SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)));
    }
}

answer hands::name(const step& s) {
    const char* path = s.path.c_str();
    struct stat file = {};
    switch (s.what) {
    case verb::chmod:
        return of_libc(::chmod(path, s.value));
    case verb::chown:
        return of_libc(::chown(path, s.value, s.other));
    case verb::mkdir:
        return of_libc(::mkdir(path, s.value));
    case verb::rmdir:
        return of_libc(::rmdir(path));
    case verb::unlink:
        return of_libc(::unlink(path));
    case verb::rename:
        return of_libc(::rename(path, s.to.c_str()));
    case verb::hard_link:
        return of_libc(::link(path, s.to.c_str()));
    default:
        if (::stat(path, &file) != 0) {
            return {errno};
        }
        return {0, shown(file.st_uid, file.st_gid, file.st_mode & 07777U,
                         S_ISDIR(file.st_mode) ? 0 : static_cast<unsigned>(file.st_nlink))};
    }
}

answer hands::oneself(const step& s) {
    switch (s.what) {
    case verb::umask:
        ::umask(s.value);
        return {};
    case verb::drop_groups:
        return of_libc(::setgroups(0, nullptr));
    case verb::fork: {
        const pid_t child = ::fork();
        if (child > 0) {
            ::waitpid(child, nullptr, 0);
            ::_exit(0);
        }
        return of_libc(child);
    }
    default: {
        static const std::array<const char*, 3> words = {"", "fmode", "nofmode"};
        return of_libc(::mount("bpf", s.path.c_str(), "bpf", MS_REMOUNT, words.at(s.value)));
    }
    }
}

answer hands::apply(const step& s) {
    switch (s.what) {
    case verb::make_map:
    case verb::make_map_with:
    case verb::make_filter:
    case verb::make_lookup:
    case verb::load_with:
        return make(s);
    case verb::make_token:
        return make_token(s);
    case verb::pin:
    case verb::pin_mode:
    case verb::get:
    case verb::copy:
    case verb::close:
        return open(s);
    case verb::read:
    case verb::write:
    case verb::erase:
    case verb::freeze:
    case verb::insert:
        return use_map(s);
    case verb::link:
    case verb::update_link:
    case verb::detach_link:
    case verb::bind:
    case verb::run:
    case verb::attach:
        return use(s);
    case verb::umask:
    case verb::drop_groups:
    case verb::fork:
    case verb::remount:
        return oneself(s);
    default:
        return name(s);
    }
}

} // namespace bpffs_walk
