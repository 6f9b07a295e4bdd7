// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Handles on programs.
#include "program.hpp"

#include <linux/bpf.h>

#include <algorithm>
#include <cstring>

namespace bpffs {

void handle_traits<program>::describe(program& made, failure& why) {
    bpf_prog_info raw{};
    why.take(sys::obj_info(made.fd_.get(), &raw, sizeof raw));
    program_info& info = made.info_;
    info.id = raw.id;
    info.kind = static_cast<program_kind>(raw.type);
    info.name = std::string_view{raw.name, ::strnlen(raw.name, sizeof raw.name)};
    std::copy(std::begin(raw.tag), std::end(raw.tag), info.tag.begin());
    info.created_by = raw.created_by_uid;
    info.load_time = raw.load_time;
}

program program::open(const location& where, access rights) {
    return handle_body<program>::open(where, rights);
}

program program::open(const location& where, access rights, error_code& code) noexcept {
    return handle_body<program>::open(where, rights, code);
}

program program::from(object&& opened) {
    return handle_body<program>::from(std::move(opened));
}

program program::from(object&& opened, error_code& code) noexcept {
    return handle_body<program>::from(std::move(opened), code);
}

void program::pin(const location& where, std::optional<mode> bits) const {
    handle_body<program>::pin(*this, where, bits);
}

void program::pin(const location& where, std::optional<mode> bits,
                  error_code& code) const noexcept {
    handle_body<program>::pin(*this, where, bits, code);
}

} // namespace bpffs
