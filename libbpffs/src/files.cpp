// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What can be done to the file of a pin: looking at it, mode, owner, name, removal.
// A name is opened once (O_PATH, no link followed) and everything else is asked of the descriptor.
#include "pin.hpp"
#include "text.hpp"

#include <fcntl.h>

#include <cstdio>

namespace bpffs {
namespace {

/// A file itself, whatever it is: links are not followed, permission on it is not needed.
owned_fd open_file(const location& where, failure& why) {
    if (where.file().empty()) {
        why.set(errc::bad_name, "the path is empty");
        return {};
    }
    return why.take(sys::openat(base_of(where), where.file().c_str(), O_PATH | O_NOFOLLOW));
}

file_type type_of(const struct ::stat& about) noexcept {
    if (S_ISREG(about.st_mode)) {
        return file_type::file;
    }
    if (S_ISDIR(about.st_mode)) {
        return file_type::directory;
    }
    return S_ISLNK(about.st_mode) ? file_type::symlink : file_type::other;
}

/// What file_info and pin_info share.
template <class Info> Info info_from(const struct ::stat& about) noexcept {
    Info info;
    info.type = type_of(about);
    info.owner = about.st_uid;
    info.group = about.st_gid;
    info.permissions = mode{about.st_mode};
    info.inode = about.st_ino;
    info.names = about.st_nlink;
    return info;
}

/// Finds out what a pin holds with whatever right the caller has on it.
void ask_object(int file, pin_info& info, failure& why) {
    for (const access rights : {access::read, access::write, access::read_write}) {
        auto opened = sys::obj_get(-1, through_proc(file).c_str(), rights);
        if (opened) {
            const std::string fdinfo = read_fdinfo(opened.value.get(), why);
            struct {
                std::uint32_t kind;
                std::uint32_t id;
            } head{}; // the first fields of every kind's information
            if (!why) {
                why.take(sys::obj_info(opened.value.get(), &head, sizeof head));
            }
            info.kind = kind_from(fdinfo);
            info.id = head.id;
            info.bytes = number(field(fdinfo, "memlock").value_or("")).value_or(0);
            return;
        }
        const bool refused = opened.error == EACCES || opened.error == EPERM ||
                             opened.error == EROFS || opened.error == EINVAL;
        if (!refused) {
            why.set(opened.error);
            return;
        }
    }
}

pin_info inspect_body(const location& where, failure& why) {
    const owned_fd file = open_file(where, why);
    if (why) {
        return {};
    }
    const struct ::stat about = why.take(sys::fstatat(file.get(), ""));
    auto info = info_from<pin_info>(about);
    if (!why && info.type == file_type::file) {
        ask_object(file.get(), info, why);
    }
    return info;
}

file_info look_body(const location& where, failure& why) {
    if (where.file().empty()) {
        why.set(errc::bad_name, "the path is empty");
        return {};
    }
    const struct ::stat about = why.take(sys::fstatat(base_of(where), where.file().c_str()));
    auto info = info_from<file_info>(about);
    info.changed = about.st_ctim;
    return info;
}

void for_each_pin_body(const directory& where, const std::function<bool(const listed_pin&)>& visit,
                       failure& why) {
    error_code code;
    where.for_each(
        [&](const directory_entry& entry) {
            failure one;
            listed_pin listed{entry.name, inspect_body(location{where, entry.name}, one)};
            if (one.is(ENOENT)) {
                return true;
            }
            why = std::move(one);
            return !why && visit(listed);
        },
        code);
    if (code) {
        why.set(code);
    }
}

/// Opens, lets `decide(stat)` say the mode, sets it.
template <class Decide> mode chmod_body(const location& where, failure& why, Decide decide) {
    const owned_fd file = open_file(where, why);
    if (why) {
        return {};
    }
    const struct ::stat about = why.take(sys::fstatat(file.get(), ""));
    if (!why && S_ISLNK(about.st_mode)) {
        why.set(errc::is_a_symlink);
    }
    if (why) {
        return {};
    }
    const mode bits = decide(about);
    why.set(sys::chmod(through_proc(file.get()).c_str(), bits.bits()));
    return bits;
}

mode change_body(const location& where, const mode_change& change, failure& why) {
    const mode umask = current_umask(why);
    if (why) {
        return {};
    }
    return chmod_body(where, why, [&](const struct ::stat& about) {
        return change.apply(mode{about.st_mode}, type_of(about), umask);
    });
}

void chown_body(const location& where, std::optional<uid_t> owner, std::optional<gid_t> group,
                failure& why) {
    const owned_fd file = open_file(where, why);
    if (!why) {
        why.set(sys::fchownat(file.get(), "", owner.value_or(static_cast<uid_t>(-1)),
                              group.value_or(static_cast<gid_t>(-1))));
    }
}

void rename_body(const location& from, const location& to, on_conflict conflict, failure& why) {
    const place old_place = resolve(from, why);
    if (why) {
        return;
    }
    const place new_place = resolve(to, why);
    if (why) {
        return;
    }
    unsigned flags = 0;
    if (conflict == on_conflict::fail) {
        flags = RENAME_NOREPLACE;
    } else if (conflict == on_conflict::exchange) {
        flags = RENAME_EXCHANGE;
    }
    why.set(sys::renameat2(old_place.directory, old_place.c_name(), new_place.directory,
                           new_place.c_name(), flags));
    if (why.is(EPERM) && new_place.name.find('.') != std::string::npos) {
        why.set(errc::dot_in_name);
    }
}

void unlink_body(const location& where, int flags, failure& why) {
    const place here = resolve(where, why);
    if (!why) {
        why.set(sys::unlinkat(here.directory, here.c_name(), flags));
    }
}

} // namespace

file_info look_at(const location& where) {
    return loudly("look at", where, {}, [&](failure& why) { return look_body(where, why); });
}

file_info look_at(const location& where, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return look_body(where, why); });
}

pin_info inspect(const location& where) {
    return loudly("look at", where, {}, [&](failure& why) { return inspect_body(where, why); });
}

pin_info inspect(const location& where, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return inspect_body(where, why); });
}

void for_each_pin(const directory& where, const std::function<bool(const listed_pin&)>& visit) {
    loudly("list", where.name(), {}, [&](failure& why) { for_each_pin_body(where, visit, why); });
}

void for_each_pin(const directory& where, const std::function<bool(const listed_pin&)>& visit,
                  error_code& code) noexcept {
    quietly(code, [&](failure& why) { for_each_pin_body(where, visit, why); });
}

void permissions(const location& where, mode bits) {
    loudly("change mode of", where, wanted::to_change_mode(), [&](failure& why) {
        chmod_body(where, why, [&](const struct ::stat&) { return bits; });
    });
}

void permissions(const location& where, mode bits, error_code& code) noexcept {
    quietly(code, [&](failure& why) {
        chmod_body(where, why, [&](const struct ::stat&) { return bits; });
    });
}

mode permissions(const location& where, const mode_change& change) {
    return loudly("change mode of", where, wanted::to_change_mode(),
                  [&](failure& why) { return change_body(where, change, why); });
}

mode permissions(const location& where, const mode_change& change, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return change_body(where, change, why); });
}

void change_owner(const location& where, std::optional<uid_t> owner, std::optional<gid_t> group) {
    loudly("change owner of", where, wanted::to_change_owner(),
           [&](failure& why) { chown_body(where, owner, group, why); });
}

void change_owner(const location& where, std::optional<uid_t> owner, std::optional<gid_t> group,
                  error_code& code) noexcept {
    quietly(code, [&](failure& why) { chown_body(where, owner, group, why); });
}

void rename(const location& from, const location& to, on_conflict conflict) {
    loudly("rename", from, wanted::to_remove(),
           [&](failure& why) { rename_body(from, to, conflict, why); });
}

void rename(const location& from, const location& to, on_conflict conflict,
            error_code& code) noexcept {
    quietly(code, [&](failure& why) { rename_body(from, to, conflict, why); });
}

void remove(const location& where) {
    loudly("remove", where, wanted::to_remove(), [&](failure& why) { unlink_body(where, 0, why); });
}

void remove(const location& where, error_code& code) noexcept {
    quietly(code, [&](failure& why) { unlink_body(where, 0, why); });
}

void remove_directory(const location& where) {
    loudly("remove directory", where, wanted::to_remove(),
           [&](failure& why) { unlink_body(where, AT_REMOVEDIR, why); });
}

void remove_directory(const location& where, error_code& code) noexcept {
    quietly(code, [&](failure& why) { unlink_body(where, AT_REMOVEDIR, why); });
}

} // namespace bpffs
