// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Writing the audit; see audit.hpp.
#include "audit.hpp"

#include "common/one_line.hpp"

#include <array>

#include <boost/filesystem/operations.hpp>
#include <fmt/format.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

namespace fsctl {

std::string_view word(audited what) {
    switch (what) {
    case audited::granted:
        return "granted";
    case audited::changed:
        return "changed";
    case audited::refused:
        return "refused";
    case audited::withdrawn:
        return "withdrawn";
    }
    return "";
}

namespace {

std::string source(const origin& from) {
    return from.file ? to_string(from) : "command line";
}

} // namespace

std::string to_line(const audit_entry& entry) {
    return in_one_line(fmt::format("{} {} '{}' by {}{}{}", word(entry.what), entry.user,
                                   entry.directory.native(), source(entry.from),
                                   entry.words.empty() ? "" : ": ", entry.words));
}

void audit(const audit_entry& entry, std::ostream& without_journal) {
    bpffs::error_code code;
    if (!boost::filesystem::exists("/run/systemd/journal/socket", code)) {
        without_journal << "bpffs-admin: " << to_line(entry) << std::endl;
        return;
    }
    const int priority = entry.what == audited::refused ? LOG_WARNING : LOG_NOTICE;
    std::array<std::string, 7> fields = {
        fmt::format("MESSAGE={}", to_line(entry)),
        fmt::format("PRIORITY={}", priority),
        "SYSLOG_IDENTIFIER=bpffs-admin",
        fmt::format("BPFFS_EVENT={}", word(entry.what)),
        fmt::format("BPFFS_USER={}", entry.user),
        fmt::format("BPFFS_DIRECTORY={}", entry.directory.native()),
        fmt::format("BPFFS_POLICY={}", source(entry.from)),
    };
    std::array<iovec, fields.size()> parts{};
    for (std::size_t i = 0; i < fields.size(); i++) {
        parts[i] = {fields[i].data(), fields[i].size()};
    }
    if (sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) < 0) {
        without_journal << "bpffs-admin: " << to_line(entry) << std::endl;
    }
}

} // namespace fsctl
