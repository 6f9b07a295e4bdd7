// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Handles on links.
#include "link.hpp"

#include <linux/bpf.h>

namespace bpffs {

void handle_traits<link>::describe(link& made, failure& why) {
    bpf_link_info raw{};
    why.take(sys::obj_info(made.fd_.get(), &raw, sizeof raw));
    made.info_.id = raw.id;
    made.info_.kind = static_cast<link_kind>(raw.type);
    made.info_.program_id = raw.prog_id;
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

} // namespace bpffs
