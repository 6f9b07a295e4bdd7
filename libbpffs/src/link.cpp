// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Handles on links: information, update, detach, iterators.
#include "link.hpp"

#include <fmt/format.h>

namespace bpffs {
namespace {

void read_target(const raw_link_info& raw, link_info& info) {
    const auto& word = raw.of.word;
    switch (info.kind) {
    case link_kind::tracing:
        info.attach = static_cast<attach_kind>(word[0]);
        info.target_object_id = word[1];
        info.target_type_id = word[2];
        return;
    case link_kind::cgroup:
        info.cgroup_id = raw.of.cgroup.id;
        info.attach = static_cast<attach_kind>(raw.of.cgroup.attach);
        return;
    case link_kind::netns:
        info.netns_inode = word[0];
        info.attach = static_cast<attach_kind>(word[1]);
        return;
    case link_kind::xdp:
        info.ifindex = word[0];
        return;
    case link_kind::tcx:
    case link_kind::netkit:
        info.ifindex = word[0];
        info.attach = static_cast<attach_kind>(word[1]);
        return;
    case link_kind::sockmap:
        info.attach = static_cast<attach_kind>(word[1]);
        [[fallthrough]];
    case link_kind::struct_ops:
        info.map_id = word[0];
        return;
    case link_kind::iter:
        info.map_id = raw.of.named.map_id;
        return;
    default:
        return;
    }
}

/// Kinds that write a name where they are offered a place for it. No other kind may be offered one:
/// kprobe_multi takes the same bytes for a place of addresses and how many fit there, and
/// uprobe_multi and perf_event have pointers of their own in them.
bool has_name(std::uint32_t kind) noexcept {
    return kind == static_cast<std::uint32_t>(link_kind::raw_tracepoint) ||
           kind == static_cast<std::uint32_t>(link_kind::iter);
}

link_info info_body(int fd, failure& why) {
    char name[128] = {};
    raw_link_info raw{};
    sys::result<std::uint32_t> got = sys::obj_info(fd, &raw, sizeof raw);
    if (got && has_name(raw.kind)) {
        raw_link_info named{};
        named.of.named.name = reinterpret_cast<std::uint64_t>(name);
        named.of.named.name_size = sizeof name;
        got = sys::obj_info(fd, &named, sizeof named);
        if (got.error == ENOSPC) { // a longer name than any that there is
            got.error = 0;
            name[0] = 0;
        } else {
            raw = named;
        }
    }
    why.take(got);
    link_info info;
    info.id = raw.id;
    info.kind = static_cast<link_kind>(raw.kind);
    info.program_id = raw.program_id;
    read_target(raw, info);
    info.target_name = name;
    return info;
}

void update_body(const link& held, const program& by, const program* expected, failure& why) {
    if (!held || !by) {
        why.set(errc::empty_handle);
        return;
    }
    why.set(sys::link_update(held.fd().get(), by.fd().get(),
                             expected == nullptr ? -1 : expected->fd().get()));
    if (why.is(EOPNOTSUPP)) {
        why.set(errc::unsupported,
                fmt::format("links of kind {} keep their program", to_string(held.info().kind)));
    }
}

void detach_body(const link& held, failure& why) {
    if (!held) {
        why.set(errc::empty_handle);
        return;
    }
    why.set(sys::link_detach(held.fd().get()));
    if (why.is(EOPNOTSUPP)) {
        why.set(errc::unsupported,
                fmt::format("links of kind {} end with their last handle and pin",
                            to_string(held.info().kind)));
    }
}

owned_fd start_iterator_body(const link& held, failure& why) {
    if (!held) {
        why.set(errc::empty_handle);
        return {};
    }
    return why.take(sys::iter_create(held.fd().get()));
}

} // namespace

void handle_traits<link>::describe(link& made, failure& why) {
    made.info_ = info_body(made.fd_.get(), why);
}

link link::open(const location& where, access rights) {
    return handle_body<link>::open(where, rights);
}

link link::open(const location& where, access rights, error_code& code) noexcept {
    return handle_body<link>::open(where, rights, code);
}

link link::from(object&& opened) {
    return handle_body<link>::from(std::move(opened));
}

link link::from(object&& opened, error_code& code) noexcept {
    return handle_body<link>::from(std::move(opened), code);
}

void link::pin(const location& where, std::optional<mode> bits) const {
    handle_body<link>::pin(*this, where, bits);
}

void link::pin(const location& where, std::optional<mode> bits, error_code& code) const noexcept {
    handle_body<link>::pin(*this, where, bits, code);
}

void link::update(const program& by, const program* expected) {
    loudly("update link", file_, wanted::to_open(access::write),
           [&](failure& why) { update_body(*this, by, expected, why); });
}

void link::update(const program& by, const program* expected, error_code& code) noexcept {
    quietly(code, [&](failure& why) { update_body(*this, by, expected, why); });
}

void link::detach() {
    loudly("detach link", file_, wanted::to_open(access::write),
           [&](failure& why) { detach_body(*this, why); });
}

void link::detach(error_code& code) noexcept {
    quietly(code, [&](failure& why) { detach_body(*this, why); });
}

owned_fd link::start_iterator() const {
    return loudly("start iterator", file_, wanted::to_open(access::read),
                  [&](failure& why) { return start_iterator_body(*this, why); });
}

owned_fd link::start_iterator(error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return start_iterator_body(*this, why); });
}

} // namespace bpffs
