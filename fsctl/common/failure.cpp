// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// From exceptions to words; see failure.hpp.
#include "failure.hpp"

#include "one_line.hpp"

#include <bpffs/diagnosis.hpp>
#include <bpffs/error.hpp>

namespace fsctl {

// Names may be in there: all but a complaint's remedy, which may quote a log, is
// in one line.
trouble describe(const std::exception& error) {
    trouble told{in_one_line(error.what()), {}};
    if (const auto* own = dynamic_cast<const complaint*>(&error)) {
        told.remedy = own->remedy();
    } else if (const auto* library = dynamic_cast<const bpffs::error*>(&error)) {
        const bpffs::diagnosis& why = library->diagnosis();
        told.remedy = why.findings.empty() ? std::string() : in_one_line(why.sentence);
        for (const bpffs::finding& each : why.findings) {
            told.findings.push_back(
                in_one_line(each.remedy.empty() ? each.words : each.words + "; " + each.remedy));
        }
        for (const std::string& each : why.circumstances) {
            told.findings.push_back(in_one_line(each));
        }
    }
    return told;
}

} // namespace fsctl
