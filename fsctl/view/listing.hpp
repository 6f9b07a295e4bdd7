// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Open directories. A listing is read piece by piece, and only the names of a directory of
// SOURCE are held whole: the keys of a map stream through one batch.
#pragma once

#include "allowance.hpp"
#include "node.hpp"
#include "settings.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fuse_lowlevel.h>
#include <sys/types.h>

namespace fsctl::view {

class listing : public counted_for_user {
public:
    struct item {
        std::string name;
        std::uint64_t number = 0;
        mode_t type = 0; // S_IFREG and so on; 0: unknown
    };

    // As many entries from the offset on as fit, in the kernel's form; none at the end.
    std::string read(fuse_req_t request, std::size_t size, off_t from);

protected:
    // The entry with this place in the listing; false at the end. Called in order, or back to
    // any place before.
    virtual bool get(std::size_t place, item& out) = 0;
    // Whether what stands before this place cannot be gone back to, once it has been got.
    [[nodiscard]] virtual bool is_further(std::size_t /*place*/) const { return false; }

private:
    std::mutex mutex_;
};

// The children of a directory, an object or its entries, as the calling thread may list them.
std::unique_ptr<listing> open_listing(const node_ref& of, const settings& chosen);

// The files of an object beside the listing: what `name` is in it; nothing where it is none.
std::optional<node_kind> child_of_object(const object_shape& shape, std::string_view name);

} // namespace fsctl::view
