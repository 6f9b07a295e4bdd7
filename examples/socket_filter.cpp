// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// A program pinned as a file, and what its mode lets others do. Two verbs:
//   socket_filter pin FILE      load a filter that accepts every packet, pin it (needs CAP_BPF)
//   socket_filter attach FILE   open FILE as far as its mode allows and attach it to a socket of
//                               one's own, which asks for no privilege but the right to write FILE
// Plain libbpf, to show what the kernel itself says.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

namespace {

int complain(const char* operation, const char* file) {
    std::fprintf(stderr, "socket_filter: %s '%s': %s\n", operation, file, std::strerror(errno));
    return 1;
}

int pin(const char* file) {
    // r0 = 0x7fffffff (keep that many bytes); exit
    const bpf_insn instructions[] = {
        {.code = BPF_ALU | BPF_MOV | BPF_K,
         .dst_reg = 0,
         .src_reg = 0,
         .off = 0,
         .imm = 0x7fffffff},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    const int program = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "accept", "GPL", instructions,
                                      std::size(instructions), nullptr);
    if (program < 0)
        return complain("load the program for", file);
    if (bpf_obj_pin(program, file) != 0)
        return complain("pin", file);
    return 0;
}

// A reader's handle is what a 0444 file gives; on a stock kernel it attaches as well as any.
int open_program(const char* file) {
    LIBBPF_OPTS(bpf_obj_get_opts, read_only, .file_flags = BPF_F_RDONLY);
    const int program = bpf_obj_get(file);
    return program >= 0 ? program : bpf_obj_get_opts(file, &read_only);
}

int attach(const char* file) {
    const int program = open_program(file);
    if (program < 0)
        return complain("open", file);
    const int datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (setsockopt(datagrams, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) != 0)
        return complain("attach", file);
    std::puts("attached");
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc == 3 ? argv[1] : "";
    if (verb == "pin")
        return pin(argv[2]);
    if (verb == "attach")
        return attach(argv[2]);
    std::fputs("Usage: socket_filter pin FILE | attach FILE\n", stderr);
    return 2;
}
