// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-link: links as files, from the command line.
#include "link_tool.hpp"

int main(int argc, char** argv) {
    return fsctl::run_main(fsctl::link_tool, argc, argv);
}
