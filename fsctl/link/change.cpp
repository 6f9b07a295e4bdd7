// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// update and detach: another program in the place of the attached one, and the
// end of the attachment. The library diagnoses paths and permissions; the
// sentences here are about the link and the programs.
#include "common/operand.hpp"
#include "verbs.hpp"

#include <fmt/format.h>

namespace fsctl {

namespace {

namespace errc = boost::system::errc;

// What is wrong with the pair, where the kernel says no more than EINVAL.
std::string remedy_for_update(const bpffs::error_code& why, const bpffs::link& changed,
                              const bpffs::program& by, bool expected) {
    if (why == errc::invalid_argument) {
        return fmt::format("Only a program of the attached one's kind and attach type takes its "
                           "place; this one is a {}.",
                           to_string(by.info().kind));
    }
    if (why == errc::operation_not_permitted && expected) {
        return fmt::format("The program behind 'old' is not the attached one, which has the id {}.",
                           changed.info().program_id);
    }
    if (why == errc::no_link) {
        return "The link has been detached, or its target is gone.";
    }
    return {};
}

} // namespace

void link_update(context& /*with*/, words& given) {
    const operand named = take_link(given);
    const operand by = take_program(given);
    std::optional<operand> old;
    if (!given.keyword({"old"}).empty()) {
        old = take_program(given);
    }
    given.end();
    bpffs::link changed = open_link(named, bpffs::access::write);
    const bpffs::program next = open_program(by, bpffs::access::write);
    bpffs::program expected;
    if (old) { // it only says which: whatever right there is
        expected = open_any_program(*old);
    }
    try {
        changed.update(next, old ? &expected : nullptr);
    } catch (const bpffs::error& error) {
        std::string remedy = remedy_for_update(error.code(), changed, next, old.has_value());
        if (remedy.empty()) {
            throw;
        }
        throw failure(error.what(), std::move(remedy));
    }
}

void link_detach(context& /*with*/, words& given) {
    const operand named = take_link(given);
    given.end();
    bpffs::link ended = open_link(named, bpffs::access::write);
    try {
        ended.detach();
    } catch (const bpffs::error& error) {
        if (error.code() != bpffs::errc::unsupported) {
            throw;
        }
        throw failure(error.what(),
                      fmt::format("'bpffs-link rm' its pins; the attachment ends with the last."));
    }
}

} // namespace fsctl
