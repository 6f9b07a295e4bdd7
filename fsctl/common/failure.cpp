// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// From exceptions to words; see failure.hpp.
#include "failure.hpp"

#include <bpffs/diagnosis.hpp>
#include <bpffs/error.hpp>

namespace fsctl {

trouble describe(const std::exception& error) {
    trouble told{error.what(), {}};
    if (const auto* own = dynamic_cast<const complaint*>(&error)) {
        told.remedy = own->remedy();
    } else if (const auto* library = dynamic_cast<const bpffs::error*>(&error)) {
        const bpffs::diagnosis& why = library->diagnosis();
        told.remedy = why.findings.empty() ? std::string() : why.sentence;
        for (const bpffs::finding& each : why.findings) {
            told.findings.push_back(each.remedy.empty() ? each.words
                                                        : each.words + "; " + each.remedy);
        }
        told.findings.insert(told.findings.end(), why.circumstances.begin(),
                             why.circumstances.end());
    }
    return told;
}

} // namespace fsctl
