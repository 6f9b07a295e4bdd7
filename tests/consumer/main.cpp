// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Somebody else's program: built against the installed library only. It uses a part of each header
// that is compiled into the library, and needs no privilege.
#include <bpffs/bpffs.hpp>

#include <iostream>

int main() {
    using namespace bpffs;
    error_code code;
    const map_reader<std::uint64_t, std::uint64_t> none =
        map_reader<std::uint64_t, std::uint64_t>::open("/nowhere/counts", code);
    if (!code || none) {
        std::cerr << "a map that is not there was opened\n";
        return 1;
    }
    try {
        (void)object_file::open("/nowhere/filter.bpf.o");
        return 1;
    } catch (const error& why) {
        std::cout << why.what() << '\n';
    }
    const diagnosis said = explain("/nowhere/counts", wanted::to_open(access::read));
    std::cout << said.sentence << '\n';
    return said.findings.size() == 1 && said.findings[0].what == obstacle::no_such_file ? 0 : 1;
}
