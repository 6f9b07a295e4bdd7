// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the library's host tests share: a bpffs of the test's own and short ways to say bytes.
#pragma once

#include "support/probe.hpp"
#include "support/sandbox.hpp"

#include <bpffs/bpffs.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace lib_test {

using namespace bpffs;

template <class T> const_bytes in(const T& value) {
    return std::as_bytes(std::span{&value, 1});
}

template <class T> bytes out(T& value) {
    return std::as_writable_bytes(std::span{&value, 1});
}

/// A private bpffs for each test, with the mount options given.
class on_bpffs : public ::testing::Test {
public:
    void SetUp() override {
        for (const char* probe : {"root", "bpf", "bpffs"}) {
            BPFFS_NEEDS(probe);
        }
        mount_anew(options());
    }

protected:
    [[nodiscard]] virtual std::string options() const { return "mode=0755"; }

    void mount_anew(const std::string& options) {
        mount_.reset();
        mount_ = std::make_unique<bpffs_test::bpffs_mount>(options);
        ASSERT_EQ(mount_->error(), 0);
    }

    [[nodiscard]] path at(const std::string& name) const { return *mount_ / name; }
    [[nodiscard]] path base() const { return mount_->directory(); }

    /// The names in the mount's root, apart from those that the kernel puts there.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> all;
        directory::open(base()).for_each([&](const directory_entry& one) {
            if (one.name != "maps.debug" && one.name != "progs.debug") {
                all.push_back(one.name);
            }
            return true;
        });
        return all;
    }

private:
    std::unique_ptr<bpffs_test::bpffs_mount> mount_;
};

/// Runs `body` as alice without capabilities; what it returns other than "" is a failure.
inline void as_alice(const std::function<std::string()>& body) {
    const auto outcome = bpffs_test::as_user(bpffs_test::alice, [&] {
        std::string complaint;
        try {
            complaint = body();
        } catch (const std::exception& why) {
            complaint = why.what();
        }
        if (!complaint.empty()) {
            std::fprintf(stderr, "as alice: %s\n", complaint.c_str());
        }
        return bpffs_test::done("body", complaint.empty() ? 0 : -EPROTO);
    });
    EXPECT_EQ(outcome.error, 0) << outcome.step << ": see above";
}

} // namespace lib_test
