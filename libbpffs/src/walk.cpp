// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The walking half of a diagnosis: from component to component as the kernel does, each opened once
// without following links, which are expanded here.
#include "diagnosis.hpp"

#include <bpffs/pin.hpp>

#include "place.hpp"
#include "text.hpp"

#include <linux/magic.h>

#include <climits>
#include <deque>

namespace bpffs {
namespace {

constexpr int most_links = 40; // as the kernel

waypoint waypoint_of(path shown, const struct ::stat& about) {
    waypoint point{std::move(shown), file_type::other, mode{about.st_mode}, about.st_uid,
                   about.st_gid};
    if (S_ISDIR(about.st_mode)) {
        point.type = file_type::directory;
    } else if (S_ISREG(about.st_mode)) {
        point.type = file_type::file;
    } else if (S_ISLNK(about.st_mode)) {
        point.type = file_type::symlink;
    }
    return point;
}

class walker {
public:
    walker(const location& where, const wanted& wish) : follow_last_{wish.what == action::open} {
        known_.target = where.display();
        push(where.file().native());
        start(where);
    }

    facts walk(failure& why) {
        check_text();
        while (!why && known_.end == walk_end::complete && !to_do_.empty()) {
            step(why);
        }
        if (!why) {
            describe();
        }
        return std::move(known_);
    }

private:
    void start(const location& where) {
        const bool absolute = where.file().native().starts_with('/');
        shown_ = absolute ? path{"/"} : (where.base() != nullptr ? where.base()->name() : path{});
        auto first = sys::openat(absolute ? AT_FDCWD : base_of(where), absolute ? "/" : ".",
                                 O_PATH | O_DIRECTORY);
        here_ = std::move(first.value);
        note_directory();
    }

    void note_directory() {
        const auto about = sys::fstatat(here_.get(), "");
        if (about) {
            known_.way.push_back(waypoint_of(shown_.empty() ? path{"."} : shown_, about.value));
        }
    }

    /// Puts the components of a path in front of what is still to be walked.
    void push(std::string_view text) {
        std::vector<std::string> parts;
        for (std::string_view rest = text; !rest.empty();) {
            const auto part = cut(rest, '/');
            if (!part.empty() && part != ".") {
                parts.emplace_back(part);
            }
        }
        to_do_.insert(to_do_.begin(), parts.begin(), parts.end());
    }

    void check_text() {
        const std::string& text = known_.target.native();
        const auto last = text.rfind('/') == std::string::npos ? 0 : text.rfind('/') + 1;
        known_.name = text.substr(last);
        if (known_.name.empty() || known_.name == "." || known_.name == "..") {
            stop(walk_end::bad_name, known_.target);
        } else if (known_.name.size() > NAME_MAX || text.size() >= PATH_MAX) {
            stop(walk_end::too_long, known_.target);
        }
    }

    void stop(walk_end end, path at) {
        known_.end = end;
        known_.stopped_at = std::move(at);
    }

    void step(failure& why) {
        const std::string name = to_do_.front();
        to_do_.pop_front();
        const path at = shown_ / name;
        auto opened = sys::openat(here_.get(), name.c_str(), O_PATH | O_NOFOLLOW);
        if (!opened) {
            refuse(opened.error, at, why);
            return;
        }
        const auto about = why.take(sys::fstatat(opened.value.get(), ""));
        if (why) {
            return;
        }
        if (S_ISLNK(about.st_mode) && (!to_do_.empty() || follow_last_)) {
            expand(opened.value, at, why);
        } else if (to_do_.empty()) {
            known_.file = waypoint_of(at, about);
            last_ = std::move(opened.value);
        } else if (S_ISDIR(about.st_mode)) {
            here_ = std::move(opened.value);
            shown_ = at;
            note_directory();
        } else {
            stop(walk_end::not_a_directory, at);
        }
    }

    void refuse(sys::status error, const path& at, failure& why) {
        switch (error) {
        case ENOENT:
            if (!to_do_.empty()) {
                stop(walk_end::missing, at);
            }
            return; // the last name may be free
        case EACCES:
            stop(walk_end::refused, at);
            return;
        case ENOTDIR:
            stop(walk_end::not_a_directory, at);
            return;
        case ENAMETOOLONG:
            stop(walk_end::too_long, at);
            return;
        case EPERM: // a bpffs refuses to look up names with a dot
            if (!to_do_.empty()) {
                stop(walk_end::missing, at);
            }
            return;
        default:
            why.set(error);
        }
    }

    void expand(const owned_fd& link, const path& at, failure& why) {
        if (++links_ > most_links) {
            stop(walk_end::loop, at);
            return;
        }
        std::string text(PATH_MAX, '\0');
        text.resize(why.take(sys::readlinkat(link.get(), "", text)));
        if (why) {
            return;
        }
        push(text);
        if (text.starts_with('/')) {
            shown_ = "/";
            here_ = why.take(sys::openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
            note_directory();
        }
    }

    void describe() {
        const int of = last_ ? last_.get() : here_.get();
        known_.on_bpffs = sys::file_system_magic(of).value == BPF_FS_MAGIC;
        error_code code;
        auto mount = mount_info::of(borrowed_fd{of}, code);
        if (!code) {
            known_.mount = std::move(mount);
        }
        kernel_info kernel = kernel_settings();
        known_.unprivileged_bpf_disabled = kernel.unprivileged_bpf_disabled;
        known_.security_modules = std::move(kernel.security_modules);
        known_.lockdown = std::move(kernel.lockdown);
        const auto room = sys::fstatfs(of);
        if (room && known_.on_bpffs && room.value.f_files != 0) {
            known_.inodes_left = room.value.f_ffree;
        }
        describe_file();
    }

    /// Whether it is a link, where whoever walks may open it.
    void describe_file() {
        if (last_ && known_.on_bpffs) {
            error_code refused;
            const object held = open_pin(through_proc(last_.get()), access::read_write, refused);
            known_.holds_link = held && held.kind() == object_kind::link;
        }
    }

    facts known_;
    std::deque<std::string> to_do_;
    path shown_;
    owned_fd here_; ///< the directory reached
    owned_fd last_; ///< what the last name leads to
    int links_ = 0;
    bool follow_last_;
};

} // namespace

facts gather(const location& where, const wanted& wish, failure& why) {
    return walker{where, wish}.walk(why);
}

} // namespace bpffs
