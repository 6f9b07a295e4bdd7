// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Directories: open, ask, list, make.
#include <bpffs/directory.hpp>

#include "failure.hpp"
#include "place.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>

#include <climits>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace bpffs {
namespace {

/// What the kernel writes for getdents64(2); the name follows.
struct raw_entry {
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t length;
    std::uint8_t type;
};
constexpr std::size_t name_offset = offsetof(raw_entry, type) + 1;

file_type type_of(unsigned char type) noexcept {
    switch (type) {
    case DT_REG:
        return file_type::file;
    case DT_DIR:
        return file_type::directory;
    case DT_LNK:
        return file_type::symlink;
    default:
        return file_type::other;
    }
}

using visitor = std::function<bool(const directory_entry&)>;

/// One buffer full of entries; false when the visitor has had enough.
bool visit_buffer(std::span<const char> buffer, const visitor& visit) {
    while (!buffer.empty()) {
        raw_entry entry;
        std::memcpy(&entry, buffer.data(), sizeof entry);
        const std::string_view name{buffer.data() + name_offset};
        if (name != "." && name != ".." &&
            !visit({std::string{name}, type_of(entry.type), entry.inode})) {
            return false;
        }
        buffer = buffer.subspan(entry.length);
    }
    return true;
}

directory open_body(const location& where, symlinks links, failure& why) {
    const char* name = where.file().empty() ? "." : where.file().c_str();
    if (where.file().empty() && where.base() == nullptr) {
        why.set(errc::bad_name, "the path is empty");
        return {};
    }
    constexpr int flags = O_PATH | O_DIRECTORY;
    auto fd = links == symlinks::follow ? sys::openat(base_of(where), name, flags)
                                        : sys::openat_no_symlinks(base_of(where), name, flags);
    if (fd.error == ENOSYS) {
        why.set(errc::unsupported, "openat2(2) is needed, Linux 5.6");
        return {};
    }
    return directory::adopt(why.take(std::move(fd)), where.display());
}

void for_each_body(const directory& where, const visitor& visit, failure& why) {
    // The handle is O_PATH, and one walk must not move another's offset: read through a new one.
    const owned_fd list = why.take(sys::openat(where.fd().get(), ".", O_RDONLY | O_DIRECTORY));
    alignas(raw_entry) char buffer[8192];
    while (!why) {
        const std::size_t filled = why.take(sys::getdents(list.get(), buffer));
        if (why || filled == 0 || !visit_buffer({buffer, filled}, visit)) {
            return;
        }
    }
}

void make_directory_body(const location& where, mode bits, failure& why) {
    const place here = resolve(where, why);
    if (!why) {
        why.set(sys::mkdirat(here.directory, here.c_name(), bits.bits()));
    }
    if (why.is(EPERM) && here.name.find('.') != std::string::npos) {
        why.set(errc::dot_in_name);
    }
}

void make_symlink_body(const path& target, const location& where, failure& why) {
    const place here = resolve(where, why);
    if (!why) {
        why.set(sys::symlinkat(target.c_str(), here.directory, here.c_name()));
    }
}

owned_fd lock_body(const directory& where, failure& why) {
    owned_fd held = why.take(sys::openat(where.fd().get(), ".", O_RDONLY | O_DIRECTORY));
    if (!why) {
        why.set(sys::flock(held.get(), LOCK_EX));
    }
    return held;
}

path read_symlink_body(const location& where, failure& why) {
    const place here = resolve(where, why);
    if (why) {
        return {};
    }
    std::string text(PATH_MAX, '\0');
    const std::size_t length = why.take(sys::readlinkat(here.directory, here.c_name(), text));
    text.resize(length);
    return text;
}

} // namespace

path location::display() const& {
    return base_ == nullptr ? file_ : base_->name() / file_;
}

directory directory::open(const location& where, symlinks links) {
    return loudly("open directory", where, {},
                  [&](failure& why) { return open_body(where, links, why); });
}

directory directory::open(const location& where, error_code& code) noexcept {
    return open(where, symlinks::follow, code);
}

directory directory::open(const location& where, symlinks links, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return open_body(where, links, why); });
}

directory directory::adopt(owned_fd fd, path name) noexcept {
    directory opened;
    opened.fd_ = std::move(fd);
    opened.name_ = std::move(name);
    return opened;
}

bool directory::is_bpffs() const {
    return loudly("look at directory", name_, {},
                  [&](failure& why) { return on_bpffs(fd_.get(), why); });
}

bool directory::is_bpffs(error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return on_bpffs(fd_.get(), why); });
}

void directory::for_each(const visitor& visit) const {
    loudly("list directory", name_, {}, [&](failure& why) { for_each_body(*this, visit, why); });
}

void directory::for_each(const visitor& visit, error_code& code) const noexcept {
    quietly(code, [&](failure& why) { for_each_body(*this, visit, why); });
}

void make_directory(const location& where, mode bits) {
    loudly("make directory", where, {},
           [&](failure& why) { make_directory_body(where, bits, why); });
}

void make_directory(const location& where, mode bits, error_code& code) noexcept {
    quietly(code, [&](failure& why) { make_directory_body(where, bits, why); });
}

void make_symlink(const path& target, const location& where) {
    loudly("make symbolic link", where, {},
           [&](failure& why) { make_symlink_body(target, where, why); });
}

void make_symlink(const path& target, const location& where, error_code& code) noexcept {
    quietly(code, [&](failure& why) { make_symlink_body(target, where, why); });
}

path read_symlink(const location& where) {
    return loudly("read symbolic link", where, {},
                  [&](failure& why) { return read_symlink_body(where, why); });
}

path read_symlink(const location& where, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return read_symlink_body(where, why); });
}

owned_fd lock(const directory& where) {
    return loudly("lock directory", where.name(), {},
                  [&](failure& why) { return lock_body(where, why); });
}

owned_fd lock(const directory& where, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return lock_body(where, why); });
}

} // namespace bpffs
