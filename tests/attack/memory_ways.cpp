// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ways by memory: what a reader maps of an array stays as it is, whoever is made to write there.

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "way.hpp"

namespace bpffs_test {

namespace {

constexpr size_t page = 4096;

/// The victim's values, mapped for reading; `use` gives an errno. Kernels without the series do not
/// map them at all (EINVAL), which is no better for whoever tries: `refused` is what they get.
outcome in_memory(scene& s, const char* name, int refused, int (*use)(char* values)) {
    return with_victim(s, "map", [&](int map) {
        void* p = ::mmap(nullptr, page, PROT_READ, MAP_SHARED, map, 0);
        if (p == MAP_FAILED) {
            return failed("mmap", errno == EINVAL ? refused : errno);
        }
        const int error = use(static_cast<char*>(p));
        ::munmap(p, page);
        return done(name, -error);
    });
}

/// What the calls that follow are to leave there.
const uint64_t wanted = loot;

/// 0 where `n` says that all was written.
int wrote(ssize_t n) {
    return n < 0 ? errno : n == 0 ? EFAULT : 0;
}

outcome writes_by_proc_mem(scene& s) {
    return in_memory(s, "write", EIO, [](char* values) {
        // This passes the protection of private mappings.
        const handle memory = open_file("/proc/self/mem", O_RDWR);
        return wrote(::pwrite(memory.get(), &wanted, sizeof(wanted),
                              static_cast<off_t>(reinterpret_cast<uintptr_t>(values))));
    });
}

outcome reads_a_pipe_into_it(scene& s) {
    return in_memory(s, "read", EFAULT, [](char* values) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) {
            return errno;
        }
        const handle out(ends[0]);
        const handle in(ends[1]);
        const int sent = wrote(::write(in.get(), &wanted, sizeof(wanted)));
        return sent != 0 ? sent : wrote(::read(out.get(), values, sizeof(wanted)));
    });
}

outcome receives_a_message_into_it(scene& s) {
    return in_memory(s, "recv", EFAULT, [](char* values) {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0) {
            return errno;
        }
        const handle out(ends[0]);
        const handle in(ends[1]);
        const int sent = wrote(::send(in.get(), &wanted, sizeof(wanted), 0));
        return sent != 0 ? sent : wrote(::recv(out.get(), values, sizeof(wanted), MSG_DONTWAIT));
    });
}

outcome looks_up_into_it(scene& s) {
    const handle own = s.partner("own");
    static int other = -1;
    other = own.get();
    return in_memory(s, "look up", EFAULT, [](char* values) {
        // The kernel itself writes where it is told to.
        const uint32_t key = 0;
        return -map_lookup(other, &key, values);
    });
}

void lay_array_and_own(scene& s) {
    lay_array(s);
    handle own = create_map(BPF_MAP_TYPE_HASH, 4, 8, 4);
    change(own.get());
    s.pin_partner("own", std::move(own));
}

outcome moves_and_unprotects(scene& s) {
    return in_memory(s, "mprotect", EACCES, [](char* values) {
        void* moved = ::mremap(values, page, page, MREMAP_MAYMOVE | MREMAP_FIXED,
                               values + 16 * page); // NOLINT
        if (moved == MAP_FAILED) {
            return errno;
        }
        const int error = ::mprotect(moved, page, PROT_READ | PROT_WRITE) != 0 ? errno : 0;
        if (error == 0) {
            std::memcpy(moved, &wanted, sizeof(wanted));
        }
        ::munmap(moved, page);
        return error;
    });
}

outcome maps_privately(scene& s) {
    return with_victim(s, "map", [](int map) {
        void* p = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, map, 0);
        return p == MAP_FAILED ? failed("mmap", errno) : done("mmap", 0, true);
    });
}

} // namespace

const std::vector<way>& memory_ways() {
    static const std::vector<way> list = [] {
        std::vector<way> all;
        const auto add = [&](const char* name, layout prepare, step attempt, int error) {
            way w = new_way("what a reader maps stays unchanged, whoever is made to write there",
                            name, std::move(prepare), std::move(attempt), error);
            w.seen = map_was_changed;
            all.push_back(refused_everywhere(std::move(w)));
        };
        add("memory_by_proc_mem", lay_array, writes_by_proc_mem, EIO);
        add("memory_by_pipe", lay_array, reads_a_pipe_into_it, EFAULT);
        add("memory_by_message", lay_array, receives_a_message_into_it, EFAULT);
        add("memory_by_look_up", lay_array_and_own, looks_up_into_it, EFAULT);
        add("memory_moved_and_unprotected", lay_array, moves_and_unprotects, EACCES);
        add("memory_mapped_privately", lay_array, maps_privately, EINVAL);
        return all;
    }();
    return list;
}

} // namespace bpffs_test
