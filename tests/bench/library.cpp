// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What the library costs beside a plain loop on raw bpf(2), and iteration beside libbpf's next-key
// loop. As root, on any kernel; tests/bench/library makes the table of libbpffs/README.md of it.
#include "support/allocations.hpp"
#include "support/sandbox.hpp"

#include <bpffs/bpffs.hpp>

#include <benchmark/benchmark.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using bpffs::access;
using key_type = std::uint64_t;
using value_type = std::uint64_t;
using owner = bpffs::map_owner<key_type, value_type>;
using reader = bpffs::map_reader<key_type, value_type>;

constexpr std::uint64_t many = 1'000'000;

/// A map of a million entries on a bpffs of the benchmark's own.
class scene {
public:
    scene() : mount_{"mode=0755"} {
        owner map = owner::create(mount_ / "m", {.max_entries = many});
        std::vector<key_type> keys(many);
        for (std::uint64_t i = 0; i < many; ++i) {
            keys[i] = i;
        }
        map.update_many(keys, keys);
    }
    [[nodiscard]] std::string file() const { return mount_ / "m"; }

private:
    bpffs_test::bpffs_mount mount_;
};

std::unique_ptr<scene> here;

int raw_bpf(int command, bpf_attr& attr) {
    return static_cast<int>(::syscall(SYS_bpf, command, &attr, sizeof attr));
}

int raw_open(const char* name, std::uint32_t flags) {
    bpf_attr attr;
    std::memset(&attr, 0, sizeof attr);
    attr.pathname = reinterpret_cast<std::uint64_t>(name);
    attr.file_flags = flags;
    return raw_bpf(BPF_OBJ_GET, attr);
}

/// Opens for the benchmark; the process ends with its descriptors.
int raw_map() {
    const int map = raw_open(here->file().c_str(), 0);
    if (map < 0) {
        throw std::runtime_error("the map cannot be opened");
    }
    return map;
}

/// Counts what the loop allocates, an operation.
class counted {
public:
    explicit counted(benchmark::State& state) : state_{state}, before_{bpffs_test::allocations()} {}
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    counted(counted&&) = delete;
    counted& operator=(counted&&) = delete;
    ~counted() {
        state_.counters["allocations"] =
            benchmark::Counter(static_cast<double>(bpffs_test::allocations() - before_),
                               benchmark::Counter::kAvgIterations);
    }

private:
    benchmark::State& state_;
    std::size_t before_;
};

/// Runs `operate(key)` with keys from all over the map.
template <class Operate> void each_key(benchmark::State& state, Operate operate) {
    key_type key = 0;
    const counted now{state};
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(operate(key));
        key = (key + 7919) % many;
    }
}

/// A command on one element, as the C programs of the kernel's tree make it.
int raw_element(int command, int map, const key_type& key, const value_type& value) {
    bpf_attr attr;
    std::memset(&attr, 0, sizeof attr);
    attr.map_fd = static_cast<std::uint32_t>(map);
    attr.key = reinterpret_cast<std::uint64_t>(&key);
    attr.value = reinterpret_cast<std::uint64_t>(&value);
    return raw_bpf(command, attr);
}

void lookup_raw(benchmark::State& state) {
    const int map = raw_map();
    each_key(state, [&](const key_type& key) {
        value_type value = 0;
        raw_element(BPF_MAP_LOOKUP_ELEM, map, key, value);
        return value;
    });
}

void lookup_library(benchmark::State& state) {
    const owner map = owner::open(here->file());
    each_key(state, [&](const key_type& key) { return map.lookup(key); });
}

void update_raw(benchmark::State& state) {
    const int map = raw_map();
    each_key(state,
             [&](const key_type& key) { return raw_element(BPF_MAP_UPDATE_ELEM, map, key, key); });
}

void update_library(benchmark::State& state) {
    owner map = owner::open(here->file());
    each_key(state, [&](const key_type& key) {
        map.update(key, key);
        return 0;
    });
}

/// True if the descriptor is of a map, told in the cheapest way there is: by the end of its name,
/// which only a map's information has a zero in.
bool raw_is_map(int fd, bpf_map_info& info) {
    info = {};
    info.name[sizeof info.name - 1] = 1;
    bpf_attr attr;
    std::memset(&attr, 0, sizeof attr);
    attr.info.bpf_fd = static_cast<std::uint32_t>(fd);
    attr.info.info_len = sizeof info;
    attr.info.info = reinterpret_cast<std::uint64_t>(&info);
    return raw_bpf(BPF_OBJ_GET_INFO_BY_FD, attr) == 0 && info.name[sizeof info.name - 1] == 0;
}

/// Opens, asks what it is, as a caller must who goes on to keys and values, closes.
void open_raw(benchmark::State& state) {
    const std::string name = here->file();
    const counted now{state};
    for ([[maybe_unused]] auto _ : state) {
        const int map = raw_open(name.c_str(), BPF_F_RDONLY);
        bpf_map_info info;
        if (map < 0 || !raw_is_map(map, info)) {
            state.SkipWithError("the map cannot be opened");
        }
        benchmark::DoNotOptimize(info);
        ::close(map);
    }
}

void open_library(benchmark::State& state) {
    const std::string name = here->file();
    const counted now{state};
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(bpffs::map::open(name, access::read));
    }
}

/// Runs `add_up()`, which goes through the whole map: it must come to what is in there.
template <class AddUp> void each_pass(benchmark::State& state, AddUp add_up) {
    const counted now{state};
    for ([[maybe_unused]] auto _ : state) {
        if (add_up() != many * (many - 1)) {
            state.SkipWithError("not every entry was seen");
        }
    }
}

void iterate_raw(benchmark::State& state) {
    const int map = raw_map();
    constexpr std::uint32_t room = 4096;
    std::vector<key_type> keys(room);
    std::vector<value_type> values(room);
    each_pass(state, [&] {
        std::uint64_t place[2] = {};
        std::uint64_t sum = 0;
        bool first = true;
        for (bool more = true; more;) {
            bpf_attr attr;
            std::memset(&attr, 0, sizeof attr);
            attr.batch.map_fd = static_cast<std::uint32_t>(map);
            attr.batch.in_batch = first ? 0 : reinterpret_cast<std::uint64_t>(place);
            attr.batch.out_batch = reinterpret_cast<std::uint64_t>(place);
            attr.batch.keys = reinterpret_cast<std::uint64_t>(keys.data());
            attr.batch.values = reinterpret_cast<std::uint64_t>(values.data());
            attr.batch.count = room;
            more = raw_bpf(BPF_MAP_LOOKUP_BATCH, attr) == 0;
            first = false;
            for (std::uint32_t i = 0; i < attr.batch.count; ++i) {
                sum += keys[i] + values[i];
            }
        }
        return sum;
    });
}

void iterate_for_each(benchmark::State& state) {
    const reader map = reader::open(here->file());
    each_pass(state, [&] {
        std::uint64_t sum = 0;
        map.for_each([&](key_type key, value_type value) { sum += key + value; });
        return sum;
    });
}

void iterate_range_for(benchmark::State& state) {
    const reader map = reader::open(here->file());
    each_pass(state, [&] {
        std::uint64_t sum = 0;
        for (const auto& [key, value] : map) {
            sum += key + value;
        }
        return sum;
    });
}

void iterate_libbpf_next_key(benchmark::State& state) {
    const int map = raw_map();
    each_pass(state, [&] {
        std::uint64_t sum = 0;
        key_type key = 0;
        key_type next = 0;
        value_type value = 0;
        for (void* from = nullptr; ::bpf_map_get_next_key(map, from, &next) == 0; from = &key) {
            key = next;
            if (::bpf_map_lookup_elem(map, &key, &value) == 0) {
                sum += key + value;
            }
        }
        return sum;
    });
}

BENCHMARK(lookup_raw);
BENCHMARK(lookup_library);
BENCHMARK(update_raw);
BENCHMARK(update_library);
BENCHMARK(open_raw);
BENCHMARK(open_library);
BENCHMARK(iterate_raw)->Unit(benchmark::kMillisecond);
BENCHMARK(iterate_for_each)->Unit(benchmark::kMillisecond);
BENCHMARK(iterate_range_for)->Unit(benchmark::kMillisecond);
BENCHMARK(iterate_libbpf_next_key)->Unit(benchmark::kMillisecond);

} // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (!bpffs_test::private_namespaces()) {
        std::fprintf(stderr, "needs root\n");
        return 1;
    }
    here = std::make_unique<scene>();
    benchmark::RunSpecifiedBenchmarks();
    here.reset();
    return 0;
}
