// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Lines of /proc/self/mountinfo: users name mount points and sources.
#include "input.hpp"

#include <bpffs/mount.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input given(data, size);
    bpffs::error_code why;
    const bpffs::mount_info read = bpffs::mount_info::parse(given.text(), why);
    fuzz::demand(!why || read.type.empty(), "what is no line says nothing");
    fuzz::demand(why || !read.type.empty(), "a line has a type");
    return 0;
}
