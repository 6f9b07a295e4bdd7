// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Opening pins and pinning objects.
#include "pin.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <linux/magic.h>

#include <array>
#include <cstdio>

namespace bpffs {
namespace {

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

/// Where the kernel has no BPF_F_PIN_MODE: a private directory beside the place, in which the pin
/// gets its mode before it gets its name. Goes away with what is left in it.
class nursery {
public:
    nursery(const place& here, failure& why) : beside_{here.directory} {
        std::array<std::byte, 8> random{};
        why.take(sys::getrandom(random));
        for (const std::byte one : random) {
            name_ += fmt::format("{:02x}", static_cast<unsigned>(one));
        }
        if (!why) {
            why.set(sys::mkdirat(beside_, name_.c_str(), 0700));
            made_ = !why;
        }
        if (!why) {
            fd_ = why.take(sys::openat(beside_, name_.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW));
        }
    }
    nursery(const nursery&) = delete;
    nursery& operator=(const nursery&) = delete;
    nursery(nursery&&) = delete;
    nursery& operator=(nursery&&) = delete;
    ~nursery() {
        if (fd_ && occupied_) {
            clean([&] { return sys::unlinkat(fd_.get(), pin_name, 0); });
        }
        if (made_) {
            clean([&] { return sys::unlinkat(beside_, name_.c_str(), AT_REMOVEDIR); });
        }
    }

    void pin(int object, mode bits, failure& why) {
        const sys::status relative = sys::obj_pin(object, fd_.get(), pin_name, -1);
        why.set(relative != EINVAL
                    ? relative
                    : sys::obj_pin(object, -1, through_proc(fd_.get(), pin_name).c_str(), -1));
        occupied_ = !why;
        if (!why) {
            why.set(sys::chmod(through_proc(fd_.get(), pin_name).c_str(), bits.bits()));
        }
    }
    void move_to(const place& here, failure& why) {
        why.set(
            sys::renameat2(fd_.get(), pin_name, here.directory, here.c_name(), RENAME_NOREPLACE));
        occupied_ = occupied_ && why;
    }

private:
    static constexpr const char* pin_name = "pin";

    /// Tries twice: what is left behind stays for ever.
    template <class Undo> static void clean(Undo undo) noexcept {
        if (undo() != 0) {
            undo();
        }
    }

    int beside_;
    std::string name_ = "bpffs-new-";
    owned_fd fd_;
    bool made_ = false;
    bool occupied_ = false;
};

void pin_without_pin_mode(int object, const place& here, mode bits, failure& why) {
    const mode umask = current_umask(why);
    if (why) {
        return;
    }
    nursery room{here, why};
    if (!why) {
        room.pin(object, bits.without(umask), why);
    }
    if (!why) {
        room.move_to(here, why);
    }
}

} // namespace

object adopt_object(owned_fd fd, access rights, path file, failure& why) {
    const std::string fdinfo = read_fdinfo(fd.get(), why);
    if (why) {
        return {};
    }
    if (!kind_from(fdinfo)) {
        why.set(errc::not_a_pin);
        return {};
    }
    return object::adopt(std::move(fd), *kind_from(fdinfo), rights, std::move(file));
}

object open_object(const location& where, access rights, failure& why) {
    const place here = resolve(where, why);
    if (why) {
        return {};
    }
    owned_fd fd = why.take(obj_get(here, rights));
    if (why) {
        refine_open_failure(here, rights, why);
        return {};
    }
    return adopt_object(std::move(fd), rights, where.display(), why);
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

void pin_at(int object, const place& here, std::optional<mode> bits, failure& why) {
    why.set(sys::obj_pin(object, here.directory, here.c_name(),
                         bits ? static_cast<int>(bits->bits()) : -1));
    if (!why.is(EINVAL)) {
        return;
    }
    if (bits) {
        why.set(0);
        pin_without_pin_mode(object, here, *bits, why);
    } else {
        why.set(sys::obj_pin(object, -1, through_proc(here.directory, here.name).c_str(), -1));
    }
}

void pin_body(int object, const location& where, std::optional<mode> bits, failure& why) {
    check_pin_mode(bits, why);
    if (why) {
        return;
    }
    const place here = resolve(where, why);
    if (!why) {
        check_new_name(here, why);
    }
    if (!why) {
        pin_at(object, here, bits, why);
    }
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

} // namespace bpffs
