// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Delegation sets as text, and directory tokens.
#include <bpffs/delegation.hpp>
#include <bpffs/directory.hpp>

#include "failure.hpp"
#include "place.hpp"
#include "text.hpp"

#include <fmt/format.h>

#include <array>

namespace bpffs {
namespace {

/// The kernel shows retired kinds of maps under names of their own.
constexpr std::array<std::pair<std::string_view, map_kind>, 2> retired_maps{
    {{"cgroup_storage_deprecated", map_kind::cgroup_storage},
     {"percpu_cgroup_storage_deprecated", map_kind::percpu_cgroup_storage}}};

template <class Enum> std::optional<std::uint64_t> bits_of(std::string_view text) {
    if (text == "any") {
        return delegated_set<Enum>::any().bits();
    }
    if (const auto known = from_word<Enum>(text)) {
        return delegated_set<Enum>{*known}.bits();
    }
    if constexpr (std::is_same_v<Enum, map_kind>) {
        for (const auto& [retired, kind] : retired_maps) {
            if (retired == text) {
                return delegated_set<map_kind>{kind}.bits();
            }
        }
    }
    if (text.starts_with("0x") || text.starts_with("0X")) {
        return number(text.substr(2), 16);
    }
    return number(text, text.starts_with("0") ? 8 : 10);
}

template <class Enum> delegated_set<Enum> parse_set_body(std::string_view text, failure& why) {
    std::uint64_t bits = 0;
    while (!text.empty()) {
        const bool separated = text.find(':') != std::string_view::npos;
        const auto part = cut(text, ':');
        const auto more = bits_of<Enum>(part);
        if (!more || (separated && text.empty())) {
            why.set(errc::bad_word, fmt::format("'{}'", part));
            return {};
        }
        bits |= *more;
    }
    return delegated_set<Enum>::from_bits(bits);
}

void append(std::string& text, char separator, std::string_view more) {
    if (!text.empty()) {
        text += separator;
    }
    text += more;
}

template <class Enum>
void append_option(std::string& options, std::string_view name, delegated_set<Enum> set) {
    if (!set.empty()) {
        append(options, ',', fmt::format("{}={}", name, to_string(set)));
    }
}

/// A set as a token's fdinfo shows it: "any" or a mask.
template <class Enum>
delegated_set<Enum> set_of(std::string_view fdinfo, std::string_view key, failure& why) {
    const auto text = field(fdinfo, key);
    return text ? parse_set_body<Enum>(*text, why) : delegated_set<Enum>{};
}

} // namespace

template <class Enum> std::string to_string(delegated_set<Enum> set) {
    if (set.is_any()) {
        return "any";
    }
    std::string text;
    std::uint64_t rest = set.bits();
    for (const Enum value : all_of<Enum>()) {
        if (set.contains(value)) {
            append(text, ':', word(value));
            rest &= ~delegated_set<Enum>{value}.bits();
        }
    }
    if (rest != 0) {
        append(text, ':', fmt::format("{:#x}", rest));
    }
    return text;
}

template <class Enum> delegated_set<Enum> parse_set(std::string_view text) {
    return loudly("read delegation", path{}, {},
                  [&](failure& why) { return parse_set_body<Enum>(text, why); });
}

template <class Enum>
delegated_set<Enum> parse_set(std::string_view text, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return parse_set_body<Enum>(text, why); });
}

#define BPFFS_SET_OF(Enum)                                                                         \
    template BPFFS_API std::string to_string(delegated_set<Enum>);                                 \
    template BPFFS_API delegated_set<Enum> parse_set(std::string_view);                            \
    template BPFFS_API delegated_set<Enum> parse_set(std::string_view, error_code&) noexcept;
BPFFS_SET_OF(command)
BPFFS_SET_OF(map_kind)
BPFFS_SET_OF(program_kind)
BPFFS_SET_OF(attach_kind)
BPFFS_SET_OF(capability)
#undef BPFFS_SET_OF

bool can_be_delegated(program_kind kind) noexcept {
    return kind != program_kind::syscall;
}

bool delegation::empty() const noexcept {
    return *this == delegation{};
}

bool delegation::allows_map(map_kind kind) const noexcept {
    return commands.contains(command::map_create) && maps.contains(kind);
}

bool delegation::allows_program(program_kind kind, attach_kind attach) const noexcept {
    return commands.contains(command::prog_load) && programs.contains(kind) &&
           attachments.contains(attach) && can_be_delegated(kind);
}

std::string delegation::to_options() const {
    std::string options;
    append_option(options, "delegate_cmds", commands);
    append_option(options, "delegate_maps", maps);
    append_option(options, "delegate_progs", programs);
    append_option(options, "delegate_attachs", attachments);
    append_option(options, "delegate_caps", capabilities);
    return options;
}

capability capability_for(map_kind kind) noexcept {
    switch (kind) {
    case map_kind::sockmap:
    case map_kind::sockhash:
    case map_kind::devmap:
    case map_kind::devmap_hash:
    case map_kind::xskmap:
        return capability::net_admin;
    default:
        return capability::bpf;
    }
}

namespace {

owned_fd create_token_body(const directory& where, failure& why) {
    owned_fd token = why.take(sys::token_create(where.fd().get()));
    if (why.is(EOPNOTSUPP)) {
        why.set(errc::not_delegated);
    } else if (why.is(EINVAL) || why.is(EBADF)) {
        // Kernels that make tokens of whole mounts only take no O_PATH descriptor: EBADF.
        failure unknown;
        const bool bpffs = on_bpffs(where.fd().get(), unknown);
        if (!unknown) {
            why.set(bpffs ? errc::not_delegated : errc::not_a_bpffs);
        }
    }
    return token;
}

delegation allowed_body(borrowed_fd token, failure& why) {
    const std::string text = read_fdinfo(token.get(), why);
    if (why) {
        return {};
    }
    delegation allowed;
    allowed.commands = set_of<command>(text, "allowed_cmds", why);
    allowed.maps = set_of<map_kind>(text, "allowed_maps", why);
    allowed.programs = set_of<program_kind>(text, "allowed_progs", why);
    allowed.attachments = set_of<attach_kind>(text, "allowed_attachs", why);
    allowed.capabilities = set_of<capability>(text, "allowed_caps", why);
    return allowed;
}

owned_fd load_types_body(borrowed_fd token, std::span<const std::byte> btf, failure& why) {
    return why.take(sys::btf_load(btf, token.get()));
}

std::optional<std::uint64_t> inodes_left_in(const directory& where, failure& why) {
    const struct ::statfs about = why.take(sys::fstatfs(where.fd().get()));
    return about.f_files == 0 ? std::nullopt : std::optional<std::uint64_t>{about.f_ffree};
}

allowance allowance_body(const directory& where, failure& why) {
    allowance all;
    if (!on_bpffs(where.fd().get(), why)) {
        all.why_nothing = "it is not on a BPF file system";
        return all;
    }
    all.inodes_left = inodes_left_in(where, why);
    failure refused;
    const owned_fd token = create_token_body(where, refused);
    if (!refused) {
        all.delegated = allowed_body(token, why);
    } else if (refused.code == errc::not_delegated || refused.is(ENOENT)) {
        all.why_nothing = "its mount gives out no tokens";
    } else if (refused.is(EACCES)) {
        all.why_nothing = "the caller may not write it";
    } else if (refused.is(EROFS) || refused.is(EPERM)) {
        all.why_nothing = fmt::format("it gives no token: {}", refused.code.message());
    } else {
        why = std::move(refused);
    }
    return all;
}

} // namespace

allowance allowance_of(const directory& where) {
    return loudly("look what may be made in", where.name(), {},
                  [&](failure& why) { return allowance_body(where, why); });
}

allowance allowance_of(const directory& where, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return allowance_body(where, why); });
}

owned_fd directory_token::load_types(std::span<const std::byte> btf) const {
    return loudly("load types", path{}, {},
                  [&](failure& why) { return load_types_body(fd_, btf, why); });
}

owned_fd directory_token::load_types(std::span<const std::byte> btf,
                                     error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return load_types_body(fd_, btf, why); });
}

directory_token directory_token::create(const directory& where) {
    return directory_token{loudly("make a token of directory", where.name(), {},
                                  [&](failure& why) { return create_token_body(where, why); })};
}

directory_token directory_token::create(const directory& where, error_code& code) noexcept {
    return directory_token{
        quietly(code, [&](failure& why) { return create_token_body(where, why); })};
}

delegation directory_token::allowed() const {
    return loudly("read token", path{}, {}, [&](failure& why) { return allowed_body(fd_, why); });
}

delegation directory_token::allowed(error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return allowed_body(fd_, why); });
}

} // namespace bpffs
