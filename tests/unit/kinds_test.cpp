// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The kernel's words against the kernel's own header, as far as the installed one goes.
#include <bpffs/kinds.hpp>

#include <linux/bpf.h>
#include <linux/capability.h>

#include <string>

#include <gtest/gtest.h>

namespace {

using namespace bpffs;

TEST(kinds, numbers_are_those_of_the_header) {
    EXPECT_EQ(static_cast<unsigned>(map_kind::user_ringbuf), BPF_MAP_TYPE_USER_RINGBUF);
    EXPECT_EQ(static_cast<unsigned>(map_kind::lpm_trie), BPF_MAP_TYPE_LPM_TRIE);
    EXPECT_EQ(static_cast<unsigned>(map_kind::percpu_cgroup_storage),
              BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE);
    EXPECT_EQ(static_cast<unsigned>(program_kind::syscall), BPF_PROG_TYPE_SYSCALL);
    EXPECT_EQ(static_cast<unsigned>(link_kind::struct_ops), BPF_LINK_TYPE_STRUCT_OPS);
    EXPECT_EQ(static_cast<unsigned>(attach_kind::lsm_cgroup), BPF_LSM_CGROUP);
    EXPECT_EQ(static_cast<unsigned>(command::prog_bind_map), BPF_PROG_BIND_MAP);
    EXPECT_EQ(static_cast<unsigned>(capability::bpf), CAP_BPF);
    EXPECT_EQ(static_cast<unsigned>(capability::net_admin), CAP_NET_ADMIN);
    EXPECT_EQ(static_cast<unsigned>(capability::perfmon), CAP_PERFMON);
}

template <class Enum> void words_lead_back() {
    EXPECT_FALSE(all_of<Enum>().empty());
    for (const Enum value : all_of<Enum>()) {
        const auto text = word(value);
        EXPECT_FALSE(text.empty());
        EXPECT_EQ(from_word<Enum>(text), value) << text;
    }
    EXPECT_EQ(from_word<Enum>(""), std::nullopt);
    EXPECT_EQ(from_word<Enum>("no_such_word"), std::nullopt);
}

TEST(kinds, every_word_leads_back_to_its_number) {
    words_lead_back<map_kind>();
    words_lead_back<program_kind>();
    words_lead_back<link_kind>();
    words_lead_back<attach_kind>();
    words_lead_back<command>();
    words_lead_back<capability>();
}

TEST(kinds, an_unknown_number_is_still_printed) {
    EXPECT_EQ(to_string(map_kind::percpu_hash), "percpu_hash");
    EXPECT_EQ(to_string(static_cast<map_kind>(77)), "kind 77");
    EXPECT_TRUE(word(static_cast<map_kind>(77)).empty());
}

TEST(kinds, parse_names_the_bad_word) {
    EXPECT_EQ(parse_map_kind("lru_percpu_hash"), map_kind::lru_percpu_hash);
    for (const char* bad : {"", "hashh", "HASH", "unspec", "1"}) {
        try {
            (void)parse_map_kind(bad);
            ADD_FAILURE() << bad;
        } catch (const error& why) {
            EXPECT_EQ(why.code(), errc::bad_word);
            EXPECT_NE(why.detail().find("'" + std::string{bad} + "'"), std::string::npos);
        }
    }
}

} // namespace
