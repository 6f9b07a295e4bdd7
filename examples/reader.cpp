// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What a mode lets a reader reach: opens a pin as far as its mode allows, read-only where it
// allows no more, and tries to make more of that handle. On a stock kernel both work.
//   reader attach FILE       attach the program to a socket of one's own
//   reader repin FILE NEW    pin the object once more, as one's own file
//   reader load FILE         (as root) load a program that accepts every packet, to try it on
// Plain libbpf, to show what the kernel itself says.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string_view>

#include <sys/socket.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

namespace {

int complain(const char* operation, const char* file) {
    std::fprintf(stderr, "reader: %s '%s': %s\n", operation, file, std::strerror(errno));
    return 1;
}

int load(const char* file) {
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
    if (program < 0) {
        return complain("load the program for", file);
    }
    return bpf_obj_pin(program, file) == 0 ? 0 : complain("pin", file);
}

int open_object(const char* file) {
    LIBBPF_OPTS(bpf_obj_get_opts, read_only, .file_flags = BPF_F_RDONLY);
    const int object = bpf_obj_get(file);
    return object >= 0 ? object : bpf_obj_get_opts(file, &read_only);
}

int attach(const char* file) {
    const int program = open_object(file);
    if (program < 0) {
        return complain("open", file);
    }
    const int datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (setsockopt(datagrams, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) != 0) {
        return complain("attach", file);
    }
    std::puts("attached");
    return 0;
}

int repin(const char* file, const char* other) {
    const int object = open_object(file);
    if (object < 0) {
        return complain("open", file);
    }
    if (bpf_obj_pin(object, other) != 0) {
        return complain("pin again", file);
    }
    std::puts("pinned again");
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 1 ? argv[1] : "";
    if (verb == "load" && argc == 3) {
        return load(argv[2]);
    }
    if (verb == "attach" && argc == 3) {
        return attach(argv[2]);
    }
    if (verb == "repin" && argc == 4) {
        return repin(argv[2], argv[3]);
    }
    std::fputs("Usage: reader attach FILE | repin FILE NEW | load FILE\n", stderr);
    return 2;
}
