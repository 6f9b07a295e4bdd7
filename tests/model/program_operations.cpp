// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// What can be done with a program, other than attaching it (attach_operations.cpp): run it, take it
// over as a file of one's own, put it where other programs call it.

#include <cerrno>

#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#include "operation.hpp"
#include "support/inspect.hpp"

namespace bpffs_test {

namespace {

constexpr uint32_t answer = 1;

void lay_program(scene& s, uint32_t type, uint32_t attach_type = 0, uint32_t flags = 0) {
    load_options options;
    options.expected_attach_type = attach_type;
    options.flags = flags;
    options.token = s.token();
    s.pin_victim("program", load_program(type, returns(answer), options));
}

void lay_classifier(scene& s) {
    lay_program(s, BPF_PROG_TYPE_SCHED_CLS);
}

void lay_syscall_program(scene& s) {
    lay_program(s, BPF_PROG_TYPE_SYSCALL, 0, BPF_F_SLEEPABLE);
}

outcome run(int program, run_input input) {
    uint32_t retval = 0;
    const int value = prog_test_run(program, input, &retval);
    return done("test run", value, retval == answer);
}

outcome test_run_packet(scene& s) {
    const handle program = s.victim("program");
    return program.good() ? run(program.get(), run_input::packet) : failed("open", program.error());
}

outcome test_run_context(scene& s) {
    const handle program = s.victim("program");
    return program.good() ? run(program.get(), run_input::context)
                          : failed("open", program.error());
}

outcome pin_again_and_run(scene& s) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    if (const int e = pin(program.get(), s.mine("program")); e != 0) {
        return failed("pin again", -e);
    }
    const handle mine = get(s.mine("program"));
    return mine.good() ? run(mine.get(), run_input::packet) : failed("open my pin", mine.error());
}

outcome open_proc_fd(scene& s) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    const std::string path = "/proc/self/fd/" + std::to_string(program.get());
    const handle again = open_file(path, O_RDWR);
    if (!again.good()) { // who is not root fails at the inode's mode (0600 root) already
        return failed("open /proc/self/fd", again.error() == EACCES ? ENXIO : again.error());
    }
    return run(again.get(), run_input::packet);
}

// Maps that hold programs.

struct program_slot {
    uint32_t first = 0; // interface or queue size
    uint32_t program = 0;
};

void lay_program_array(scene& s) {
    lay_classifier(s);
    s.pin_partner("array", create_map(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1));
}

void lay_device_map(scene& s) {
    lay_program(s, BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP);
    s.pin_partner("array", create_map(BPF_MAP_TYPE_DEVMAP, 4, 8, 1));
}

void lay_cpu_map(scene& s) {
    lay_program(s, BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP);
    s.pin_partner("array", create_map(BPF_MAP_TYPE_CPUMAP, 4, 8, 1));
}

outcome insert_plain(scene& s) {
    const handle program = s.victim("program");
    const handle array = s.partner("array");
    if (!program.good() || !array.good()) {
        return failed("open", program.good() ? array.error() : program.error());
    }
    const uint32_t key = 0;
    const auto value = static_cast<uint32_t>(program.get());
    return done("insert", map_update(array.get(), &key, &value));
}

outcome insert_slot(scene& s, uint32_t first) {
    const handle program = s.victim("program");
    const handle array = s.partner("array");
    if (!program.good() || !array.good()) {
        return failed("open", program.good() ? array.error() : program.error());
    }
    const uint32_t key = 0;
    const program_slot slot = {first, static_cast<uint32_t>(program.get())};
    return done("insert", map_update(array.get(), &key, &slot));
}

outcome insert_device(scene& s) {
    return insert_slot(s, loopback);
}

outcome insert_cpu(scene& s) {
    return insert_slot(s, 64);
}

uint32_t program_id(scene& s) {
    object_ids ids;
    return prog_ids(s.own("program"), ids) == 0 ? ids.id : 0;
}

bool array_has_it(scene& s) {
    const uint32_t key = 0;
    uint32_t id = 0;
    return map_lookup(s.own("array"), &key, &id) == 0 && id == program_id(s);
}

bool slot_has_it(scene& s) {
    const uint32_t key = 0;
    program_slot slot;
    return map_lookup(s.own("array"), &key, &slot) == 0 && slot.program == program_id(s);
}

void lay_program_and_map(scene& s) {
    lay_classifier(s);
    s.pin_partner("map", create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1));
}

outcome bind_map(scene& s) {
    const handle program = s.victim("program");
    const handle map = s.partner("map");
    if (!program.good() || !map.good()) {
        return failed("open", program.good() ? map.error() : program.error());
    }
    return done("bind", prog_bind_map(program.get(), map.get()));
}

bool map_is_bound(scene& s) {
    object_ids ids;
    return prog_ids(s.own("program"), ids) == 0 && ids.second == 1;
}

// Being looked into, named or replaced.

outcome ask_base_info(scene& s) {
    const handle program = s.victim("program");
    object_ids ids;
    return program.good() ? done("info", prog_ids(program.get(), ids))
                          : failed("open", program.error());
}

void lay_typed_program(scene& s) {
    s.pin_victim("program", load_typed(BPF_PROG_TYPE_SCHED_CLS, returns(answer)));
}

/// What is not shown is no error of the call's.
outcome look_inside(scene& s) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    program_view view;
    const int value = view_program(program.get(), view);
    const bool all = !view.text.empty() && !view.functions.empty() && !view.lines.empty();
    return value == 0 && !all ? failed("info shows nothing", EPERM) : done("info", value, all);
}

outcome ask_for_types(scene& s) {
    const handle program = s.victim("program");
    bpf_prog_info info = {};
    object_info(s.own("program"), &info, sizeof(info));
    return program.good() ? done("types", -btf_of_object(info.btf_id, program.get()).error())
                          : failed("open", program.error());
}

/// Loads a program whose target is the victim. The victim has no BTF, so a kernel that grants the
/// right refuses later (EINVAL): this tells whether the right was asked for, and no more.
std::function<outcome(scene&)> load_upon(uint32_t type, uint32_t attach_type) {
    return [=](scene& s) {
        const handle target = s.victim("program");
        if (!target.good()) {
            return failed("open", target.error());
        }
        load_options options;
        options.expected_attach_type = attach_type;
        options.attach_program = target.get();
        options.attach_btf_id = 1;
        return done("load", -load_program(type, returns(0), options).error());
    };
}

void lay_attached_program(scene& s) {
    lay_classifier(s);
    attach_attr attr;
    attr.target = loopback;
    attr.program = static_cast<uint32_t>(s.own("program"));
    attr.attach_type = attach_tcx_ingress;
    if (prog_attach(attr) != 0) {
        s.cannot("attach to tcx");
    }
}

outcome detach_by_name(scene& s) {
    const handle program = s.victim("program");
    if (!program.good()) {
        return failed("open", program.error());
    }
    attach_attr attr;
    attr.target = loopback;
    attr.program = static_cast<uint32_t>(program.get());
    attr.attach_type = attach_tcx_ingress;
    return done("detach", prog_detach(attr));
}

operation on(const char* use, const char* name, std::function<void(scene&)> prepare,
             std::function<outcome(scene&)> attempt, std::function<bool(scene&)> seen = nullptr) {
    operation op;
    op.object = object_kind::program;
    op.use = use;
    op.name = name;
    op.prepare = std::move(prepare);
    op.attempt = std::move(attempt);
    op.seen = std::move(seen);
    return op;
}

operation proc_fd() {
    operation op =
        on("open anew through /proc", "program_open_proc_fd", lay_classifier, open_proc_fd);
    op.refused = ENXIO;
    op.elsewhere = ENXIO;
    return op;
}

operation needs(const char* probe, operation op) {
    op.needs = probe;
    return op;
}

operation target_of(const char* use, const char* name, uint32_t type, uint32_t attach_type) {
    operation op = on(use, name, lay_classifier, load_upon(type, attach_type));
    op.capabilities = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON | 1ULL << CAP_NET_ADMIN;
    op.granted = EINVAL;
    op.elsewhere = EINVAL;
    return op;
}

operation detaching() {
    operation op = on("named to be detached", "program_named_to_be_detached", lay_attached_program,
                      detach_by_name);
    op.capabilities = 1ULL << CAP_NET_ADMIN; // the target's authority
    return op;
}

operation by_no_token(operation op) {
    op.delegable = false;
    return op;
}

operation on_network(operation op) {
    op.target = attach_target::network;
    return op;
}

} // namespace

const std::vector<operation>& program_operations() {
    static const char* const into = "insert into a map of programs";
    static const std::vector<operation> list = {
        on("base info", "program_base_info", lay_classifier, ask_base_info),
        needs("dump_by_right", on("instructions, line and function info", "program_look_inside",
                                  lay_typed_program, look_inside)),
        needs("btf_by_handle", on("its BTF", "program_types", lay_typed_program, ask_for_types)),
        detaching(),
        target_of("target of fentry and fexit", "program_target_of_fentry", BPF_PROG_TYPE_TRACING,
                  BPF_TRACE_FENTRY),
        target_of("target of freplace", "program_target_of_freplace", BPF_PROG_TYPE_EXT, 0),
        on_network(on("pin again", "program_pin_again", lay_classifier, pin_again_and_run)),
        on_network(on("test run", "program_test_run", lay_classifier, test_run_packet)),
        by_no_token(
            on("test run", "program_test_run_syscall", lay_syscall_program, test_run_context)),
        on(into, "program_into_prog_array", lay_program_array, insert_plain, array_has_it),
        on_network(on(into, "program_into_devmap", lay_device_map, insert_device, slot_has_it)),
        on(into, "program_into_cpumap", lay_cpu_map, insert_cpu, slot_has_it),
        on("bind a map", "program_bind_map", lay_program_and_map, bind_map, map_is_bound),
        proc_fd(),
    };
    return list;
}

} // namespace bpffs_test
