// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Writing beside the file and renaming; see whole_file.hpp.
#include "whole_file.hpp"

#include "failure.hpp"

#include <bpffs/fd.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <random>

#include <boost/filesystem/operations.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fsctl {

namespace {

[[noreturn]] void refuse(const std::string& file) {
    throw failure(fmt::format("cannot write '{}': {}", file, std::strerror(errno)));
}

bool write_all(const bpffs::owned_fd& to, std::string_view data) {
    while (!data.empty()) {
        const ssize_t count = ::write(to.get(), data.data(), data.size());
        if (count < 0 && errno != EINTR) {
            return false;
        }
        data.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    return true;
}

void write_in_place(const std::string& file, std::string_view data) {
    constexpr int emptied = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    const auto to = bpffs::owned_fd::adopt(::open(file.c_str(), emptied, 0666));
    if (!to || !write_all(to, data)) {
        refuse(file);
    }
}

// A file that goes away unless it takes the other one's name.
class replacement {
public:
    explicit replacement(const std::string& of) : name_(fmt::format("{}.{:08x}~", of, number())) {
        constexpr int new_file = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
        fd_ = bpffs::owned_fd::adopt(::open(name_.c_str(), new_file, 0666)); // less the umask
    }
    replacement(const replacement&) = delete;
    replacement& operator=(const replacement&) = delete;
    replacement(replacement&&) = delete;
    replacement& operator=(replacement&&) = delete;
    ~replacement() {
        if (fd_) {
            ::unlink(name_.c_str());
        }
    }

    // Whether there is one, and it can be as the old one is.
    [[nodiscard]] bool resembles(const std::optional<struct stat>& old) const {
        return fd_ && (!old || (::fchown(fd_.get(), old->st_uid, old->st_gid) == 0 &&
                                ::fchmod(fd_.get(), old->st_mode & 07777U) == 0));
    }

    [[nodiscard]] bool fill(std::string_view data) const { return write_all(fd_, data); }

    bool take_name(const std::string& of) {
        if (::rename(name_.c_str(), of.c_str()) != 0) {
            return false;
        }
        fd_ = {};
        return true;
    }

private:
    static unsigned number() { return std::random_device()(); }

    std::string name_;
    bpffs::owned_fd fd_;
};

} // namespace

void write_whole(const std::string& file, std::string_view data) {
    struct stat found = {};
    std::optional<struct stat> old;
    if (::stat(file.c_str(), &found) == 0) {
        old = found;
    }
    const bool is_link = ::lstat(file.c_str(), &found) == 0 && S_ISLNK(found.st_mode);
    if (old ? !S_ISREG(old->st_mode) : is_link) {
        return write_in_place(file, data);
    }
    boost::system::error_code why;
    const std::string target = is_link ? boost::filesystem::canonical(file, why).native() : file;
    replacement whole(target);
    if (why || !whole.resembles(old)) {
        return write_in_place(file, data);
    }
    if (!whole.fill(data) || !whole.take_name(target)) {
        refuse(file);
    }
}

void write_whole(const std::string& file, bytes data) {
    write_whole(file, {reinterpret_cast<const char*>(data.data()), data.size()});
}

} // namespace fsctl
