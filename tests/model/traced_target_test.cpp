// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Delegated programs that trace ask for CAP_PERFMON, which their token may carry, wherever they are
// attached: also by ways that are named after something else, and by perf events of others.

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include <bpf/btf.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

constexpr uint64_t perfmon = 1ULL << CAP_PERFMON;

/// Root's token of a mount that delegates all programs, and these capabilities.
handle token_carrying(const char* capabilities) {
    const bpffs_mount mount(std::string("fmode,mode=0700,delegate_cmds=0x20,"
                                        "delegate_progs=0xffffffffffffffff,"
                                        "delegate_attachs=0xffffffffffffffff,delegate_caps=") +
                            capabilities);
    return token_create(open_file(mount.directory(), O_PATH | O_DIRECTORY).get());
}

/// Somebody who attaches what root loaded, and the capabilities of the token.
struct attacher {
    const char* name;
    const char* token;
    uint64_t capabilities;
    bool may_trace;
};

constexpr attacher attachers[] = {
    {"nobody special", "bpf:net_admin", 0, false},
    {"who may trace", "bpf:net_admin", perfmon, true},
    {"a token that may trace", "bpf:perfmon", 0, true},
};

class traced_target_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need :
             {"root", "namespaces", "bpf", "bpffs", "fmode", "token", "program_tokens"}) {
            BPFFS_NEEDS(need);
        }
    }

    /// The errno of each attacher's `attempt`, with a program that root loads by the token.
    template <typename Load, typename Attempt>
    static void expect_tracing_asks(const Load& load, const Attempt& attempt) {
        for (const attacher& who : attachers) {
            SCOPED_TRACE(who.name);
            const handle token = token_carrying(who.token);
            const handle program = load(token.get());
            ASSERT_TRUE(program.good()) << "load: " << program.error();
            const outcome o =
                as({alice, alice, {}, who.capabilities}, [&] { return attempt(program.get()); });
            EXPECT_EQ(o.error, who.may_trace ? 0 : EPERM) << o.step;
        }
    }
};

// freplace: a part of a program is replaced, and whatever that is attached to runs it.

struct replaceable {
    handle types;
    uint32_t entry = 0; ///< int entry(struct __sk_buff *)
};

replaceable types_of_replaceable() {
    const std::unique_ptr<btf, decltype(&btf__free)> types(btf__new_empty(), &btf__free);
    const int number = btf__add_int(types.get(), "int", 4, BTF_INT_SIGNED);
    const int context = btf__add_struct(types.get(), "__sk_buff", 4);
    btf__add_field(types.get(), "len", number, 0, 0);
    const int pointer = btf__add_ptr(types.get(), context);
    const int prototype = btf__add_func_proto(types.get(), number);
    btf__add_func_param(types.get(), "context", pointer);
    replaceable made;
    made.entry =
        static_cast<uint32_t>(btf__add_func(types.get(), "entry", BTF_FUNC_GLOBAL, prototype));
    uint32_t size = 0;
    const auto* data = static_cast<const uint8_t*>(btf__raw_data(types.get(), &size));
    made.types = btf_load({data, data + size});
    return made;
}

/// A program of that function: to be replaced, or to replace it in `target`.
handle load_entry(const replaceable& how, uint32_t type, int target = -1, int token = -1) {
    load_options options;
    options.types = how.types.get();
    options.functions.push_back({0, how.entry});
    options.token = token;
    options.attach_program = target;
    options.attach_btf_id = target >= 0 ? how.entry : 0;
    return load_program(type, returns(0), options);
}

TEST_F(traced_target_test, a_replacement_by_whatever_name) {
    const replaceable how = types_of_replaceable();
    const handle target = load_entry(how, BPF_PROG_TYPE_SCHED_CLS);
    ASSERT_TRUE(target.good()) << target.error();
    const auto load = [&](int token) {
        return load_entry(how, BPF_PROG_TYPE_EXT, target.get(), token);
    };
    for (const uint32_t attach_type : {0U, static_cast<uint32_t>(BPF_PERF_EVENT)}) {
        SCOPED_TRACE(attach_type);
        expect_tracing_asks(load, [&](int program) {
            link_create_attr attr;
            attr.prog_fd = static_cast<uint32_t>(program);
            attr.attach_type = attach_type;
            return failed("link", link_create(attr).error());
        });
    }
}

// Perf events of a tracepoint and of a kprobe, which root opens: who has the descriptor does not
// thereby have what it traces.

/// The number in this file; 0 when there is none.
unsigned number_in(const std::string& file) {
    std::ifstream in(file);
    unsigned number = 0;
    in >> number;
    return number;
}

handle open_event(perf_event_attr attr) {
    attr.size = sizeof(attr);
    attr.sample_period = 1;
    const long fd = ::syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
    return handle(fd < 0 ? -errno : static_cast<int>(fd));
}

handle kprobe_event() {
    static const char* const function = "bpf_fentry_test1"; // called by test runs only
    perf_event_attr attr = {};
    attr.type = number_in("/sys/bus/event_source/devices/kprobe/type");
    attr.config1 = reinterpret_cast<uintptr_t>(function);
    return attr.type == 0 ? handle(-ENOENT) : open_event(attr);
}

handle tracepoint_event() {
    char directory[] = "/tmp/bpffs-tracefs.XXXXXX";
    if (::mkdtemp(directory) == nullptr || ::mount("tracefs", directory, "tracefs", 0, "") != 0) {
        return handle(-errno);
    }
    perf_event_attr attr = {};
    attr.type = PERF_TYPE_TRACEPOINT;
    attr.config = number_in(std::string(directory) + "/events/sched/sched_process_exec/id");
    ::umount2(directory, MNT_DETACH);
    ::rmdir(directory);
    return attr.config == 0 ? handle(-ENOENT) : open_event(attr);
}

struct probed {
    const char* name;
    uint32_t type;
    handle (*event)();
};

void PrintTo(const probed& one, std::ostream* out) {
    *out << one.name;
}

class perf_event_test : public traced_target_test, public testing::WithParamInterface<probed> {
protected:
    void SetUp() override {
        ASSERT_NO_FATAL_FAILURE(traced_target_test::SetUp());
        if (IsSkipped()) {
            return;
        }
        const handle event = GetParam().event();
        BPFFS_NEEDS(std::string("event_of_a_") + GetParam().name,
                    event.good() ? "" : "errno " + std::to_string(event.error()));
    }

    static handle load(int token) {
        load_options options;
        options.token = token;
        return load_program(GetParam().type, returns(0), options);
    }
};

TEST_P(perf_event_test, by_its_descriptor) {
    // Each has an event of its own: it would have one program only.
    handle event;
    const auto load_and_open = [&](int token) {
        event = GetParam().event();
        return load(token);
    };
    expect_tracing_asks(load_and_open, [&](int program) {
        const int value = ::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program); // NOLINT
        return done("PERF_EVENT_IOC_SET_BPF", value != 0 ? -errno : 0);
    });
}

TEST_P(perf_event_test, by_a_link) {
    handle event;
    const auto load_and_open = [&](int token) {
        event = GetParam().event();
        return load(token);
    };
    expect_tracing_asks(load_and_open, [&](int program) {
        link_create_attr attr;
        attr.prog_fd = static_cast<uint32_t>(program);
        attr.target_fd = static_cast<uint32_t>(event.get());
        attr.attach_type = BPF_PERF_EVENT;
        return failed("link", link_create(attr).error());
    });
}

TEST_P(perf_event_test, takes_programs_of_others_as_ever) {
    const handle event = GetParam().event();
    const handle program = load(-1);
    ASSERT_TRUE(program.good()) << program.error();
    const outcome o = as_user(alice, [&] {
        const int value = ::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program.get()); // NOLINT
        return done("PERF_EVENT_IOC_SET_BPF", value != 0 ? -errno : 0);
    });
    EXPECT_EQ(o.error, 0);
}

constexpr probed all_probed[] = {
    {"tracepoint", BPF_PROG_TYPE_TRACEPOINT, tracepoint_event},
    {"kprobe", BPF_PROG_TYPE_KPROBE, kprobe_event},
};

INSTANTIATE_TEST_SUITE_P(events, perf_event_test, testing::ValuesIn(all_probed),
                         [](const auto& test) { return std::string(test.param.name); });

} // namespace

} // namespace bpffs_test
