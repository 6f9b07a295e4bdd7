// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The reference (reference.hpp): names, directories, owners and modes. These are the rules of every
// Unix file system, and none of bpffs' own but for its room.

#include <cerrno>

#include <algorithm>
#include <functional>

#include "reference.hpp"

namespace bpffs_walk {

namespace {

constexpr unsigned to_read = 4;
constexpr unsigned to_write = 2;
constexpr unsigned to_search = 1;
constexpr uint32_t setgid = 02000;
constexpr uint32_t sticky_bit = 01000;

std::vector<std::string> components(const std::string& path) {
    std::vector<std::string> all;
    size_t at = 0;
    while (at <= path.size()) {
        const size_t end = std::min(path.find('/', at), path.size());
        all.push_back(path.substr(at, end - at));
        at = end + 1;
    }
    return all;
}

bool contains(const std::vector<inode_ptr>& way, const inode_ptr& directory) {
    return std::find(way.begin(), way.end(), directory) != way.end();
}

} // namespace

// Permission.

bool reference::in_group(const process& p, uint32_t gid) const {
    return p.gid == gid || (wrong_ != flaw::groups_are_ignored && p.groups.count(gid) != 0);
}

bool reference::allowed(const process& p, const inode& file, unsigned bits) const {
    unsigned given = file.mode;
    if (p.uid == file.uid) {
        given >>= 6U;
    } else if (in_group(p, file.gid)) {
        given >>= 3U;
    }
    return (given & bits) == bits || p.passes_modes;
}

bool reference::sticky(const process& p, const inode& dir, const inode& file) const {
    return wrong_ != flaw::sticky_is_ignored && (dir.mode & sticky_bit) != 0 && file.uid != p.uid &&
           dir.uid != p.uid && !p.administrator;
}

int reference::may_delete(const process& p, const inode& dir, const inode& file,
                          bool as_directory) const {
    if (!allowed(p, dir, to_write | to_search)) {
        return EACCES;
    }
    if (sticky(p, dir, file)) {
        return EPERM;
    }
    if (as_directory != file.directory) {
        return as_directory ? ENOTDIR : EISDIR;
    }
    return 0;
}

// Finding.

reference::place reference::find_parent(const process& p, const std::string& path) const {
    place at;
    std::vector<std::string> names = components(path);
    at.on = &mounts_.at(names.front());
    at.way = {at.on->of->root};
    at.last = names.back();
    for (size_t i = 1; i < names.size(); i++) {
        if (!allowed(p, at.parent(), to_search)) {
            at.error = EACCES;
            return at;
        }
        if (i + 1 == names.size()) {
            return at;
        }
        const auto next = at.parent().entries.find(names[i]);
        if (next == at.parent().entries.end()) {
            at.error = ENOENT;
            return at;
        }
        if (!next->second->directory) {
            at.error = ENOTDIR;
            return at;
        }
        at.way.push_back(next->second);
    }
    return at;
}

reference::place reference::find(const process& p, const std::string& path) const {
    place at = find_parent(p, path);
    if (at.error != 0) {
        return at;
    }
    if (path.find('/') == std::string::npos) {
        at.file = at.on->of->root;
        return at;
    }
    const auto found = at.parent().entries.find(at.last);
    if (found == at.parent().entries.end()) {
        at.error = ENOENT;
    } else {
        at.file = found->second;
    }
    return at;
}

/// Where something new can be: permission on the directory is asked for by the caller.
int reference::find_free(const process& p, const std::string& path, place& out) const {
    out = find_parent(p, path);
    if (out.error != 0) {
        return out.error;
    }
    if (out.parent().entries.count(out.last) != 0) {
        return EEXIST;
    }
    return out.on->read_only ? EROFS : 0;
}

answer reference::create(process& p, const std::string& path, inode_ptr file) {
    place at;
    if (const int e = find_free(p, path, at); e != 0) {
        return {e};
    }
    if (!allowed(p, at.parent(), to_write | to_search)) {
        return {EACCES};
    }
    file_system& in = *at.on->of;
    if (in.limit != 0 && in.used >= in.limit && wrong_ != flaw::room_is_endless) {
        return {ENOSPC};
    }
    if (wrong_ != flaw::umask_is_ignored) {
        file->mode &= ~p.umask;
    }
    file->uid = p.uid;
    file->gid = p.gid;
    if ((at.parent().mode & setgid) != 0 && wrong_ != flaw::setgid_is_ignored) {
        file->gid = at.parent().gid;
        file->mode |= file->directory ? setgid : 0;
    }
    in.used++;
    at.parent().entries[at.last] = std::move(file);
    return {};
}

answer reference::make_directory(process& p, const step& s) {
    auto made = std::make_shared<inode>();
    made->directory = true;
    made->mode = s.value & (0777U | sticky_bit);
    return create(p, s.path, std::move(made));
}

// Removing and moving.

void reference::forget_name(const mount& on, const inode_ptr& file) {
    file->names--;
    on.of->used--;
}

answer reference::remove(process& p, const step& s) {
    const place at = find_parent(p, s.path);
    if (at.error != 0) {
        return {at.error};
    }
    if (at.on->read_only) {
        return {EROFS};
    }
    const auto found = at.parent().entries.find(at.last);
    if (found == at.parent().entries.end()) {
        return {ENOENT};
    }
    const inode_ptr file = found->second;
    if (const int e = may_delete(p, at.parent(), *file, s.what == verb::rmdir); e != 0) {
        return {e};
    }
    if (!file->entries.empty()) {
        return {ENOTEMPTY};
    }
    at.parent().entries.erase(at.last);
    forget_name(*at.on, file);
    return {};
}

answer reference::rename(process& p, const step& s) {
    place from = find_parent(p, s.path);
    if (from.error != 0) {
        return {from.error};
    }
    place to = find_parent(p, s.to);
    if (to.error != 0) {
        return {to.error};
    }
    if (from.on != to.on) {
        return {EXDEV};
    }
    if (from.on->read_only) {
        return {EROFS};
    }
    const auto source = from.parent().entries.find(from.last);
    if (source == from.parent().entries.end()) {
        return {ENOENT};
    }
    from.file = source->second;
    const auto target = to.parent().entries.find(to.last);
    to.file = target == to.parent().entries.end() ? nullptr : target->second;
    if (contains(to.way, from.file)) {
        return {EINVAL};
    }
    if (to.file && contains(from.way, to.file)) {
        return {ENOTEMPTY};
    }
    return from.file == to.file ? answer{} : rename_found(p, from, to);
}

answer reference::rename_found(process& p, const place& from, const place& to) {
    const bool directory = from.file->directory;
    if (const int e = may_delete(p, from.parent(), *from.file, directory); e != 0) {
        return {e};
    }
    if (to.file) {
        if (const int e = may_delete(p, to.parent(), *to.file, directory); e != 0) {
            return {e};
        }
    } else if (!allowed(p, to.parent(), to_write | to_search)) {
        return {EACCES};
    }
    // A directory that moves changes what ".." is in it.
    if (directory && from.way.back() != to.way.back() && !allowed(p, *from.file, to_write)) {
        return {EACCES};
    }
    if (to.file && !to.file->entries.empty()) {
        return {ENOTEMPTY};
    }
    if (to.file) {
        forget_name(*to.on, to.file);
    }
    from.parent().entries.erase(from.last);
    to.parent().entries[to.last] = from.file;
    return {};
}

answer reference::hard_link(process& p, const step& s) {
    const place from = find(p, s.path);
    if (from.error != 0) {
        return {from.error};
    }
    place to;
    if (const int e = find_free(p, s.to, to); e != 0) {
        return {e};
    }
    if (from.on != to.on) {
        return {EXDEV};
    }
    inode& file = *from.file;
    const bool safe = !file.directory && (file.mode & (setgid | 010U)) != (setgid | 010U) &&
                      allowed(p, file, to_read | to_write);
    if (kernel_.protected_hardlinks && !safe && file.uid != p.uid && !p.administrator) {
        return {EPERM};
    }
    if (!allowed(p, to.parent(), to_write | to_search)) {
        return {EACCES};
    }
    if (file.directory) {
        return {EPERM};
    }
    file_system& in = *to.on->of;
    if (in.limit != 0 && in.used >= in.limit && wrong_ != flaw::room_is_endless) {
        return {ENOSPC};
    }
    in.used++;
    file.names++;
    to.parent().entries[to.last] = from.file;
    return {};
}

// Owner and mode.

answer reference::chmod(process& p, const step& s) {
    const place at = find(p, s.path);
    if (at.error != 0) {
        return {at.error};
    }
    if (at.on->read_only) {
        return {EROFS};
    }
    inode& file = *at.file;
    if (file.uid != p.uid && !p.administrator) {
        return {EPERM};
    }
    file.mode = s.value;
    if (!in_group(p, file.gid) && !p.administrator) {
        file.mode &= ~setgid;
    }
    return {};
}

answer reference::chown(process& p, const step& s) {
    const place at = find(p, s.path);
    if (at.error != 0) {
        return {at.error};
    }
    if (at.on->read_only) {
        return {EROFS};
    }
    inode& file = *at.file;
    const uint32_t uid = s.value;
    const uint32_t gid = s.other;
    const bool owner = file.uid == p.uid;
    if (!p.administrator && !(owner && uid == p.uid && (gid == file.gid || in_group(p, gid)))) {
        return {EPERM};
    }
    // A program's file loses what makes it run as somebody else.
    if (!file.directory && (file.mode & setgid) != 0 &&
        ((file.mode & 010U) != 0 || (!in_group(p, file.gid) && !p.administrator))) {
        file.mode &= ~setgid;
    }
    file.uid = uid;
    file.gid = gid;
    return {};
}

answer reference::remount(process& p, const step& s) {
    if (!p.administrator) {
        return {EPERM};
    }
    file_system& of = *mounts_.at(s.path).of;
    if (!kernel_.fmode) {
        return {}; // words that it does not know are ignored
    }
    if (s.value == 2 && of.fmode) {
        if (wrong_ != flaw::fmode_can_be_turned_off) {
            return {EINVAL};
        }
        of.fmode = false;
    }
    of.fmode = of.fmode || s.value == 1;
    return {};
}

answer reference::look(process& p, const step& s) {
    const place at = find(p, s.path);
    if (at.error != 0) {
        return {at.error};
    }
    const inode& file = *at.file;
    return {0, shown(file.uid, file.gid, file.mode, file.directory ? 0 : file.names)};
}

std::vector<std::string> reference::paths() const {
    std::vector<std::string> all;
    const std::function<void(const std::string&, const inode&)> add = [&](const std::string& path,
                                                                          const inode& directory) {
        for (const auto& [name, file] : directory.entries) {
            std::string whole = path;
            whole.append("/").append(name);
            all.push_back(whole);
            add(whole, *file);
        }
    };
    for (const auto& [name, on] : mounts_) {
        add(name, *on.of->root);
    }
    return all;
}

} // namespace bpffs_walk
