// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The probes of probe.hpp. Each is asked once a process.

#include "probe.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf_call.hpp"
#include "inspect.hpp"
#include "sandbox.hpp"

namespace bpffs_test {

namespace {

bool has_root() {
    return ::geteuid() == 0;
}

bool has_bpf() {
    return create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1).good();
}

bool has_bpffs() {
    return private_namespaces() && bpffs_mount("").error() == 0;
}

bool shows(const std::string& options, const std::string& wanted) {
    if (!private_namespaces()) {
        return false;
    }
    const bpffs_mount mount(options);
    return mount.error() == 0 && has_option(mount_options(mount.directory()), wanted);
}

bool has_fmode() {
    return shows("fmode", "fmode");
}

bool has_nr_inodes() {
    return shows("nr_inodes=9", "nr_inodes=9");
}

bool has_directory_tokens() {
    return shows("fmode,mode=0700,delegate_cmds=0x1,delegate_caps=bpf", "delegate_caps=bpf");
}

bool has_pin_mode() {
    if (!private_namespaces()) {
        return false;
    }
    const bpffs_mount mount("");
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
    return mount.error() == 0 && map.good() && pin_with_mode(map.get(), mount / "probe", 0640) == 0;
}

bool has_upstream_token() {
    return token_create(-1).error() == EBADF;
}

bool has_unprivileged_load() {
    std::ifstream file("/proc/sys/kernel/unprivileged_bpf_disabled");
    int value = 2;
    return file >> value && value == 0;
}

/// May a program that only reads a map be loaded with a bound read-only handle?
bool has_reader_programs() {
    if (!private_namespaces()) {
        return false;
    }
    const bpffs_mount mount("fmode");
    const handle map = create_map(BPF_MAP_TYPE_HASH, 4, 8, 1);
    if (mount.error() != 0 || pin(map.get(), mount / "probe") != 0) {
        return false;
    }
    const handle reader = get(mount / "probe", BPF_F_RDONLY);
    return load_program(BPF_PROG_TYPE_SOCKET_FILTER, reads_first_value(reader.get())).good();
}

/// Can allocations be made to fail, by task?
bool has_failslab() {
    return ::access("/proc/thread-self/fail-nth", W_OK) == 0 &&
           ::access("/sys/kernel/debug/failslab/ignore-gfp-wait", W_OK) == 0;
}

/// Does a reader's handle show the program to whoever has it?
bool has_dump_by_right() {
    if (!private_namespaces()) {
        return false;
    }
    const bpffs_mount mount("fmode");
    const handle program = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0));
    if (mount.error() != 0 || pin(program.get(), mount / "probe") != 0 ||
        ::chmod((mount / "probe").c_str(), 0444) != 0) {
        return false;
    }
    const outcome o = as_user(alice, [&] {
        program_view view;
        const handle reader = get(mount / "probe", BPF_F_RDONLY);
        const int value = view_program(reader.get(), view);
        return done("info", value, !view.text.empty());
    });
    return o.error == 0 && o.seen;
}

bool has_btf_by_handle() {
    const handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
    return map.good() && btf_of_object(1, map.get()).error() == ENOENT;
}

/// Does a directory token load programs?
bool has_program_tokens() {
    if (!probe("token")) {
        return false;
    }
    const bpffs_mount mount("fmode,uid=1000,mode=0700,delegate_cmds=0x20,delegate_progs=0x2,"
                            "delegate_attachs=0xffffffffffffffff,delegate_caps=bpf");
    return as_user(alice, [&] {
               const handle directory = open_file(mount.directory(), O_PATH | O_DIRECTORY);
               const handle token = token_create(directory.get());
               load_options options;
               options.token = token.get();
               return failed(
                   "load", load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0), options).error());
           }).error == 0;
}

/// Is the right asked for before what is to be detached is looked for? There is nothing here.
bool has_detach_asks() {
    if (!private_namespaces()) {
        return false;
    }
    const handle program = load_program(BPF_PROG_TYPE_SCHED_CLS, returns(-1));
    attach_attr attr;
    attr.target = 1; // the loopback device of a network namespace of our own
    attr.program = static_cast<uint32_t>(program.get());
    attr.attach_type = attach_tcx_ingress;
    return program.good() &&
           as_user(alice, [&] { return done("detach", prog_detach(attr)); }).error == EPERM;
}

bool has_cgroup_bpf() {
    if (!private_namespaces()) {
        return false;
    }
    const own_cgroup cgroup;
    return cgroup.error() == 0 && ::access((cgroup / "cgroup.bpf").c_str(), F_OK) == 0;
}

using question = bool (*)();

const std::map<std::string, question>& questions() {
    static const std::map<std::string, question> all = {
        {"root", has_root},
        {"namespaces", private_namespaces},
        {"bpf", has_bpf},
        {"bpffs", has_bpffs},
        {"fmode", has_fmode},
        {"token", has_directory_tokens},
        {"pin_mode", has_pin_mode},
        {"nr_inodes", has_nr_inodes},
        {"upstream_token", has_upstream_token},
        {"reader_programs", has_reader_programs},
        {"program_tokens", has_program_tokens},
        {"detach_asks", has_detach_asks},
        {"cgroup_bpf", has_cgroup_bpf},
        {"unprivileged_load", has_unprivileged_load},
        {"failslab", has_failslab},
        {"dump_by_right", has_dump_by_right},
        {"btf_by_handle", has_btf_by_handle},
    };
    return all;
}

} // namespace

bool probe(const std::string& name) {
    static std::map<std::string, bool> answers;
    const auto known = answers.find(name);
    if (known != answers.end()) {
        return known->second;
    }
    const auto asked = questions().find(name);
    if (asked == questions().end()) {
        throw std::logic_error("no probe is called '" + name + "'");
    }
    return answers[name] = asked->second();
}

bool required(const std::string& name) {
    const char* list = std::getenv("BPFFS_REQUIRE"); // NOLINT(concurrency-mt-unsafe)
    return list != nullptr && has_option(list, name);
}

obstacle missing(const std::string& name) {
    return missing(name, probe(name) ? "" : "no");
}

obstacle missing(const std::string& name, const std::string& why) {
    if (why.empty()) {
        return {};
    }
    return {"probe '" + name + "' says: " + why, required(name)};
}

} // namespace bpffs_test
