// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-admin: directories in which users make BPF objects of their own.
#include "admin_tool.hpp"

int main(int argc, char** argv) {
    return fsctl::run_main(fsctl::admin_tool, argc, argv);
}
