// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Passing descriptors between processes over a stream socket.

#pragma once

#include "bpf_call.hpp"

namespace bpffs_test {

/// Sends one descriptor, with one byte of data; false when the other side is gone.
bool send_handle(int socket, int fd);
/// The next one, CLOEXEC; holds -errno when none came.
handle receive_handle(int socket);

} // namespace bpffs_test
