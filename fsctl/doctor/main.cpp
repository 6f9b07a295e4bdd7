// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpffs-doctor: what a pin or directory lets somebody do, and why not.
#include "doctor_tool.hpp"

int main(int argc, char** argv) {
    return fsctl::run_main(fsctl::doctor_tool, argc, argv);
}
