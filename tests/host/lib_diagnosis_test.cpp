// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Diagnoses of real set-ups: the first thing in the way, as an ordinary user meets it, and the
// remedy, applied, makes the call succeed.
#include "lib_scene.hpp"

namespace {

using namespace lib_test;

class diagnoses : public on_bpffs {
protected:
    /// As alice: opening with `rights` fails with a first finding `what` about `about`.
    void expect_open(const path& file, bpffs::access rights, obstacle what, const path& about) {
        as_alice([&]() -> std::string {
            try {
                (void)map::open(file, rights);
                return file.native() + " was opened";
            } catch (const error& why) {
                const diagnosis& said = why.diagnosis();
                const bool right = !said.findings.empty() && said.findings.front().what == what &&
                                   said.findings.front().file == about;
                return right ? "" : said.sentence;
            }
        });
    }
    void expect_opens(const path& file, bpffs::access rights) {
        as_alice([&]() -> std::string {
            (void)map::open(file, rights);
            return {};
        });
    }
};

TEST_F(diagnoses, of_a_pin_without_the_bit) {
    (void)create_map(at("m"));
    expect_open(at("m"), access::read, obstacle::no_read_bit, at("m"));
    permissions(at("m"), mode_change::parse("o+r"));
    expect_opens(at("m"), access::read);
    expect_open(at("m"), access::write, obstacle::no_write_bit, at("m"));
    permissions(at("m"), mode_change::parse("o+w"));
    expect_opens(at("m"), access::read_write);
}

TEST_F(diagnoses, of_a_directory_on_the_way) {
    make_directory(at("d"), mode{0755});
    make_directory(at("d/e"), mode{0755});
    (void)create_map(at("d/e/m"), {.permissions = mode{0644}});
    permissions(at("d/e/m"), mode{0444});
    permissions(at("d"), mode{0750});
    expect_open(at("d/e/m"), access::read, obstacle::no_search_permission, at("d"));
    permissions(at("d"), mode_change::parse("o+x"));
    expect_opens(at("d/e/m"), access::read);
}

TEST_F(diagnoses, through_a_link_to_another_directory) {
    make_directory(at("d"), mode{0755});
    (void)create_map(at("d/m"), {.permissions = mode{0600}});
    make_symlink(at("d/m"), at("l"));
    expect_open(at("l"), access::read, obstacle::no_read_bit, at("d/m"));
    make_symlink(at("loop"), at("loop"));
    expect_open(at("loop"), access::read, obstacle::link_loop, at("loop"));
}

TEST_F(diagnoses, of_names_that_are_not_there) {
    expect_open(at("none"), access::read, obstacle::no_such_file, at("none"));
    expect_open(at("d/none"), access::read, obstacle::no_such_file, at("d"));
    expect_open(at("a.b"), access::read, obstacle::dot_in_name, at("a.b"));
    expect_open("/etc/passwd", access::read, obstacle::not_a_bpffs, "/etc/passwd");
}

TEST_F(diagnoses, of_creation_in_anothers_directory) {
    as_alice([&]() -> std::string {
        const diagnosis said = explain(at("m"), wanted::to_create(map_kind::hash));
        const bool right = said.findings.size() >= 3 &&
                           said.findings[0].what == obstacle::no_write_permission &&
                           said.findings[1].what == obstacle::no_delegation;
        return right ? "" : said.sentence;
    });
}

TEST_F(diagnoses, for_somebody_else) {
    (void)create_map(at("m"));
    identity who;
    who.user = bpffs_test::bob;
    who.group = bpffs_test::bob;
    const diagnosis said = explain(at("m"), wanted::to_open(access::write), who);
    ASSERT_FALSE(said.findings.empty());
    EXPECT_EQ(said.findings.front().what, obstacle::no_write_bit);
    EXPECT_TRUE(explain(at("m"), wanted::to_open(access::write)).findings.empty());
}

} // namespace
