// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The rows of the rights table (rights.hpp).

#include "rights.hpp"

#include <stdexcept>

namespace bpffs_test {

namespace {

constexpr rights_row table[] = {
    {object_kind::map, "base info", right::none},
    {object_kind::map, "lend the template of inner maps", right::none},
    {object_kind::map, "look up", right::read},
    {object_kind::map, "iterate keys", right::read},
    {object_kind::map, "batch look up", right::read},
    {object_kind::map, "mmap for reading", right::read},
    {object_kind::map, "iterator that reads", right::read},
    {object_kind::map, "be bound to a program", right::read},
    {object_kind::map, "ask a sockmap for its programs", right::read},
    {object_kind::map, "referenced by a program that reads it", right::read},
    {object_kind::map, "its BTF", right::read, "by id only, which is privileged, for now"},
    {object_kind::map, "socket storage diagnostics", right::read, "needs a kernel socket dump"},
    {object_kind::map, "update", right::write},
    {object_kind::map, "delete", right::write},
    {object_kind::map, "batch update", right::write},
    {object_kind::map, "batch delete", right::write},
    {object_kind::map, "freeze", right::write},
    {object_kind::map, "set a sockmap's programs", right::write},
    {object_kind::map, "struct_ops link", right::write, "needs a struct_ops image"},
    {object_kind::map, "look up and delete", right::both},
    {object_kind::map, "batch look up and delete", right::both},
    {object_kind::map, "mmap for writing", right::both},
    {object_kind::map, "arena", right::both},
    {object_kind::map, "pin again", right::both},
    {object_kind::map, "insert as inner map", right::both},
    {object_kind::map, "iterator that writes", right::both},
    {object_kind::map, "referenced by a program that writes it", right::both},
    {object_kind::map, "make memory writable after mmap", right::never},
    {object_kind::map, "open anew through /proc", right::never},

    {object_kind::program, "base info", right::none},
    {object_kind::program, "named to be detached", right::none},
    {object_kind::program, "instructions, line and function info", right::read,
     "take a capability, for now"},
    {object_kind::program, "target of fentry and fexit", right::read},
    {object_kind::program, "attach to a socket", right::write},
    {object_kind::program, "attach to a device", right::write},
    {object_kind::program, "attach to a cgroup", right::write},
    {object_kind::program, "attach to a network namespace", right::write},
    {object_kind::program, "attach to a sockmap", right::write},
    {object_kind::program, "attach to tracing", right::write},
    {object_kind::program, "attach to a perf event", right::write},
    {object_kind::program, "attach as an iterator", right::write},
    {object_kind::program, "attach as the new program of a link", right::write},
    {object_kind::program, "attach to lirc, kcm, struct_ops, lwt, seg6, xt_bpf", right::write,
     "needs devices or tools that a test machine lacks"},
    {object_kind::program, "test run", right::both},
    {object_kind::program, "pin again", right::both},
    {object_kind::program, "bind a map", right::both},
    {object_kind::program, "insert into a map of programs", right::both},
    {object_kind::program, "target of freplace", right::both},
    {object_kind::program, "open anew through /proc", right::never},

    {object_kind::link, "base info", right::none},
    {object_kind::link, "make an iterator and read it", right::read},
    {object_kind::link, "update", right::write},
    {object_kind::link, "detach", right::write},
    {object_kind::link, "pin again", right::both},
};

} // namespace

std::span<const rights_row> rights_table() {
    return table;
}

const rights_row& rights_of(object_kind object, const std::string& use) {
    for (const rights_row& row : rights_table()) {
        if (row.object == object && use == row.use) {
            return row;
        }
    }
    throw std::logic_error(std::string("no row for ") + name_of(object) + ": " + use);
}

bool enough(right needed, uint32_t open_flags) {
    switch (needed) {
    case right::none:
        return true;
    case right::read:
        return open_flags != BPF_F_WRONLY;
    case right::write:
        return open_flags != BPF_F_RDONLY;
    case right::both:
        return open_flags == 0;
    case right::never:
        return false;
    }
    return false;
}

const char* name_of(object_kind object) {
    switch (object) {
    case object_kind::map:
        return "map";
    case object_kind::program:
        return "program";
    case object_kind::link:
        return "link";
    }
    return "";
}

const char* name_of_access(uint32_t open_flags) {
    if (open_flags == BPF_F_RDONLY) {
        return "R";
    }
    return open_flags == BPF_F_WRONLY ? "W" : "RW";
}

} // namespace bpffs_test
