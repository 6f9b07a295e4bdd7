// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Opening pins and pinning objects.
#include "pin.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <linux/magic.h>

#include <cstdio>

namespace bpffs {
namespace {

sys::result<owned_fd> obj_get(const place& here, access rights) {
    auto got = sys::obj_get(here.directory, here.c_name(), rights);
    if (got.error == EINVAL) {
        // A kernel before 6.5 has no BPF_F_PATH_FD. Others say EINVAL again, and change nothing.
        got = sys::obj_get(-1, through_proc(here.directory, here.name).c_str(), rights);
    }
    return got;
}

/// The kernel says EACCES for every file that is no pin, and EPERM for a name with a dot.
void refine_open_failure(const place& here, access rights, failure& why) {
    if (why.is(EPERM) && here.name.find('.') != std::string::npos) {
        why.set(errc::dot_in_name);
        return;
    }
    if (why.is(EINVAL) && rights != access::read_write) {
        failure ignored;
        const auto whole = obj_get(here, access::read_write);
        if (whole && kind_from(read_fdinfo(whole.value.get(), ignored)) == object_kind::link) {
            why.set(errc::unsupported, "this kernel opens links for read and write only");
        }
        return;
    }
    if (!why.is(EACCES)) {
        return;
    }
    const auto file = sys::openat(here.directory, here.c_name(), O_PATH);
    if (!file) {
        return;
    }
    const auto magic = sys::file_system_magic(file.value.get());
    const auto about = sys::fstatat(file.value.get(), "");
    if (magic && magic.value != BPF_FS_MAGIC) {
        why.set(errc::not_a_bpffs);
    } else if (about && S_ISDIR(about.value.st_mode)) {
        why.set(errc::not_a_pin, "it is a directory");
    }
}

/// One call instead of the four that fdinfo takes. Nothing for a text that is not known.
std::optional<object_kind> kind_by_link(int fd) {
    char text[32];
    const auto got = sys::readlinkat(AT_FDCWD, through_proc(fd).c_str(), text);
    const std::string_view link{text, got ? got.value : 0};
    if (link == "anon_inode:bpf-map") {
        return object_kind::map;
    }
    if (link == "anon_inode:bpf-prog") {
        return object_kind::program;
    }
    if (link == "anon_inode:bpf_link" || link == "anon_inode:bpf-link") {
        return object_kind::link;
    }
    return std::nullopt;
}

} // namespace

std::optional<object_kind> kind_from(std::string_view fdinfo) noexcept {
    // A link shows its program too, so it is asked for first.
    if (field(fdinfo, "link_id")) {
        return object_kind::link;
    }
    if (field(fdinfo, "map_id")) {
        return object_kind::map;
    }
    if (field(fdinfo, "prog_id")) {
        return object_kind::program;
    }
    return std::nullopt;
}

object adopt_object(owned_fd fd, access rights, path file, failure& why) {
    std::optional<object_kind> kind = kind_by_link(fd.get());
    if (!kind) {
        kind = kind_from(read_fdinfo(fd.get(), why));
    }
    if (!why && !kind) {
        why.set(errc::not_a_pin);
    }
    return why ? object{} : object::adopt(std::move(fd), *kind, rights, std::move(file));
}

namespace {

/// Where the one call of open_fd has failed with `error`: finds out why, or opens it in two.
[[gnu::noinline, gnu::cold]] owned_fd open_in_steps(const location& where, access rights,
                                                    sys::status error, failure& why) {
    check_path(where, why);
    if (why) {
        return {};
    }
    why.set(error);
    if (error != EACCES && error != EPERM && error != EINVAL) {
        return {};
    }
    why.set(0);
    const place here = resolve(where, why);
    if (why) {
        return {};
    }
    owned_fd opened = why.take(obj_get(here, rights));
    if (why) {
        refine_open_failure(here, rights, why);
    }
    return opened;
}

} // namespace

owned_fd open_fd(const location& where, access rights, failure& why) {
    const std::string& text = where.file().native();
    sys::status error = ENOENT;
    // In one call, which is what this costs where nothing is wrong. The kernel refuses whatever
    // check_path does, apart from what it does not see.
    if (text.find('\0') == std::string::npos) {
        const int base = where.base() != nullptr ? where.base()->fd().get() : -1;
        auto opened = sys::obj_get(base, text.c_str(), rights);
        if (opened) {
            return std::move(opened.value);
        }
        error = opened.error;
    }
    return open_in_steps(where, rights, error, why);
}

object open_object(const location& where, access rights, failure& why) {
    owned_fd fd = open_fd(where, rights, why);
    return why ? object{} : adopt_object(std::move(fd), rights, where.display(), why);
}

void check_kind(const object& opened, object_kind kind, failure& why) {
    if (!why && !opened) {
        why.set(errc::empty_handle);
    } else if (!why && opened.kind() != kind) {
        why.set(errc::wrong_kind,
                fmt::format("it is a {}, not a {}", to_string(opened.kind()), to_string(kind)));
    }
}

void check_pin_mode(std::optional<mode> bits, failure& why) {
    if (bits && (bits->bits() & ~0777U) != 0) {
        why.set(errc::bad_mode, fmt::format("{} has bits outside 0777", bits->octal()));
    }
}

namespace {

void staged_pin(int object, const place& here, const birth& as, unsigned flags, failure& why) {
    const std::string name = "pin";
    stage beside{here, why};
    if (!why) {
        beside.pin(object, name, as, why);
    }
    if (!why) {
        beside.move_out(name, here, flags, why);
    }
}

/// Resolves and checks the name that a pin is to have, and lets `put(place)` make it.
template <class Put>
void pin_named(const location& where, std::optional<mode> bits, failure& why, Put put) {
    check_pin_mode(bits, why);
    if (why) {
        return;
    }
    const place here = resolve(where, why);
    if (!why) {
        check_new_name(here, why);
    }
    if (!why) {
        put(here);
    }
}

void replace_body(int object, const location& where, std::optional<mode> bits, failure& why) {
    pin_named(where, bits, why,
              [&](const place& here) { staged_pin(object, here, {bits}, 0, why); });
}

/// What can be said against a set before anything is made.
void check_set(std::span<const named_pin> pins, on_conflict conflict, failure& why) {
    for (const named_pin& one : pins) {
        if (!why) {
            check_pin_mode(one.permissions, why);
        }
        if (!why && (one.name.empty() || one.name.find('/') != std::string::npos)) {
            why.set(errc::bad_name, fmt::format("'{}'", one.name));
        } else if (!why && one.name.find('.') != std::string::npos) {
            why.set(errc::dot_in_name, fmt::format("'{}'", one.name));
        }
    }
    if (!why && conflict == on_conflict::exchange) {
        why.set(EINVAL, "a new directory has nothing to give in exchange");
    }
}

void pin_all_body(std::span<const named_pin> pins, const location& where, mode directory_bits,
                  on_conflict conflict, failure& why) {
    pin_named(where, {}, why,
              [&](const place& here) { pin_all_at(pins, here, {directory_bits}, conflict, why); });
}

} // namespace

void pin_all_at(std::span<const named_pin> pins, const place& here, const birth& of_directory,
                on_conflict conflict, failure& why) {
    check_set(pins, conflict, why);
    if (why) {
        return;
    }
    stage beside{here, why};
    for (const named_pin& one : pins) {
        if (!why) {
            beside.pin(one.object.get(), one.name, {one.permissions, one.group}, why);
        }
    }
    if (!why) {
        beside.become(here, of_directory, conflict, why);
    }
}

void pin_at(int object, const place& here, const birth& as, failure& why) {
    if (as.group) {
        staged_pin(object, here, as, RENAME_NOREPLACE, why);
        return;
    }
    why.set(sys::obj_pin(object, here.directory, here.c_name(),
                         as.permissions ? static_cast<int>(as.permissions->bits()) : -1));
    if (!why.is(EINVAL)) {
        return;
    }
    if (as.permissions) {
        // A kernel without BPF_F_PIN_MODE.
        why.set(0);
        staged_pin(object, here, as, RENAME_NOREPLACE, why);
    } else {
        why.set(sys::obj_pin(object, -1, through_proc(here.directory, here.name).c_str(), -1));
    }
}

void pin_body(int object, const location& where, std::optional<mode> bits, failure& why) {
    pin_named(where, bits, why, [&](const place& here) { pin_at(object, here, {bits}, why); });
}

object object::adopt(owned_fd fd, object_kind kind, access rights, path file) noexcept {
    object opened;
    opened.fd_ = std::move(fd);
    opened.kind_ = kind;
    opened.rights_ = rights;
    opened.file_ = std::move(file);
    return opened;
}

object object::adopt(owned_fd fd, access rights, path file) {
    const path shown = file;
    return loudly("look at", shown, {}, [&](failure& why) {
        return adopt_object(std::move(fd), rights, std::move(file), why);
    });
}

object object::adopt(owned_fd fd, access rights, path file, error_code& code) noexcept {
    return quietly(code, [&](failure& why) {
        return adopt_object(std::move(fd), rights, std::move(file), why);
    });
}

object open_pin(const location& where, access rights) {
    return loudly("open", where, wanted::to_open(rights),
                  [&](failure& why) { return open_object(where, rights, why); });
}

object open_pin(const location& where, access rights, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return open_object(where, rights, why); });
}

void pin_object(borrowed_fd object, const location& where, std::optional<mode> bits) {
    loudly("pin", where, wanted::to_pin(access::read_write),
           [&](failure& why) { pin_body(object.get(), where, bits, why); });
}

void pin_object(borrowed_fd object, const location& where, std::optional<mode> bits,
                error_code& code) noexcept {
    quietly(code, [&](failure& why) { pin_body(object.get(), where, bits, why); });
}

void replace_object(borrowed_fd object, const location& where, std::optional<mode> bits) {
    loudly("replace pin", where, wanted::to_pin(access::read_write),
           [&](failure& why) { replace_body(object.get(), where, bits, why); });
}

void replace_object(borrowed_fd object, const location& where, std::optional<mode> bits,
                    error_code& code) noexcept {
    quietly(code, [&](failure& why) { replace_body(object.get(), where, bits, why); });
}

void pin_all(std::span<const named_pin> pins, const location& where, mode directory_bits,
             on_conflict conflict) {
    loudly("pin in new directory", where, wanted::to_pin(access::read_write),
           [&](failure& why) { pin_all_body(pins, where, directory_bits, conflict, why); });
}

void pin_all(std::span<const named_pin> pins, const location& where, mode directory_bits,
             on_conflict conflict, error_code& code) noexcept {
    quietly(code, [&](failure& why) { pin_all_body(pins, where, directory_bits, conflict, why); });
}

} // namespace bpffs
