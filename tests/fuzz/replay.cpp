// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// In place of libFuzzer where the compiler has none: gives the target each file of the directories
// named, so that what was found once is tried in every build.
#include "input.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>

int main(int count, char** words) {
    std::size_t tried = 0;
    for (int i = 1; i < count; ++i) {
        for (const auto& file : boost::filesystem::directory_iterator(words[i])) {
            std::printf("%s\n", file.path().c_str());
            std::fflush(stdout);
            std::ifstream from(file.path().native(), std::ios::binary);
            const std::vector<char> text{std::istreambuf_iterator<char>(from), {}};
            (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()),
                                         text.size());
            ++tried;
        }
    }
    std::printf("%zu inputs\n", tried);
    return tried == 0 ? 1 : 0;
}
