// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Pins as files against the real kernel: names, modes, owners, links, and objects of each kind.
#include "lib_scene.hpp"

#include "support/bpf_call.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <map>

namespace {

using namespace lib_test;

using pins = on_bpffs;

mode mode_of(const path& file) {
    return inspect(file).permissions;
}

/// The umask for the time of a test.
class with_umask {
public:
    explicit with_umask(unsigned bits) : old_{::umask(bits)} {}
    with_umask(const with_umask&) = delete;
    with_umask& operator=(const with_umask&) = delete;
    with_umask(with_umask&&) = delete;
    with_umask& operator=(with_umask&&) = delete;
    ~with_umask() { ::umask(old_); }

private:
    mode_t old_;
};

TEST_F(pins, are_born_with_their_mode_cut_by_the_umask) {
    const with_umask mask{027};
    (void)create_map(at("none"));
    EXPECT_EQ(mode_of(at("none")), mode{0600});
    (void)create_map(at("all"), {.permissions = mode{0777}});
    EXPECT_EQ(mode_of(at("all")), mode{0750});
    (void)create_map(at("r"), {.permissions = mode{0444}});
    EXPECT_EQ(mode_of(at("r")), mode{0440});
    (void)create_map(at("zero"), {.permissions = mode{0}});
    EXPECT_EQ(mode_of(at("zero")), mode{0});
    error_code code;
    (void)create_map(at("bad"), {.permissions = mode{04644}}, code);
    EXPECT_EQ(code, errc::bad_mode);
    EXPECT_EQ(names().size(), 4U) << "nothing else was left";
}

TEST_F(pins, never_replace_a_name) {
    const map first = create_map(at("m"), {.permissions = mode{0640}});
    error_code code;
    for (const std::optional<mode> bits : {std::optional<mode>{}, std::optional{mode{0666}}}) {
        (void)create_map(at("m"), {.permissions = bits}, code);
        EXPECT_EQ(code, boost::system::errc::file_exists);
        first.pin(at("m"), bits, code);
        EXPECT_EQ(code, boost::system::errc::file_exists);
    }
    make_symlink("target", at("dangling"));
    (void)create_map(at("dangling"), {.permissions = mode{0640}}, code);
    EXPECT_EQ(code, boost::system::errc::file_exists) << "a link is not followed to make a pin";
    (void)create_map(at("dangling"), {}, code);
    EXPECT_EQ(code, boost::system::errc::file_exists);
    EXPECT_EQ(mode_of(at("m")), mode{0640});
    EXPECT_EQ(map::open(at("m"), access::read).info().id, first.info().id);
    EXPECT_EQ(names().size(), 2U);
}

TEST_F(pins, with_a_dot_are_refused) {
    error_code code;
    (void)create_map(at("a.b"), {}, code);
    EXPECT_EQ(code, errc::dot_in_name);
    (void)map::open(at("a.b"), access::read, code);
    EXPECT_EQ(code, errc::dot_in_name);
    (void)create_map(at("d.ir/m"), {}, code);
    EXPECT_EQ(code, errc::dot_in_name);
    make_directory(at("d.ir"), mode{0700}, code);
    EXPECT_EQ(code, errc::dot_in_name);
    (void)create_map(at("m"));
    bpffs::rename(at("m"), at("m.old"), on_conflict::fail, code);
    EXPECT_EQ(code, errc::dot_in_name);
    EXPECT_EQ(names(), std::vector<std::string>{"m"});
}

TEST_F(pins, are_opened_through_a_link_as_any_file) {
    const map made = create_map(at("m"));
    make_symlink("m", at("l"));
    EXPECT_EQ(map::open(at("l"), access::read).info().id, made.info().id);
    EXPECT_EQ(inspect(at("l")).type, file_type::symlink);
    EXPECT_EQ(inspect(at("l")).kind, std::nullopt);
    error_code code;
    permissions(at("l"), mode{0666}, code);
    EXPECT_EQ(code, errc::is_a_symlink);
    change_owner(at("l"), 7, 8);
    EXPECT_EQ(inspect(at("m")).owner, 0U) << "chown changes the link itself";
    EXPECT_EQ(inspect(at("l")).owner, 7U);
}

TEST_F(pins, are_relative_to_a_directory_that_moves) {
    make_directory(at("old"), mode{0700});
    const directory handle = directory::open(at("old"));
    EXPECT_TRUE(handle.is_bpffs());
    bpffs::rename(at("old"), at("new"));
    const map made = create_map({handle, "m"}, {.permissions = mode{0640}});
    EXPECT_EQ(map::open(at("new/m"), access::read).info().id, made.info().id);
    EXPECT_EQ(map::open({handle, "m"}, access::read).info().id, made.info().id);
}

TEST_F(pins, tell_what_they_hold) {
    const map made = create_map(at("m"), {.permissions = mode{0640}});
    change_owner(at("m"), bpffs_test::alice, bpffs_test::bob);
    const pin_info info = inspect(at("m"));
    EXPECT_EQ(info.kind, object_kind::map);
    EXPECT_EQ(info.id, made.info().id);
    EXPECT_EQ(info.owner, bpffs_test::alice);
    EXPECT_EQ(info.group, bpffs_test::bob);
    EXPECT_EQ(info.permissions, mode{0640});
    EXPECT_EQ(info.names, 1U);
    change_owner(at("m"), std::nullopt, 0);
    EXPECT_EQ(inspect(at("m")).owner, bpffs_test::alice) << "a missing owner stays";
    EXPECT_EQ(inspect(base()).type, file_type::directory);
}

TEST_F(pins, change_their_mode_by_clauses) {
    (void)create_map(at("m"));
    EXPECT_EQ(permissions(at("m"), mode_change::parse("g=r,o+r")), mode{0644});
    EXPECT_EQ(mode_of(at("m")), mode{0644});
    permissions(at("m"), mode{0444});
    EXPECT_EQ(mode_of(at("m")), mode{0444});
}

TEST_F(pins, are_renamed_exchanged_and_removed) {
    const map a = create_map(at("a"));
    const map b = create_map(at("b"));
    error_code code;
    bpffs::rename(at("a"), at("b"), on_conflict::fail, code);
    EXPECT_EQ(code, boost::system::errc::file_exists);
    bpffs::rename(at("a"), at("b"), on_conflict::exchange);
    EXPECT_EQ(map::open(at("a"), access::read).info().id, b.info().id);
    bpffs::rename(at("a"), at("b"), on_conflict::replace);
    EXPECT_EQ(map::open(at("b"), access::read).info().id, b.info().id);
    bpffs::rename(at("b"), "/tmp/elsewhere", on_conflict::fail, code);
    EXPECT_EQ(code, boost::system::errc::cross_device_link);
    bpffs::remove(at("b"));
    EXPECT_TRUE(names().empty());
}

TEST_F(pins, of_programs_and_links) {
    bpffs_test::handle loaded =
        bpffs_test::load_program(BPF_PROG_TYPE_SOCKET_FILTER, bpffs_test::returns(0));
    ASSERT_TRUE(loaded.good());
    pin_object(borrowed_fd{loaded.get()}, at("p"), mode{0640});
    EXPECT_EQ(mode_of(at("p")), mode{0640});
    const program held = program::open(at("p"), access::read_write);
    EXPECT_EQ(held.info().kind, program_kind::socket_filter);
    EXPECT_EQ(inspect(at("p")).kind, object_kind::program);
    EXPECT_EQ(inspect(at("p")).id, held.info().id);
    held.pin(at("p2"));
    EXPECT_EQ(program::open(at("p2"), access::read_write).info().id, held.info().id);

    error_code code;
    (void)map::open(at("p"), access::read, code);
    EXPECT_EQ(code, errc::wrong_kind);
    (void)bpffs::link::open(at("p"), access::read_write, code);
    EXPECT_EQ(code, errc::wrong_kind);
    (void)create_map(at("m"));
    (void)program::open(at("m"), access::read, code);
    EXPECT_EQ(code, errc::wrong_kind);
}

TEST_F(pins, of_links) {
    // A link that asks for no tracing: a socket look-up in the test's own network namespace.
    const bpffs_test::handle loaded = bpffs_test::load_program(
        BPF_PROG_TYPE_SK_LOOKUP, bpffs_test::returns(1), {.expected_attach_type = BPF_SK_LOOKUP});
    ASSERT_TRUE(loaded.good());
    const bpffs_test::handle network = bpffs_test::open_file("/proc/self/ns/net", O_RDONLY);
    bpffs_test::link_create_attr attr;
    attr.prog_fd = static_cast<std::uint32_t>(loaded.get());
    attr.target_fd = static_cast<std::uint32_t>(network.get());
    attr.attach_type = BPF_SK_LOOKUP;
    const bpffs_test::handle attached = bpffs_test::link_create(attr);
    ASSERT_TRUE(attached.good()) << attached.error();
    pin_object(borrowed_fd{attached.get()}, at("l"));
    const auto held = bpffs::link::open(at("l"), access::read_write);
    EXPECT_EQ(held.info().kind, link_kind::netns);
    EXPECT_GT(held.info().program_id, 0U);
    EXPECT_EQ(inspect(at("l")).kind, object_kind::link);
    EXPECT_EQ(inspect(at("l")).id, held.info().id);
    held.pin(at("again"));
    if (!bpffs_test::probe("fmode")) {
        error_code code;
        (void)bpffs::link::open(at("l"), access::read, code);
        EXPECT_EQ(code, errc::unsupported);
    }
}

TEST_F(pins, are_not_directories_nor_other_files) {
    make_directory(at("d"), mode{0700});
    error_code code;
    (void)open_pin(at("d"), access::read, code);
    EXPECT_EQ(code, errc::not_a_pin);
    (void)open_pin("/etc/passwd", access::read, code);
    EXPECT_EQ(code, errc::not_a_bpffs);
    (void)open_pin(at("none"), access::read, code);
    EXPECT_EQ(code, boost::system::errc::no_such_file_or_directory);
    bpffs::remove(at("d"), code);
    EXPECT_EQ(code, boost::system::errc::is_a_directory);
    remove_directory(at("d"));
}

TEST_F(pins, are_listed_with_what_is_known_of_them) {
    const map made = create_map(at("m"), {.permissions = mode{0640}});
    make_directory(at("d"), mode{0700});
    make_symlink("m", at("l"));
    std::map<std::string, pin_info> all;
    for_each_pin(directory::open(base()), [&](const listed_pin& one) {
        all[one.name] = one.info;
        return true;
    });
    ASSERT_TRUE(all.contains("m") && all.contains("d") && all.contains("l"));
    EXPECT_EQ(all["m"].kind, object_kind::map);
    EXPECT_EQ(all["m"].id, made.info().id);
    EXPECT_EQ(all["m"].bytes, made.usage().memlock);
    EXPECT_EQ(all["m"].permissions, mode{0640});
    EXPECT_EQ(all["d"].type, file_type::directory);
    EXPECT_FALSE(all["d"].kind);
    EXPECT_EQ(all["l"].type, file_type::symlink);
    int seen = 0;
    for_each_pin(directory::open(base()), [&](const listed_pin&) { return ++seen < 2; });
    EXPECT_EQ(seen, 2) << "stops when told";
}

TEST_F(pins, take_anothers_place_in_one_step) {
    const map first = create_map(at("m"));
    const map second = create_map(at("other"));
    replace_object(second.fd(), at("m"), mode{0444});
    EXPECT_EQ(inspect(at("m")).id, second.info().id);
    EXPECT_EQ(inspect(at("m")).permissions, mode{0444});
    replace_object(first.fd(), at("new"));
    EXPECT_EQ(inspect(at("new")).id, first.info().id) << "or make it";
    make_directory(at("d"), mode{0700});
    error_code code;
    replace_object(first.fd(), at("d"), {}, code);
    EXPECT_EQ(code, boost::system::errc::is_a_directory);
    replace_object(first.fd(), at("m"), mode{01777}, code);
    EXPECT_EQ(code, errc::bad_mode);
    EXPECT_EQ(names().size(), 4U) << "m, other, new, d and nothing else";
}

TEST_F(pins, come_in_sets_whole_or_not_at_all) {
    const map one = create_map(at("m"));
    const std::vector<named_pin> good{{"a", one.fd(), mode{0444}}, {"b", one.fd()}};
    pin_all(good, at("set"), mode{0755});
    EXPECT_EQ(inspect(at("set/a")).permissions, mode{0444});
    EXPECT_EQ(inspect(at("set/b")).permissions, mode{0600});
    EXPECT_EQ(inspect(at("set")).permissions, mode{0755});
    error_code code;
    for (const named_pin& wrong : {named_pin{"a", one.fd()}, named_pin{"c.d", one.fd()},
                                   named_pin{"e/f", one.fd()}, named_pin{"g", borrowed_fd{-1}}}) {
        std::vector<named_pin> bad = good;
        bad.push_back(wrong);
        pin_all(bad, at("bad"), mode{0755}, on_conflict::fail, code);
        EXPECT_TRUE(code) << wrong.name;
    }
    EXPECT_EQ(names().size(), 2U) << "m, set and nothing else";
}

TEST_F(pins, answer_an_ordinary_user_by_their_mode) {
    (void)create_map(at("r"), {.permissions = mode{0444}});
    (void)create_map(at("none"), {.permissions = mode{0600}});
    as_alice([&]() -> std::string {
        (void)map::open(at("r"), access::read);
        error_code code;
        (void)map::open(at("r"), access::write, code);
        if (code != boost::system::errc::permission_denied) {
            return "write of 0444: " + code.message();
        }
        if (inspect(at("none")).kind.has_value()) {
            return "the kind of a 0600 pin was told";
        }
        permissions(at("r"), mode{0666}, code);
        if (code != boost::system::errc::operation_not_permitted) {
            return "chmod of another's pin: " + code.message();
        }
        return {};
    });
}

} // namespace
