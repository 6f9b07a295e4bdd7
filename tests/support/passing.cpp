// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// SCM_RIGHTS, for passing.hpp.

#include "passing.hpp"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>

namespace bpffs_test {

namespace {

/// A message of one byte, with room for one descriptor.
struct message {
    message() {
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = room;
        header.msg_controllen = sizeof(room);
    }
    char byte = 0;
    iovec part = {&byte, 1};
    alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
    msghdr header = {};
};

} // namespace

bool send_handle(int socket, int fd) {
    message m;
    cmsghdr* control = CMSG_FIRSTHDR(&m.header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(fd));
    std::memcpy(CMSG_DATA(control), &fd, sizeof(fd));
    return ::sendmsg(socket, &m.header, MSG_NOSIGNAL) == 1;
}

handle receive_handle(int socket) {
    message m;
    const ssize_t n = ::recvmsg(socket, &m.header, MSG_CMSG_CLOEXEC);
    if (n != 1) {
        return handle(n < 0 ? -errno : -EPIPE);
    }
    const cmsghdr* control = CMSG_FIRSTHDR(&m.header);
    if (control == nullptr || control->cmsg_type != SCM_RIGHTS) {
        return handle(-EBADMSG);
    }
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(control), sizeof(fd));
    return handle(fd);
}

} // namespace bpffs_test
