// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What is asked of the kernel about a link. Each kind puts other fields into the same bytes of
// struct bpf_link_info: what is a place for a name in one is a place for addresses in another, so
// that a place that is offered to the wrong kind is written over.
#include "fault.hpp"

#include <bpffs/bpffs.hpp>

#include <linux/bpf.h>

#include <bit>
#include <cstring>
#include <string_view>

#include <gtest/gtest.h>

namespace {

using namespace bpffs;

/// A kernel that knows one link. It notes whether it was offered a place, and does not write there.
class one_link : bpffs_test::other_backend {
public:
    explicit one_link(link_kind known) : other_backend{&answer} {
        kind = known;
        offered = false;
    }
    [[nodiscard]] static bool was_offereda_place() { return offered; }

private:
    /// The beginning of struct bpf_link_info.
    struct info {
        std::uint32_t kind;
        std::uint32_t id;
        std::uint32_t program_id;
        std::uint32_t unused;
        std::uint64_t place;
        std::uint32_t size;
    };

    static long answer(long number, long a, long b, long c, long d, long e, long f) {
        if (number == SYS_bpf && a == BPF_LINK_GET_FD_BY_ID) {
            return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        }
        if (number == SYS_readlinkat) {
            constexpr std::string_view text = "anon_inode:bpf_link";
            std::memcpy(std::bit_cast<void*>(c), text.data(), text.size());
            return static_cast<long>(text.size());
        }
        if (number == SYS_bpf && a == BPF_OBJ_GET_INFO_BY_FD) {
            const auto* const asked = std::bit_cast<const bpf_attr*>(b);
            auto* const told = std::bit_cast<info*>(asked->info.info);
            offered = offered || told->place != 0 || told->size != 0;
            told->kind = static_cast<std::uint32_t>(kind);
            told->id = 7;
            told->program_id = 8;
            return 0;
        }
        return ::syscall(number, a, b, c, d, e, f);
    }

    static inline link_kind kind = link_kind::unspec;
    static inline bool offered = false;
};

TEST(LinkInfo, OffersAPlaceForANameToKindsThatHaveOne) {
    for (const link_kind kind : all_of<link_kind>()) {
        const one_link kernel{kind};
        error_code code;
        const bpffs::link opened = bpffs::link::from(open_by_id(object_kind::link, 7), code);
        EXPECT_FALSE(code) << word(kind);
        EXPECT_EQ(opened.info().id, 7U);
        EXPECT_EQ(opened.info().kind, kind);
        const bool named = kind == link_kind::raw_tracepoint || kind == link_kind::iter;
        EXPECT_EQ(one_link::was_offereda_place(), named) << word(kind);
    }
}

TEST(LinkInfo, HasDetailsOfSomeKindsOnly) {
    error_code code;
    (void)details_of(bpffs::link{}, code);
    EXPECT_EQ(code, errc::empty_handle);
    for (const link_kind kind : {link_kind::xdp, link_kind::tcx, link_kind::cgroup}) {
        const one_link kernel{kind};
        const bpffs::link opened = bpffs::link::from(open_by_id(object_kind::link, 7));
        EXPECT_TRUE(std::holds_alternative<std::monostate>(details_of(opened))) << word(kind);
        EXPECT_FALSE(one_link::was_offereda_place()) << word(kind);
    }
}

} // namespace
