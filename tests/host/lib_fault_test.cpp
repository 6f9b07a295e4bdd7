// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// All or nothing: every system call of making, opening and pinning a map fails once, on the real
// kernel. Then there is the whole pin or none, no map is left behind, and no descriptor.
#include "lib_scene.hpp"

#include "unit/fault.hpp"

#include <sys/resource.h>

namespace {

using namespace lib_test;
using bpffs_test::fail_every_call;

class map_faults : public on_bpffs {
protected:
    /// What must hold after each run of an operation that makes the pin "m".
    void check(bool succeeded, mode bits) {
        EXPECT_EQ(names(), succeeded ? std::vector<std::string>{"m"} : std::vector<std::string>{});
        if (succeeded) {
            EXPECT_EQ(inspect(at("m")).permissions, bits);
            bpffs::remove(at("m"));
        }
    }
};

TEST_F(map_faults, in_creating) {
    const int injected = fail_every_call(
        [&] {
            error_code code;
            const map made = create_map(at("m"), {}, code);
            EXPECT_NE(code.failed(), static_cast<bool>(made));
            return !code;
        },
        [&](bool succeeded) { check(succeeded, mode{0600}); },
        {EIO, ENOMEM, EMFILE, EINVAL, EPERM});
    EXPECT_GE(injected, 5 * 6);
}

TEST_F(map_faults, in_creating_with_a_mode) {
    const int injected = fail_every_call(
        [&] {
            error_code code;
            (void)create_map(at("m"), {.permissions = mode{0640}}, code);
            return !code;
        },
        [&](bool succeeded) { check(succeeded, mode{0640}); },
        {EIO, ENOMEM, EMFILE, EINVAL, EPERM});
    EXPECT_GE(injected, 5 * 7);
}

/// The same where the directory gives out tokens, which are tried first.
class token_faults : public map_faults {
public:
    void SetUp() override {
        BPFFS_NEEDS("token");
        map_faults::SetUp();
    }

protected:
    [[nodiscard]] std::string options() const override {
        return "fmode,mode=0700,delegate_cmds=map_create,delegate_maps=hash,delegate_caps=bpf";
    }
};

TEST_F(token_faults, in_creating) {
    const int injected = fail_every_call(
        [&] {
            error_code code;
            (void)create_map(at("m"), {.permissions = mode{0640}}, code);
            return !code;
        },
        [&](bool succeeded) { check(succeeded, mode{0640}); },
        {EIO, ENOMEM, EMFILE, EINVAL, EPERM, EACCES});
    EXPECT_GE(injected, 6 * 8);
}

TEST_F(map_faults, in_throwing_forms_too) {
    fail_every_call(
        [&] {
            try {
                (void)create_map(at("m"), {.permissions = mode{0640}});
                return true;
            } catch (const error&) {
                return false;
            }
        },
        [&](bool succeeded) { check(succeeded, mode{0640}); });
}

TEST_F(map_faults, in_pinning_again) {
    make_directory(at("d"), mode{0700});
    const map made = create_map(at("d/first"));
    fail_every_call(
        [&] {
            error_code code;
            made.pin(at("d/second"), mode{0640}, code);
            return !code;
        },
        [&](bool succeeded) {
            std::size_t count = 0;
            directory::open(at("d")).for_each([&](const directory_entry&) { return ++count != 0; });
            EXPECT_EQ(count, succeeded ? 2U : 1U);
            if (succeeded) {
                EXPECT_EQ(inspect(at("d/second")).permissions, mode{0640});
                bpffs::remove(at("d/second"));
            }
        },
        {EIO, ENOMEM, EINVAL});
}

TEST_F(map_faults, in_opening_and_walking) {
    map made = create_map(at("m"));
    const std::uint64_t key = 1;
    made.update(in(key), in(key));
    const int injected = fail_every_call(
        [&] {
            error_code code;
            const map opened = map::open(at("m"), access::read, code);
            if (code) {
                EXPECT_FALSE(opened);
                return false;
            }
            batch some;
            std::size_t seen = 0;
            while (opened.lookup_batch(some, code)) {
                seen += some.size();
            }
            EXPECT_TRUE(code || seen == 1);
            error_code looking;
            (void)inspect(at("m"), looking);
            return !code && !looking;
        },
        [](bool) {}, {EIO, ENOMEM, EMFILE});
    EXPECT_GE(injected, 3 * 8);
}

TEST_F(map_faults, of_the_batch_call_fall_back_to_walking) {
    map made = create_map(at("m"));
    for (std::uint64_t i = 0; i < 50; ++i) {
        made.update(in(i), in(i));
    }
    batch some{7};
    std::size_t seen = 0;
    const bpffs_test::fault old_kernel{0, EINVAL};
    while (made.lookup_batch(some)) {
        seen += some.size();
    }
    EXPECT_TRUE(bpffs_test::fault::happened());
    EXPECT_EQ(seen, 50U);
}

TEST_F(map_faults, of_small_batches_make_them_grow) {
    map made = create_map(at("m"));
    for (std::uint64_t i = 0; i < 50; ++i) {
        made.update(in(i), in(i));
    }
    batch some{1};
    std::size_t seen = 0;
    const bpffs_test::fault full_bucket{0, ENOSPC};
    while (made.lookup_batch(some)) {
        seen += some.size();
    }
    EXPECT_EQ(seen, 50U);
}

TEST_F(map_faults, of_a_handle_closed_under_ones_feet) {
    map made = create_map(at("m"));
    const directory here = directory::open(base()); // nothing is opened from now on
    const std::uint64_t key = 1;
    std::uint64_t value = 0;
    ::close(made.fd().get());
    error_code code;
    EXPECT_FALSE(made.lookup(in(key), out(value), code));
    EXPECT_EQ(code, boost::system::errc::bad_file_descriptor);
    made.update(in(key), in(key), update_flag::any, code);
    EXPECT_EQ(code, boost::system::errc::bad_file_descriptor);
    batch some;
    EXPECT_FALSE(made.lookup_batch(some, code));
    EXPECT_EQ(code, boost::system::errc::bad_file_descriptor);
    made.pin(location{here, "again"}, {}, code);
    EXPECT_EQ(code, boost::system::errc::invalid_argument) << "the kernel says so of any file";
    (void)made.usage(code);
    EXPECT_TRUE(code);
    (void)made.release().release(); // it is closed already
}

TEST_F(map_faults, of_a_process_at_its_limit_of_descriptors) {
    const map made = create_map(at("m"));
    rlimit before = {};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none = {3, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    error_code opening;
    error_code creating;
    error_code pinning;
    error_code listing;
    (void)map::open(at("m"), access::read, opening);
    (void)create_map(at("n"), {}, creating);
    made.pin(at("o"), {}, pinning);
    (void)inspect(at("m"), listing);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    for (const error_code& code : {opening, creating, pinning, listing}) {
        EXPECT_EQ(code, boost::system::errc::too_many_files_open) << code.message();
    }
    EXPECT_EQ(names(), std::vector<std::string>{"m"});
}

} // namespace
