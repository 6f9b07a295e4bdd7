// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-admin save and restore: maps come back as they were, a save that fails or is killed loses
// nothing, and what is damaged is not used.
#include "admin/save_files.hpp"
#include "admin_scene.hpp"
#include "common/failure.hpp"
#include "kill_everywhere.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <bpffs/bpffs.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>

#include <boost/filesystem/operations.hpp>
#include <sys/mount.h>
#include <unistd.h>

namespace bpffs_test {

namespace {

using bpffs::map_kind;

class admin_saves_test : public admin_test {
protected:
    static constexpr const char* saves = "/run/saves";
    static constexpr const char* saved = "/run/saves/run/bpffs/alice";

    void SetUp() override {
        admin_test::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        ASSERT_EQ(::mkdir("/run/bpffs", 0755), 0);
        ASSERT_EQ(::mkdir(place, 0755), 0);
        mount_new();
    }
    void TearDown() override {
        ::umount2(place, MNT_DETACH);
        admin_test::TearDown();
    }

    /// An empty bpffs of alice's, as after a boot.
    static void mount_new() {
        bpffs::mount_spec spec;
        spec.fmode = bpffs::fmode_option::off;
        spec.owner = alice;
        spec.group = alice;
        bpffs::mount_bpffs(place, spec);
    }
    static void start_again() {
        ASSERT_EQ(::umount2(place, MNT_DETACH), 0);
        mount_new();
    }

    static std::string at(const std::string& name) { return std::string(place) + "/" + name; }

    template <class Key, class Value>
    static void make(const std::string& name, map_kind kind,
                     const std::vector<std::pair<Key, Value>>& entries, std::uint32_t flags = 0) {
        bpffs::map_spec spec;
        spec.kind = kind;
        spec.key_size = sizeof(Key);
        spec.value_size = sizeof(Value);
        spec.flags = flags;
        bpffs::map made = bpffs::create_map(at(name), spec);
        for (const auto& [key, value] : entries) {
            std::vector<std::byte> slots(made.value_bytes());
            for (std::size_t i = 0; i + sizeof value <= slots.size(); i += sizeof value) {
                std::memcpy(slots.data() + i, &value, sizeof value);
            }
            made.update(std::as_bytes(std::span(&key, 1)), slots);
        }
    }

    /// All entries of a map, in the order of their keys.
    static std::vector<std::string> entries(const std::string& name) {
        std::vector<std::string> all;
        bpffs::map::open(at(name), bpffs::access::read)
            .for_each([&](bpffs::const_bytes key, bpffs::const_bytes value) {
                std::string one(reinterpret_cast<const char*>(key.data()), key.size());
                one.append(reinterpret_cast<const char*>(value.data()), value.size());
                all.push_back(one);
            });
        std::sort(all.begin(), all.end());
        return all;
    }

    static std::vector<std::string> files() {
        return fsctl::files_of_save(bpffs::directory::open("/run/saves/run/bpffs"), "alice");
    }
    static void expect_good(const bpffs::directory& in, const std::string& file) {
        fsctl::map_reader from(fsctl::open_saved(in, "alice", file), file);
        EXPECT_NO_THROW((void)from.verify()) << file;
    }
    /// The save is whole: each of its files is.
    static void expect_whole(std::size_t maps) {
        const bpffs::directory in = bpffs::directory::open("/run/saves/run/bpffs");
        const std::vector<std::string> names = files();
        EXPECT_EQ(names.size(), maps);
        for (const std::string& file : names) {
            expect_good(in, file);
        }
    }
};

constexpr std::uint32_t no_prealloc = 1; // BPF_F_NO_PREALLOC

TEST_F(admin_saves_test, maps_come_back_as_they_were) {
    make<std::uint32_t, std::uint64_t>("h", map_kind::hash, {{1, 10}, {2, 20}, {77, 770}});
    make<std::uint32_t, std::uint64_t>("a", map_kind::array, {{0, 5}, {63, 6}});
    make<std::uint32_t, std::uint64_t>("p", map_kind::percpu_hash, {{4, 40}});
    make<std::uint64_t, std::uint64_t>("t", map_kind::lpm_trie, {{32, 1}}, no_prealloc);
    ASSERT_EQ(::mkdir(at("d").c_str(), 0700), 0);
    ASSERT_EQ(::chown(at("d").c_str(), bob, alice), 0);
    ASSERT_EQ(::chmod(at("d").c_str(), 02750), 0);
    make<std::uint32_t, std::uint64_t>("d/n", map_kind::hash, {{3, 30}});
    ASSERT_EQ(::chown(at("d/n").c_str(), alice, bob), 0);
    ASSERT_EQ(::chmod(at("d/n").c_str(), 0640), 0);
    const std::vector<const char*> names = {"h", "a", "p", "t", "d/n"};
    std::map<std::string, std::vector<std::string>> before;
    for (const char* name : names) {
        before[name] = entries(name);
    }
    const answer got = run_admin(std::string("save ") + saves);
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_NE(got.out.find("5 maps of 70 entries saved"), std::string::npos) << got.out;
    EXPECT_EQ(status_of(saves).st_mode & 07777U, 0700U);

    start_again();
    expect_ok(std::string("restore ") + saves);
    for (const char* name : names) {
        EXPECT_EQ(entries(name), before[name]) << name;
    }
    EXPECT_EQ(status_of(at("d")).st_uid, bob);
    EXPECT_EQ(status_of(at("d")).st_mode & 07777U, 02750U);
    EXPECT_EQ(status_of(at("d/n")).st_uid, alice);
    EXPECT_EQ(status_of(at("d/n")).st_gid, bob);
    EXPECT_EQ(status_of(at("d/n")).st_mode & 07777U, 0640U);
    EXPECT_EQ(bpffs::map::open(at("t"), bpffs::access::read).info().flags, no_prealloc);
    EXPECT_FALSE(exists(at("bpffs-restoring")));
}

TEST_F(admin_saves_test, many_entries_come_back) {
    bpffs::map_spec spec;
    spec.max_entries = 20000;
    {
        bpffs::map made = bpffs::create_map(at("m"), spec);
        std::vector<std::uint64_t> keys(20000);
        for (std::size_t i = 0; i < keys.size(); i++) {
            keys[i] = i * 7;
        }
        made.update_many(std::as_bytes(std::span(keys)), std::as_bytes(std::span(keys)));
    }
    const auto before = entries("m");
    ASSERT_EQ(before.size(), 20000U);
    expect_ok(std::string("save ") + saves);
    start_again();
    expect_ok(std::string("restore ") + saves);
    EXPECT_EQ(entries("m"), before);
}

TEST_F(admin_saves_test, what_cannot_be_saved_is_named) {
    make<std::uint32_t, std::uint32_t>("q", map_kind::prog_array, {});
    const answer got = run_admin(std::string("save ") + saves);
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_NE(got.out.find("left out: 'q' is of kind prog_array"), std::string::npos) << got.out;
}

TEST_F(admin_saves_test, restoring_replaces_nothing) {
    make<std::uint32_t, std::uint64_t>("h", map_kind::hash, {{1, 10}});
    expect_ok(std::string("save ") + saves);
    start_again();
    make<std::uint32_t, std::uint64_t>("h", map_kind::hash, {{2, 20}});
    const auto before = entries("h");
    const answer got = run_admin(std::string("restore ") + saves);
    EXPECT_EQ(got.status, 0);
    EXPECT_NE(got.out.find("left out: 'h' is there already"), std::string::npos) << got.out;
    EXPECT_EQ(entries("h"), before);
}

TEST_F(admin_saves_test, a_damaged_file_is_not_used_and_the_others_are) {
    make<std::uint32_t, std::uint64_t>("x", map_kind::hash, {{1, 10}});
    make<std::uint32_t, std::uint64_t>("y", map_kind::hash, {{2, 20}});
    expect_ok(std::string("save ") + saves);
    const std::string file = std::string(saved) + "/" + files().front();
    const auto size = boost::filesystem::file_size(file);
    for (std::uintmax_t place = 0; place < size; place += 3) { // each byte would take long
        std::fstream change(file, std::ios::in | std::ios::out | std::ios::binary);
        change.seekg(static_cast<std::streamoff>(place));
        const char was = static_cast<char>(change.get());
        change.seekp(static_cast<std::streamoff>(place));
        change.put(static_cast<char>(was ^ 0x11));
        change.close();
        start_again();
        const answer got = run_admin(std::string("restore ") + saves);
        EXPECT_EQ(got.status, 1) << "byte " << place << " changed: " << got.out;
        EXPECT_NE(exists(at("x")), exists(at("y"))) << "byte " << place;
        change.open(file, std::ios::in | std::ios::out | std::ios::binary);
        change.seekp(static_cast<std::streamoff>(place));
        change.put(was);
    }
    boost::filesystem::resize_file(file, size - 1);
    start_again();
    expect_error(std::string("restore ") + saves, 1, {"cut short"});
    EXPECT_NE(exists(at("x")), exists(at("y")));
}

TEST_F(admin_saves_test, a_full_disk_keeps_the_old_save) {
    ASSERT_EQ(::mkdir(saves, 0700), 0);
    ASSERT_EQ(::mount("tmpfs", saves, "tmpfs", 0, "mode=0700,size=64k"), 0);
    make<std::uint32_t, std::uint64_t>("h", map_kind::hash, {{1, 10}});
    expect_ok(std::string("save ") + saves);
    make<std::uint32_t, std::array<char, 4000>>("large", map_kind::array, {});
    expect_error(std::string("save ") + saves, 1, {"No space left"});
    expect_whole(1);
    EXPECT_FALSE(exists("/run/saves/run/bpffs/alice~new"));
    ::umount2(saves, MNT_DETACH);
}

TEST_F(admin_saves_test, a_place_that_others_can_change_is_refused) {
    ASSERT_EQ(::mkdir("/run/open", 0700), 0);
    ASSERT_EQ(::chmod("/run/open", 0777), 0);
    expect_error("save /run/open/saves", 1, {"'/run/open'", "changed by others"});
    expect_error("save /home/alice/saves", 1, {"'/home/alice'", "changed by others"});
    ASSERT_EQ(::symlink("/run", "/run/elsewhere"), 0);
    expect_error("save /run/elsewhere/saves", 1, {"'/run/elsewhere'", "no directory"});
}

TEST_F(admin_saves_test, a_link_that_the_user_made_is_not_saved_through) {
    ASSERT_EQ(::symlink("/sys/fs/bpf/secret", at("l").c_str()), 0);
    const answer got = run_admin(std::string("save ") + saves);
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_TRUE(files().empty());
}

TEST_F(admin_saves_test, without_a_policy_nothing_is_kept_at_shutdown) {
    const answer got = run_admin("save");
    EXPECT_EQ(got.status, 0) << got.err;
    EXPECT_NE(got.out.find("persist"), std::string::npos) << got.out;
}

// Whose they are

constexpr const char* with_carol = "root:x:0:0::/root:/bin/sh\n"
                                   "alice:x:1000:1000::/home/alice:/bin/sh\n"
                                   "carol:x:1001:1001::/home/carol:/bin/sh\n";

TEST_F(admin_saves_test, another_account_with_the_uid_gets_none_of_it) {
    make<std::uint32_t, std::uint64_t>("hers", map_kind::hash, {{1, 10}});
    make<std::uint32_t, std::uint64_t>("his", map_kind::hash, {{2, 20}});
    ASSERT_EQ(::chown(at("hers").c_str(), alice, alice), 0);
    ASSERT_EQ(::chown(at("his").c_str(), bob, bob), 0);
    expect_ok(std::string("save ") + saves);
    start_again();
    set_accounts(with_carol); // who has bob's number now
    expect_error(std::string("restore ") + saves, 1, {"'his'", "bob", "uid 1001", "carol"});
    EXPECT_TRUE(exists(at("hers")));
    EXPECT_FALSE(exists(at("his")));
    start_again();
    set_accounts("root:x:0:0::/root:/bin/sh\ndora:x:1000:1000::/home/alice:/bin/sh\n");
    expect_error(std::string("restore ") + saves, 1, {"alice", "uid 1000", "dora"});
    EXPECT_FALSE(exists(at("hers"))) << "the whole directory was another one's";
}

TEST_F(admin_saves_test, another_account_with_the_name_gets_none_of_it) {
    make<std::uint32_t, std::uint64_t>("open", map_kind::hash, {{1, 10}}); // root's, for alice
    ASSERT_EQ(::chmod(at("open").c_str(), 0644), 0);
    expect_ok(std::string("save ") + saves);
    ASSERT_EQ(::umount2(place, MNT_DETACH), 0);
    set_accounts("root:x:0:0::/root:/bin/sh\nalice:x:1005:1005::/home/alice:/bin/sh\n");
    bpffs::mount_spec spec;
    spec.fmode = bpffs::fmode_option::off;
    spec.owner = 1005;
    bpffs::mount_bpffs(place, spec);
    expect_error(std::string("restore ") + saves, 1, {saved, "alice", "uid 1000", "1005"});
    EXPECT_FALSE(exists(at("open")));
}

TEST_F(admin_saves_test, a_save_that_does_not_say_whose_it_is_gives_nobody_elses) {
    make<std::uint32_t, std::uint64_t>("hers", map_kind::hash, {{1, 10}});
    make<std::uint32_t, std::uint64_t>("his", map_kind::hash, {{2, 20}});
    ASSERT_EQ(::chown(at("hers").c_str(), alice, alice), 0);
    ASSERT_EQ(::chown(at("his").c_str(), bob, bob), 0);
    expect_ok(std::string("save ") + saves);
    ASSERT_EQ(::unlink((std::string(saved) + "/owners").c_str()), 0); // as earlier versions
    start_again();
    expect_error(std::string("restore ") + saves, 1, {"'his'", "uid 1001"});
    EXPECT_TRUE(exists(at("hers")));
    EXPECT_FALSE(exists(at("his")));
}

TEST_F(admin_saves_test, a_damaged_list_of_owners_gives_nothing) {
    make<std::uint32_t, std::uint64_t>("h", map_kind::hash, {{1, 10}});
    expect_ok(std::string("save ") + saves);
    const std::string file = std::string(saved) + "/owners";
    boost::filesystem::resize_file(file, boost::filesystem::file_size(file) - 2);
    start_again();
    expect_error(std::string("restore ") + saves, 1, {file});
    EXPECT_FALSE(exists(at("h")));
}

TEST_F(admin_saves_test, another_group_with_the_number_gets_none_of_it) {
    const auto set_groups = [](const std::string& lines) {
        std::ofstream("/run/group") << "root:x:0:\n" << lines;
    };
    set_groups("staff:x:2000:bob\nkept:x:2001:bob\n");
    ASSERT_EQ(::chmod("/run/group", 0644), 0);
    ASSERT_EQ(::mount("/run/group", "/etc/group", nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(::mkdir(at("d").c_str(), 0700), 0);
    for (const auto& [name, group] :
         {std::pair("staffs", 2000U), std::pair("d/keeps", 2001U), std::pair("d", 2000U)}) {
        if (std::string(name) != "d") {
            make<std::uint32_t, std::uint64_t>(name, map_kind::hash, {{1, 10}});
        }
        ASSERT_EQ(::chown(at(name).c_str(), alice, group), 0);
        ASSERT_EQ(::chmod(at(name).c_str(), 0770), 0);
    }
    expect_ok(std::string("save ") + saves);
    start_again();
    set_groups("others:x:2000:bob\nkept:x:2001:bob\n");
    expect_error(std::string("restore ") + saves, 1,
                 {"'staffs'", "'d'", "staff", "gid 2000", "'others's"});
    for (const char* name : {"staffs", "d"}) {
        EXPECT_EQ(status_of(at(name)).st_gid, alice) << name << ": the directory's";
        EXPECT_EQ(status_of(at(name)).st_mode & 0777U, 0700U) << name;
    }
    EXPECT_EQ(status_of(at("d/keeps")).st_gid, 2001U);
    EXPECT_EQ(status_of(at("d/keeps")).st_mode & 0777U, 0770U);
    ::umount2("/etc/group", MNT_DETACH);
}

TEST_F(admin_saves_test, where_nobody_says_a_name_nothing_is_lost) {
    make<std::uint32_t, std::uint64_t>("h", map_kind::hash, {{1, 10}});
    ASSERT_EQ(::chown(at("h").c_str(), alice, 2000), 0);
    ASSERT_EQ(::chmod(at("h").c_str(), 0640), 0);
    let_groups_fail();
    expect_ok(std::string("save ") + saves);
    let_groups_answer();
    start_again();
    expect_error(std::string("restore ") + saves, 1, {"'h'", "does not say which group"});
    EXPECT_EQ(status_of(at("h")).st_mode & 0777U, 0600U);
}

TEST_F(admin_saves_test, what_was_refused_outlives_all_later_saves) {
    make<std::uint32_t, std::uint64_t>("hers", map_kind::hash, {{1, 10}});
    make<std::uint32_t, std::uint64_t>("his", map_kind::hash, {{2, 20}});
    ASSERT_EQ(::chown(at("hers").c_str(), alice, alice), 0);
    ASSERT_EQ(::chown(at("his").c_str(), bob, bob), 0);
    expect_ok(std::string("save ") + saves);
    const std::string kept = std::string(saved) + "~refused";
    for (const std::string& each : {kept, kept + "2"}) {
        start_again();
        set_accounts(with_carol);
        expect_error(std::string("restore ") + saves, 1, {"'his'", "carol"});
        for (int times = 0; times < 3; times++) {
            expect_ok(std::string("save ") + saves);
        }
        EXPECT_TRUE(exists(each + "/000001.map"));
        set_accounts("root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n"
                     "bob:x:1001:1001::/home/bob:/bin/sh\n");
        make<std::uint32_t, std::uint64_t>("his", map_kind::hash, {{2, 20}});
        ASSERT_EQ(::chown(at("his").c_str(), bob, bob), 0);
        expect_ok(std::string("save ") + saves); // the next one to be refused
    }
    EXPECT_TRUE(exists(kept + "/000001.map"));
    EXPECT_FALSE(exists(kept + "3"));
}

class admin_stale_saves_test : public admin_saves_test {
protected:
    void SetUp() override {
        admin_saves_test::SetUp();
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        ASSERT_EQ(::mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=0755"), 0); // of this namespace
        make<std::uint32_t, std::uint64_t>("h", map_kind::hash, {{1, 10}});
        expect_ok("save /var/lib/bpffs");
        expect_ok("save /var/lib/bpffs"); // beside it is the one before
    }
    void TearDown() override {
        ::umount2("/var/lib", MNT_DETACH);
        admin_saves_test::TearDown();
    }
    static constexpr const char* kept = "/var/lib/bpffs/run/bpffs/alice";
    static constexpr const char* kept_before = "/var/lib/bpffs/run/bpffs/alice~old";
};

TEST_F(admin_stale_saves_test, clean_removes_those_of_users_that_are_gone) {
    expect_ok("clean");
    EXPECT_TRUE(exists(kept));
    ASSERT_EQ(::umount2(place, MNT_DETACH), 0);
    set_accounts("root:x:0:0::/root:/bin/sh\n");
    const answer got = run_admin("-j clean");
    EXPECT_EQ(got.status, 0) << got.err;
    expect_json(got, {R"("user":"alice")", kept, kept_before});
    EXPECT_FALSE(exists(kept));
    EXPECT_FALSE(exists(kept_before));
    EXPECT_NE(got.err.find("withdrawn alice '" + std::string(kept) + "'"), std::string::npos)
        << got.err;
}

TEST_F(admin_stale_saves_test, clean_asks_where_the_name_or_the_number_is_still_there) {
    ASSERT_EQ(::umount2(place, MNT_DETACH), 0);
    for (const char* now : {"alicia:x:1000:1000::/home/alice:/bin/sh\n",
                            "alice:x:1007:1007::/home/alice:/bin/sh\n"}) {
        set_accounts(std::string("root:x:0:0::/root:/bin/sh\n") + now);
        expect_error("clean", 1, {kept, "alice", "uid 1000", "clean force"});
        EXPECT_TRUE(exists(kept)) << now;
    }
    expect_ok("clean force");
    EXPECT_FALSE(exists(kept));
    EXPECT_FALSE(exists(kept_before));
}

TEST_F(admin_saves_test, killed_at_any_call_a_save_loses_nothing) {
    make<std::uint32_t, std::uint64_t>("h", map_kind::hash, {{1, 10}});
    expect_ok(std::string("save ") + saves);
    make<std::uint32_t, std::uint64_t>("k", map_kind::hash, {{2, 20}});
    const int killed = kill_at_every_call([] { (void)run_admin(std::string("save ") + saves); },
                                          [](int) { expect_whole(files().size() == 1 ? 1 : 2); });
    ASSERT_NE(killed, -1);
    EXPECT_GT(killed, 8);
    expect_ok(std::string("save ") + saves);
    expect_whole(2);
    EXPECT_FALSE(exists("/run/saves/run/bpffs/alice~new"));
}

TEST_F(admin_saves_test, killed_at_any_call_a_restore_is_completed_by_the_next) {
    make<std::uint32_t, std::uint64_t>("h", map_kind::hash, {{1, 10}, {2, 20}});
    ASSERT_EQ(::mkdir(at("d").c_str(), 0700), 0);
    ASSERT_EQ(::chown(at("d").c_str(), alice, alice), 0);
    make<std::uint32_t, std::uint64_t>("d/n", map_kind::hash, {{3, 30}});
    ASSERT_EQ(::chown(at("d/n").c_str(), alice, alice), 0);
    expect_ok(std::string("save ") + saves);
    const auto h = entries("h");
    const auto n = entries("d/n");
    const auto whole = [&](const std::string& name, const std::vector<std::string>& wanted) {
        EXPECT_EQ(entries(name), wanted) << name << " has appeared with other entries";
        EXPECT_EQ(status_of(at(name)).st_mode & 07777U, 0600U) << name;
    };
    start_again();
    const int killed = kill_at_every_call(
        [] { (void)run_admin(std::string("restore ") + saves); },
        [&](int) {
            if (exists(at("h"))) {
                whole("h", h);
            }
            if (exists(at("d/n"))) {
                whole("d/n", n);
                EXPECT_EQ(status_of(at("d/n")).st_uid, alice);
            }
            if (exists(at("d"))) {
                EXPECT_EQ(status_of(at("d")).st_uid, alice);
            }
            if (exists(at("bpffs-restoring"))) {
                EXPECT_EQ(status_of(at("bpffs-restoring")).st_mode & 07777U, 0700U);
                EXPECT_EQ(status_of(at("bpffs-restoring")).st_uid, 0U);
            }
            expect_ok(std::string("restore ") + saves);
            whole("h", h);
            whole("d/n", n);
            EXPECT_FALSE(exists(at("bpffs-restoring")));
            start_again();
        });
    ASSERT_NE(killed, -1);
    EXPECT_GT(killed, 8);
}

} // namespace

} // namespace bpffs_test
