// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-prog: programs as files, from the command line.
#include "prog_tool.hpp"

int main(int argc, char** argv) {
    return fsctl::run_main(fsctl::prog_tool, argc, argv);
}
