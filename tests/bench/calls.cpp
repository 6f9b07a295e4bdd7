// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// How many instructions a call of bpf(2) takes, in a machine whose TSC counts instructions
// (tests/vm/run --icount; tests/bench/cost compares two kernels). Prints a line a call: the median
// of many, the name. Everything is done on a bpffs without options, as both kernels know it.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#include "support/bpf_call.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {
namespace {

constexpr unsigned warm_up = 50;
constexpr unsigned samples = 501;

using body = std::function<int()>;

uint64_t median(std::vector<uint64_t> numbers) {
    const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
    std::nth_element(numbers.begin(), middle, numbers.end());
    return *middle;
}

/// The median sheds the samples in which the timer's interrupt fell. `undo` is not counted.
uint64_t instructions(const std::string& name, const body& call, const body& undo) {
    std::vector<uint64_t> counted;
    for (unsigned i = 0; i < warm_up + samples; i++) {
        const uint64_t before = __rdtsc();
        const int value = call();
        const uint64_t after = __rdtsc();
        if (value < 0) {
            throw std::runtime_error(name + ": error " + std::to_string(-value));
        }
        if (undo() < 0) {
            throw std::runtime_error(name + ": cannot be undone");
        }
        if (i >= warm_up) {
            counted.push_back(after - before);
        }
    }
    return median(std::move(counted));
}

int nothing() {
    return 0;
}

/// A loop of two instructions, this many times: the TSC must say so, or it counts something else.
void check_clock() {
    constexpr uint64_t turns = 10000;
    const uint64_t counted = instructions(
        "the clock",
        [] {
            uint64_t left = turns;
            asm volatile("1: dec %0\n jnz 1b" : "+r"(left) : : "cc");
            return 0;
        },
        nothing);
    if (counted < 2 * turns || counted > 2 * turns + 200) {
        throw std::runtime_error("the TSC does not count instructions: " + std::to_string(counted) +
                                 " for " + std::to_string(2 * turns) +
                                 "; run this in tests/vm/run --icount");
    }
}

/// What is measured, with all that it needs.
class bench {
public:
    bench() {
        if (!map_.good() || !filter_.good() || !skb_.good() || mount_.error() != 0) {
            throw std::runtime_error("cannot prepare: root, a bpffs and bpf(2) are needed");
        }
        if (pin(map_.get(), mount_ / "map") < 0 || pin(filter_.get(), mount_ / "program") < 0) {
            throw std::runtime_error("cannot pin");
        }
        empty_ = instructions("nothing", nothing, nothing);
    }

    void maps() {
        const uint64_t key = 1;
        uint64_t value = 2;
        measure("update (hash)", [&] { return map_update(map_.get(), &key, &value); });
        measure("look up (hash)", [&] { return map_lookup(map_.get(), &key, &value); });
        const uint32_t index = 0;
        measure("update (array)", [&] { return map_update(array_.get(), &index, &value); });
        measure("look up (array)", [&] { return map_lookup(array_.get(), &index, &value); });
    }

    void files() {
        int fd = -1;
        const auto drop = [&] { return ::close(fd); };
        for (const char* name : {"map", "program"}) {
            obj_attr attr;
            const std::string path = mount_ / name;
            attr.pathname = reinterpret_cast<uintptr_t>(path.c_str());
            measure(
                std::string("OBJ_GET (") + name + ")",
                [&] { return fd = bpf_call(BPF_OBJ_GET, &attr, sizeof(attr)); }, drop);
        }
        for (const handle* object : {&map_, &filter_}) {
            obj_attr attr;
            const std::string path = mount_ / "new";
            attr.pathname = reinterpret_cast<uintptr_t>(path.c_str());
            attr.bpf_fd = static_cast<uint32_t>(object->get());
            measure(
                std::string("OBJ_PIN (") + (object == &map_ ? "map)" : "program)"),
                [&] { return bpf_call(BPF_OBJ_PIN, &attr, sizeof(attr)); },
                [&] { return ::unlink(path.c_str()); });
        }
    }

    void programs() {
        handle made;
        const program_text text = reads_first_value(array_.get());
        measure(
            "PROG_LOAD (a map)",
            [&] {
                made = load_program(BPF_PROG_TYPE_SOCKET_FILTER, text);
                return made.get();
            },
            [&] {
                made.close();
                return 0;
            });
        measure("PROG_TEST_RUN", [&] { return prog_test_run(filter_.get(), run_input::packet); });
        const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const int program = filter_.get();
        measure("attach (socket)", [&] {
            return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program));
        });
        ::close(socket);
        cgroup();
    }

private:
    void cgroup() {
        const char* directory = "/sys/fs/cgroup/bench";
        if (::mkdir(directory, 0755) != 0) {
            throw std::runtime_error("cannot make a cgroup");
        }
        const handle target = open_file(directory, O_RDONLY | O_DIRECTORY);
        attach_attr attr;
        attr.target = static_cast<uint32_t>(target.get());
        attr.program = static_cast<uint32_t>(skb_.get());
        attr.attach_type = BPF_CGROUP_INET_INGRESS;
        measure(
            "attach (cgroup)", [&] { return prog_attach(attr); },
            [&] { return prog_detach(attr); });
        link_create_attr link;
        link.prog_fd = attr.program;
        link.target_fd = attr.target;
        link.attach_type = attr.attach_type;
        handle made;
        measure(
            "LINK_CREATE (cgroup)",
            [&] {
                made = link_create(link);
                return made.get();
            },
            [&] {
                made.close();
                return 0;
            });
        ::rmdir(directory);
    }

    void measure(const std::string& name, const body& call, const body& undo = nothing) const {
        std::cout << instructions(name, call, undo) - empty_ << ' ' << name << '\n';
    }

    handle map_ = create_map(BPF_MAP_TYPE_HASH, 8, 8, 64);
    handle array_ = create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
    handle filter_ = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(-1));
    handle skb_ = load_program(BPF_PROG_TYPE_CGROUP_SKB, returns(1));
    bpffs_mount mount_{""};
    uint64_t empty_ = 0;
};

} // namespace
} // namespace bpffs_test

int main() {
    try {
        bpffs_test::check_clock();
        bpffs_test::bench bench;
        bench.maps();
        bench.files();
        bench.programs();
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "bench_calls: " << error.what() << '\n';
        return 1;
    }
}
