// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Paths: what names a pin and what does not, and what is said of paths that lead nowhere.
#include "place.hpp"

#include <bpffs/bpffs.hpp>

#include <boost/filesystem/operations.hpp>

#include <cstdlib>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

namespace {

using namespace bpffs;

class paths : public ::testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/bpffs-unit.XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        base_ = name;
    }
    void TearDown() override { boost::filesystem::remove_all(base_); }

    path base_;
};

error_code code_of_open(const location& where) {
    error_code code;
    (void)map::open(where, access::read, code);
    return code;
}

error_code code_of_create(const location& where) {
    error_code code;
    (void)create_map(where, {}, code);
    return code;
}

TEST_F(paths, that_name_no_file) {
    for (const std::string& bad :
         {std::string{}, std::string{"/"}, std::string{"."}, std::string{".."},
          base_.native() + "/", base_.native() + "/..", std::string{"a\0b", 3}}) {
        EXPECT_EQ(code_of_open(bad), errc::bad_name) << bad;
        EXPECT_EQ(code_of_create(bad), errc::bad_name) << bad;
    }
}

TEST_F(paths, that_are_too_long) {
    const std::string name(256, 'n');
    EXPECT_EQ(code_of_open(base_ / name), boost::system::errc::filename_too_long);
    EXPECT_EQ(code_of_create(base_ / name), boost::system::errc::filename_too_long);
    std::string whole;
    while (whole.size() < 4096) {
        whole += "/directory";
    }
    EXPECT_EQ(code_of_open(whole), boost::system::errc::filename_too_long);
    EXPECT_EQ(code_of_create(whole), boost::system::errc::filename_too_long);
}

TEST_F(paths, off_a_bpffs) {
    EXPECT_EQ(code_of_create(base_ / "m"), errc::not_a_bpffs);
    EXPECT_EQ(code_of_create(base_ / "with.dot"), errc::not_a_bpffs) << "the dot is not the matter";
    EXPECT_FALSE(boost::filesystem::exists(base_ / "m"));
    EXPECT_EQ(code_of_create(base_ / "no" / "m"), boost::system::errc::no_such_file_or_directory);
}

TEST_F(paths, without_a_slash_are_in_the_working_directory) {
    failure why;
    const place here = resolve("x", why);
    EXPECT_FALSE(why);
    EXPECT_EQ(here.name, "x");
}

TEST_F(paths, relative_to_a_directory_stay_there_when_it_is_renamed) {
    boost::filesystem::create_directory(base_ / "old");
    const directory handle = directory::open(base_ / "old");
    boost::filesystem::rename(base_ / "old", base_ / "new");
    make_directory({handle, "inside"}, mode{0700});
    EXPECT_TRUE(boost::filesystem::is_directory(base_ / "new" / "inside"));
    EXPECT_EQ(location(handle, "inside").display(), base_ / "old" / "inside");
}

TEST_F(paths, with_links_are_refused_where_asked) {
    make_directory(base_ / "real", mode{0700});
    make_symlink("real", base_ / "link");
    EXPECT_EQ(read_symlink(base_ / "link"), "real");
    EXPECT_TRUE(directory::open(base_ / "link"));
    error_code code;
    (void)directory::open(base_ / "link", symlinks::refuse, code);
    EXPECT_EQ(code, boost::system::errc::too_many_symbolic_link_levels);
    make_symlink("elsewhere", base_ / "link", code);
    EXPECT_EQ(code, boost::system::errc::file_exists);
    permissions(base_ / "link", mode{0777}, code);
    EXPECT_EQ(code, errc::is_a_symlink);
    EXPECT_EQ(inspect(base_ / "real").permissions, mode{0700}) << "not followed";
    EXPECT_EQ(inspect(base_ / "link").type, file_type::symlink);
}

TEST_F(paths, of_directories_are_listed) {
    for (int i = 0; i < 300; ++i) {
        make_directory(base_ / ("d" + std::to_string(i)), mode{0700});
    }
    const directory all = directory::open(base_);
    int count = 0;
    const auto counting = [&](const directory_entry& one) {
        count += one.type == file_type::directory && one.name.starts_with("d") ? 1 : 0;
        return true;
    };
    all.for_each(counting);
    all.for_each(counting);
    EXPECT_EQ(count, 600) << "two walks of one handle";
    count = 0;
    all.for_each([&](const directory_entry&) { return ++count < 5; });
    EXPECT_EQ(count, 5) << "stops when told";
}

TEST_F(paths, of_files_are_renamed_and_removed) {
    make_directory(base_ / "a", mode{0700});
    make_directory(base_ / "b", mode{0700});
    error_code code;
    bpffs::rename(base_ / "a", base_ / "b", on_conflict::fail, code);
    EXPECT_EQ(code, boost::system::errc::file_exists);
    bpffs::rename(base_ / "a", base_ / "c");
    EXPECT_TRUE(boost::filesystem::exists(base_ / "c"));
    bpffs::remove(base_ / "c", code);
    EXPECT_EQ(code, boost::system::errc::is_a_directory);
    remove_directory(base_ / "c");
    make_symlink("b", base_ / "l");
    bpffs::remove(base_ / "l");
    EXPECT_TRUE(boost::filesystem::exists(base_ / "b")) << "the link went, not what it leads to";
}

TEST_F(paths, permissions_by_change_return_what_was_set) {
    make_directory(base_ / "a", mode{0700});
    EXPECT_EQ(permissions(base_ / "a", mode_change::parse("g+rx,o+x")), mode{0751});
    EXPECT_EQ(inspect(base_ / "a").permissions, mode{0751});
}

TEST(object_names, come_from_file_names) {
    EXPECT_EQ(object_name_for("/b/packets"), "packets");
    EXPECT_EQ(object_name_for("/b/a-name with=signs"), "a_name_with_sig");
    EXPECT_EQ(object_name_for("/b/\xc3\xa4"), "__");
}

} // namespace
