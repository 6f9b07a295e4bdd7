// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Modes and changes to them, against tables of what chmod(1) and ls(1) do.
#include <bpffs/mode.hpp>

#include <string>

#include <gtest/gtest.h>

namespace {

using bpffs::errc;
using bpffs::error_code;
using bpffs::file_type;
using bpffs::mode;
using bpffs::mode_change;

TEST(mode, parses_octal_only) {
    EXPECT_EQ(mode::parse("640"), mode{0640});
    EXPECT_EQ(mode::parse("0640"), mode{0640});
    EXPECT_EQ(mode::parse("0"), mode{0});
    EXPECT_EQ(mode::parse("7777"), mode{07777});
    for (const char* bad : {"", "8", "0x1ff", "10000", "640 ", " 640", "-1", "+640", "rw", "0o640",
                            "99999999999999999999"}) {
        error_code code;
        (void)mode::parse(bad, code);
        EXPECT_EQ(code, errc::bad_mode) << bad;
        EXPECT_EQ(code, boost::system::errc::invalid_argument) << bad;
        EXPECT_THROW((void)mode::parse(bad), bpffs::error) << bad;
    }
}

TEST(mode, prints_like_ls) {
    EXPECT_EQ(mode{0640}.to_string(), "rw-r-----");
    EXPECT_EQ(mode{0}.to_string(), "---------");
    EXPECT_EQ(mode{0777}.to_string(), "rwxrwxrwx");
    EXPECT_EQ(mode{02755}.to_string(), "rwxr-sr-x");
    EXPECT_EQ(mode{04644}.to_string(), "rwSr--r--");
    EXPECT_EQ(mode{01777}.to_string(), "rwxrwxrwt");
    EXPECT_EQ(mode{01770}.to_string(), "rwxrwx--T");
    EXPECT_EQ(mode{0640}.octal(), "0640");
    EXPECT_EQ(mode{07}.octal(), "0007");
    EXPECT_EQ(mode{01777}.octal(), "1777");
}

TEST(mode, without_cuts_bits) {
    EXPECT_EQ(mode{0666}.without(mode{022}), mode{0644});
    EXPECT_EQ(mode{0640}.without(mode{0}), mode{0640});
}

struct change_row {
    const char* change;
    unsigned before;
    unsigned after;
    file_type type = file_type::file;
    unsigned umask = 022;
};

void PrintTo(const change_row& row, std::ostream* out) {
    *out << row.change << " of " << mode{row.before}.octal();
}

class mode_change_table : public ::testing::TestWithParam<change_row> {};

TEST_P(mode_change_table, applies_as_chmod) {
    const change_row& row = GetParam();
    const mode result =
        mode_change::parse(row.change).apply(mode{row.before}, row.type, mode{row.umask});
    EXPECT_EQ(result, mode{row.after}) << row.change << " gave " << result.octal();
}

// Each row was compared with GNU chmod 9.1 on a file or directory of that mode.
INSTANTIATE_TEST_SUITE_P(
    rows, mode_change_table,
    ::testing::Values(
        change_row{"0444", 0600, 0444}, change_row{"444", 07777, 0444},
        change_row{"u=rw,g-w", 0770, 0650}, change_row{"a+r", 0200, 0644},
        change_row{"+r", 0200, 0644}, change_row{"+w", 0, 0200}, change_row{"-w", 0222, 0022},
        change_row{"=r", 0777, 0444}, change_row{"o=", 0647, 0640}, change_row{"g=u", 0640, 0660},
        change_row{"o=g,g=", 0640, 0604}, change_row{"u+x,go-rwx", 0644, 0700},
        change_row{"+X", 0600, 0600}, change_row{"+X", 0700, 0711},
        change_row{"+X", 0600, 0711, file_type::directory}, change_row{"u+s", 0755, 04755},
        change_row{"g+s", 0755, 02755}, change_row{"+t", 0755, 01755}, change_row{"a=", 0777, 0},
        change_row{"ug+rw-x", 0710, 0660}, change_row{"u=rwx", 02755, 02755, file_type::directory},
        change_row{"g=rx", 02755, 02755, file_type::directory},
        change_row{"g-s", 02755, 0755, file_type::directory}, change_row{"go=u-w", 0700, 0755},
        change_row{"a=rwxs", 0, 06777}, change_row{"u==r", 0600, 0400},
        change_row{"u+rw", 0, 0600, file_type::file, 0777}));

TEST(mode_change, refuses_what_is_none) {
    for (const char* bad : {"", "u", "u=rw,", ",u=r", "u=rw,,g=r", "z+r", "u*r", "u=q", "rw", "08",
                            "10000", "u=rg", "+r "}) {
        error_code code;
        (void)mode_change::parse(bad, code);
        EXPECT_EQ(code, errc::bad_mode) << "'" << bad << "'";
    }
}

} // namespace
