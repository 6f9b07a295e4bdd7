// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The rights table: which right on a handle from an `fmode` mount each use of a pinned object
// needs.
//
// This is the one place where the model is written down as data. The matrix test opens each object
// with R, with W and with both and expects of every operation exactly what stands here; the
// attacks try whatever needs more than R with an R handle; documentation is made from it.

#pragma once

#include <span>
#include <string>

#include <linux/bpf.h>

namespace bpffs_test {

enum class object_kind { map, program, link };

enum class right {
    none,  ///< naming it, asking its base info
    read,  ///< opened BPF_F_RDONLY or with both
    write, ///< opened BPF_F_WRONLY or with both
    both,  ///< opened with neither flag
    never, ///< no handle is enough
};

struct rights_row {
    object_kind object;
    right needed;
    const char* use;
    /// Why no operation tries this row here; nullptr where one does.
    const char* untried = nullptr;
};

/// The table, in the order of documentation.
std::span<const rights_row> rights_table();

/// The row of this use; throws std::logic_error when there is none.
const rights_row& rights_of(object_kind object, const std::string& use);

/// Is a handle opened with these BPF_OBJ_GET flags (0, BPF_F_RDONLY, BPF_F_WRONLY) enough?
bool enough(right needed, uint32_t open_flags);

const char* name_of(object_kind object);
/// "R", "W" or "RW".
const char* name_of_access(uint32_t open_flags);

} // namespace bpffs_test
