// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ways by the name of a pin: other names for it, other mounts that show it, the directories on the
// way to it, its owner and mode.

#include <cerrno>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "way.hpp"

namespace bpffs_test {

namespace {

int result(int value) {
    return value == 0 ? 0 : -errno;
}

// Another name for the handle.

outcome pins_by_directory_handle(scene& s) {
    return with_victim(s, "map", [&](int map) {
        const handle directory = open_file(s.mine(""), O_PATH | O_DIRECTORY);
        obj_attr attr;
        attr.bpf_fd = static_cast<uint32_t>(map);
        attr.file_flags = flag_path_fd;
        attr.path_fd = directory.get();
        if (const int e = obj_command(BPF_OBJ_PIN, attr, "map"); e != 0) {
            return failed("pin", -e);
        }
        return open_and_change(s.mine("map"));
    });
}

void lay_plain_mount(scene& s) {
    lay_hash(s);
    s.keep("plain", std::make_shared<bpffs_mount>("mode=0777"));
}

outcome pins_on_a_plain_mount(scene& s) {
    return with_victim(s, "map", [&](int map) {
        return pin_and_change(map, s.kept<bpffs_mount>("plain") / "map");
    });
}

outcome pins_on_a_mount_of_ones_own(scene& s) {
    return with_victim(s, "map", [&](int map) {
        if (const outcome o = enter_own_namespaces(); o.error != 0) {
            return o;
        }
        const bpffs_mount own("");
        return own.error() == 0 ? pin_and_change(map, own / "map") : failed("mount", own.error());
    });
}

outcome pins_from_a_mount_of_ones_own(scene& s) {
    if (const outcome o = enter_own_namespaces(); o.error != 0) {
        return o;
    }
    const bind_mount view(s.path(""));
    if (view.error() != 0) {
        return failed("bind mount", view.error());
    }
    const handle map = get(view / "map", BPF_F_RDONLY);
    return map.good() ? pin_and_change(map.get(), view / "mine/map") : failed("open", map.error());
}

// Another name for the file.

outcome opens_a_symbolic_link(scene& s) {
    return ::symlink(s.path("map").c_str(), s.mine("map").c_str()) == 0
               ? open_and_change(s.mine("map"))
               : failed("symlink", errno);
}

outcome opens_a_hard_link(scene& s) {
    if (::link(s.path("map").c_str(), s.mine("map").c_str()) != 0) {
        // With fs.protected_hardlinks there is not even the link.
        return failed("link", errno == EPERM ? EACCES : errno);
    }
    return open_and_change(s.mine("map"));
}

outcome opens_its_handle_by_proc(scene& s) {
    return with_victim(
        s, "map", [](int map) { return open_and_change("/proc/self/fd/" + std::to_string(map)); });
}

outcome opens_an_o_path_handle_by_proc(scene& s) {
    const handle name = open_file(s.path("map"), O_PATH);
    return open_and_change("/proc/self/fd/" + std::to_string(name.get()));
}

outcome opens_as_root_of_ones_own_namespace(scene& s) {
    const outcome o = enter_own_namespaces();
    return o.error != 0 ? o : open_and_change(s.path("map"));
}

outcome opens_the_file_for_writing(scene& s) {
    const handle file = open_file(s.path("map"), O_WRONLY | O_TRUNC);
    return file.good() ? done("write", ::write(file.get(), "x", 1) < 0 ? -errno : 0, true)
                       : failed("open", file.error());
}

// Owner, group and mode.

outcome changes_the_mode_by_o_path(scene& s) {
    const handle name = open_file(s.path("map"), O_PATH);
    const std::string file = "/proc/self/fd/" + std::to_string(name.get());
    const int e = result(::chmod(file.c_str(), 0666));
    return e != 0 ? failed("chmod", -e) : open_and_change(s.path("map"));
}

outcome takes_the_file(scene& s) {
    const int e = result(::chown(s.path("map").c_str(), ::geteuid(), ::getegid()));
    return e != 0 ? failed("chown", -e) : open_and_change(s.path("map"));
}

outcome gives_a_file_to_another_group(scene& s) {
    const handle own = s.partner("own");
    if (const int e = pin(own.get(), s.mine("file")); e != 0) {
        return failed("pin", -e);
    }
    return done("chgrp", result(::chown(s.mine("file").c_str(), -1, bob)), true);
}

outcome makes_a_setuid_file(scene& s) {
    const handle own = s.partner("own");
    return done("pin", pin_with_mode(own.get(), s.mine("file"), 04755), true);
}

// The directories.

void lay_sticky_directory(scene& s) {
    lay_hash_and_own(s);
    const std::string shared = s.path("shared");
    if (::mkdir(shared.c_str(), 0700) != 0 || ::chmod(shared.c_str(), 01777) != 0 ||
        pin(s.own("map"), shared + "/map") != 0) {
        s.cannot("make a directory for all");
    }
}

bool name_is_gone_or_anothers(scene& s) {
    struct stat shared = {};
    return ::stat(s.path("shared/map").c_str(), &shared) != 0 || shared.st_uid != 0;
}

outcome removes_from_a_sticky_directory(scene& s) {
    return done("unlink", result(::unlink(s.path("shared/map").c_str())));
}

outcome renames_in_a_sticky_directory(scene& s) {
    const int e = ::rename(s.path("shared/map").c_str(), s.path("shared/other").c_str());
    return done("rename", result(e));
}

outcome replaces_in_a_sticky_directory(scene& s) {
    const handle own = s.partner("own");
    if (const int e = pin(own.get(), s.path("shared/own")); e != 0) {
        return failed("pin", -e);
    }
    const int e = ::rename(s.path("shared/own").c_str(), s.path("shared/map").c_str());
    return done("rename", result(e));
}

outcome creates_through_a_symbolic_link(scene& s) {
    if (::symlink(s.path("").c_str(), s.mine("theirs").c_str()) != 0) {
        return failed("symlink", errno);
    }
    const handle own = s.partner("own");
    return done("pin", pin(own.get(), s.mine("theirs/file")), true);
}

outcome lays_a_trap_at_the_name(scene& s) {
    return done("symlink", result(::symlink(s.path("led").c_str(), s.mine("trap").c_str())));
}

/// Root pins in alice's directory, at a name that is a link to elsewhere.
bool root_was_led_astray(scene& s) {
    return pin(s.own("own"), s.mine("trap")) != -EEXIST ||
           ::access(s.path("led").c_str(), F_OK) == 0;
}

outcome hides_a_directory_by_a_mount(scene& s) {
    // What alice mounts over it, nobody else sees.
    if (const outcome o = enter_own_namespaces(); o.error != 0) {
        return o;
    }
    const int e = result(::mount("none", s.path("mine").c_str(), "tmpfs", 0, nullptr));
    return e != 0 ? failed("mount", ENOSYS)
                  : done("mkdir", result(::mkdir(s.mine("x").c_str(), 0)));
}

bool root_sees_it(scene& s) {
    return ::access(s.mine("x").c_str(), F_OK) == 0;
}

void lay_read_only_view(scene& s) {
    lay_hash(s);
    s.keep("view", std::make_shared<bind_mount>(s.path(""), mount_access::read_only));
}

outcome writes_through_a_read_only_mount(scene& s) {
    return open_and_change(s.kept<bind_mount>("view") / "map");
}

// Room.

constexpr unsigned many = 40;

outcome fills_the_mount(scene& s, int (*make)(scene& s, int own, const std::string& path)) {
    const handle own = s.partner("own");
    for (unsigned i = 0; i < many; i++) {
        const int e = make(s, own.get(), s.mine("file" + std::to_string(i)));
        if (e != 0) {
            return failed("make", -e);
        }
    }
    return done("make", 0, true);
}

outcome pins_without_end(scene& s) {
    return fills_the_mount(
        s, [](scene& /*s*/, int own, const std::string& path) { return pin(own, path); });
}

outcome links_without_end(scene& s) {
    const handle own = s.partner("own");
    pin(own.get(), s.mine("first"));
    return fills_the_mount(s, [](scene& sc, int /*own*/, const std::string& path) {
        return result(::link(sc.mine("first").c_str(), path.c_str()));
    });
}

outcome makes_directories_without_end(scene& s) {
    return fills_the_mount(s, [](scene& /*s*/, int /*own*/, const std::string& path) {
        return result(::mkdir(path.c_str(), 0700));
    });
}

way seen_by(std::function<bool(scene&)> seen, way w) {
    w.seen = std::move(seen);
    return w;
}

way with_room(const char* options, way w) {
    w.options = options;
    w.needs = "nr_inodes";
    return w;
}

void add_other_names(std::vector<way>& list) {
    static const char* const no_writer = "who may only read a map does not write it";
    const auto add = [&](const char* name, layout prepare, step attempt) {
        list.push_back(seen_by(map_was_changed,
                               new_way(no_writer, name, std::move(prepare), std::move(attempt))));
    };
    add("pin_by_directory_handle", lay_hash, pins_by_directory_handle);
    add("pin_on_a_plain_mount", lay_plain_mount, pins_on_a_plain_mount);
    add("pin_from_a_mount_of_ones_own", lay_hash, pins_from_a_mount_of_ones_own);
    list.back().takes_alice = true;
    list.push_back(refused_everywhere(
        seen_by(map_was_changed,
                new_way("a bpffs is mounted by administrators of the system only",
                        "pin_on_a_mount_of_ones_own", lay_hash, pins_on_a_mount_of_ones_own))));
    way view = seen_by(map_was_changed,
                       new_way("a read-only mount gives readers only", "write_by_read_only_mount",
                               lay_read_only_view, writes_through_a_read_only_mount, EROFS));
    view.access = {0666, 0};
    list.push_back(view);
}

void add_files(std::vector<way>& list) {
    const auto add = [&](const char* claim, const char* name, layout prepare, step attempt,
                         int error, std::function<bool(scene&)> seen) {
        list.push_back(refused_everywhere(seen_by(
            std::move(seen), new_way(claim, name, std::move(prepare), std::move(attempt), error))));
    };
    static const char* const by_mode = "the mode counts, whatever name the file is opened by";
    add(by_mode, "open_symbolic_link", lay_hash, opens_a_symbolic_link, EACCES, map_was_changed);
    add(by_mode, "open_hard_link", lay_hash, opens_a_hard_link, EACCES, map_was_changed);
    add(by_mode, "open_handle_by_proc", lay_hash, opens_its_handle_by_proc, EACCES,
        map_was_changed);
    add(by_mode, "open_o_path_by_proc", lay_hash, opens_an_o_path_handle_by_proc, EACCES,
        map_was_changed);
    add(by_mode, "open_as_root_of_a_namespace", lay_hash, opens_as_root_of_ones_own_namespace,
        EACCES, map_was_changed);
    add(by_mode, "open_the_file_itself", lay_hash, opens_the_file_for_writing, EACCES,
        map_was_changed);
    static const char* const by_owner = "owner, group and mode are changed by the owner only";
    add(by_owner, "chmod_by_o_path", lay_hash, changes_the_mode_by_o_path, EPERM, map_was_changed);
    add(by_owner, "chown_to_oneself", lay_hash, takes_the_file, EPERM, map_was_changed);
    add("a file is given to a group by its members only", "chgrp_to_foreign_group",
        lay_hash_and_own, gives_a_file_to_another_group, EPERM, nullptr);
    add("a pin has permission bits and no others", "pin_setuid", lay_hash_and_own,
        makes_a_setuid_file, EINVAL, nullptr);
}

void add_directories(std::vector<way>& list) {
    const auto add = [&](const char* claim, const char* name, layout prepare, step attempt,
                         int error, std::function<bool(scene&)> seen) {
        list.push_back(refused_everywhere(seen_by(
            std::move(seen), new_way(claim, name, std::move(prepare), std::move(attempt), error))));
    };
    static const char* const sticky = "in a sticky directory a name is its owner's";
    add(sticky, "sticky_unlink", lay_sticky_directory, removes_from_a_sticky_directory, EPERM,
        name_is_gone_or_anothers);
    add(sticky, "sticky_rename", lay_sticky_directory, renames_in_a_sticky_directory, EPERM,
        name_is_gone_or_anothers);
    add(sticky, "sticky_replace", lay_sticky_directory, replaces_in_a_sticky_directory, EPERM,
        name_is_gone_or_anothers);
    add("creating takes permission on the directory that it happens in", "create_by_symbolic_link",
        lay_hash_and_own, creates_through_a_symbolic_link, EACCES, nullptr);
    add("a pin is not made where a symbolic link at its name leads", "link_at_the_name_of_a_pin",
        lay_hash_and_own, lays_a_trap_at_the_name, 0, root_was_led_astray);
    add("what somebody mounts over a directory, others do not see", "mount_over_a_directory",
        lay_hash, hides_a_directory_by_a_mount, 0, root_sees_it);
}

void add_room(std::vector<way>& list) {
    static const char* const limit = "nr_inodes bounds what the users of a mount can create";
    const auto add = [&](const char* name, step attempt) {
        list.push_back(with_room(
            ",nr_inodes=20", new_way(limit, name, lay_hash_and_own, std::move(attempt), ENOSPC)));
    };
    add("fill_with_pins", pins_without_end);
    add("fill_with_names", links_without_end);
    add("fill_with_directories", makes_directories_without_end);
}

} // namespace

const std::vector<way>& path_ways() {
    static const std::vector<way> list = [] {
        std::vector<way> all;
        add_other_names(all);
        add_files(all);
        add_directories(all);
        add_room(all);
        return all;
    }();
    return list;
}

} // namespace bpffs_test
