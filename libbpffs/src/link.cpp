// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Handles on links.
#include <bpffs/link.hpp>

#include "pin.hpp"

#include <linux/bpf.h>

namespace bpffs {
namespace {

link_info info_of(const bpf_link_info& raw) {
    link_info info;
    info.id = raw.id;
    info.kind = static_cast<link_kind>(raw.type);
    info.program_id = raw.prog_id;
    return info;
}

link_info info_body(int fd, failure& why) {
    bpf_link_info raw{};
    why.take(sys::obj_info(fd, &raw, sizeof raw));
    return info_of(raw);
}

object open_body(const location& where, access rights, failure& why) {
    object opened = open_object(where, rights, why);
    check_kind(opened, object_kind::link, why);
    return opened;
}

} // namespace

link link::open(const location& where, access rights) {
    return from(loudly("open link", where, wanted::to_open(rights),
                       [&](failure& why) { return open_body(where, rights, why); }));
}

link link::open(const location& where, access rights, error_code& code) noexcept {
    object opened = quietly(code, [&](failure& why) { return open_body(where, rights, why); });
    return code ? link{} : from(std::move(opened), code);
}

link link::from_body(object opened, failure& why) {
    check_kind(opened, object_kind::link, why);
    link made;
    if (!why) {
        made.info_ = info_body(opened.fd().get(), why);
    }
    if (!why) {
        made.rights_ = opened.rights();
        made.file_ = opened.file();
        made.fd_ = opened.release();
    }
    return made;
}

link link::from(object&& opened) {
    const path file = opened.file();
    return loudly("open link", file, wanted::to_open(opened.rights()),
                  [&](failure& why) { return from_body(std::move(opened), why); });
}

link link::from(object&& opened, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return from_body(std::move(opened), why); });
}

void link::pin(const location& where, std::optional<mode> bits) const {
    loudly("pin link", where, wanted::to_pin(rights_),
           [&](failure& why) { pin_body(fd_.get(), where, bits, why); });
}

void link::pin(const location& where, std::optional<mode> bits, error_code& code) const noexcept {
    quietly(code, [&](failure& why) { pin_body(fd_.get(), where, bits, why); });
}

} // namespace bpffs
