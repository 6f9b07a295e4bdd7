// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Questions to the running kernel: calls that must fail, and tell by their errors what it knows.
#include <bpffs/kernel.hpp>

#include "diagnosis.hpp"
#include "sys.hpp"
#include "text.hpp"

#include <cerrno>

namespace bpffs {

namespace {

/// The modules that look at bpf(2), of all that are active.
std::string modules_that_look_at_bpf() {
    failure ignored;
    const std::string modules = read_file("/sys/kernel/security/lsm", ignored);
    std::string some;
    std::string_view rest = modules;
    while (!rest.empty()) {
        const auto one = cut(rest, ',');
        if (one != "capability" && one != "lockdown" && one != "yama" && one != "landlock") {
            some += some.empty() ? "" : ",";
            some += one;
        }
    }
    return some;
}

/// Of "none [integrity] confidentiality" the word in brackets, or nothing for none.
std::string lockdown_level() {
    failure ignored;
    const std::string lockdown = read_file("/sys/kernel/security/lockdown", ignored);
    const auto begin = lockdown.find('[');
    const auto end = lockdown.find(']');
    if (begin == std::string::npos || end == std::string::npos) {
        return {};
    }
    std::string level = lockdown.substr(begin + 1, end - begin - 1);
    return level == "none" ? std::string{} : level;
}

} // namespace

kernel_info kernel_settings() {
    kernel_info found;
    failure ignored;
    const std::string sysctl = read_file("/proc/sys/kernel/unprivileged_bpf_disabled", ignored);
    found.unprivileged_bpf_disabled =
        number<int>(std::string_view{sysctl}.substr(0, sysctl.find('\n')));
    found.security_modules = modules_that_look_at_bpf();
    found.lockdown = lockdown_level();
    return found;
}

kernel_info ask_kernel() {
    kernel_info found = kernel_settings();
    // An unknown flag or command is EINVAL before the descriptor is looked at. (Pinning would
    // not tell: it says EINVAL to a bad descriptor, too.)
    found.model = sys::btf_of_object(-1, 0).error == EBADF;
    found.tokens = sys::token_create(-1).error == EBADF;
    return found;
}

} // namespace bpffs
