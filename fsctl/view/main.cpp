// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-view: checks SOURCE and MOUNTPOINT, mounts, and serves until it is unmounted.
#include "operations.hpp"
#include "settings.hpp"

#include "common/failure.hpp"

#include <bpffs/directory.hpp>
#include <bpffs/identity.hpp>
#include <bpffs/mount.hpp>
#include <bpffs/pin.hpp>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

namespace {

using namespace fsctl;
using namespace fsctl::view;

constexpr std::string_view our_type = "fuse.bpffs-view";

bpffs::directory open_source(const settings& chosen) {
    bpffs::directory source = bpffs::directory::open(chosen.source);
    if (!source.is_bpffs()) {
        throw failure(fmt::format("'{}' is not on a bpffs", chosen.source),
                      "Pins live on a mount of the type bpf, such as /sys/fs/bpf.");
    }
    return source;
}

bool is_our_mount(const std::string& where) {
    const std::vector<bpffs::mount_info> all = bpffs::list_mounts();
    return std::any_of(all.begin(), all.end(), [&](const bpffs::mount_info& each) {
        return each.type == our_type && each.mount_point == where;
    });
}

void run_fusermount(const std::string& mountpoint) {
    std::string program = "fusermount3";
    std::string unmount = "-uz";
    std::string dashes = "--";
    std::string where = mountpoint;
    char* const words[] = {program.data(), unmount.data(), dashes.data(), where.data(), nullptr};
    pid_t child = 0;
    int status = posix_spawnp(&child, program.c_str(), nullptr, nullptr, words, environ);
    if (status != 0 || waitpid(child, &status, 0) != child || status != 0) {
        throw failure(fmt::format("'{}' is left over from a view that died, and 'fusermount3 -u' "
                                  "cannot take it down",
                                  mountpoint));
    }
}

// The directory to mount on, by its whole path: we leave the current directory later.
std::string prepare_mountpoint(const settings& chosen) {
    const std::string where =
        boost::filesystem::absolute(chosen.mountpoint).lexically_normal().native();
    bpffs::error_code why;
    (void)bpffs::look_at(where, why);
    const bool dead =
        why == boost::system::errc::not_connected || why == boost::system::errc::connection_aborted;
    if (dead && is_our_mount(where)) {
        run_fusermount(where);
    }
    const bpffs::directory found = bpffs::directory::open(where);
    std::string real = boost::filesystem::canonical(where).native();
    if (is_our_mount(real)) {
        throw failure(fmt::format("a view is mounted on '{}' already", real),
                      fmt::format("'fusermount3 -u {}' takes it down.", real));
    }
    found.for_each([&](const bpffs::directory_entry& entry) -> bool {
        throw failure(fmt::format("'{}' is not empty: '{}' is in it", real, entry.name),
                      "What is in it would be covered.");
    });
    return real;
}

void check_identity(const settings& chosen) {
    if (chosen.shared && bpffs::identity::of_caller().user != 0) {
        throw failure("only root can serve all users",
                      "Without --shared the view is for the user who runs it.");
    }
}

std::string mount_options(const settings& chosen) {
    std::string source;
    for (const char letter : chosen.source) {
        source += letter == ',' || letter == '\\' ? std::string{'\\', letter} : std::string{letter};
    }
    return fmt::format("default_permissions,nosuid,nodev,noexec,subtype=bpffs-view,fsname={}{}{}",
                       source, chosen.shared ? ",allow_other" : "", chosen.read_only ? ",ro" : "");
}

struct destroy_session {
    void operator()(fuse_session* session) const { fuse_session_destroy(session); }
};

int serve_session(fuse_session* session, const settings& chosen, const std::string& mountpoint) {
    if (fuse_set_signal_handlers(session) != 0) {
        return 1;
    }
    int status = 1;
    if (fuse_session_mount(session, mountpoint.c_str()) == 0) {
        if (fuse_daemonize(chosen.foreground || chosen.debug ? 1 : 0) == 0) {
            fuse_loop_config* loop = fuse_loop_cfg_create();
            status = fuse_session_loop_mt(session, loop) < 0 ? 1 : 0;
            fuse_loop_cfg_destroy(loop);
        }
        fuse_session_unmount(session);
    }
    fuse_remove_signal_handlers(session);
    return status;
}

// Each open file of a view takes a descriptor or two; one user gets a part of them, and of memory
// as much as the largest maps take as text.
allowances::limits limits_of_a_user() {
    constexpr std::size_t users_at_once = 8;
    constexpr std::size_t descriptors_a_file = 2;
    constexpr std::size_t bytes = std::size_t{256} << 20U;
    rlimit descriptors{};
    getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
    return {descriptors.rlim_max / descriptors_a_file / users_at_once, bytes};
}

int run_view(const settings& chosen) {
    check_identity(chosen);
    bpffs::directory opened = open_source(chosen);
    const std::string source = boost::filesystem::canonical(chosen.source).native();
    const std::string mountpoint = prepare_mountpoint(chosen);
    if (mountpoint == source || mountpoint.starts_with(source + '/')) {
        throw failure(fmt::format("'{}' is '{}', or below it", mountpoint, source),
                      "The view would be a part of what it shows.");
    }
    world all{chosen, node_table(std::move(opened)), source, allowances(limits_of_a_user())};
    std::string program = "bpffs-view";
    std::string dash_o = "-o";
    std::string options = mount_options(chosen);
    char* words[] = {program.data(), dash_o.data(), options.data(), nullptr};
    fuse_args arguments{3, words, 0};
    const std::unique_ptr<fuse_session, destroy_session> session(
        fuse_session_new(&arguments, &operations, sizeof(operations), &all));
    fuse_opt_free_args(&arguments);
    return session ? serve_session(session.get(), chosen, mountpoint) : 1;
}

} // namespace

int main(int argc, char** argv) {
    try {
        const std::optional<settings> chosen = parse_settings(argc, argv);
        return chosen ? run_view(*chosen) : 0;
    } catch (const std::exception& error) {
        const trouble told = describe(error);
        std::cerr << "Error: " << told.message << '\n';
        if (!told.remedy.empty()) {
            std::cerr << told.remedy << '\n';
        }
        const auto* own = dynamic_cast<const complaint*>(&error);
        return static_cast<int>(own != nullptr ? own->status() : exit_status::failed);
    }
}
