// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Walking to a directory that only root can change; see trusted.hpp.
#include "trusted.hpp"

#include "account.hpp"
#include "common/failure.hpp"

#include <bpffs/identity.hpp>
#include <bpffs/pin.hpp>

#include <fmt/format.h>

namespace fsctl {

namespace {

// What stands under this name must be fit to be walked through. Only root can
// change what the name means, since only root may write the directory it is in.
void check_component(const bpffs::path& shown, const bpffs::pin_info& found) {
    if (found.type == bpffs::file_type::symlink) {
        throw failure(fmt::format("'{}' is a symbolic link", shown.native()),
                      "Name the directory that it leads to: dir DIRECTORY");
    }
    if (found.type != bpffs::file_type::directory) {
        throw failure(fmt::format("'{}' is not a directory", shown.native()));
    }
    if (found.owner != 0 || (found.permissions.bits() & 0022U) != 0) {
        throw failure(fmt::format("'{}' can be changed by others than root: owner {}, mode {}",
                                  shown.native(), name_of_user(found.owner),
                                  found.permissions.octal()),
                      "Users' directories must be out of users' reach: choose another place with "
                      "dir DIRECTORY, or make this one root's with mode 0755.");
    }
    if ((found.permissions.bits() & 0001U) == 0) {
        throw failure(fmt::format("'{}' cannot be searched by users: mode {}", shown.native(),
                                  found.permissions.octal()),
                      fmt::format("chmod o+x '{}', or choose another place with dir DIRECTORY.",
                                  shown.native()));
    }
}

void step_into(trusted_directory& at, const bpffs::path& shown, if_absent missing) {
    const bpffs::location next(at.handle, shown.filename());
    bpffs::error_code code;
    bpffs::pin_info found = bpffs::inspect(next, code);
    if (code == boost::system::errc::no_such_file_or_directory && missing == if_absent::make) {
        bpffs::make_directory(next, bpffs::mode(0755));
        at.made.push_back(shown);
        bpffs::permissions(next, bpffs::mode(0755)); // whatever the umask
        found = bpffs::inspect(next);
    } else if (code) {
        throw bpffs::error(code, "open directory", shown);
    }
    check_component(shown, found);
    at.handle = bpffs::directory::open(next, bpffs::symlinks::refuse);
}

} // namespace

trusted_directory open_trusted(const bpffs::path& file, if_absent missing) {
    trusted_directory at;
    at.handle = bpffs::directory::open("/", bpffs::symlinks::refuse);
    bpffs::path shown = "/";
    try {
        for (const bpffs::path& component : file.relative_path()) {
            if (component.empty() || component == ".") {
                continue; // a slash at the end
            }
            shown /= component;
            step_into(at, shown, missing);
        }
    } catch (...) {
        for (auto made = at.made.rbegin(); made != at.made.rend(); ++made) {
            bpffs::error_code ignored;
            bpffs::remove_directory(*made, ignored);
        }
        throw;
    }
    return at;
}

void require_root() {
    constexpr unsigned sys_admin = 21;
    const bpffs::identity caller = bpffs::identity::of_caller();
    if (caller.user != 0 || !caller.has_capability(sys_admin)) {
        throw failure(fmt::format("only root gives users directories, and this is {}{}",
                                  name_of_user(caller.user),
                                  caller.user == 0 ? " without CAP_SYS_ADMIN" : ""),
                      "Mounting takes CAP_SYS_ADMIN: run it as root, or through sudo.");
    }
}

} // namespace fsctl
