// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Creating a map as a file: which way the kernel lets it be made, and the name that appears last.
#include "map.hpp"
#include "map_rules.hpp"
#include "text.hpp"

#include <bpffs/delegation.hpp>
#include <bpffs/identity.hpp>
#include <bpffs/mount.hpp>

#include <fmt/format.h>

#include <linux/bpf.h>

#include <algorithm>
#include <cstring>

namespace bpffs {
namespace {

constexpr std::size_t longest_object_name = BPF_OBJ_NAME_LEN - 1;

bool fits_object_name(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

void check_object_name(const map_spec& spec, failure& why) {
    if (spec.name && (spec.name->size() > longest_object_name ||
                      !std::all_of(spec.name->begin(), spec.name->end(), fits_object_name))) {
        why.set(errc::bad_object_name, fmt::format("'{}'", *spec.name));
    }
}

sys::map_create_attr attr_of(const map_spec& spec, const std::string& name) noexcept {
    sys::map_create_attr attr{};
    attr.map_type = static_cast<std::uint32_t>(spec.kind);
    attr.key_size = spec.key_size;
    attr.value_size = spec.value_size;
    attr.max_entries = spec.max_entries;
    attr.map_flags = spec.flags;
    attr.map_extra = spec.extra;
    attr.map_ifindex = spec.ifindex;
    std::memcpy(attr.map_name, name.data(), std::min(name.size(), longest_object_name));
    if (spec.inner_map) {
        attr.inner_map_fd = static_cast<std::uint32_t>(spec.inner_map->get());
    }
    if (spec.numa_node) {
        attr.map_flags |= BPF_F_NUMA_NODE;
        attr.numa_node = *spec.numa_node;
    }
    if (spec.btf) {
        attr.btf_fd = static_cast<std::uint32_t>(spec.btf->get());
        attr.btf_key_type_id = spec.btf_key_type;
        attr.btf_value_type_id = spec.btf_value_type;
    }
    return attr;
}

/// The ways to make one map, in order, and what came of each.
class maker {
public:
    maker(const place& here, const map_spec& spec, const std::string& name)
        : here_{here}, kind_{spec.kind}, attr_{attr_of(spec, name)} {}

    /// The map, or the reasons in `why`.
    owned_fd make(failure& why) {
        owned_fd made = by_token(why);
        if (!made && !why) {
            made = by_plain_call(why);
        }
        why.attempts = std::move(attempts_);
        return made;
    }

private:
    void note(creation_way way, error_code code, std::string reason) {
        attempts_.push_back({way, code, std::move(reason)});
    }

    /// Nothing and no error where this way is not open and the next may be.
    owned_fd by_token(failure& why);
    owned_fd by_plain_call(failure& why);
    void note_useless(const delegation& delegated);
    void note_no_token(sys::status error, const mount_info& mount);
    void note_refused_token(const mount_info& mount);
    void explain_refusal(failure& why) const;

    const place& here_;
    map_kind kind_;
    sys::map_create_attr attr_;
    std::vector<attempt> attempts_;
};

void maker::note_useless(const delegation& delegated) {
    const auto because = [&](std::string reason) {
        note(creation_way::directory_token, errc::token_lacks_kind, std::move(reason));
    };
    if (!delegated.commands.contains(command::map_create)) {
        because("the directory's mount does not delegate the command map_create");
    } else {
        because(fmt::format("the directory's mount delegates maps of kind {}, not {}",
                            delegated.maps.empty() ? "(none)" : to_string(delegated.maps),
                            to_string(kind_)));
    }
}

owned_fd maker::by_token(failure& why) {
    error_code code;
    const mount_info mount = mount_info::of(borrowed_fd{here_.directory}, code);
    // Without delegate_caps there are still the tokens of user namespaces, from the mount's root.
    if (code || mount.delegated.empty()) {
        note(creation_way::directory_token, errc::not_delegated,
             "the directory's mount gives out no tokens (it has no fmode with delegate_caps)");
        return {};
    }
    if (!mount.delegated.allows_map(kind_)) {
        note_useless(mount.delegated);
        return {};
    }
    const auto token = sys::token_create(here_.directory);
    if (!token) {
        note_no_token(token.error, mount);
        // Who may not write the directory cannot pin there either, however the map is made.
        if (token.error == EACCES || token.error == EROFS) {
            why.set(token.error, "the directory is not writable");
        }
        return {};
    }
    auto made = sys::map_create(attr_, token.value.get());
    if (made.error == EPERM) {
        note_refused_token(mount);
        return {};
    }
    return why.take(std::move(made));
}

void maker::note_no_token(sys::status error, const mount_info& mount) {
    const error_code refused{error, boost::system::system_category()};
    if (mount.gives_tokens()) {
        note(creation_way::directory_token, refused,
             fmt::format("no token of the directory: {}", refused.message()));
    } else {
        note(creation_way::directory_token, errc::not_delegated,
             fmt::format("the directory's mount delegates within a user namespace only: {}",
                         refused.message()));
    }
}

void maker::note_refused_token(const mount_info& mount) {
    const capability needed = capability_for(kind_);
    const bool delegated = mount.delegated.capabilities.contains(needed);
    note(creation_way::directory_token, {EPERM, boost::system::system_category()},
         delegated ? "the kernel refuses the token (a security module may)"
                   : fmt::format("the directory's mount does not delegate the capability {}",
                                 word(needed)));
}

std::string why_no_plain_call(capability needed) {
    error_code unknown;
    const identity who = identity::of_caller(unknown);
    if (!unknown && who.initial_user_namespace &&
        who.has_capability(static_cast<unsigned>(needed))) {
        return fmt::format("the kernel refuses it although the caller has the capability {} (a "
                           "security module may)",
                           word(needed));
    }
    failure ignored;
    const std::string sysctl = read_file("/proc/sys/kernel/unprivileged_bpf_disabled", ignored);
    return fmt::format("the caller lacks the capability {}{}{}", word(needed),
                       sysctl.empty() ? "" : ", and kernel.unprivileged_bpf_disabled is ",
                       sysctl.substr(0, sysctl.find('\n')));
}

owned_fd maker::by_plain_call(failure& why) {
    auto made = sys::map_create(attr_, -1);
    if (made.error != EPERM) {
        return why.take(std::move(made));
    }
    note(creation_way::plain_call, {EPERM, boost::system::system_category()},
         why_no_plain_call(capability_for(kind_)));
    explain_refusal(why);
    return {};
}

void maker::explain_refusal(failure& why) const {
    std::string words;
    for (const attempt& one : attempts_) {
        words += fmt::format("{}{}: {}", words.empty() ? "" : "; ",
                             one.way == creation_way::directory_token ? "by directory token"
                                                                      : "by the plain call",
                             one.reason);
    }
    why.set(errc::not_creatable, std::move(words));
}

map create_body(const location& where, const map_spec& spec, failure& why) {
    check_object_name(spec, why);
    if (!why) {
        check_pin_mode(spec.permissions, why);
    }
    if (why) {
        return {};
    }
    const place here = resolve(where, why);
    if (!why) {
        check_new_name(here, why);
    }
    if (why) {
        return {};
    }
    owned_fd fd = maker{here, spec, spec.name.value_or(object_name_for(here.name))}.make(why);
    if (why.is(EINVAL)) {
        why.detail = what_is_wrong_with(spec);
    }
    if (why) {
        return {};
    }
    // Everything that can fail comes before the name: then there is nothing to undo.
    map made = handle_body<map>::make(std::move(fd), access::read_write, where.display(), why);
    if (!why) {
        pin_at(made.fd().get(), here, {spec.permissions, spec.group}, why);
    }
    return why ? map{} : std::move(made);
}

} // namespace

std::string object_name_for(const path& file) {
    std::string name = file.filename().native().substr(0, longest_object_name);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return !fits_object_name(c); }, '_');
    return name;
}

map create_map(const location& where, const map_spec& spec) {
    return loudly("create map", where, wanted::to_create(spec.kind),
                  [&](failure& why) { return create_body(where, spec, why); });
}

map create_map(const location& where, const map_spec& spec, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return create_body(where, spec, why); });
}

} // namespace bpffs
