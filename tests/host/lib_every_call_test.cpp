// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Every system call of every public operation fails once, with each of several errors, on the real
// kernel. Then the operation says which error it was, or went another way and succeeded; no
// descriptor is left, and if it failed everything is as it was before: files, owners, modes, what
// the pins hold, the elements of the map, what is attached.
#include "lib_scene.hpp"

#include "support/bpf_call.hpp"
#include "unit/fault.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include <functional>
#include <set>

namespace {

using namespace lib_test;

/// An operation in its form with an error_code, and what puts everything back after a success.
struct operation {
    const char* name;
    std::function<void(error_code&)> run;
    std::function<void()> undo = [] {};
};

/// Whether an operation may answer with another error than the one injected: one that goes
/// another way when a call fails ends with what it meets there.
enum class answer : std::uint8_t { as_injected, any };

path compiled(const std::string& name) {
    return path{BPFFS_TEST_OBJECTS} / (name + ".bpf.o");
}

class every_call : public on_bpffs {
protected:
    using entry = std::uint64_t;

    /// All that an operation could have changed, as text.
    [[nodiscard]] virtual std::string snapshot() const { return files_in(base()); }

    [[nodiscard]] static std::string files_in(const path& where) {
        std::set<std::string> all;
        for_each_pin(directory::open(where), [&](const listed_pin& one) {
            const pin_info& info = one.info;
            std::string line =
                fmt::format("{} {} {}:{} {} {}\n", one.name, info.permissions.octal(), info.owner,
                            info.group, info.kind ? to_string(*info.kind) : "", info.id);
            if (info.type == file_type::directory) {
                line += files_in(where / one.name);
            }
            all.insert(line);
            return true;
        });
        return fmt::format("{}", fmt::join(all, ""));
    }

    /// Returns how many calls were made to fail.
    int fails_cleanly(const operation& one, answer expected = answer::as_injected,
                      const std::set<int>& errors = {EIO, ENOMEM, EMFILE}) const {
        SCOPED_TRACE(one.name);
        const std::string before = snapshot();
        int injected = 0;
        for (const int error : errors) {
            error_code code;
            injected += bpffs_test::fail_every_call(
                [&] {
                    code = {};
                    one.run(code);
                    return !code;
                },
                [&](bool succeeded) {
                    if (succeeded) {
                        one.undo();
                    } else if (expected == answer::as_injected) {
                        EXPECT_TRUE(code == error_code(error, boost::system::system_category()) ||
                                    code.category() == bpffs_category())
                            << code.message() << " for " << error;
                    }
                    EXPECT_EQ(snapshot(), before) << (succeeded ? "after success and undoing" : "");
                },
                {error});
        }
        EXPECT_GT(injected, 0) << "it makes no call";
        return injected;
    }

    void all_fail_cleanly(std::initializer_list<operation> operations,
                          answer expected = answer::as_injected,
                          const std::set<int>& errors = {EIO, ENOMEM, EMFILE}) const {
        for (const operation& one : operations) {
            fails_cleanly(one, expected, errors);
        }
    }
};

/// A map with three elements.
class every_call_of_maps : public every_call {
public:
    void SetUp() override {
        every_call::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        map_ = create_map(at("m"));
        for (const entry one : {1, 2, 3}) {
            map_.update(in(one), in(one));
        }
    }

protected:
    [[nodiscard]] std::string snapshot() const override {
        std::set<std::string> elements;
        map_.for_each([&](const_bytes key, const_bytes value) {
            elements.insert(
                fmt::format("{}={} ", static_cast<int>(key[0]), static_cast<int>(value[0])));
        });
        return files_in(base()) + fmt::format("{}", fmt::join(elements, ""));
    }

    map map_;
};

TEST_F(every_call_of_maps, on_elements) {
    const entry one = 1;
    const entry four = 4;
    entry room = 0;
    const std::vector<entry> two{1, 9};
    std::vector<entry> values(2);
    std::vector<std::uint8_t> found(2);
    all_fail_cleanly({
        {"lookup", [&](error_code& code) { (void)map_.lookup(in(one), out(room), code); }},
        {"next_key", [&](error_code& code) { (void)map_.next_key(in(one), out(room), code); }},
        {"update",
         [&](error_code& code) { map_.update(in(one), in(four), update_flag::any, code); },
         [&] { map_.update(in(one), in(one)); }},
        {"erase", [&](error_code& code) { (void)map_.erase(in(one), code); },
         [&] { map_.update(in(one), in(one)); }},
        {"lookup_and_delete",
         [&](error_code& code) { (void)map_.lookup_and_delete(in(one), out(room), code); },
         [&] { map_.update(in(one), in(one)); }},
        {"usage", [&](error_code& code) { (void)map_.usage(code); }},
        {"lookup_many",
         [&](error_code& code) {
             (void)map_.lookup_many(std::as_bytes(std::span{two}),
                                    std::as_writable_bytes(std::span{values}), found, code);
         }},
        {"lookup_batch",
         [&](error_code& code) {
             batch some;
             while (map_.lookup_batch(some, code)) {
             }
         }},
        {"range-for",
         [&](error_code& code) {
             try {
                 for (const map_entry& each : map_.entries(1)) {
                     (void)each;
                 }
             } catch (const error& why) {
                 code = why.code();
             }
         }},
    });
}

/// What is done of many is said, and the rest has not been done.
TEST_F(every_call_of_maps, on_many_elements_says_how_many) {
    const std::vector<entry> keys{11, 12, 13};
    for (const auto flag : {update_flag::any, update_flag::noexist}) {
        std::size_t done = 0;
        bpffs_test::fail_every_call(
            [&] {
                error_code code;
                done = map_.update_many(std::as_bytes(std::span{keys}),
                                        std::as_bytes(std::span{keys}), flag, code);
                EXPECT_EQ(code.failed(), done != keys.size());
                return !code;
            },
            [&](bool) {
                std::size_t there = 0;
                for (const entry key : keys) {
                    there += map_.erase(in(key)) ? 1 : 0;
                }
                EXPECT_EQ(there, done);
            });
    }
    for (const int error : {EIO, ENOMEM}) {
        for (const entry key : keys) {
            map_.update(in(key), in(key));
        }
        error_code code;
        std::size_t gone = 0;
        {
            const bpffs_test::fault now{0, error};
            gone = map_.erase_many(std::as_bytes(std::span{keys}), code);
        }
        EXPECT_EQ(code.value(), error);
        EXPECT_EQ(gone + map_.erase_many(std::as_bytes(std::span{keys})), keys.size());
    }
}

/// A call that is refused before its first element changes nothing, and says so.
TEST_F(every_call_of_maps, on_many_elements_without_the_right) {
    const std::vector<entry> keys{11, 12, 13};
    const auto bytes = std::as_bytes(std::span{keys});
    map reader = map::open(at("m"), access::read);
    error_code code;
    EXPECT_EQ(reader.update_many(bytes, bytes, update_flag::any, code), 0U);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
    EXPECT_EQ(reader.erase_many(bytes, code), 0U);
    EXPECT_EQ(code, boost::system::errc::operation_not_permitted);
}

TEST_F(every_call_of_maps, on_handles) {
    all_fail_cleanly({
        {"map::open", [&](error_code& code) { (void)map::open(at("m"), access::read, code); }},
        {"typed_map::open",
         [&](error_code& code) { (void)map_reader<entry, entry>::open(at("m"), code); }},
        {"program::open, which refuses it",
         [&](error_code& code) {
             (void)program::open(at("m"), access::read, code);
             EXPECT_TRUE(code) << "a map";
             if (code == errc::wrong_kind) {
                 code = {};
             }
         }},
        {"open_pin", [&](error_code& code) { (void)open_pin(at("m"), access::read, code); }},
        {"object::adopt",
         [&](error_code& code) {
             error_code opening;
             object opened = open_pin(at("m"), access::read, opening);
             code = opening;
             if (!code) {
                 (void)object::adopt(opened.release(), access::read, at("m"), code);
             }
         }},
        {"open_by_id",
         [&](error_code& code) { (void)open_by_id(object_kind::map, map_.info().id, code); }},
        {"next_id", [&](error_code& code) { (void)next_id(object_kind::map, 0, code); }},
        {"map::pin", [&](error_code& code) { map_.pin(at("again"), mode{0640}, code); },
         [&] { bpffs::remove(at("again")); }},
        {"create_map",
         [&](error_code& code) { (void)create_map(at("new"), {.permissions = mode{0640}}, code); },
         [&] { bpffs::remove(at("new")); }},
        {"create_map with a group",
         [&](error_code& code) {
             map_spec spec;
             spec.group = 1001;
             (void)create_map(at("new"), spec, code);
         },
         [&] { bpffs::remove(at("new")); }},
        {"inspect", [&](error_code& code) { (void)inspect(at("m"), code); }},
        {"look_at", [&](error_code& code) { (void)look_at(at("m"), code); }},
    });
}

TEST_F(every_call_of_maps, with_old_kernels_answers) {
    // EINVAL is what a kernel says to what it does not know, EPERM what it says to the
    // unprivileged.
    all_fail_cleanly(
        {
            {"map::open", [&](error_code& code) { (void)map::open(at("m"), access::read, code); }},
            {"map::pin", [&](error_code& code) { map_.pin(at("again"), mode{0640}, code); },
             [&] { bpffs::remove(at("again")); }},
            {"replace_object",
             [&](error_code& code) { replace_object(map_.fd(), at("m"), mode{0600}, code); }},
            {"create_map", [&](error_code& code) { (void)create_map(at("new"), {}, code); },
             [&] { bpffs::remove(at("new")); }},
        },
        answer::any, {EINVAL, EPERM, EACCES, ENOENT, ENOSPC});
}

TEST_F(every_call_of_maps, on_shapes) {
    map queue = create_map(at("q"), default_spec(map_kind::queue));
    std::vector<std::byte> bytes(queue.value_bytes());
    queue.push(bytes);
    map array = create_map(
        at("a"),
        {.kind = map_kind::array, .key_size = 4, .max_entries = 4, .flags = BPF_F_MMAPABLE});
    const map ring = create_map(at("r"), default_spec(map_kind::ringbuf));
    const ring_reader reader = ring_reader::open(at("r"));
    const map orders = create_map(at("o"), default_spec(map_kind::user_ringbuf));
    all_fail_cleanly({
        {"push", [&](error_code& code) { queue.push(bytes, update_flag::any, code); },
         [&] { (void)queue.pop(bytes); }},
        {"pop", [&](error_code& code) { (void)queue.pop(bytes, code); },
         [&] { queue.push(bytes); }},
        {"peek", [&](error_code& code) { (void)queue.peek(bytes, code); }},
        {"shared_memory::of_array",
         [&](error_code& code) { (void)shared_memory::of_array(array, access::read_write, code); }},
        {"array_memory::open",
         [&](error_code& code) {
             try { // not for reading: that takes our kernel patches
                 (void)array_memory<entry, access::read_write>::open(at("a"));
             } catch (const error& why) {
                 code = why.code();
             }
         }},
        {"ring_reader::open",
         [&](error_code& code) {
             try {
                 (void)ring_reader::open(at("r"));
             } catch (const error& why) {
                 code = why.code();
             }
         }},
        {"ring_reader::wait",
         [&](error_code& code) {
             try {
                 (void)reader.wait(0);
             } catch (const error& why) {
                 code = why.code();
             }
         }},
        {"ring_writer::open",
         [&](error_code& code) {
             try {
                 ring_writer writer = ring_writer::open(at("o"));
                 EXPECT_TRUE(writer.send_value(entry{1}));
             } catch (const error& why) {
                 code = why.code();
             }
         }},
    });
}

/// A directory with a set of pins, a link to it, and an empty directory.
class every_call_of_files : public every_call_of_maps {
public:
    void SetUp() override {
        every_call_of_maps::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        other_ = create_map(at("other"));
        make_directory(at("d"), mode{0700});
        make_directory(at("empty"), mode{0755});
        make_symlink("d", at("link"));
        map_.pin(at("d/first"));
    }

protected:
    map other_;
};

TEST_F(every_call_of_files, that_change_something) {
    const std::vector<named_pin> set{{"one", map_.fd()}, {"two", other_.fd(), mode{0440}}};
    const auto remove_set = [&] {
        bpffs::remove(at("set/one"));
        bpffs::remove(at("set/two"));
        remove_directory(at("set"));
    };
    all_fail_cleanly({
        {"permissions", [&](error_code& code) { permissions(at("m"), mode{0444}, code); },
         [&] { permissions(at("m"), mode{0600}); }},
        {"permissions by clauses",
         [&](error_code& code) { (void)permissions(at("m"), mode_change::parse("g+r"), code); },
         [&] { permissions(at("m"), mode{0600}); }},
        {"change_owner", [&](error_code& code) { change_owner(at("m"), 1000, 1000, code); },
         [&] { change_owner(at("m"), 0, 0); }},
        {"rename",
         [&](error_code& code) { bpffs::rename(at("m"), at("n"), on_conflict::fail, code); },
         [&] { bpffs::rename(at("n"), at("m")); }},
        {"exchange",
         [&](error_code& code) {
             bpffs::rename(at("m"), at("other"), on_conflict::exchange, code);
         },
         [&] { bpffs::rename(at("m"), at("other"), on_conflict::exchange); }},
        {"remove", [&](error_code& code) { bpffs::remove(at("m"), code); },
         [&] { map_.pin(at("m")); }},
        {"make_directory", [&](error_code& code) { make_directory(at("new"), mode{0700}, code); },
         [&] { remove_directory(at("new")); }},
        {"remove_directory", [&](error_code& code) { remove_directory(at("empty"), code); },
         [&] { make_directory(at("empty"), mode{0755}); }},
        {"make_symlink", [&](error_code& code) { make_symlink("m", at("to"), code); },
         [&] { bpffs::remove(at("to")); }},
        {"pin_object", [&](error_code& code) { pin_object(map_.fd(), at("again"), {}, code); },
         [&] { bpffs::remove(at("again")); }},
        {"replace_object",
         [&](error_code& code) { replace_object(other_.fd(), at("m"), mode{0640}, code); },
         [&] { replace_object(map_.fd(), at("m"), mode{0600}); }},
        {"pin_all",
         [&](error_code& code) { pin_all(set, at("set"), mode{0750}, on_conflict::fail, code); },
         remove_set},
    });
}

/// The set that is replaced is there until the new one is, whole; and then it is gone.
TEST_F(every_call_of_files, that_replace_a_set) {
    const std::vector<named_pin> old_set{{"one", map_.fd()}, {"two", map_.fd()}};
    const std::vector<named_pin> new_set{{"three", other_.fd()}};
    pin_all(old_set, at("set"), mode{0700});
    fails_cleanly({"pin_all",
                   [&](error_code& code) {
                       pin_all(new_set, at("set"), mode{0750}, on_conflict::replace, code);
                   },
                   [&] {
                       EXPECT_EQ(files_in(at("set")).find("three"), 0U);
                       pin_all(old_set, at("set"), mode{0700}, on_conflict::replace);
                   }});
}

TEST_F(every_call_of_files, that_look) {
    const directory here = directory::open(base());
    all_fail_cleanly({
        {"directory::open", [&](error_code& code) { (void)directory::open(at("d"), code); }},
        {"directory::open, no links",
         [&](error_code& code) { (void)directory::open(at("d"), symlinks::refuse, code); }},
        {"is_bpffs", [&](error_code& code) { (void)here.is_bpffs(code); }},
        {"directory::for_each",
         [&](error_code& code) {
             here.for_each([](const directory_entry&) { return true; }, code);
         }},
        {"for_each_pin",
         [&](error_code& code) {
             for_each_pin(
                 here, [](const listed_pin&) { return true; }, code);
         }},
        {"read_symlink", [&](error_code& code) { (void)bpffs::read_symlink(at("link"), code); }},
        {"lock", [&](error_code& code) { (void)lock(here, code); }},
        {"mount_info::of", [&](error_code& code) { (void)mount_info::of(here.fd(), code); }},
        {"list_mounts", [&](error_code& code) { (void)list_mounts(code); }},
        {"identity::of_caller", [&](error_code& code) { (void)identity::of_caller(code); }},
    });
    all_fail_cleanly(
        {
            {"allowance_of", [&](error_code& code) { (void)allowance_of(here, code); }},
            {"explain",
             [&](error_code& code) {
                 const diagnosis said = explain(at("m"), wanted::to_open(access::read), code);
                 EXPECT_NE(code.failed(), !said.sentence.empty());
             }},
        },
        answer::any);
}

TEST_F(every_call_of_files, that_mount) {
    mount_spec plain;
    plain.fmode = fmode_option::off;
    fails_cleanly({"mount_bpffs", [&](error_code& code) { mount_bpffs(at("empty"), plain, code); },
                   [&] { unmount(at("empty")); }});
    mount_bpffs(at("empty"), plain);
    fails_cleanly({"unmount", [&](error_code& code) { unmount(at("empty"), code); },
                   [&] { mount_bpffs(at("empty"), plain); }});
    unmount(at("empty"));
}

/// Programs from an object file, pinned as a set.
class every_call_of_programs : public every_call {
public:
    void SetUp() override {
        BPFFS_NEEDS("bpf_compiler",
                    ::access(compiled("lib_filter").c_str(), R_OK) == 0 ? "" : "no clang");
        every_call::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        loaded_ = load_pinned(object_file::open(compiled("lib_filter")), at("filter"));
        ASSERT_EQ(loaded_.programs.size(), 1U);
    }

protected:
    [[nodiscard]] const program& keep() const { return loaded_.programs[0].handle; }

    loaded_file loaded_;
};

TEST_F(every_call_of_programs, on_handles) {
    const std::vector<std::byte> packet(64);
    const map another = create_map(at("m"));
    all_fail_cleanly({
        {"program::open",
         [&](error_code& code) { (void)program::open(at("filter/keep"), access::read, code); }},
        {"current_info", [&](error_code& code) { (void)keep().current_info(code); }},
        {"map_ids", [&](error_code& code) { (void)keep().map_ids(code); }},
        {"types_of", [&](error_code& code) { (void)types_of(keep(), code); }},
        {"test_run", [&](error_code& code) { (void)keep().test_run({.data = packet}, code); }},
        {"bind", [&](error_code& code) { keep().bind(another, code); }},
        {"pin", [&](error_code& code) { keep().pin(at("again"), mode{0440}, code); },
         [&] { bpffs::remove(at("again")); }},
    });
    // Without types there are instructions without names.
    all_fail_cleanly({{"code", [&](error_code& code) { (void)keep().code(code); }}}, answer::any);
    // A map is no program, whichever call fails.
    fails_cleanly({"map::open of a program", [&](error_code& code) {
                       const map opened = map::open(at("filter/keep"), access::read, code);
                       EXPECT_TRUE(code);
                       EXPECT_FALSE(opened);
                       if (code == errc::wrong_kind) {
                           code = {};
                       }
                   }});
}

TEST_F(every_call_of_programs, on_sockets) {
    const owned_fd socket = owned_fd::adopt(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_TRUE(socket);
    fails_cleanly(
        {"attach_to_socket",
         [&](error_code& code) { attach_to_socket(keep(), socket, socket_use::filter, code); },
         [&] { detach_from_socket(socket, socket_use::filter); }});
    attach_to_socket(keep(), socket, socket_use::filter);
    fails_cleanly({"detach_from_socket",
                   [&](error_code& code) { detach_from_socket(socket, socket_use::filter, code); },
                   [&] { attach_to_socket(keep(), socket, socket_use::filter); }});
}

TEST_F(every_call_of_programs, of_object_files) {
    const auto remove_set = [&](const char* name, std::initializer_list<const char*> pins) {
        for (const char* pin : pins) {
            bpffs::remove(at(name) / pin);
        }
        remove_directory(at(name));
    };
    all_fail_cleanly(
        {
            {"load_pinned",
             [&](error_code& code) {
                 object_file file = object_file::open(compiled("lib_count"), code);
                 if (!code) {
                     (void)load_pinned(std::move(file), at("count"), {}, code);
                 }
             },
             [&] {
                 remove_set("count", {"count", "drop", "packets", "lib_coun_rodata"});
             }},
            {"load and keep",
             [&](error_code& code) {
                 error_code opening;
                 const directory here = directory::open(base(), opening);
                 object_file file = object_file::open(compiled("lib_filter"), code);
                 code = opening ? opening : code;
                 if (!code) {
                     (void)file.load(here, {}, code);
                 }
             }},
        },
        answer::any, {EIO, ENOMEM, EMFILE, EPERM, EINVAL});
}

// Somebody removes the directory, with what is in it, before each of the calls.
TEST_F(every_call_of_programs, of_a_directory_that_vanishes) {
    const std::string before = snapshot();
    const auto remove_it = [&] {
        boost::system::error_code ignored;
        boost::filesystem::remove_all(at("dir"), ignored);
    };
    int refused = 0;
    for (int call = 0;; ++call) {
        boost::filesystem::create_directory(at("dir"));
        const auto descriptors = bpffs_test::open_descriptors();
        std::string words;
        bool happened = false;
        {
            const bpffs_test::interruption now{call, remove_it};
            try {
                (void)load_pinned(object_file::open(compiled("lib_count")), at("dir/count"));
            } catch (const error& failed) {
                words = failed.what();
            }
            happened = bpffs_test::interruption::happened();
        }
        EXPECT_EQ(bpffs_test::open_descriptors(), descriptors) << "before call " << call;
        if (!words.empty()) {
            ++refused;
            EXPECT_NE(words.find("dir/count"), std::string::npos) << words;
            EXPECT_NE(words.find("No such file"), std::string::npos) << words;
        }
        remove_it();
        EXPECT_EQ(snapshot(), before) << "before call " << call;
        if (!happened || HasFailure()) {
            break;
        }
    }
    EXPECT_GT(refused, 5);
}

/// A program attached to a cgroup, once by a link and once without.
class every_call_of_links : public every_call_of_programs {
public:
    void SetUp() override {
        every_call_of_programs::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        BPFFS_NEEDS("cgroup2", group_.error() == 0 ? "" : "not to be mounted here");
        directory_ =
            owned_fd::adopt(::open(group_.directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        counting_ = load_pinned(object_file::open(compiled("lib_count")), at("count"));
        ASSERT_EQ(counting_.programs.size(), 2U);
        link_ = attach(count(), attach_kind::cgroup_inet_egress, target());
        link_.pin(at("link"));
    }

protected:
    [[nodiscard]] const program& count() const { return counting_.programs[0].handle; }
    [[nodiscard]] const program& drop() const { return counting_.programs[1].handle; }
    [[nodiscard]] attach_target target() const { return attach_target::cgroup(directory_); }
    [[nodiscard]] std::string snapshot() const override {
        return files_in(base()) +
               fmt::format("{}",
                           fmt::join(attached_to(target(), attach_kind::cgroup_inet_egress), " "));
    }

    bpffs_test::own_cgroup group_;
    owned_fd directory_;
    loaded_file counting_;
    bpffs::link link_;
};

TEST_F(every_call_of_links, on_handles) {
    all_fail_cleanly({
        {"link::open",
         [&](error_code& code) { (void)bpffs::link::open(at("link"), access::read_write, code); }},
        {"attach",
         [&](error_code& code) {
             (void)attach(drop(), attach_kind::cgroup_inet_egress, target(), code);
         }},
        {"link::update", [&](error_code& code) { link_.update(drop(), nullptr, code); },
         [&] { link_.update(count()); }},
        {"link::pin", [&](error_code& code) { link_.pin(at("again"), {}, code); },
         [&] { bpffs::remove(at("again")); }},
        {"attached_to",
         [&](error_code& code) {
             (void)attached_to(target(), attach_kind::cgroup_inet_egress, code);
         }},
        {"attach_directly",
         [&](error_code& code) {
             attach_directly(drop(), attach_kind::cgroup_inet_egress, target(),
                             beside_others::multiple, code);
         },
         [&] { detach_directly(drop(), attach_kind::cgroup_inet_egress, target()); }},
    });
    attach_directly(drop(), attach_kind::cgroup_inet_egress, target(), beside_others::multiple);
    fails_cleanly({"detach_directly",
                   [&](error_code& code) {
                       detach_directly(drop(), attach_kind::cgroup_inet_egress, target(), code);
                   },
                   [&] {
                       attach_directly(drop(), attach_kind::cgroup_inet_egress, target(),
                                       beside_others::multiple);
                   }});
    detach_directly(drop(), attach_kind::cgroup_inet_egress, target());
}

TEST_F(every_call_of_links, on_detaching) {
    const int injected = bpffs_test::fail_every_call(
        [&] {
            error_code code;
            link_.detach(code);
            return !code;
        },
        [&](bool succeeded) {
            EXPECT_EQ(attached_to(target(), attach_kind::cgroup_inet_egress).empty(), succeeded);
            if (succeeded) {
                link_ = attach(count(), attach_kind::cgroup_inet_egress, target());
            }
        });
    EXPECT_EQ(injected, 3);
}

/// The same by the authority of a directory.
class every_call_by_token : public every_call_of_programs {
public:
    void SetUp() override {
        BPFFS_NEEDS("token");
        every_call_of_programs::SetUp();
    }

protected:
    [[nodiscard]] std::string options() const override {
        return "fmode,mode=0700,delegate_cmds=map_create:prog_load:btf_load,delegate_maps=any,"
               "delegate_progs=any,delegate_attachs=any,delegate_caps=bpf";
    }
};

TEST_F(every_call_by_token, makes_all_or_nothing) {
    const directory here = directory::open(base());
    const directory_token token = directory_token::create(here);
    const auto types = bpffs_test::small_btf();
    all_fail_cleanly(
        {
            {"directory_token::create",
             [&](error_code& code) { (void)directory_token::create(here, code); }},
            {"directory_token::allowed", [&](error_code& code) { (void)token.allowed(code); }},
            {"directory_token::load_types",
             [&](error_code& code) {
                 (void)token.load_types(std::as_bytes(std::span{types}), code);
             }},
            {"allowance_of", [&](error_code& code) { (void)allowance_of(here, code); }},
        },
        answer::any);
    all_fail_cleanly(
        {
            {"create_map",
             [&](error_code& code) {
                 (void)create_map(at("m"), {.permissions = mode{0640}}, code);
             },
             [&] { bpffs::remove(at("m")); }},
            {"load_pinned",
             [&](error_code& code) {
                 object_file file = object_file::open(compiled("lib_filter"), code);
                 if (!code) {
                     (void)load_pinned(std::move(file), at("more"), {}, code);
                 }
             },
             [&] {
                 bpffs::remove(at("more/keep"));
                 bpffs::remove(at("more/lengths"));
                 remove_directory(at("more"));
             }},
        },
        answer::any, {EIO, ENOMEM, EMFILE, EPERM, EINVAL});
}

} // namespace
