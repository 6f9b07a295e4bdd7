// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Handles on programs.
#include <bpffs/program.hpp>

#include "pin.hpp"

#include <linux/bpf.h>

#include <algorithm>
#include <cstring>

namespace bpffs {
namespace {

program_info info_of(const bpf_prog_info& raw) {
    program_info info;
    info.id = raw.id;
    info.kind = static_cast<program_kind>(raw.type);
    info.name = std::string_view{raw.name, ::strnlen(raw.name, sizeof raw.name)};
    std::copy(std::begin(raw.tag), std::end(raw.tag), info.tag.begin());
    info.created_by = raw.created_by_uid;
    info.load_time = raw.load_time;
    return info;
}

program_info info_body(int fd, failure& why) {
    bpf_prog_info raw{};
    why.take(sys::obj_info(fd, &raw, sizeof raw));
    return info_of(raw);
}

object open_body(const location& where, access rights, failure& why) {
    object opened = open_object(where, rights, why);
    check_kind(opened, object_kind::program, why);
    return opened;
}

} // namespace

program program::open(const location& where, access rights) {
    return from(loudly("open program", where, wanted::to_open(rights),
                       [&](failure& why) { return open_body(where, rights, why); }));
}

program program::open(const location& where, access rights, error_code& code) noexcept {
    object opened = quietly(code, [&](failure& why) { return open_body(where, rights, why); });
    return code ? program{} : from(std::move(opened), code);
}

program program::from_body(object opened, failure& why) {
    check_kind(opened, object_kind::program, why);
    program made;
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

program program::from(object&& opened) {
    const path file = opened.file();
    return loudly("open program", file, wanted::to_open(opened.rights()),
                  [&](failure& why) { return from_body(std::move(opened), why); });
}

program program::from(object&& opened, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return from_body(std::move(opened), why); });
}

void program::pin(const location& where, std::optional<mode> bits) const {
    loudly("pin program", where, wanted::to_pin(rights_),
           [&](failure& why) { pin_body(fd_.get(), where, bits, why); });
}

void program::pin(const location& where, std::optional<mode> bits,
                  error_code& code) const noexcept {
    quietly(code, [&](failure& why) { pin_body(fd_.get(), where, bits, why); });
}

} // namespace bpffs
