// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// BPFFS_API marks what the shared library exports; everything else is hidden. BPFFS_LOCAL hides the
// private members of exported classes.
#pragma once

#define BPFFS_API __attribute__((visibility("default")))
#define BPFFS_LOCAL __attribute__((visibility("hidden")))
