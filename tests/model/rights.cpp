// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The rows of the rights table (rights.hpp).

#include "rights.hpp"

#include <stdexcept>

namespace bpffs_test {

namespace {

constexpr rights_row table[] = {
    {object_kind::map, right::none, "base info"},
    {object_kind::map, right::none, "lend the template of inner maps"},
    {object_kind::map, right::read, "look up"},
    {object_kind::map, right::read, "iterate keys"},
    {object_kind::map, right::read, "batch look up"},
    {object_kind::map, right::read, "mmap for reading"},
    {object_kind::map, right::read, "iterator that reads"},
    {object_kind::map, right::read, "be bound to a program"},
    {object_kind::map, right::read, "ask a sockmap for its programs"},
    {object_kind::map, right::read, "referenced by a program that reads it"},
    {object_kind::map, right::read, "its BTF"},
    {object_kind::map, right::read, "socket storage diagnostics", "needs a kernel socket dump"},
    {object_kind::map, right::write, "update"},
    {object_kind::map, right::write, "delete"},
    {object_kind::map, right::write, "batch update"},
    {object_kind::map, right::write, "batch delete"},
    {object_kind::map, right::write, "freeze"},
    {object_kind::map, right::write, "set a sockmap's programs"},
    {object_kind::map, right::write, "struct_ops link", "needs a struct_ops image"},
    {object_kind::map, right::both, "look up and delete"},
    {object_kind::map, right::both, "batch look up and delete"},
    {object_kind::map, right::both, "mmap for writing"},
    {object_kind::map, right::both, "arena"},
    {object_kind::map, right::both, "pin again"},
    {object_kind::map, right::both, "insert as inner map"},
    {object_kind::map, right::both, "iterator that writes"},
    {object_kind::map, right::both, "referenced by a program that writes it"},
    {object_kind::map, right::never, "make memory writable after mmap"},
    {object_kind::map, right::never, "open anew through /proc"},

    {object_kind::program, right::none, "base info"},
    {object_kind::program, right::none, "named to be detached"},
    {object_kind::program, right::none, "named as the old program of a link"},
    {object_kind::program, right::read, "instructions, line and function info"},
    {object_kind::program, right::read, "its BTF"},
    {object_kind::program, right::read, "target of fentry and fexit"},
    {object_kind::program, right::write, "attach to a socket"},
    {object_kind::program, right::write, "attach to a device"},
    {object_kind::program, right::write, "attach to a cgroup"},
    {object_kind::program, right::write, "attach to a network namespace"},
    {object_kind::program, right::write, "attach to a sockmap"},
    {object_kind::program, right::write, "attach to tracing"},
    {object_kind::program, right::write, "attach to a perf event"},
    {object_kind::program, right::write, "attach as an iterator"},
    {object_kind::program, right::write, "attach as the new program of a link"},
    {object_kind::program, right::write, "attach to lirc, kcm, struct_ops, lwt, seg6",
     "needs devices or tools that a test machine lacks"},
    {object_kind::program, right::both, "test run"},
    {object_kind::program, right::both, "pin again"},
    {object_kind::program, right::both, "bind a map"},
    {object_kind::program, right::both, "insert into a map of programs"},
    {object_kind::program, right::both, "target of freplace"},
    {object_kind::program, right::never, "open anew through /proc"},

    {object_kind::link, right::none, "base info"},
    {object_kind::link, right::read, "make an iterator and read it"},
    {object_kind::link, right::write, "update"},
    {object_kind::link, right::write, "detach"},
    {object_kind::link, right::both, "pin again"},
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
