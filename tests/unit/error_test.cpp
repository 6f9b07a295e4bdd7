// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Errors: the pair of forms, the exception's words, the codes as conditions.
#include <bpffs/bpffs.hpp>

#include <string>

#include <gtest/gtest.h>

namespace {

using namespace bpffs;

TEST(error, names_operation_file_and_reason) {
    const error why{errc::wrong_size, "update map", "/b/m", "the map takes keys of 8 bytes, got 4"};
    EXPECT_STREQ(why.what(),
                 "update map '/b/m': a key or value of another size: the map takes keys "
                 "of 8 bytes, got 4");
    EXPECT_EQ(why.operation(), "update map");
    EXPECT_EQ(why.file(), "/b/m");
    EXPECT_TRUE(why.attempts().empty());
    const error copy{why}; // NOLINT(performance-unnecessary-copy-initialization): copying is tested
    EXPECT_STREQ(copy.what(), why.what());
}

TEST(error, without_a_file_has_no_quotes) {
    const error why{errc::bad_word, "read kind of map", {}};
    EXPECT_STREQ(why.what(), "read kind of map: unknown word");
}

TEST(error, diagnosis_of_what_was_wanted) {
    const error why{error_code{EACCES, boost::system::system_category()},
                    "open map",
                    "/nowhere/at/all",
                    {},
                    wanted::to_open(access::read)};
    ASSERT_FALSE(why.diagnosis().findings.empty());
    EXPECT_EQ(why.diagnosis().findings.front().what, obstacle::no_such_file);
    EXPECT_EQ(&why.diagnosis(), &why.diagnosis()) << "worked out once";
}

TEST(error, without_a_wish_diagnoses_with_its_own_words) {
    const error why{errc::bad_mode, "read mode", {}, "'9'"};
    EXPECT_TRUE(why.diagnosis().findings.empty());
    EXPECT_EQ(why.diagnosis().sentence, why.what());
}

TEST(errc, equals_the_errno_that_comes_closest) {
    namespace e = boost::system::errc;
    EXPECT_EQ(make_error_code(errc::wrong_kind), e::invalid_argument);
    EXPECT_EQ(make_error_code(errc::dot_in_name), e::operation_not_permitted);
    EXPECT_EQ(make_error_code(errc::not_creatable), e::operation_not_permitted);
    EXPECT_EQ(make_error_code(errc::unsupported), e::operation_not_supported);
    EXPECT_EQ(make_error_code(errc::empty_handle), e::bad_file_descriptor);
    EXPECT_EQ(make_error_code(errc::is_a_symlink), e::too_many_symbolic_link_levels);
    for (int i = 1; i <= static_cast<int>(errc::wrong_type); ++i) {
        EXPECT_NE(make_error_code(static_cast<errc>(i)).message(), "unknown error") << i;
    }
}

TEST(pairs, agree_and_clear_the_code) {
    error_code code = errc::bad_word;
    (void)mode::parse("640", code);
    EXPECT_FALSE(code) << "cleared on success";
    (void)open_pin("/nowhere/x", access::read, code);
    EXPECT_EQ(code, boost::system::errc::no_such_file_or_directory);
    try {
        (void)open_pin("/nowhere/x", access::read);
        ADD_FAILURE();
    } catch (const error& why) {
        EXPECT_EQ(why.code(), code);
        EXPECT_EQ(why.file(), "/nowhere/x");
    }
}

TEST(empty_handles, say_so) {
    map none;
    std::byte value[8];
    error_code code;
    EXPECT_FALSE(none.lookup({}, value, code));
    EXPECT_EQ(code, errc::empty_handle);
    EXPECT_THROW(none.update({}, const_bytes{value}), error);
    EXPECT_THROW((void)map::from(object{}), error);
    EXPECT_THROW((void)program::from(object{}), error);
    EXPECT_THROW((void)link::from(object{}), error);
    none.pin("/tmp/x", std::nullopt, code);
    EXPECT_TRUE(code);
    batch some;
    EXPECT_FALSE(none.lookup_batch(some, code));
    EXPECT_EQ(code, errc::empty_handle);
}

} // namespace
