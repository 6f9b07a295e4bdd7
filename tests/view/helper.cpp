// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the tests of bpffs-view need beside a shell:
//   typed FILE      a hash from char[16] to a signed 32-bit number, with types; two elements
//   fill FILE N     a hash of N entries, 4 bytes to 8 bytes, keys 0 to N-1, each its own value
//   churn FILE N    until it is killed: inserts and deletes keys from N on
//   cpus            how many slots a per-CPU value has
//   torn FILE N     writes a file N times in turn as 1111… and 2222…, reads it from another
//                   thread, and fails when it reads anything else
//   fresh PIN FILE  changes the pin's mode many times, and fails where FILE in the view does not
//   have
//                   the new one at once
//   poll FILE MS    whether it becomes readable in time, and what a read gives that does not wait
//   iterator FILE   an iterator over all maps that says "a map" for each
//   peak PID        the most memory the process has had, in kB
#include <bpffs/bpffs.hpp>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

template <class T> bpffs::const_bytes bytes_of(const T& value) {
    return std::as_bytes(std::span(&value, 1));
}

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

int typed(const std::string& file) {
    btf* types = btf__new_empty();
    const int letter = btf__add_int(types, "char", 1, BTF_INT_CHAR);
    const int index = btf__add_int(types, "unsigned int", 4, 0);
    const int name = btf__add_array(types, index, letter, 16);
    const int number = btf__add_int(types, "int", 4, BTF_INT_SIGNED);
    std::uint32_t size = 0;
    const void* raw = btf__raw_data(types, &size);
    const int fd = bpf_btf_load(raw, size, nullptr);
    if (fd < 0) {
        fail("load types");
    }
    bpffs::map_spec spec;
    spec.key_size = 16;
    spec.value_size = 4;
    spec.btf = bpffs::borrowed_fd(fd);
    spec.btf_key_type = static_cast<std::uint32_t>(name);
    spec.btf_value_type = static_cast<std::uint32_t>(number);
    bpffs::map made = bpffs::create_map(file, spec);
    const char first[16] = "eth0";
    const char second[16] = "wlan/0";
    made.update(bytes_of(first), bytes_of(std::int32_t{-3}));
    made.update(bytes_of(second), bytes_of(std::int32_t{12}));
    close(fd);
    btf__free(types);
    return 0;
}

int fill(const std::string& file, std::uint32_t entries) {
    bpffs::map_spec spec;
    spec.key_size = 4;
    spec.max_entries = entries * 2;
    bpffs::map made = bpffs::create_map(file, spec);
    for (std::uint32_t i = 0; i < entries; ++i) {
        made.update(bytes_of(i), bytes_of(std::uint64_t{i}));
    }
    return 0;
}

int churn(const std::string& file, std::uint32_t first) {
    bpffs::map some = bpffs::map::open(file, bpffs::access::write);
    for (std::uint32_t round = 0;; ++round) {
        const std::uint32_t key = first + round % (first / 2 + 1);
        some.update(bytes_of(key), bytes_of(std::uint64_t{round}));
        const std::uint32_t old = first + (round + first / 4) % (first / 2 + 1);
        some.erase(bytes_of(old));
    }
}

int torn(const std::string& file, int rounds) {
    std::atomic<int> wrong{0};
    std::jthread reader([&](const std::stop_token& end) {
        char text[64];
        while (!end.stop_requested()) {
            const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
            const ssize_t size = read(fd, text, sizeof text);
            const std::string got(text, size > 0 ? static_cast<std::size_t>(size) : 0);
            wrong += got != "1111111111111111\n" && got != "2222222222222222\n";
            close(fd);
        }
    });
    for (int i = 0; i < rounds; ++i) {
        const std::string half(8, i % 2 == 0 ? '1' : '2');
        const int fd = open(file.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
        // In two writes: the value is whole with its newline only.
        if (write(fd, half.data(), 8) != 8 || write(fd, (half + '\n').data(), 9) != 9) {
            fail("write");
        }
        close(fd);
    }
    reader.request_stop();
    reader.join();
    return wrong == 0 ? 0 : 1;
}

int fresh(const std::string& pin, const std::string& file) {
    for (int i = 0; i < 2000; ++i) {
        constexpr mode_t modes[] = {0640, 0600, 0644, 0400};
        struct stat about {};
        if (chmod(pin.c_str(), modes[i % 4]) != 0 || stat(file.c_str(), &about) != 0) {
            fail("chmod and stat");
        }
        if ((about.st_mode & 0444U) != (modes[i % 4] & 0444U)) {
            std::cerr << "round " << i << ": still the mode before\n";
            return 1;
        }
    }
    return 0;
}

int poll_stream(const std::string& file, int milliseconds) {
    const int fd = open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    pollfd wanted{fd, POLLIN, 0};
    std::cout << (poll(&wanted, 1, milliseconds) == 1 ? "ready, " : "not ready, ");
    char text[64];
    const ssize_t size = read(fd, text, sizeof text);
    if (size < 0) {
        std::cout << std::strerror(errno) << '\n';
    } else {
        std::cout.write(text, size);
    }
    close(fd);
    return 0;
}

constexpr bpf_insn insn(unsigned code, unsigned to, unsigned from, int offset, int value) {
    return {static_cast<__u8>(code), static_cast<__u8>(to & 15U), static_cast<__u8>(from & 15U),
            static_cast<__s16>(offset), value};
}

// bpf_seq_write(context->meta->seq, "a map\n", 6)
int iterator(const std::string& file) {
    const bpf_insn text[] = {
        insn(BPF_LDX | BPF_MEM | BPF_DW, 1, 1, 0, 0),
        insn(BPF_LDX | BPF_MEM | BPF_DW, 1, 1, 0, 0),
        insn(BPF_ST | BPF_MEM | BPF_W, 10, 0, -8, 0x616d2061),
        insn(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0x00000a70),
        insn(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
        insn(BPF_ALU64 | BPF_ADD, 2, 0, 0, -8), // BPF_K, too, is 0
        insn(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, 6),
        insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_seq_write),
        insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
        insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };
    const int target = libbpf_find_vmlinux_btf_id("bpf_map", BPF_TRACE_ITER);
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_ITER,
                .attach_btf_id = static_cast<__u32>(target));
    const int program = target < 0 ? target
                                   : bpf_prog_load(BPF_PROG_TYPE_TRACING, "maps", "GPL", text,
                                                   std::size(text), &options);
    if (program < 0) {
        fail("load an iterator's program");
    }
    const int link = bpf_link_create(program, 0, BPF_TRACE_ITER, nullptr);
    if (link < 0 || bpf_obj_pin(link, file.c_str()) != 0) {
        fail("pin an iterator");
    }
    close(link);
    close(program);
    return 0;
}

int peak(const std::string& process) {
    std::ifstream status("/proc/" + process + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) {
            std::cout << std::stoul(line.substr(6)) << '\n';
            return 0;
        }
    }
    return 1;
}

int run(const std::vector<std::string>& words) {
    const std::string verb = words.size() > 1 ? words[1] : "";
    const std::string file = words.size() > 2 ? words[2] : "";
    const int number = words.size() > 3 && verb != "fresh" ? std::stoi(words[3]) : 0;
    if (verb == "typed") {
        return typed(file);
    }
    if (verb == "fill") {
        return fill(file, static_cast<std::uint32_t>(number));
    }
    if (verb == "churn") {
        return churn(file, static_cast<std::uint32_t>(number));
    }
    if (verb == "cpus") {
        std::cout << bpffs::possible_cpus() << '\n';
        return 0;
    }
    if (verb == "torn") {
        return torn(file, number);
    }
    if (verb == "fresh") {
        return fresh(file, words.size() > 3 ? words[3] : "");
    }
    if (verb == "poll") {
        return poll_stream(file, number);
    }
    if (verb == "iterator") {
        return iterator(file);
    }
    if (verb == "peak") {
        return peak(file);
    }
    std::cerr << "see helper.cpp\n";
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run({argv, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
