// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Attaching to network devices and namespaces and to the kernel's functions: links that say where
// they are, are pinned, updated and detached, and programs that then see what happens there.
#include "lib_scene.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace {

using namespace lib_test;

/// The loopback device of the test's own network namespace.
constexpr std::uint32_t loopback = 1;

class attachments : public on_bpffs {
protected:
    /// Loads one of the programs of an object file, and its maps.
    [[nodiscard]] loaded_file load_only(const std::string& object,
                                        std::initializer_list<std::string_view> wanted_programs) {
        object_file file = object_file::open(path{BPFFS_TEST_OBJECTS} / (object + ".bpf.o"));
        std::vector<std::string> others;
        for (const file_program& one : file.programs()) {
            if (std::find(wanted_programs.begin(), wanted_programs.end(), one.name) ==
                wanted_programs.end()) {
                others.push_back(one.name);
            }
        }
        for (const std::string& one : others) {
            file.skip(one);
        }
        return file.load(directory::open(base()));
    }

    static bool compiled(const std::string& object) {
        return ::access((path{BPFFS_TEST_OBJECTS} / (object + ".bpf.o")).c_str(), R_OK) == 0;
    }
};

/// What every kind of link does that can be updated and detached.
void goes_through_its_life(bpffs::link made, const loaded_file& two, attach_kind kind,
                           const attach_target& target, const path& pin) {
    const auto first = two.programs[0].handle.info().id;
    const auto second = two.programs[1].handle.info().id;
    EXPECT_EQ(made.info().program_id, first);
    EXPECT_EQ(made.info().attach, kind);
    EXPECT_EQ(attached_to(target, kind), std::vector<std::uint32_t>{first});
    made.pin(pin);
    made = bpffs::link::open(pin, access::read_write);
    made.update(two.programs[1].handle, &two.programs[0].handle);
    EXPECT_EQ(attached_to(target, kind), std::vector<std::uint32_t>{second});
    made.detach();
    EXPECT_TRUE(attached_to(target, kind).empty());
    bpffs::remove(pin);
}

TEST_F(attachments, to_a_network_device) {
    BPFFS_NEEDS("bpf_compiler", compiled("lib_network") ? "" : "no clang");
    const loaded_file two = load_only("lib_network", {"pass", "next"});
    const auto target = attach_target::network_device(loopback);
    error_code code;
    bpffs::link made = attach(two.programs[0].handle, attach_kind::tcx_ingress, target, code);
    BPFFS_NEEDS("tcx", code ? code.message() : "");
    EXPECT_EQ(made.info().kind, link_kind::tcx);
    EXPECT_EQ(made.info().ifindex, loopback);
    goes_through_its_life(std::move(made), two, attach_kind::tcx_ingress, target, at("link"));
    attach_directly(two.programs[0].handle, attach_kind::tcx_egress, target);
    EXPECT_EQ(attached_to(target, attach_kind::tcx_egress).size(), 1U);
    detach_directly(two.programs[0].handle, attach_kind::tcx_egress, target);
    EXPECT_TRUE(attached_to(target, attach_kind::tcx_egress).empty());
    detach_directly(two.programs[0].handle, attach_kind::tcx_egress, target, code);
    EXPECT_EQ(code, boost::system::errc::no_such_file_or_directory);
}

TEST_F(attachments, of_other_kinds_or_places_are_refused) {
    BPFFS_NEEDS("bpf_compiler", compiled("lib_network") ? "" : "no clang");
    const loaded_file two = load_only("lib_network", {"pass", "receive"});
    error_code code;
    (void)attach(two.programs[0].handle, attach_kind::xdp, attach_target::network_device(loopback),
                 code);
    EXPECT_EQ(code, boost::system::errc::invalid_argument) << "a tc program is no XDP program";
    (void)attach(two.programs[1].handle, attach_kind::xdp, attach_target::network_device(4711),
                 code);
    EXPECT_TRUE(code) << "there is no such device";
    (void)attach(program{}, attach_kind::xdp, attach_target::network_device(loopback), code);
    EXPECT_EQ(code, errc::empty_handle);
}

TEST_F(attachments, where_a_device_receives) {
    BPFFS_NEEDS("bpf_compiler", compiled("lib_network") ? "" : "no clang");
    const loaded_file one = load_only("lib_network", {"receive"});
    bpffs::link made =
        attach(one.programs[0].handle, attach_kind::xdp, attach_target::network_device(loopback));
    EXPECT_EQ(made.info().kind, link_kind::xdp);
    EXPECT_EQ(made.info().ifindex, loopback);
    error_code code;
    (void)attach(one.programs[0].handle, attach_kind::xdp, attach_target::network_device(loopback),
                 code);
    EXPECT_EQ(code, boost::system::errc::device_or_resource_busy) << "there is room for one";
    made.detach();
    EXPECT_EQ(made.info().program_id, one.programs[0].handle.info().id);
}

TEST_F(attachments, to_a_network_namespace) {
    BPFFS_NEEDS("bpf_compiler", compiled("lib_network") ? "" : "no clang");
    const loaded_file two = load_only("lib_network", {"choose", "refuse"});
    const owned_fd ns = owned_fd::adopt(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(ns);
    struct stat about = {};
    ASSERT_EQ(::fstat(ns.get(), &about), 0);
    const auto target = attach_target::network_namespace(ns);
    bpffs::link made = attach(two.programs[0].handle, attach_kind::sk_lookup, target);
    EXPECT_EQ(made.info().kind, link_kind::netns);
    EXPECT_EQ(made.info().netns_inode, about.st_ino);
    goes_through_its_life(std::move(made), two, attach_kind::sk_lookup, target, at("link"));
}

/// Without a link: in the caller's own only.
TEST_F(attachments, to_a_network_namespace_directly) {
    BPFFS_NEEDS("bpf_compiler", compiled("lib_sockets") ? "" : "no clang");
    const loaded_file one = load_only("lib_sockets", {"dissect"});
    const program& held = one.programs[0].handle;
    const owned_fd ns = owned_fd::adopt(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    const auto own = attach_target::network_namespace(ns);
    attach_directly(held, attach_kind::flow_dissector, own);
    EXPECT_EQ(attached_to(own, attach_kind::flow_dissector),
              std::vector<std::uint32_t>{held.info().id});
    detach_directly(held, attach_kind::flow_dissector, own);
    EXPECT_TRUE(attached_to(own, attach_kind::flow_dissector).empty());
    owned_fd others;
    std::thread([&] { // one that no process is in
        if (::unshare(CLONE_NEWNET) == 0) {
            others = owned_fd::adopt(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        }
    })
        .join();
    ASSERT_TRUE(others);
    error_code code;
    attach_directly(held, attach_kind::flow_dissector, attach_target::network_namespace(others),
                    beside_others::alone, code);
    EXPECT_EQ(code, boost::system::errc::invalid_argument);
    EXPECT_TRUE(attached_to(own, attach_kind::flow_dissector).empty());
}

class tracing : public attachments {
protected:
    /// Loads one program, or says why this kernel cannot.
    std::string load_one(std::string_view name) {
        try {
            loaded_ = load_only("lib_tracing", {name});
            return "";
        } catch (const error& why) {
            return why.what();
        }
    }
    [[nodiscard]] const program& only() const { return loaded_.programs.at(0).handle; }
    [[nodiscard]] std::uint64_t seen(std::uint32_t index) const {
        std::uint64_t count = 0;
        EXPECT_TRUE(loaded_.maps.at(0).handle.lookup(in(index), out(count)));
        return count;
    }
    /// Makes and removes a directory: what most of the programs watch.
    void happen() const {
        make_directory(at("something"), mode{0700});
        remove_directory(at("something"));
    }

    loaded_file loaded_;
};

TEST_F(tracing, of_a_raw_tracepoint) {
    BPFFS_NEEDS("bpf_compiler", compiled("lib_tracing") ? "" : "no clang");
    BPFFS_NEEDS("raw_tracepoints", load_one("enter"));
    {
        error_code code;
        const bpffs::link made =
            attach(only(), attach_kind{}, attach_target::raw_tracepoint("sys_enter"), code);
        BPFFS_NEEDS("raw_tracepoints", code ? code.message() : "");
        EXPECT_EQ(made.info().kind, link_kind::raw_tracepoint);
        EXPECT_EQ(made.info().target_name, "sys_enter");
        happen();
        EXPECT_GE(seen(0), 2U);
    }
    const std::uint64_t before = seen(0);
    happen();
    EXPECT_EQ(seen(0), before) << "it ended with its link";
    error_code code;
    (void)attach(only(), attach_kind{}, attach_target::raw_tracepoint("no_such_thing"), code);
    EXPECT_EQ(code, boost::system::errc::no_such_file_or_directory);
}

TEST_F(tracing, of_a_function_chosen_when_loading) {
    BPFFS_NEEDS("bpf_compiler", compiled("lib_tracing") ? "" : "no clang");
    for (const auto& [name, index] : {std::pair{"entry", 1U}, std::pair{"leave", 2U}}) {
        BPFFS_NEEDS("fentry", load_one(name));
        error_code code;
        const bpffs::link made = attach(only(), attach_kind{}, attach_target::as_loaded(), code);
        BPFFS_NEEDS("fentry", code ? code.message() : "");
        EXPECT_EQ(made.info().kind, link_kind::tracing);
        EXPECT_EQ(made.info().attach,
                  index == 1 ? attach_kind::trace_fentry : attach_kind::trace_fexit);
        happen();
        EXPECT_EQ(seen(index), 1U);
        made.pin(at("link"));
        EXPECT_EQ(bpffs::link::open(at("link"), access::read_write).info().target_type_id,
                  made.info().target_type_id);
        bpffs::remove(at("link"));
    }
}

TEST_F(tracing, of_functions_by_name) {
    BPFFS_NEEDS("bpf_compiler", compiled("lib_tracing") ? "" : "no clang");
    BPFFS_NEEDS("kprobe_multi", load_one("probe"));
    error_code code;
    const bpffs::link made = attach(only(), attach_kind::trace_kprobe_multi,
                                    attach_target::kernel_functions({"vfs_rmdir"}), code);
    BPFFS_NEEDS("kprobe_multi", code ? code.message() : "");
    EXPECT_EQ(made.info().kind, link_kind::kprobe_multi);
    happen();
    EXPECT_EQ(seen(3), 1U);
}

TEST_F(tracing, by_iterators) {
    BPFFS_NEEDS("bpf_compiler", compiled("lib_tracing") ? "" : "no clang");
    BPFFS_NEEDS("iterators", load_one("each"));
    error_code code;
    const bpffs::link made =
        attach(only(), attach_kind::trace_iter, attach_target::iterator(), code);
    BPFFS_NEEDS("iterators", code ? code.message() : "");
    EXPECT_EQ(made.info().kind, link_kind::iter);
    EXPECT_EQ(made.info().target_name, "bpf_map");
    const owned_fd file = made.start_iterator();
    char text[4096];
    const auto length = ::read(file.get(), text, sizeof text);
    ASSERT_GE(length, 4);
    EXPECT_EQ(std::string(text, 4), "map\n");
}

} // namespace
