// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Mounting and unmounting a bpffs on descriptors.
#include <bpffs/mount.hpp>

#include "failure.hpp"
#include "mount_info.hpp"
#include "place.hpp"

#include <fmt/format.h>

#include <linux/mount.h>
#include <sys/mount.h>

namespace bpffs {
namespace {

/// Numbers rather than words: the kernel knows words only where it has BTF.
template <class Enum> std::string mask_of(delegated_set<Enum> set) {
    return set.is_any() ? "any" : fmt::format("{:#x}", set.bits());
}

using option = std::pair<std::string, std::string>;

std::vector<option> options_of(const mount_spec& spec) {
    std::vector<option> options{{"source", spec.source},
                                {"uid", std::to_string(spec.owner)},
                                {"gid", std::to_string(spec.group)},
                                {"mode", spec.permissions.octal()}};
    if (spec.fmode == fmode_option::on) {
        options.emplace_back("fmode", "");
    }
    const auto add = [&](const char* name, auto set, const std::string& text) {
        if (!set.empty()) {
            options.emplace_back(name, text);
        }
    };
    const delegation& to = spec.delegated;
    add("delegate_cmds", to.commands, mask_of(to.commands));
    add("delegate_maps", to.maps, mask_of(to.maps));
    add("delegate_progs", to.programs, mask_of(to.programs));
    add("delegate_attachs", to.attachments, mask_of(to.attachments));
    add("delegate_caps", to.capabilities, to_string(to.capabilities));
    for (const std::string& one : spec.more) {
        std::string_view value = one;
        const auto equals = one.find('=');
        value.remove_prefix(equals == std::string::npos ? one.size() : equals + 1);
        options.emplace_back(one.substr(0, equals), value);
    }
    return options;
}

/// What the kernel has to say about the last step: lines "e bpf: Bad value for 'uid'".
std::string kernel_words(int context) {
    char line[512];
    std::string words;
    for (auto got = sys::read(context, line); got && got.value > 0;
         got = sys::read(context, line)) {
        const std::string_view text{line, got.value};
        words += words.empty() ? "" : "; ";
        words += text.substr(text.starts_with("e ") ? 2 : 0);
        while (!words.empty() && words.back() == '\n') {
            words.pop_back();
        }
    }
    return words;
}

owned_fd make_mount(const mount_spec& spec, failure& why) {
    const owned_fd context = why.take(sys::fsopen("bpf"));
    if (why) {
        return {};
    }
    for (const auto& [name, value] : options_of(spec)) {
        const auto status = value.empty()
                                ? sys::fsconfig_flag(context.get(), name.c_str())
                                : sys::fsconfig_string(context.get(), name.c_str(), value.c_str());
        if (status != 0) {
            const std::string words = kernel_words(context.get());
            why.set(status, fmt::format("the option {}{}{}{}{}", name, value.empty() ? "" : "=",
                                        value, words.empty() ? "" : ": ", words));
            return {};
        }
    }
    if (const auto status = sys::fsconfig_create(context.get()); status != 0) {
        why.set(status, kernel_words(context.get()));
        return {};
    }
    const unsigned attributes =
        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
        (spec.protection == write_protection::read_only ? MOUNT_ATTR_RDONLY : 0U);
    return why.take(sys::fsmount(context.get(), attributes));
}

/// bpffs ignores options that it does not know, so what was asked for is compared with what is.
void check_options(int mount, const mount_spec& spec, failure& why) {
    const mount_info made = options_taken(borrowed_fd{mount}, why);
    if (why) {
        return;
    }
    if (made.fmode != spec.fmode) {
        why.set(errc::no_fmode);
    } else if (made.delegated != spec.delegated) {
        why.set(errc::unsupported,
                fmt::format("of the delegation {} the kernel took only {}",
                            spec.delegated.to_options(), made.delegated.to_options()));
    }
}

void mount_body(const location& where, const mount_spec& spec, failure& why) {
    error_code code;
    const directory target = directory::open(where, code);
    if (code) {
        why.set(code);
        return;
    }
    const owned_fd mount = make_mount(spec, why);
    if (why) {
        return;
    }
    why.set(sys::move_mount(mount.get(), target.fd().get(), 0));
    if (why) {
        return;
    }
    check_options(mount.get(), spec, why);
    if (why) {
        // Our own descriptor keeps it busy; nobody else can have entered it yet.
        sys::umount(through_proc(mount.get()).c_str(), MNT_DETACH);
    }
}

void unmount_body(const location& where, int flags, failure& why) {
    const place here = resolve(where, why);
    if (!why) {
        // By name in its parent: a descriptor of the mount itself would keep it busy.
        why.set(
            sys::umount(through_proc(here.directory, here.name).c_str(), UMOUNT_NOFOLLOW | flags));
    }
}

directory make_body(const mount_spec& spec, failure& why) {
    owned_fd root = make_mount(spec, why);
    return why ? directory{} : directory::adopt(std::move(root), "(new bpffs)");
}

void attach_body(const directory& root, const location& where, mount_place at, failure& why) {
    error_code code;
    const directory target = directory::open(where, symlinks::refuse, code);
    if (code) {
        why.set(code);
        return;
    }
    why.set(sys::move_mount(root.fd().get(), target.fd().get(),
                            at == mount_place::beneath ? sys::move_mount_beneath : 0));
}

/// Remounts with one option, which is a flag, or with none.
void reconfigure(const directory& in, const char* flag, failure& why) {
    const owned_fd context = why.take(sys::fspick(in.fd().get()));
    if (!why && flag != nullptr) {
        why.set(sys::fsconfig_flag(context.get(), flag));
    }
    if (!why) {
        why.set(sys::fsconfig_reconfigure(context.get()));
    }
    if (why && context) {
        why.detail = kernel_words(context.get());
    }
}

void turn_fmode_on_body(const directory& in, failure& why) {
    if (!on_bpffs(in.fd().get(), why)) {
        why.set(errc::not_a_bpffs);
        return;
    }
    reconfigure(in, "fmode", why);
    error_code code;
    const mount_info after = why ? mount_info{} : mount_info::of(in.fd(), code);
    if (code) {
        why.set(code);
    } else if (!why && after.fmode != fmode_option::on) {
        why.set(errc::no_fmode);
    }
}

/// The first expiry of a mount that nobody uses says EAGAIN, and only marks it.
bool in_use_body(const location& where, failure& why) {
    unmount_body(where, MNT_EXPIRE, why);
    const bool busy = why.is(EBUSY);
    if (busy || why.is(EAGAIN)) {
        why.set(0);
    }
    return busy;
}

} // namespace

void mount_bpffs(const location& where, const mount_spec& spec) {
    loudly("mount bpffs on", where, {}, [&](failure& why) { mount_body(where, spec, why); });
}

void mount_bpffs(const location& where, const mount_spec& spec, error_code& code) noexcept {
    quietly(code, [&](failure& why) { mount_body(where, spec, why); });
}

void unmount(const location& where) {
    loudly("unmount", where, {}, [&](failure& why) { unmount_body(where, 0, why); });
}

void unmount(const location& where, error_code& code) noexcept {
    quietly(code, [&](failure& why) { unmount_body(where, 0, why); });
}

void detach_mount(const location& where) {
    loudly("detach", where, {}, [&](failure& why) { unmount_body(where, MNT_DETACH, why); });
}

void detach_mount(const location& where, error_code& code) noexcept {
    quietly(code, [&](failure& why) { unmount_body(where, MNT_DETACH, why); });
}

directory make_bpffs(const mount_spec& spec) {
    return loudly("make bpffs", path{}, {}, [&](failure& why) { return make_body(spec, why); });
}

directory make_bpffs(const mount_spec& spec, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return make_body(spec, why); });
}

void attach_mount(const directory& root, const location& where, mount_place at) {
    loudly("mount bpffs on", where, {}, [&](failure& why) { attach_body(root, where, at, why); });
}

void attach_mount(const directory& root, const location& where, mount_place at,
                  error_code& code) noexcept {
    quietly(code, [&](failure& why) { attach_body(root, where, at, why); });
}

void protect_file_system(const directory& in, write_protection protection) {
    loudly("remount", in.name(), {}, [&](failure& why) {
        reconfigure(in, protection == write_protection::read_only ? "ro" : "rw", why);
    });
}

void protect_file_system(const directory& in, write_protection protection,
                         error_code& code) noexcept {
    quietly(code, [&](failure& why) {
        reconfigure(in, protection == write_protection::read_only ? "ro" : "rw", why);
    });
}

void turn_fmode_on(const directory& in) {
    loudly("turn fmode on for", in.name(), {}, [&](failure& why) { turn_fmode_on_body(in, why); });
}

void turn_fmode_on(const directory& in, error_code& code) noexcept {
    quietly(code, [&](failure& why) { turn_fmode_on_body(in, why); });
}

bool mount_in_use(const location& where) {
    return loudly("look at mount", where, {},
                  [&](failure& why) { return in_use_body(where, why); });
}

bool mount_in_use(const location& where, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return in_use_body(where, why); });
}

} // namespace bpffs
