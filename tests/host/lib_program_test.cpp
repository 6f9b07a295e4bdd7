// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Object files, programs and links against the real kernel: loading whole or not at all, running,
// attaching, links that are read, updated and detached; as root, and as a user by a token.
#include "lib_scene.hpp"

#include "support/bpf_call.hpp"
#include "unit/fault.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace {

using namespace lib_test;

path compiled(const std::string& name) {
    return path{BPFFS_TEST_OBJECTS} / (name + ".bpf.o");
}

std::vector<std::string> sorted(std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    return names;
}

class object_files : public on_bpffs {
public:
    void SetUp() override {
        BPFFS_NEEDS("bpf_compiler",
                    ::access(compiled("lib_count").c_str(), R_OK) == 0 ? "" : "no clang");
        on_bpffs::SetUp();
    }

protected:
    [[nodiscard]] std::vector<std::string> names_in(const path& where) const {
        std::vector<std::string> all;
        directory::open(where).for_each([&](const directory_entry& one) {
            all.push_back(one.name);
            return true;
        });
        return sorted(all);
    }
};

const program& named(const loaded_file& all, const std::string& name) {
    for (const auto& one : all.programs) {
        if (one.name == name) {
            return one.handle;
        }
    }
    throw std::runtime_error{"no program " + name};
}

TEST_F(object_files, say_what_is_in_them) {
    const object_file file = object_file::open(compiled("lib_count"));
    ASSERT_EQ(file.programs().size(), 2U);
    EXPECT_EQ(file.programs()[0].name, "count");
    EXPECT_EQ(file.programs()[0].section, "cgroup_skb/egress");
    EXPECT_EQ(file.programs()[0].kind, program_kind::cgroup_skb);
    EXPECT_EQ(file.programs()[0].attach, attach_kind::cgroup_inet_egress);
    ASSERT_EQ(file.maps().size(), 2U);
    EXPECT_EQ(file.maps()[0].name, "packets");
    EXPECT_EQ(file.maps()[0].kind, map_kind::array);
    EXPECT_EQ(file.maps()[0].value_size, 8U);
}

TEST_F(object_files, that_are_none_are_refused_with_words) {
    error_code code;
    (void)object_file::open("/nowhere/at/all", code);
    EXPECT_EQ(code, boost::system::errc::no_such_file_or_directory);
    try {
        (void)object_file::open("/etc/passwd");
        ADD_FAILURE();
    } catch (const error& why) {
        EXPECT_EQ(why.code(), errc::not_an_object_file);
        EXPECT_FALSE(why.detail().empty());
    }
}

TEST_F(object_files, are_pinned_whole) {
    load_pinned_options options;
    options.program_permissions = mode{0440};
    options.map_permissions = mode{0640};
    options.directory_permissions = mode{0750};
    const loaded_file all =
        load_pinned(object_file::open(compiled("lib_count")), at("set"), options);
    EXPECT_EQ(names_in(at("set")),
              (std::vector<std::string>{"count", "drop", "lib_coun_rodata", "packets"}));
    EXPECT_EQ(inspect(at("set")).permissions, mode{0750});
    EXPECT_EQ(inspect(at("set/drop")).permissions, mode{0440});
    EXPECT_EQ(inspect(at("set/packets")).permissions, mode{0640});
    EXPECT_EQ(inspect(at("set/count")).id, named(all, "count").info().id);
    EXPECT_EQ(names(), std::vector<std::string>{"set"}) << "nothing else is left";
    const program opened = program::open(at("set/count"), access::read);
    EXPECT_EQ(opened.info().kind, program_kind::cgroup_skb);
    EXPECT_EQ(opened.info().map_count, 2U);
    EXPECT_EQ(opened.map_ids().size(), 2U);
    EXPECT_TRUE(opened.info().gpl_compatible);
}

TEST_F(object_files, take_no_name_that_is_taken) {
    make_directory(at("set"), mode{0700});
    error_code code;
    const loaded_file none =
        load_pinned(object_file::open(compiled("lib_count")), at("set"), {}, code);
    EXPECT_EQ(code, boost::system::errc::file_exists);
    EXPECT_TRUE(none.programs.empty());
    EXPECT_EQ(names_in(at("set")), std::vector<std::string>{});
}

TEST_F(object_files, replace_a_set_in_one_step) {
    const auto first = load_pinned(object_file::open(compiled("lib_count")), at("set"));
    load_pinned_options options;
    options.conflict = on_conflict::replace;
    const auto second = load_pinned(object_file::open(compiled("lib_filter")), at("set"), options);
    EXPECT_EQ(names_in(at("set")), (std::vector<std::string>{"keep", "lengths"}));
    EXPECT_EQ(names(), std::vector<std::string>{"set"}) << "the old set is gone";
    make_directory(at("set/nested"), mode{0700});
    error_code code;
    (void)load_pinned(object_file::open(compiled("lib_count")), at("set"), options, code);
    EXPECT_EQ(code, boost::system::errc::directory_not_empty);
    EXPECT_EQ(names_in(at("set")), (std::vector<std::string>{"keep", "lengths", "nested"}));
}

TEST_F(object_files, refused_by_the_verifier_leave_nothing_and_a_log) {
    load_pinned_options options;
    std::string log;
    options.loading.log = &log;
    try {
        (void)load_pinned(object_file::open(compiled("lib_refused")), at("set"), options);
        ADD_FAILURE();
    } catch (const error& why) {
        EXPECT_EQ(why.code(), boost::system::errc::permission_denied) << why.what();
        EXPECT_NE(why.detail().find("unchecked"), std::string::npos) << why.detail();
        EXPECT_NE(why.detail().find("map_value_or_null"), std::string::npos) << why.detail();
    }
    EXPECT_NE(log.find("map_value_or_null"), std::string::npos) << log;
    EXPECT_EQ(names(), std::vector<std::string>{});
}

TEST_F(object_files, give_the_log_of_what_is_accepted_when_asked) {
    object_file file = object_file::open(compiled("lib_refused"));
    file.skip("unchecked");
    std::string log;
    const loaded_file all = file.load(directory::open(base()), {.log_level = 1, .log = &log});
    EXPECT_EQ(all.programs.size(), 1U);
    EXPECT_NE(log.find("processed"), std::string::npos) << log;
    EXPECT_FALSE(file) << "loaded once";
    error_code code;
    (void)file.load(directory::open(base()), {}, code);
    EXPECT_EQ(code, errc::empty_handle);
}

TEST_F(object_files, can_be_changed_before) {
    object_file file = object_file::open(compiled("lib_filter"));
    error_code code;
    file.set_entries("none", 3, code);
    EXPECT_EQ(code, errc::no_such_name);
    file.skip("none", code);
    EXPECT_EQ(code, errc::no_such_name);
    map mine = create_map(at("mine"), {.key_size = 4});
    const map other = create_map(at("other"), {.key_size = 8});
    file.reuse("lengths", other, code);
    EXPECT_EQ(code, boost::system::errc::invalid_argument);
    file.reuse("lengths", mine);
    const loaded_file all = file.load(directory::open(base()));
    const std::uint32_t key = 7;
    const std::int64_t length = 9;
    mine.update(in(key), in(length));
    const std::vector<std::byte> packet(64);
    EXPECT_EQ(named(all, "keep").test_run({.data = packet}).value, 9U) << "the map is shared";
}

TEST_F(object_files, are_whole_or_nothing_whatever_call_fails) {
    const int injected = bpffs_test::fail_every_call(
        [&] {
            error_code code;
            object_file file = object_file::open(compiled("lib_filter"), code);
            if (code) {
                return false;
            }
            (void)load_pinned(std::move(file), at("set"), {}, code);
            return !code;
        },
        [&](bool succeeded) {
            EXPECT_EQ(names(),
                      succeeded ? std::vector<std::string>{"set"} : std::vector<std::string>{});
            if (succeeded) {
                EXPECT_EQ(names_in(at("set")), (std::vector<std::string>{"keep", "lengths"}));
                bpffs::remove(at("set/keep"));
                bpffs::remove(at("set/lengths"));
                remove_directory(at("set"));
            }
        },
        {EIO, ENOMEM, EMFILE});
    EXPECT_GE(injected, 3 * 15);
}

TEST_F(object_files, consist_of_instructions_lines_and_functions) {
    const loaded_file all = load_pinned(object_file::open(compiled("lib_count")), at("set"));
    const program_code code = named(all, "count").code();
    EXPECT_EQ(code.translated.size(), named(all, "count").info().translated_bytes);
    ASSERT_FALSE(code.functions.empty());
    EXPECT_EQ(code.functions[0].name, "count");
    ASSERT_FALSE(code.lines.empty());
    EXPECT_NE(code.lines[0].file.find("lib_count.bpf.c"), std::string::npos);
    EXPECT_GT(code.lines[0].line, 10U);
    EXPECT_FALSE(types_of(named(all, "count")).empty());
}

TEST_F(object_files, types_are_compared_when_a_typed_map_is_opened) {
    const loaded_file all = load_pinned(object_file::open(compiled("lib_filter")), at("set"));
    (void)map_reader<std::uint32_t, std::int64_t>::open(at("set/lengths"));
    struct wrapped {
        std::int64_t length;
    };
    (void)map_reader<std::uint32_t, wrapped>::open(at("set/lengths"));
    error_code code;
    (void)map_reader<std::uint32_t, std::uint64_t>::open(at("set/lengths"), code);
    EXPECT_EQ(code, errc::wrong_type) << "signedness of the value";
    (void)map_reader<std::uint32_t, double>::open(at("set/lengths"), code);
    EXPECT_EQ(code, errc::wrong_type);
    try {
        (void)map_reader<std::int32_t, std::int64_t>::open(at("set/lengths"));
        ADD_FAILURE();
    } catch (const error& why) {
        EXPECT_EQ(why.detail(), "the map's key is an unsigned integer, unsigned int, not a signed "
                                "integer");
    }
}

/// What a reader without any capability sees, by the handle alone.
class read_objects : public object_files {
public:
    void SetUp() override {
        BPFFS_NEEDS("fmode");
        std::uint32_t attr[] = {1, 0, 1U << 25, 0, static_cast<std::uint32_t>(-1)};
        BPFFS_NEEDS("object_btf",
                    bpffs_test::bpf_call(BPF_BTF_GET_FD_BY_ID, attr, sizeof attr) == -EBADF
                        ? ""
                        : "BTF is not lent to readers of its object");
        object_files::SetUp();
    }

protected:
    [[nodiscard]] std::string options() const override { return "fmode,mode=0755"; }
};

TEST_F(read_objects, show_their_code_and_types) {
    load_pinned_options options;
    options.program_permissions = mode{0444};
    options.map_permissions = mode{0444};
    options.directory_permissions = mode{0755};
    (void)load_pinned(object_file::open(compiled("lib_count")), at("set"), options);
    as_alice([&]() -> std::string {
        const program_code code = program_reader::open(at("set/count")).code();
        if (code.translated.empty() || code.lines.empty() || !code.native.empty()) {
            return "no instructions, no lines, or machine code";
        }
        if (code.functions.empty() || code.functions[0].name != "count") {
            return "no name";
        }
        const map packets = map::open(at("set/packets"), access::read);
        if (types_of(packets).empty()) {
            return "no types";
        }
        error_code wrong;
        (void)map_reader<std::uint32_t, std::int64_t>::open(at("set/packets"), wrong);
        return wrong == errc::wrong_type ? "" : "signedness is not compared: " + wrong.message();
    });
}

TEST_F(read_objects, show_nothing_to_writers_of_whatever_capability) {
    (void)load_pinned(object_file::open(compiled("lib_count")), at("set"));
    error_code code;
    const program writer = program::open(at("set/count"), access::write);
    (void)writer.code(code);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
    EXPECT_EQ(writer.info().translated_bytes, 0U);
    EXPECT_EQ(writer.info().btf_id, 0U);
    EXPECT_EQ(writer.info().name, "count") << "what it is";
}

TEST_F(object_files, run_with_both_rights_only) {
    BPFFS_NEEDS("fmode");
    mount_anew("fmode,mode=0755");
    (void)load_pinned(object_file::open(compiled("lib_filter")), at("set"));
    const std::vector<std::byte> packet(64);
    EXPECT_EQ(program::open(at("set/keep"), access::read_write).test_run({.data = packet}).value,
              0U);
    for (const bpffs::access less : {access::read, access::write}) {
        error_code code;
        (void)program::open(at("set/keep"), less).test_run({.data = packet}, code);
        EXPECT_EQ(code, boost::system::errc::operation_not_permitted) << to_string(less);
    }
}

TEST_F(object_files, attach_to_sockets_with_w) {
    const loaded_file all = load_pinned(object_file::open(compiled("lib_filter")), at("set"));
    int ends[2] = {-1, -1};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    const owned_fd one = owned_fd::adopt(ends[0]);
    const owned_fd other = owned_fd::adopt(ends[1]);
    const program keep = program::open(at("set/keep"), access::write);
    attach_to_socket(keep, other, socket_use::filter);
    auto lengths = map_writer<std::uint32_t, std::int64_t>::open(at("set/lengths"));
    lengths.update(7, 3);
    ASSERT_EQ(::send(one.get(), "abcdef", 6, 0), 6);
    char buffer[16];
    EXPECT_EQ(::recv(other.get(), buffer, sizeof buffer, MSG_DONTWAIT), 3) << "cut by the filter";
    detach_from_socket(other, socket_use::filter);
    error_code code;
    detach_from_socket(other, socket_use::filter, code);
    EXPECT_EQ(code, boost::system::errc::no_such_file_or_directory);
}

/// A cgroup of the test's own, on a mount of its own.
class cgroups : public object_files {
public:
    void SetUp() override {
        object_files::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        ASSERT_NE(::mkdtemp(root_), nullptr);
        mounted_ = ::mount("cgroup2", root_, "cgroup2", 0, nullptr) == 0;
        BPFFS_NEEDS("cgroup2", mounted_ ? "" : "not to be mounted here");
        ASSERT_EQ(::mkdir(group().c_str(), 0755), 0);
        directory_ = owned_fd::adopt(::open(group().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    void TearDown() override {
        directory_.reset();
        if (mounted_) {
            ::rmdir(group().c_str());
            ::umount2(root_, MNT_DETACH);
        }
        ::rmdir(root_);
    }

protected:
    [[nodiscard]] std::string group() const {
        return std::string{root_} + "/bpffs-test-" + std::to_string(::getpid());
    }
    [[nodiscard]] borrowed_fd group_fd() const { return directory_; }

private:
    char root_[32] = "/tmp/bpffs-cgroup.XXXXXX";
    bool mounted_ = false;
    owned_fd directory_;
};

TEST_F(cgroups, hold_links_that_are_pinned_read_updated_and_detached) {
    const loaded_file all = load_pinned(object_file::open(compiled("lib_count")), at("set"));
    const auto target = attach_target::cgroup(group_fd());
    const bpffs::link made = attach(named(all, "count"), attach_kind::cgroup_inet_egress, target);
    EXPECT_EQ(made.info().kind, link_kind::cgroup);
    EXPECT_EQ(made.info().attach, attach_kind::cgroup_inet_egress);
    struct stat about = {};
    ASSERT_EQ(::stat(group().c_str(), &about), 0);
    EXPECT_EQ(made.info().cgroup_id, about.st_ino);
    made.pin(at("link"));
    bpffs::link opened = bpffs::link::open(at("link"), access::read_write);
    EXPECT_EQ(opened.info().program_id, named(all, "count").info().id);
    EXPECT_EQ(attached_to(target, attach_kind::cgroup_inet_egress),
              std::vector<std::uint32_t>{opened.info().program_id});
    error_code code;
    opened.update(named(all, "drop"), &named(all, "drop"), code);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted) << "another one is attached";
    opened.update(named(all, "drop"), &named(all, "count"));
    EXPECT_EQ(attached_to(target, attach_kind::cgroup_inet_egress),
              std::vector<std::uint32_t>{named(all, "drop").info().id});
    (void)opened.start_iterator(code);
    EXPECT_EQ(code, boost::system::errc::invalid_argument) << "no iterator";
    opened.detach();
    EXPECT_EQ(attached_to(target, attach_kind::cgroup_inet_egress), std::vector<std::uint32_t>{});
}

TEST_F(cgroups, hold_programs_without_links) {
    const loaded_file all = load_pinned(object_file::open(compiled("lib_count")), at("set"));
    const auto target = attach_target::cgroup(group_fd());
    attach_directly(named(all, "count"), attach_kind::cgroup_inet_egress, target,
                    beside_others::multiple);
    attach_directly(named(all, "drop"), attach_kind::cgroup_inet_egress, target,
                    beside_others::multiple);
    EXPECT_EQ(attached_to(target, attach_kind::cgroup_inet_egress).size(), 2U);
    detach_directly(named(all, "count"), attach_kind::cgroup_inet_egress, target);
    EXPECT_EQ(attached_to(target, attach_kind::cgroup_inet_egress),
              std::vector<std::uint32_t>{named(all, "drop").info().id});
    detach_directly(named(all, "drop"), attach_kind::cgroup_inet_egress, target);
}

TEST_F(cgroups, ask_for_the_rights_of_their_links) {
    BPFFS_NEEDS("fmode");
    mount_anew("fmode,mode=0755");
    const loaded_file all = load_pinned(object_file::open(compiled("lib_count")), at("set"));
    const auto target = attach_target::cgroup(group_fd());
    error_code code;
    (void)attach(program::open(at("set/count"), access::read), attach_kind::cgroup_inet_egress,
                 target, code);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted) << "R does not attach";
    const bpffs::link made =
        program_writer::open(at("set/count")).attach(attach_kind::cgroup_inet_egress, target);
    made.pin(at("link"));
    bpffs::link reader = bpffs::link::open(at("link"), access::read);
    EXPECT_EQ(reader.info().id, made.info().id);
    reader.update(named(all, "drop"), nullptr, code);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
    reader.detach(code);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
    link_writer writer = link_writer::open(at("link"));
    writer.update(named(all, "drop"));
    writer.detach();
}

/// What follows is done by alice without capabilities, in her directory.
class delegated_programs : public cgroups {
public:
    void SetUp() override {
        BPFFS_NEEDS("token");
        cgroups::SetUp();
        if (!IsSkipped() && !HasFatalFailure()) {
            BPFFS_NEEDS("program_tokens", why_no_program());
        }
    }

protected:
    // map_create, prog_load, btf_load; hash, array; socket_filter, cgroup_skb; both ways of a
    // cgroup. Numbers: the kernel knows words only where it has BTF of its own.
    [[nodiscard]] std::string options() const override {
        return "fmode,uid=1000,gid=1000,mode=0711,delegate_cmds=0x40021,delegate_maps=0x6,"
               "delegate_progs=0x102,delegate_attachs=0x3,delegate_caps=bpf";
    }

    [[nodiscard]] std::string why_no_program() const {
        const auto loaded = bpffs_test::as_user(bpffs_test::alice, [&] {
            const auto where = bpffs_test::open_file(base().native(), O_PATH | O_DIRECTORY);
            const auto token = bpffs_test::token_create(where.get());
            bpffs_test::load_options options;
            options.token = token.get();
            return bpffs_test::failed("load",
                                      bpffs_test::load_program(BPF_PROG_TYPE_SOCKET_FILTER,
                                                               bpffs_test::returns(0), options)
                                          .error());
        });
        return loaded.error == 0 ? "" : "directory tokens load no programs";
    }
};

TEST_F(delegated_programs, are_loaded_run_and_shared_by_a_user) {
    as_alice([&]() -> std::string {
        load_pinned_options options;
        options.program_permissions = mode{0644};
        const auto all =
            load_pinned(object_file::open(compiled("lib_filter")), at("mine"), options);
        permissions(at("mine"), mode{0711});
        auto lengths = map_owner<std::uint32_t, std::int64_t>::open(at("mine/lengths"));
        lengths.update(7, 5);
        const std::vector<std::byte> packet(64);
        const auto ran = program_owner::open(at("mine/keep")).test_run({.data = packet});
        return ran.value == 5 ? "" : "it returned " + std::to_string(ran.value);
    });
    EXPECT_EQ(inspect(at("mine/keep")).owner, bpffs_test::alice);
    EXPECT_EQ(names_in(base()), std::vector<std::string>{"mine"});
    const auto bobs = bpffs_test::as_user(bpffs_test::bob, [&] {
        error_code code;
        const program reader = program::open(at("mine/keep"), access::read, code);
        (void)program::open(at("mine/keep"), access::write, code);
        return bpffs_test::done("open", reader ? 0 : -EPROTO,
                                code == boost::system::errc::permission_denied);
    });
    EXPECT_EQ(bobs.error, 0);
    EXPECT_TRUE(bobs.seen);
}

TEST_F(delegated_programs, of_other_kinds_are_refused_by_name) {
    as_alice([&]() -> std::string {
        object_file file = object_file::open(compiled("lib_filter"));
        file.set_kind("keep", program_kind::sched_cls, attach_kind::cgroup_inet_ingress);
        try {
            (void)load_pinned(std::move(file), at("mine"));
            return "loaded";
        } catch (const error& why) {
            if (why.code() != errc::not_creatable) {
                return why.what();
            }
            return why.detail().find("not sched_cls") != std::string::npos ? "" : why.what();
        }
    });
    EXPECT_EQ(names_in(base()), std::vector<std::string>{});
}

TEST_F(delegated_programs, refused_by_the_verifier_have_their_log) {
    as_alice([&]() -> std::string {
        std::string log;
        load_pinned_options options;
        options.loading.log = &log;
        error_code code;
        (void)load_pinned(object_file::open(compiled("lib_refused")), at("mine"), options, code);
        if (code != boost::system::errc::permission_denied) {
            return code.message();
        }
        return log.find("map_value_or_null") != std::string::npos ? "" : "log: " + log;
    });
    EXPECT_EQ(names_in(base()), std::vector<std::string>{});
}

TEST_F(delegated_programs, attach_to_the_users_sockets) {
    as_alice([&]() -> std::string {
        (void)load_pinned(object_file::open(compiled("lib_filter")), at("mine"));
        int ends[2] = {-1, -1};
        if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0) {
            return "socketpair";
        }
        attach_to_socket(program::open(at("mine/keep"), access::write), borrowed_fd{ends[1]},
                         socket_use::filter);
        map_writer<std::uint32_t, std::int64_t>::open(at("mine/lengths")).update(7, 2);
        char buffer[16];
        const bool cut = ::send(ends[0], "abcdef", 6, 0) == 6 &&
                         ::recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT) == 2;
        return cut ? "" : "the filter does nothing";
    });
}

TEST_F(delegated_programs, attach_to_cgroups_by_their_file_only) {
    const std::string file = group() + "/cgroup.bpf";
    BPFFS_NEEDS("cgroup_bpf", ::access(file.c_str(), F_OK) == 0 ? "" : "no file cgroup.bpf");
    ASSERT_EQ(::chown(file.c_str(), bpffs_test::alice, bpffs_test::alice), 0);
    as_alice([&]() -> std::string {
        const auto all = load_pinned(object_file::open(compiled("lib_count")), at("mine"));
        error_code code;
        (void)attach(named(all, "count"), attach_kind::cgroup_inet_egress,
                     attach_target::cgroup(group_fd()), code);
        if (code != boost::system::errc::operation_not_permitted) {
            return "by the directory: " + code.message();
        }
        const owned_fd right = owned_fd::adopt(::open(file.c_str(), O_RDWR | O_CLOEXEC));
        const auto target = attach_target::cgroup(right);
        const bpffs::link made =
            attach(named(all, "count"), attach_kind::cgroup_inet_egress, target);
        made.pin(at("attached"));
        if (attached_to(target, attach_kind::cgroup_inet_egress).size() != 1) {
            return "not attached";
        }
        link_writer::open(at("attached")).detach();
        return {};
    });
}

} // namespace
