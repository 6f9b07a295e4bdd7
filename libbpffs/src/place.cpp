// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Resolving locations: once, into a descriptor and a name.
#include "place.hpp"

#include <fmt/format.h>
#include <linux/magic.h>

#include <algorithm>
#include <climits>
#include <string_view>

namespace bpffs {
namespace {

constexpr int directory_flags = O_PATH | O_DIRECTORY;

/// What is wrong with the text of a path before any of it is looked up.
void check_text(std::string_view text, std::string_view name, failure& why) {
    if (text.empty()) {
        why.set(errc::bad_name, "the path is empty");
    } else if (text.find('\0') != std::string_view::npos) {
        why.set(errc::bad_name, "the path has a zero byte in it");
    } else if (text.size() >= PATH_MAX) {
        why.set(ENAMETOOLONG, fmt::format("the path has {} bytes, and at most {} are possible",
                                          text.size(), PATH_MAX - 1));
    } else if (name.empty()) {
        why.set(errc::bad_name, "the path ends in a slash, so it names a directory");
    } else if (name == "." || name == "..") {
        why.set(errc::bad_name, fmt::format("'{}' is a directory", name));
    } else if (name.size() > NAME_MAX) {
        why.set(ENAMETOOLONG, fmt::format("the name has {} bytes, and at most {} are possible",
                                          name.size(), NAME_MAX));
    }
}

bool has_dotted_component(const std::string& directory) {
    const path components{directory};
    return std::any_of(components.begin(), components.end(), [](const path& one) {
        const std::string& name = one.native();
        return name != "." && name != ".." && name.find('.') != std::string::npos;
    });
}

std::string_view last_name(std::string_view text) {
    const auto slash = text.rfind('/');
    return slash == std::string_view::npos ? text : text.substr(slash + 1);
}

} // namespace

void check_path(const location& where, failure& why) {
    const std::string& text = where.file().native();
    check_text(text, last_name(text), why);
}

int base_of(const location& where) noexcept {
    return where.base() != nullptr ? where.base()->fd().get() : AT_FDCWD;
}

place resolve(const location& where, failure& why) {
    const std::string& text = where.file().native();
    const auto slash = text.rfind('/');
    place here;
    here.name = last_name(text);
    check_text(text, here.name, why);
    if (why) {
        return here;
    }
    if (slash == std::string::npos && where.base() != nullptr) {
        here.directory = base_of(where);
        return here;
    }
    std::string directory = ".";
    if (slash != std::string::npos) {
        directory = text.substr(0, std::max<std::size_t>(slash, 1));
    }
    here.opened = why.take(sys::openat(base_of(where), directory.c_str(), directory_flags));
    here.directory = here.opened.get();
    if (why.is(EPERM) && has_dotted_component(directory)) {
        why.set(errc::dot_in_name, fmt::format("in the directory '{}'", directory));
    }
    return here;
}

bool on_bpffs(int fd, failure& why) {
    return why.take(sys::file_system_magic(fd)) == BPF_FS_MAGIC;
}

void check_new_name(const place& here, failure& why) {
    const bool bpffs = on_bpffs(here.directory, why);
    if (why) {
        return;
    }
    if (!bpffs) {
        why.set(errc::not_a_bpffs);
    } else if (here.name.find('.') != std::string::npos) {
        why.set(errc::dot_in_name);
    }
}

std::string through_proc(int directory, const std::string& name) {
    return fmt::format("/proc/self/fd/{}{}{}", directory, name.empty() ? "" : "/", name);
}

} // namespace bpffs
