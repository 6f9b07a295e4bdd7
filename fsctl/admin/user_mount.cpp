// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A user's mount; see user_mount.hpp.
#include "user_mount.hpp"

#include "account.hpp"
#include "common/failure.hpp"
#include "undo.hpp"

#include <bpffs/pin.hpp>

#include <cerrno>
#include <unordered_set>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>

namespace fsctl {

namespace {

// False once the visitor has had enough.
bool walk(const bpffs::directory& top, std::uint64_t mount,
          const std::function<bool(const bpffs::path&)>& visit) {
    std::vector<std::string> below;
    bool going = true;
    top.for_each([&](const bpffs::directory_entry& entry) {
        if (entry.type == bpffs::file_type::directory) {
            below.push_back(entry.name);
        } else if (entry.type == bpffs::file_type::file) {
            going = visit(top.name() / entry.name);
        }
        return going;
    });
    for (const std::string& name : below) {
        bpffs::error_code code;
        const bpffs::directory next =
            bpffs::directory::open({top, name}, bpffs::symlinks::refuse, code);
        if (code == boost::system::errc::no_such_file_or_directory) {
            continue; // removed meanwhile
        }
        if (code) { // whatever is in there is not to be lost
            throw bpffs::error(code, "open directory", top.name() / name);
        }
        if (bpffs::mount_info::id_of(next.fd()) == mount) {
            going = going && walk(next, mount, visit);
        }
    }
    return going;
}

} // namespace

namespace {

// The root of what is mounted there; nothing where nothing is.
bpffs::directory root_of_mount_on(const bpffs::directory& base, const std::string& name) {
    bpffs::error_code code;
    bpffs::directory there = bpffs::directory::open({base, name}, bpffs::symlinks::refuse, code);
    if (code == boost::system::errc::no_such_file_or_directory) {
        return {};
    }
    if (code) {
        throw bpffs::error(code, "open directory", base.name() / name);
    }
    if (bpffs::mount_info::id_of(there.fd()) == bpffs::mount_info::id_of(base.fd())) {
        return {};
    }
    return there;
}

} // namespace

std::optional<bpffs::mount_info> mount_on(const bpffs::directory& base, const std::string& name) {
    const bpffs::directory there = root_of_mount_on(base, name);
    return there ? std::optional(bpffs::mount_info::of(there.fd())) : std::nullopt;
}

mounted what_is_mounted_on(const bpffs::directory& base, const std::string& name) {
    const bpffs::directory there = root_of_mount_on(base, name);
    if (!there) {
        return mounted::nothing;
    }
    return there.is_bpffs() ? mounted::bpffs : mounted::something_else;
}

void for_each_pin(const bpffs::directory& top,
                  const std::function<bool(const bpffs::path&)>& visit) {
    walk(top, bpffs::mount_info::id_of(top.fd()), visit);
}

std::vector<bpffs::listed_pin> list_pins(const bpffs::directory& in) {
    std::vector<bpffs::listed_pin> all;
    bpffs::for_each_pin(in, [&](const bpffs::listed_pin& one) {
        all.push_back(one);
        return true;
    });
    return all;
}

std::uint64_t count_pins(const bpffs::directory& top) {
    std::uint64_t count = 0;
    for_each_pin(top, [&](const bpffs::path&) {
        ++count;
        return true;
    });
    return count;
}

void make_mount_point(const bpffs::location& place, undo& back) {
    bpffs::error_code code;
    bpffs::make_directory(place, bpffs::mode(0755), code);
    if (!code) {
        back.add([place] {
            bpffs::error_code ignored;
            bpffs::remove_directory(place, ignored);
        });
        return;
    }
    if (code != boost::system::errc::file_exists) {
        throw bpffs::error(code, "make directory", place.display());
    }
    bool empty = true;
    bpffs::directory::open(place, bpffs::symlinks::refuse)
        .for_each([&](const bpffs::directory_entry&) { return empty = false; });
    if (!empty) {
        throw failure(fmt::format("'{}' is not empty, and a mount would hide what is in it",
                                  place.display().native()),
                      "Move the files away, or choose another place with dir DIRECTORY.");
    }
}

namespace {

[[noreturn]] void refuse_without_fmode(const bpffs::location& place) {
    throw failure(fmt::format("this kernel does not know the mount option fmode, so '{}' would not "
                              "be protected; nothing is mounted",
                              place.display().native()),
                  "A kernel with the bpffs patches is needed (kernel-patches/build makes one).");
}

void take_off_at_the_end(const bpffs::location& place, const mount_view& view, undo& back) {
    back.add([place, view] {
        try {
            bpffs::error_code ignored;
            const mount_view::inside guard = view.enter();
            bpffs::unmount(place, ignored);
        } catch (const std::exception&) { // what else is to be undone still is
            return;
        }
    });
}

// The same file system under the name that it is going to have, for messages.
bpffs::directory named(const bpffs::directory& fresh, const bpffs::path& shown) {
    const int fd = ::fcntl(fresh.fd().get(), F_DUPFD_CLOEXEC, 3);
    if (fd < 0) {
        throw bpffs::error(bpffs::error_code(errno, boost::system::system_category()),
                           "open directory", shown);
    }
    return bpffs::directory::adopt(bpffs::owned_fd::adopt(fd), shown);
}

} // namespace

void mount_user(const bpffs::location& place, const mount_view& view, const bpffs::mount_spec& spec,
                undo& back) {
    try {
        const mount_view::inside guard = view.enter();
        bpffs::mount_bpffs(place, spec);
    } catch (const bpffs::error& error) {
        if (error.code() == bpffs::errc::no_fmode) {
            refuse_without_fmode(place);
        }
        throw;
    }
    take_off_at_the_end(place, view, back);
}

namespace {

// What the kernel took of the options shows only in the table of all mounts, so it
// is read once for each delegation there is and not for each user: what this kernel
// takes once it takes always.
class taken_before {
public:
    bool contains(const bpffs::mount_spec& spec) const { return known_.contains(key(spec)); }
    void insert(const bpffs::mount_spec& spec) { known_.insert(key(spec)); }

private:
    static std::string key(const bpffs::mount_spec& spec) {
        return fmt::format("{},{}", spec.fmode == bpffs::fmode_option::on ? "fmode" : "",
                           spec.delegated.to_options());
    }
    std::unordered_set<std::string> known_;
};

// Detached where it was not, as `fresh` keeps it busy.
void check_taken(const bpffs::directory& fresh, const bpffs::location& place,
                 const bpffs::mount_spec& spec) {
    static taken_before known;
    if (known.contains(spec)) {
        return;
    }
    const bpffs::mount_info made = bpffs::mount_info::of(fresh.fd());
    if (made.fmode == spec.fmode && made.delegated == spec.delegated) {
        known.insert(spec);
        return;
    }
    bpffs::detach_mount(place);
    if (made.fmode != spec.fmode) {
        refuse_without_fmode(place);
    }
    throw failure(fmt::format("of the delegation {} the kernel took only {}",
                              spec.delegated.to_options(), made.delegated.to_options()));
}

} // namespace

void mount_user(const bpffs::location& place, const mount_view& view, const bpffs::mount_spec& spec,
                const std::function<void(const bpffs::directory&)>& fill, undo& back) {
    const bpffs::directory fresh = bpffs::make_bpffs(spec);
    fill(named(fresh, place.display()));
    const mount_view::inside guard = view.enter();
    bpffs::attach_mount(fresh, place);
    take_off_at_the_end(place, view, back); // also where what was taken cannot be looked at
    check_taken(fresh, place, spec);
}

std::string describe(const bpffs::mount_info& mount) {
    if (mount.type != "bpf") {
        return fmt::format("a file system of type {}", mount.type);
    }
    const std::string delegated = mount.delegated.to_options();
    return fmt::format("a bpffs of {}, {}, {}", name_of_user(mount.owner),
                       mount.fmode == bpffs::fmode_option::on ? "fmode" : "without fmode",
                       delegated.empty() ? "nothing delegated" : delegated);
}

} // namespace fsctl
