// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What is said of specifications that the kernel refuses with EINVAL.
#include "map_rules.hpp"

#include <gtest/gtest.h>

namespace {

using namespace bpffs;

struct rule_row {
    map_spec spec;
    const char* words; ///< a part of the sentence, or "" where nothing is wrong
};

void PrintTo(const rule_row& row, std::ostream* out) {
    *out << to_string(row.spec.kind) << ": " << row.words;
}

class rules : public ::testing::TestWithParam<rule_row> {};

TEST_P(rules, name_what_is_wrong) {
    const std::string words = what_is_wrong_with(GetParam().spec);
    if (*GetParam().words == '\0') {
        EXPECT_EQ(words, "");
    } else {
        EXPECT_NE(words.find(GetParam().words), std::string::npos) << words;
    }
}

INSTANTIATE_TEST_SUITE_P(
    rows, rules,
    ::testing::Values(
        rule_row{{}, ""}, rule_row{{.key_size = 0}, "key of a hash has at least 1 byte"},
        rule_row{{.value_size = 0}, "value of a hash has at least 1 byte"},
        rule_row{{.max_entries = 0}, "at least 1 entry"},
        rule_row{{.kind = map_kind::array}, "keys of 4 bytes, not 8"},
        rule_row{{.kind = map_kind::array, .key_size = 4}, ""},
        rule_row{{.kind = map_kind::queue}, "keys of 0 bytes, not 8"},
        rule_row{{.kind = map_kind::prog_array, .key_size = 4}, "values of 4 bytes, not 8"},
        rule_row{{.kind = map_kind::ringbuf, .key_size = 0, .value_size = 0}, "power of two"},
        rule_row{{.kind = map_kind::ringbuf, .key_size = 0, .value_size = 0, .max_entries = 4096},
                 ""},
        rule_row{{.kind = map_kind::lpm_trie}, "BPF_F_NO_PREALLOC"},
        rule_row{{.kind = map_kind::lpm_trie, .key_size = 4, .flags = 1}, "prefix length"},
        rule_row{{.kind = map_kind::hash_of_maps, .value_size = 4}, "inner map"},
        rule_row{{.kind = map_kind::task_storage, .key_size = 4}, "0 entries"},
        rule_row{{.kind = map_kind::arena, .key_size = 0, .value_size = 0}, "BPF_F_MMAPABLE"},
        rule_row{{.kind = map_kind::struct_ops}, "loads its programs"},
        rule_row{{.kind = static_cast<map_kind>(99)}, "kind 99"}));

} // namespace
