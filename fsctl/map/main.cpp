// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-map: maps as files, from the command line.
#include "map_tool.hpp"

int main(int argc, char** argv) {
    return fsctl::run_main(fsctl::map_tool, argc, argv);
}
