// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// From exceptions to words; see failure.hpp.
#include "failure.hpp"

namespace fsctl {

trouble describe(const std::exception& error) {
    trouble told{error.what(), {}};
    if (const auto* own = dynamic_cast<const complaint*>(&error)) {
        told.remedy = own->remedy();
    }
    return told;
}

} // namespace fsctl
