// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Drawing steps (draw.hpp).

#include "draw.hpp"

#include <array>

#include <linux/bpf.h>

namespace bpffs_walk {

namespace {

/// How often each kind of step comes, in parts of their sum.
struct weight {
    verb what;
    unsigned parts;
};
constexpr std::array<weight, static_cast<size_t>(verb::count)> weights = {{
    {verb::make_map, 4},   {verb::make_filter, 3},   {verb::make_lookup, 2},
    {verb::make_token, 4}, {verb::make_map_with, 4}, {verb::load_with, 3},
    {verb::pin, 12},       {verb::pin_mode, 10},     {verb::get, 24},
    {verb::close, 2},      {verb::copy, 2},          {verb::pass, 6},
    {verb::link, 2},       {verb::update_link, 3},   {verb::detach_link, 2},
    {verb::read, 5},       {verb::write, 5},         {verb::erase, 2},
    {verb::freeze, 1},     {verb::insert, 4},        {verb::bind, 3},
    {verb::run, 4},        {verb::attach, 4},        {verb::chmod, 9},
    {verb::chown, 6},      {verb::mkdir, 6},         {verb::rmdir, 3},
    {verb::unlink, 6},     {verb::rename, 9},        {verb::hard_link, 6},
    {verb::umask, 2},      {verb::drop_groups, 1},   {verb::fork, 1},
    {verb::remount, 1},    {verb::look, 8},
}};

verb any_verb(dice& d) {
    unsigned sum = 0;
    for (const weight& w : weights) {
        sum += w.parts;
    }
    unsigned at = d.below(sum);
    for (const weight& w : weights) {
        if (at < w.parts) {
            return w.what;
        }
        at -= w.parts;
    }
    return verb::look;
}

std::string new_path(dice& d) {
    static const std::array<const char*, 7> mounts = {fmode_mount,   fmode_mount, fmode_mount,
                                                      fmode_mount,   plain_mount, plain_mount,
                                                      read_only_view};
    static const std::array<const char*, 3> names = {"/a", "/b", "/c"};
    std::string path = mounts.at(d.below(mounts.size()));
    path += names.at(d.below(names.size()));
    if (d.once_in(3)) {
        path += names.at(d.below(names.size()));
    }
    return path;
}

/// One that is there, mostly, or one in a directory that is.
std::string any_path(dice& d, const std::vector<std::string>& there, bool to_create) {
    if (there.empty() || d.once_in(4)) {
        return new_path(d);
    }
    const std::string& known = there.at(d.below(static_cast<uint32_t>(there.size())));
    if (!to_create || d.once_in(5)) {
        return known;
    }
    const std::string beside = known.substr(0, known.rfind('/') + 1) + "abc"[d.below(3)];
    return d.once_in(3) && known.size() < 16 ? known + "/" + "abc"[d.below(3)] : beside;
}

unsigned any_slot(dice& d, const reference& now, unsigned who) {
    unsigned slot = d.below(slots);
    for (unsigned i = 0; i < 3 && !now.holds(who, slot); i++) {
        slot = d.below(slots);
    }
    return slot;
}

uint32_t any_mode(dice& d, bool directory) {
    // Such as people choose, and any.
    static const std::array<uint32_t, 10> usual = {0444, 0644, 0640, 0660, 0666,
                                                   0755, 0777, 0700, 0222, 0};
    uint32_t mode = d.once_in(3) ? d.below(01000) : usual.at(d.below(usual.size()));
    if (directory) {
        mode |= d.once_in(2) ? 0111U : 0U;
        mode |= d.once_in(4) ? 01000U : 0U;
    }
    return mode;
}

uint32_t any_person(dice& d, bool group) {
    if (group && d.once_in(3)) {
        return staff;
    }
    const person& p = actors().at(d.below(actor_count));
    return group ? p.gid : p.uid;
}

uint32_t any_flags(dice& d) {
    static const std::array<uint32_t, 9> flags = {BPF_F_RDONLY,
                                                  BPF_F_RDONLY,
                                                  BPF_F_RDONLY,
                                                  BPF_F_WRONLY,
                                                  BPF_F_WRONLY,
                                                  0,
                                                  0,
                                                  0,
                                                  BPF_F_RDONLY | BPF_F_WRONLY};
    return flags.at(d.below(flags.size()));
}

bool is_creating(verb v) {
    return v == verb::pin || v == verb::pin_mode || v == verb::mkdir;
}

/// What the kind of step wants in `value` and `other`.
void fill(step& s, dice& d, const reference& now) {
    switch (s.what) {
    case verb::pin_mode:
        s.value = d.once_in(20) ? 04755 : any_mode(d, false);
        break;
    case verb::mkdir:
        s.value = any_mode(d, true) | 0100U;
        break;
    case verb::chmod:
        s.value = any_mode(d, true) | (d.once_in(2) ? 02000U : 0U);
        break;
    case verb::get:
        s.value = any_flags(d);
        break;
    case verb::chown:
        s.value = any_person(d, false);
        s.other = any_person(d, true);
        break;
    case verb::umask:
        s.value = d.once_in(2) ? 022 : d.below(0100);
        break;
    case verb::pass:
        s.other = d.below(actor_count);
        s.value = d.below(slots);
        break;
    case verb::make_filter:
        s.value = d.below(2);
        s.other = any_slot(d, now, s.who);
        break;
    case verb::remount:
        s.value = d.below(3);
        s.path = d.once_in(2) ? fmode_mount : plain_mount;
        break;
    default:
        s.value = s.what == verb::write ? d.below(40) : 0;
        s.other = any_slot(d, now, s.who);
    }
}

bool makes_something(verb v) {
    return v == verb::make_map || v == verb::make_filter || v == verb::make_lookup ||
           v == verb::make_token || v == verb::make_map_with || v == verb::load_with ||
           v == verb::get || v == verb::link || v == verb::copy;
}

} // namespace

step draw(dice& d, const reference& now) {
    constexpr unsigned links_at_most = 40; // the kernel's own limit is 64
    step s;
    s.who = d.below(actor_count);
    do {
        s.what = any_verb(d);
    } while (s.what == verb::link && now.links_made() >= links_at_most);
    s.slot = makes_something(s.what) ? d.below(slots) : any_slot(d, now, s.who);
    const std::vector<std::string> there = now.paths();
    s.path = any_path(d, there, is_creating(s.what));
    s.to = any_path(d, there, !d.once_in(3));
    fill(s, d, now);
    if (s.what == verb::make_token && d.once_in(3)) {
        s.path = fmode_mount;
    }
    // Of what only the administrators may, not too much by others.
    if ((s.what == verb::make_map || s.what == verb::make_filter || s.what == verb::make_lookup) &&
        !d.once_in(5)) {
        s.who = d.below(2);
    }
    return s;
}

} // namespace bpffs_walk
