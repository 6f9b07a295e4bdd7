// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Which way a map is made, and what is said where no way is open. The ways of the patched kernel
// are tried where it runs: probes fmode and token.
#include "lib_scene.hpp"

#include "support/bpf_call.hpp"

#include <sys/stat.h>

namespace {

using namespace lib_test;

class creation : public on_bpffs {};

TEST_F(creation, by_nobody_says_why_for_each_way) {
    permissions(base(), mode{0777});
    as_alice([&]() -> std::string {
        try {
            (void)create_map(at("m"));
            return "it was made";
        } catch (const error& why) {
            if (why.code() != errc::not_creatable || why.attempts().size() != 2) {
                return why.what();
            }
            const attempt& token = why.attempts()[0];
            const attempt& plain = why.attempts()[1];
            if (token.way != creation_way::directory_token || token.code != errc::not_delegated) {
                return "token: " + token.reason;
            }
            if (plain.way != creation_way::plain_call ||
                plain.code != boost::system::errc::operation_not_permitted ||
                plain.reason.find("lacks the capability bpf") == std::string::npos) {
                return "plain call: " + plain.reason;
            }
            const diagnosis& said = why.diagnosis();
            if (said.findings.empty() || said.findings.front().what != obstacle::no_delegation) {
                return said.sentence;
            }
        }
        return {};
    });
    EXPECT_TRUE(names().empty());
}

TEST_F(creation, off_a_bpffs_or_without_the_directory_makes_nothing) {
    error_code code;
    (void)create_map("/tmp/bpffs-no-such-map", {}, code);
    EXPECT_EQ(code, errc::not_a_bpffs);
    (void)create_map(at("no/m"), {}, code);
    EXPECT_EQ(code, boost::system::errc::no_such_file_or_directory);
    (void)create_map(at("m"), {.name = "bad name"}, code);
    EXPECT_EQ(code, errc::bad_object_name);
    (void)create_map(at("m"), {.name = "sixteen_letters_"}, code);
    EXPECT_EQ(code, errc::bad_object_name);
    EXPECT_TRUE(names().empty());
}

/// A directory of alice's own on a mount that delegates hashes and arrays.
class delegated : public on_bpffs {
public:
    void SetUp() override {
        BPFFS_NEEDS("token");
        on_bpffs::SetUp();
    }

protected:
    [[nodiscard]] std::string options() const override {
        return "fmode,uid=1000,gid=1000,mode=0755,delegate_cmds=map_create:btf_load,"
               "delegate_maps=hash:array:xskmap,delegate_caps=bpf";
    }
};

TEST_F(delegated, the_mount_says_so) {
    const mount_info mount = mount_info::of(directory::open(base()).fd());
    EXPECT_TRUE(mount.gives_tokens());
    EXPECT_EQ(mount.owner, 1000U);
    EXPECT_TRUE(mount.delegated.allows_map(map_kind::array));
    EXPECT_EQ(mount.delegated.capabilities, delegated_set{capability::bpf});
}

TEST_F(delegated, a_user_makes_a_map_and_owns_it) {
    as_alice([&]() -> std::string {
        map made = create_map(at("m"), {.permissions = mode{0640}});
        const std::uint64_t key = 1;
        made.update(in(key), in(key));
        make_directory(at("sub"), mode{0700});
        (void)create_map(at("sub/array"), {.kind = map_kind::array, .key_size = 4});
        return {};
    });
    const pin_info info = inspect(at("m"));
    EXPECT_EQ(info.owner, bpffs_test::alice);
    EXPECT_EQ(info.permissions, mode{0640});
}

TEST_F(delegated, the_token_stands_for_the_delegation) {
    as_alice([&]() -> std::string {
        const directory here = directory::open(base());
        const directory_token token = directory_token::create(here);
        const delegation allowed = token.allowed();
        return allowed == mount_info::of(here.fd()).delegated ? "" : allowed.to_options();
    });
}

TEST_F(delegated, the_directory_says_what_may_be_made_in_it) {
    as_alice([&]() -> std::string {
        const allowance mine = allowance_of(directory::open(base()));
        if (!mine.delegated.allows_map(map_kind::hash) || mine.inodes_left) {
            return "allowed: " + mine.delegated.to_options() + mine.why_nothing;
        }
        const allowance none = allowance_of(directory::open("/"));
        return none.delegated.empty() ? "" : "something off a bpffs";
    });
    const auto bobs = bpffs_test::as_user(bpffs_test::bob, [&] {
        const allowance none = allowance_of(directory::open(base()));
        return bpffs_test::done(
            "ask", 0, none.delegated.empty() && none.why_nothing == "the caller may not write it");
    });
    EXPECT_TRUE(bobs.seen);
}

TEST_F(delegated, the_token_loads_types_for_maps) {
    as_alice([&]() -> std::string {
        const auto raw = bpffs_test::small_btf();
        const directory_token token = directory_token::create(directory::open(base()));
        const owned_fd types = token.load_types(std::as_bytes(std::span{raw}));
        const map made = create_map(
            at("typed"),
            {.key_size = 4, .value_size = 4, .btf = types, .btf_key_type = 1, .btf_value_type = 1});
        return made.info().btf_value_type == 1 ? "" : "the map has no types";
    });
}

TEST_F(delegated, kinds_and_capabilities_outside_are_refused_by_name) {
    as_alice([&]() -> std::string {
        const auto refusal = [&](map_kind kind, obstacle expected) -> std::string {
            try {
                (void)create_map(at("x"), {.kind = kind, .key_size = 4, .value_size = 4});
                return to_string(kind) + " was made";
            } catch (const error& why) {
                const auto& findings = why.diagnosis().findings;
                const bool named = !findings.empty() && findings.front().what == expected;
                return why.code() == errc::not_creatable && named ? "" : why.what();
            }
        };
        return refusal(map_kind::lru_hash, obstacle::kind_not_delegated) +
               refusal(map_kind::xskmap, obstacle::capability_not_delegated);
    });
    EXPECT_TRUE(names().empty());
}

TEST_F(delegated, another_user_may_not) {
    const auto outcome = bpffs_test::as_user(bpffs_test::bob, [&] {
        error_code code;
        (void)create_map(at("m"), {}, code);
        return bpffs_test::done("create",
                                code == boost::system::errc::permission_denied ? 0 : -EPROTO);
    });
    EXPECT_EQ(outcome.error, 0);
    EXPECT_TRUE(names().empty());
}

TEST_F(delegated, a_reader_neither_writes_nor_pins_again) {
    as_alice([&]() -> std::string {
        (void)create_map(at("m"), {.permissions = mode{0644}});
        const map reader = map::open(at("m"), access::read);
        error_code code;
        reader.pin(at("again"), std::nullopt, code);
        if (code != boost::system::errc::operation_not_permitted) {
            return "pinned again: " + code.message();
        }
        reader.pin(at("again"), mode{0666}, code);
        return code == boost::system::errc::operation_not_permitted
                   ? ""
                   : "pinned again with a mode: " + code.message();
    });
}

/// With a mode in one call: our patches; without them by way of a private directory.
TEST_F(creation, with_a_group_and_a_mode_has_both_from_the_start) {
    map_spec spec;
    spec.permissions = mode{0640};
    spec.group = bpffs_test::bob;
    const map made = create_map(at("m"), spec);
    EXPECT_EQ(inspect(at("m")).group, bpffs_test::bob);
    EXPECT_EQ(inspect(at("m")).permissions, mode{0640});
    EXPECT_EQ(names(), std::vector<std::string>{"m"});
    const std::vector<named_pin> set{{"a", made.fd(), mode{0440}, bpffs_test::alice},
                                     {"b", made.fd()}};
    pin_all(set, at("set"), mode{0750});
    EXPECT_EQ(inspect(at("set/a")).group, bpffs_test::alice);
    EXPECT_EQ(inspect(at("set/b")).group, 0U);
}

TEST_F(creation, with_a_group_of_others_is_refused_and_leaves_nothing) {
    BPFFS_NEEDS("token");
    mount_anew("fmode,uid=1000,mode=0700,delegate_cmds=map_create,delegate_maps=hash,"
               "delegate_caps=bpf");
    as_alice([&]() -> std::string {
        map_spec spec;
        spec.group = bpffs_test::bob;
        error_code code;
        (void)create_map(at("m"), spec, code);
        if (code != boost::system::errc::operation_not_permitted) {
            return "bob's group: " + code.message();
        }
        return names().empty() ? "" : "something is left: " + names().front();
    });
}

TEST_F(creation, with_a_mode_leaves_nothing_but_the_pin) {
    ::umask(022);
    (void)create_map(at("m"), {.permissions = mode{0664}});
    EXPECT_EQ(inspect(at("m")).permissions, mode{0644});
    EXPECT_EQ(names(), std::vector<std::string>{"m"});
}

} // namespace
