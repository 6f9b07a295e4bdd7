// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The words of bpftool's grammar: keywords and their abbreviations, numbers,
// bytes and typed values, and what is said where they are wrong.
#include "common/data.hpp"
#include "common/failure.hpp"
#include "common/words.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

using fsctl::usage_error;
using fsctl::words;

words line(std::initializer_list<std::string> list) {
    return words(std::vector<std::string>(list));
}

std::vector<std::byte> data(std::initializer_list<std::string> list, std::size_t size) {
    words given = line(list);
    std::vector<std::byte> read = fsctl::parse_data(given, "key", size);
    given.end();
    return read;
}

template <typename... Values> std::vector<std::byte> raw(Values... values) {
    return {static_cast<std::byte>(values)...};
}

// What parse_data says of words that are no DATA of that size.
std::string complaint(std::initializer_list<std::string> list, std::size_t size) {
    words given = line(list);
    try {
        (void)fsctl::parse_data(given, "key", size);
        given.end();
    } catch (const usage_error& error) {
        return error.what();
    }
    return "accepted";
}

template <typename Number> std::vector<std::byte> host(Number number) {
    std::vector<std::byte> bytes(sizeof number);
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
}

TEST(Words, TakesKeywordsInFullAndUnambiguouslyShort) {
    words given = line({"val", "key", "e", "x"});
    EXPECT_EQ(given.keyword({"key", "value"}), "value");
    EXPECT_EQ(given.keyword({"key", "value"}), "key");
    EXPECT_THROW(given.keyword({"exist", "entries"}), usage_error);
    EXPECT_EQ(given.keyword({"exist", "any"}), "exist");
    EXPECT_EQ(given.keyword({"key"}), "");
    EXPECT_EQ(given.peek(), "x");
}

TEST(Words, PrefersTheWholeWordToWhatItAbbreviates) {
    words given = line({"exist"});
    EXPECT_EQ(given.keyword({"existing", "exist"}), "exist");
}

TEST(Words, SaysWhatIsMissingAndWhatIsTooMuch) {
    words given = line({"dump"});
    given.next("a command");
    try {
        given.next("a map");
        FAIL() << "accepted";
    } catch (const usage_error& error) {
        EXPECT_STREQ(error.what(), "expected a map after 'dump'");
    }
    words more = line({"surplus"});
    EXPECT_THROW(more.end(), usage_error);
}

TEST(Words, ReadsNumbersAsBpftoolDoes) {
    EXPECT_EQ(fsctl::parse_u32("10", "n"), 10U);
    EXPECT_EQ(fsctl::parse_u32("0x1f", "n"), 31U);
    EXPECT_EQ(fsctl::parse_u32("010", "n"), 8U);
    EXPECT_EQ(fsctl::parse_u32("0", "n"), 0U);
    EXPECT_EQ(fsctl::parse_u32("4294967295", "n"), 4294967295U);
    for (const char* wrong : {"", "x", "1x", "-1", "08", "0x", "4294967296", " 1", "1 "}) {
        EXPECT_THROW(fsctl::parse_u32(wrong, "n"), usage_error) << "'" << wrong << "'";
    }
}

TEST(Words, SuggestsOnlyWhatIsClose) {
    const std::array<std::string_view, 3> kinds = {"hash", "lru_hash", "array"};
    EXPECT_EQ(fsctl::nearest("hahs", kinds), "hash");
    EXPECT_EQ(fsctl::nearest("lru-hash", kinds), "lru_hash");
    EXPECT_EQ(fsctl::nearest("bloom_filter", kinds), "");
    EXPECT_EQ(fsctl::did_you_mean("arra", kinds), " (did you mean 'array'?)");
}

TEST(Data, ReadsBytesInEveryBase) {
    EXPECT_EQ(data({"1", "0x0a", "012", "255"}, 4), raw(1, 10, 10, 255));
    EXPECT_EQ(data({"hex", "01", "a", "0xff", "7F"}, 4), raw(1, 10, 255, 127));
    EXPECT_EQ(data({}, 0), raw());
}

TEST(Data, ReadsTypedValuesInTheMachinesOrder) {
    EXPECT_EQ(data({"u8:200"}, 1), raw(200));
    EXPECT_EQ(data({"u16:0x1234"}, 2), host<std::uint16_t>(0x1234));
    EXPECT_EQ(data({"u32:5"}, 4), host<std::uint32_t>(5));
    EXPECT_EQ(data({"u64:18446744073709551615"}, 8), host<std::uint64_t>(~0ULL));
    EXPECT_EQ(data({"s8:-128"}, 1), raw(128));
    EXPECT_EQ(data({"s32:-2"}, 4), host<std::int32_t>(-2));
    EXPECT_EQ(data({"s64:-9223372036854775808"}, 8), host(std::int64_t{1} << 63));
}

TEST(Data, ReadsNetworkValues) {
    EXPECT_EQ(data({"be16:443"}, 2), raw(1, 0xbb));
    EXPECT_EQ(data({"be32:1"}, 4), raw(0, 0, 0, 1));
    EXPECT_EQ(data({"ip4:10.1.2.3"}, 4), raw(10, 1, 2, 3));
    EXPECT_EQ(data({"ip6:::1"}, 16), raw(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
    std::vector<std::byte> prefix = host<std::uint32_t>(24);
    for (const int part : {10, 0, 0, 0}) {
        prefix.push_back(static_cast<std::byte>(part));
    }
    EXPECT_EQ(data({"u32:24", "ip4:10.0.0.0"}, 8), prefix);
}

TEST(Data, FillsTextWithZeros) {
    EXPECT_EQ(data({"str:abc"}, 5), raw('a', 'b', 'c', 0, 0));
    EXPECT_EQ(data({"str:abc"}, 3), raw('a', 'b', 'c'));
    EXPECT_EQ(data({"u8:7", "str:a:b"}, 4), raw(7, 'a', ':', 'b'));
    EXPECT_EQ(complaint({"str:abcd"}, 3), "str:abcd has 4 bytes, and the key has room for 3");
}

TEST(Data, ReadsHexInOneWord) {
    EXPECT_EQ(data({"hex:0aFF"}, 2), raw(10, 255));
    EXPECT_NE(complaint({"hex:0aF"}, 2), "accepted");
    EXPECT_NE(complaint({"hex:0g"}, 1), "accepted");
}

TEST(Data, CountsLikeBpftool) {
    EXPECT_EQ(complaint({"1", "2", "3"}, 4), "key expected 4 bytes got 3");
    EXPECT_EQ(complaint({}, 4), "key expected 4 bytes got 0");
    EXPECT_EQ(complaint({"1", "2", "value", "3"}, 4), "key expected 4 bytes got 2");
    EXPECT_EQ(complaint({"1", "2", "3", "4", "5"}, 4), "key expected 4 bytes got 5");
    EXPECT_EQ(complaint({"u64:1"}, 4), "key expected 4 bytes got 8");
    EXPECT_EQ(complaint({"u16:1"}, 4), "key expected 4 bytes got 2");
}

TEST(Data, LeavesTheWordsBehindIt) {
    words given = line({"1", "2", "value", "3"});
    EXPECT_EQ(fsctl::parse_data(given, "key", 2), raw(1, 2));
    EXPECT_EQ(given.keyword({"value"}), "value");
}

TEST(Data, RefusesWhatIsNoByte) {
    EXPECT_EQ(complaint({"x"}, 1), "error parsing byte: x");
    EXPECT_EQ(complaint({"256"}, 1), "error parsing byte: 256 is larger than 255");
    EXPECT_EQ(complaint({"hex", "100"}, 1), "error parsing byte: 100 is larger than 255");
    EXPECT_EQ(complaint({"-1"}, 1), "error parsing byte: -1");
    EXPECT_EQ(complaint({"hex", "zz"}, 1), "error parsing byte: zz");
}

TEST(Data, RefusesTypedValuesThatDoNotFit) {
    for (const char* wrong : {"u8:256", "s8:128", "s8:-129", "u32:-1", "u32:", "be16:65536",
                              "ip4:1.2.3", "ip4:1.2.3.256", "ip6:x", "u128:1", ":1", "u32:1x"}) {
        EXPECT_NE(complaint({wrong}, 4), "accepted") << wrong;
    }
    EXPECT_EQ(complaint({"u33:1"}, 4), "unknown type 'u33' in key 'u33:1'");
}

} // namespace
