// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The reference (reference.hpp): what each step gives, errors in the order in which the system
// finds them. Handles and everything that is done with them; names are in reference_files.cpp.

#include "reference.hpp"

#include <cerrno>
#include <stdexcept>

#include <linux/bpf.h>

namespace bpffs_walk {

namespace {

bool is_map(kind k) {
    return k == kind::map;
}
bool is_program(kind k) {
    return k == kind::filter || k == kind::lookup;
}
bool is_filter(kind k) {
    return k == kind::filter;
}
bool is_link(kind k) {
    return k == kind::link;
}
bool is_token(kind k) {
    return k == kind::token;
}
bool can_be_pinned(kind k) {
    return k != kind::token;
}

constexpr uint64_t written_by_programs = 42;

std::shared_ptr<object> new_object(kind is) {
    auto made = std::make_shared<object>();
    made->is = is;
    return made;
}

/// A handle of whoever made the object.
held makers(std::shared_ptr<object> made) {
    return {std::move(made), false, true, true};
}

} // namespace

reference::reference(const features& kernel, flaw wrong) : kernel_(kernel), wrong_(wrong) {
    auto marked = std::make_shared<file_system>();
    marked->root = std::make_shared<inode>();
    marked->root->directory = true;
    marked->root->gid = staff;
    marked->root->mode = fmode_mode;
    marked->fmode = kernel.fmode;
    marked->delegates = kernel.token;
    marked->limit = kernel.nr_inodes ? room : 0;
    auto plain = std::make_shared<file_system>();
    plain->root = std::make_shared<inode>();
    plain->root->directory = true;
    plain->root->mode = plain_mode;
    mounts_ = {{fmode_mount, {marked, false}},
               {plain_mount, {plain, false}},
               {read_only_view, {marked, true}}};
    for (unsigned i = 0; i < actor_count; i++) {
        const person& who = actors().at(i);
        process p;
        p.uid = who.uid;
        p.gid = who.gid;
        p.groups.insert(who.groups.begin(), who.groups.end());
        p.administrator = i == root || i == warden;
        p.passes_modes = i == root;
        people_.push_back(p);
    }
}

int reference::check(const held& h, bool (*is)(kind), bool read, bool write) {
    if (!h.what) {
        return EBADF;
    }
    if (!is(h.what->is)) {
        return EINVAL;
    }
    return h.bound && ((read && !h.read) || (write && !h.write)) ? EPERM : 0;
}

/// Elements: here the flags of the opening count on every mount.
int reference::check_data(const held& h, bool read, bool write) {
    if (!h.what) {
        return EBADF;
    }
    if (!is_map(h.what->is)) {
        return EINVAL;
    }
    return (read && !h.read) || (write && (!h.write || h.what->frozen)) ? EPERM : 0;
}

answer reference::make(process& p, const step& s) {
    if (!p.administrator) {
        return {EPERM};
    }
    p.hands.at(s.slot) = makers(new_object(s.what == verb::make_map ? kind::map : kind::lookup));
    return {};
}

answer reference::make_filter(process& p, const step& s) {
    if (!p.administrator) {
        return {EPERM};
    }
    const held& map = p.hands.at(s.other);
    if (const int e = check(map, is_map, false, false); e != 0) {
        return {e};
    }
    // What the verifier says: through a handle that may not read, or not write.
    if (check(map, is_map, true, s.value == 1) != 0) {
        return {EACCES};
    }
    auto made = new_object(kind::filter);
    made->uses = map.what;
    made->writes = s.value == 1;
    p.hands.at(s.slot) = makers(std::move(made));
    return {};
}

answer reference::make_token(process& p, const step& s) {
    const place at = find(p, s.path);
    if (at.error != 0) {
        return {at.error};
    }
    if (!at.file->directory) {
        return {ENOTDIR};
    }
    if (!at.on->of->delegates) {
        return {EBADF};
    }
    if (!allowed(p, *at.file, 3)) {
        return {EACCES};
    }
    if (at.on->read_only && wrong_ != flaw::read_only_is_ignored) {
        return {EROFS};
    }
    p.hands.at(s.slot) = makers(new_object(kind::token));
    return {};
}

answer reference::with_token(process& p, const step& s) {
    if (const int e = check(p.hands.at(s.other), is_token, false, false); e != 0) {
        return {e};
    }
    p.hands.at(s.slot) =
        makers(new_object(s.what == verb::make_map_with ? kind::map : kind::filter));
    return {};
}

answer reference::pin(process& p, const step& s) {
    if (s.what == verb::pin_mode && (!kernel_.pin_mode || (s.value & ~0777U) != 0)) {
        return {EINVAL};
    }
    const held& h = p.hands.at(s.slot);
    const bool write = wrong_ != flaw::readers_pin;
    if (const int e = check(h, can_be_pinned, true, write); e != 0) {
        return {e == EBADF ? EINVAL : e};
    }
    auto file = std::make_shared<inode>();
    file->pinned = h.what;
    file->mode = s.what == verb::pin_mode ? s.value : 0600;
    return create(p, s.path, std::move(file));
}

answer reference::get(process& p, const step& s) {
    if (s.value == (BPF_F_RDONLY | BPF_F_WRONLY)) {
        return {EINVAL};
    }
    held h;
    h.read = s.value != BPF_F_WRONLY;
    h.write = s.value != BPF_F_RDONLY;
    const place at = find(p, s.path);
    if (at.error != 0) {
        return {at.error};
    }
    if (!allowed(p, *at.file, (h.read ? 4U : 0U) | (h.write ? 2U : 0U))) {
        return {EACCES};
    }
    h.bound = at.on->of->fmode;
    if (h.bound && h.write && at.on->read_only && wrong_ != flaw::read_only_is_ignored) {
        return {EROFS};
    }
    if (at.file->directory) {
        return {EACCES};
    }
    h.what = at.file->pinned;
    if (!h.bound && is_link(h.what->is) && !(h.read && h.write)) {
        return {EINVAL};
    }
    if (!h.bound && !is_map(h.what->is)) {
        h.read = h.write = true;
    }
    p.hands.at(s.slot) = std::move(h);
    return {};
}

answer reference::pass(process& p, const step& s) {
    const held h = p.hands.at(s.slot);
    if (!h.what) {
        return {EBADF};
    }
    people_.at(s.other).hands.at(s.value % slots) = h;
    return {};
}

answer reference::link(process& p, const step& s) {
    const held& program = p.hands.at(s.other);
    if (const int e = check(program, is_program, false, true); e != 0) {
        return {e};
    }
    if (program.what->is != kind::lookup) {
        return {EINVAL};
    }
    links_++;
    p.hands.at(s.slot) = makers(new_object(kind::link));
    return {};
}

answer reference::update_link(process& p, const step& s) {
    const held& link = p.hands.at(s.slot);
    const held& program = p.hands.at(s.other);
    if (const int e = check(link, is_link, false, true); e != 0) {
        return {e};
    }
    if (const int e = check(program, is_program, false, true); e != 0) {
        return {e};
    }
    if (program.what->is != kind::lookup) {
        return {EINVAL};
    }
    return {link.what->detached ? ENOLINK : 0};
}

answer reference::use_map(process& p, const step& s) {
    const held& h = p.hands.at(s.slot);
    if (s.what == verb::insert) {
        return {check(h, is_map, true, true)};
    }
    if (const int e = check_data(h, s.what == verb::read, s.what != verb::read); e != 0) {
        return {e};
    }
    object& map = *h.what;
    switch (s.what) {
    case verb::freeze:
        map.frozen = true;
        return {};
    case verb::write:
        map.filled = true;
        map.value = s.value;
        return {};
    default:
        break;
    }
    if (!map.filled) {
        return {ENOENT};
    }
    map.filled = s.what != verb::erase;
    return {0, s.what == verb::read ? map.value : 0};
}

answer reference::use_program(process& p, const step& s) {
    const held& h = p.hands.at(s.slot);
    if (s.what == verb::attach) {
        return {check(h, is_filter, false, true)};
    }
    if (s.what == verb::bind) {
        const int e = check(h, is_program, true, true);
        return {e != 0 ? e : check(p.hands.at(s.other), is_map, true, false)};
    }
    if (const int e = check(h, is_program, wrong_ != flaw::writers_run, true); e != 0) {
        return {e};
    }
    if (h.what->is != kind::filter) {
        return {EINVAL};
    }
    if (h.what->writes && h.what->uses->filled) {
        h.what->uses->value = written_by_programs;
    }
    return {};
}

answer reference::close(process& p, const step& s) {
    const bool open = p.hands.at(s.slot).what != nullptr;
    p.hands.at(s.slot) = {};
    return {open ? 0 : EBADF};
}

answer reference::copy(process& p, const step& s) {
    const held h = p.hands.at(s.other);
    if (!h.what) {
        return {EBADF};
    }
    p.hands.at(s.slot) = h;
    return {};
}

answer reference::detach_link(process& p, const step& s) {
    const held& h = p.hands.at(s.slot);
    const int e = check(h, is_link, false, true);
    if (e == 0) {
        h.what->detached = true;
    }
    return {e};
}

answer reference::change_oneself(process& p, const step& s) {
    if (s.what == verb::umask) {
        p.umask = s.value & 0777U;
    } else if (s.what == verb::drop_groups) {
        p.groups.clear();
    }
    return {}; // who goes on as a child holds what the parent held
}

answer reference::apply(const step& s) {
    using handler = answer (reference::*)(process&, const step&);
    static const std::map<verb, handler> handlers = {
        {verb::make_map, &reference::make},
        {verb::make_filter, &reference::make_filter},
        {verb::make_lookup, &reference::make},
        {verb::make_token, &reference::make_token},
        {verb::make_map_with, &reference::with_token},
        {verb::load_with, &reference::with_token},
        {verb::pin, &reference::pin},
        {verb::pin_mode, &reference::pin},
        {verb::get, &reference::get},
        {verb::close, &reference::close},
        {verb::copy, &reference::copy},
        {verb::pass, &reference::pass},
        {verb::link, &reference::link},
        {verb::update_link, &reference::update_link},
        {verb::detach_link, &reference::detach_link},
        {verb::read, &reference::use_map},
        {verb::write, &reference::use_map},
        {verb::erase, &reference::use_map},
        {verb::freeze, &reference::use_map},
        {verb::insert, &reference::use_map},
        {verb::bind, &reference::use_program},
        {verb::run, &reference::use_program},
        {verb::attach, &reference::use_program},
        {verb::chmod, &reference::chmod},
        {verb::chown, &reference::chown},
        {verb::mkdir, &reference::make_directory},
        {verb::rmdir, &reference::remove},
        {verb::unlink, &reference::remove},
        {verb::rename, &reference::rename},
        {verb::hard_link, &reference::hard_link},
        {verb::umask, &reference::change_oneself},
        {verb::drop_groups, &reference::change_oneself},
        {verb::fork, &reference::change_oneself},
        {verb::remount, &reference::remount},
        {verb::look, &reference::look},
    };
    return (this->*handlers.at(s.what))(people_.at(s.who), s);
}

} // namespace bpffs_walk
