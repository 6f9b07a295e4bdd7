// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Handles on programs: information, code, test runs.
#include "program.hpp"

#include "types.hpp"

#include <bpffs/map.hpp>

#include <bpf/btf.h>
#include <fmt/format.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace bpffs {

namespace {

std::uint64_t address(void* pointer) noexcept {
    return reinterpret_cast<std::uint64_t>(pointer);
}

program_info info_of(const bpf_prog_info& raw) {
    program_info info;
    info.id = raw.id;
    info.kind = static_cast<program_kind>(raw.type);
    info.name = std::string_view{raw.name, ::strnlen(raw.name, sizeof raw.name)};
    std::copy(std::begin(raw.tag), std::end(raw.tag), info.tag.begin());
    info.created_by = raw.created_by_uid;
    info.load_time = raw.load_time;
    info.gpl_compatible = raw.gpl_compatible != 0;
    info.map_count = raw.nr_map_ids;
    info.btf_id = raw.btf_id;
    info.ifindex = raw.ifindex;
    info.translated_bytes = raw.xlated_prog_len;
    info.native_bytes = raw.jited_prog_len;
    info.run_time = raw.run_time_ns;
    info.run_count = raw.run_cnt;
    info.recursion_misses = raw.recursion_misses;
    info.verified_instructions = raw.verified_insns;
    info.target_object_id = raw.attach_btf_obj_id;
    info.target_type_id = raw.attach_btf_id;
    return info;
}

bpf_prog_info raw_info(const program& of, failure& why) {
    bpf_prog_info raw{};
    if (!of) {
        why.set(errc::empty_handle);
    } else {
        why.take(sys::obj_info(of.fd().get(), &raw, sizeof raw));
    }
    return raw;
}

program_info current_info_body(const program& of, failure& why) {
    return info_of(raw_info(of, why));
}

std::vector<std::uint32_t> map_ids_body(const program& of, failure& why) {
    const bpf_prog_info counts = raw_info(of, why);
    std::vector<std::uint32_t> ids(counts.nr_map_ids);
    bpf_prog_info raw{};
    raw.nr_map_ids = counts.nr_map_ids;
    raw.map_ids = address(ids.data());
    if (!why && !ids.empty()) {
        why.take(sys::obj_info(of.fd().get(), &raw, sizeof raw));
    }
    return why ? std::vector<std::uint32_t>{} : ids;
}

struct free_types {
    void operator()(btf* types) const noexcept { ::btf__free(types); }
};
using parsed_types = std::unique_ptr<btf, free_types>;

/// Nothing where there are none, or the caller may not read them.
parsed_types types_for(const program& of, std::uint32_t btf_id) {
    failure refused;
    const auto raw = btf_bytes(of.fd().get(), btf_id, refused);
    return parsed_types{
        raw.empty() ? nullptr : ::btf__new(raw.data(), static_cast<std::uint32_t>(raw.size()))};
}

std::string text_at(const parsed_types& types, std::uint32_t offset) {
    const char* text = types ? ::btf__str_by_offset(types.get(), offset) : nullptr;
    return text != nullptr ? text : "";
}

void read_lines(const std::vector<bpf_line_info>& raw, const parsed_types& types,
                program_code& into) {
    for (const bpf_line_info& one : raw) {
        into.lines.push_back({one.insn_off, text_at(types, one.file_name_off),
                              text_at(types, one.line_off), one.line_col >> 10,
                              one.line_col & 0x3ff});
    }
}

void read_functions(const std::vector<bpf_func_info>& raw, const parsed_types& types,
                    program_code& into) {
    for (const bpf_func_info& one : raw) {
        const btf_type* type = types ? ::btf__type_by_id(types.get(), one.type_id) : nullptr;
        into.functions.push_back(
            {one.insn_off, type != nullptr ? text_at(types, type->name_off) : std::string{}});
    }
}

program_code code_body(const program& of, failure& why) {
    const bpf_prog_info sizes = raw_info(of, why);
    if (!why && sizes.xlated_prog_len == 0) {
        why.set(EPERM, "its instructions may be read with the right to read it, or CAP_BPF");
    }
    if (why) {
        return {};
    }
    program_code code;
    code.translated.resize(sizes.xlated_prog_len);
    code.native.resize(sizes.jited_prog_len);
    std::vector<bpf_line_info> lines(sizes.nr_line_info);
    std::vector<bpf_func_info> functions(sizes.nr_func_info);
    bpf_prog_info raw{};
    raw.xlated_prog_insns = address(code.translated.data());
    raw.xlated_prog_len = sizes.xlated_prog_len;
    raw.jited_prog_insns = address(code.native.data());
    raw.jited_prog_len = sizes.jited_prog_len;
    raw.line_info = address(lines.data());
    raw.nr_line_info = sizes.nr_line_info;
    raw.line_info_rec_size = sizeof(bpf_line_info);
    raw.func_info = address(functions.data());
    raw.nr_func_info = sizes.nr_func_info;
    raw.func_info_rec_size = sizeof(bpf_func_info);
    why.take(sys::obj_info(of.fd().get(), &raw, sizeof raw));
    // The kernel clears the pointer where net.core.bpf_jit_harden forbids to show them.
    if (!why && raw.xlated_prog_insns == 0) {
        why.set(EPERM, "net.core.bpf_jit_harden hides its instructions");
    }
    if (why) {
        return {};
    }
    if (raw.jited_prog_insns == 0 || raw.jited_prog_len == 0) {
        code.native.clear();
    }
    const parsed_types types = types_for(of, sizes.btf_id);
    read_lines(lines, types, code);
    read_functions(functions, types, code);
    return code;
}

/// Kinds whose context is changed in place, and that take no data, count or time.
bool runs_on_context_alone(program_kind kind) noexcept {
    return kind == program_kind::syscall || kind == program_kind::raw_tracepoint ||
           kind == program_kind::tracing;
}

/// No kind has a context of more bytes.
constexpr std::size_t largest_context = 4096;

test_run_result test_run_body(const program& of, const test_run_input& input, failure& why) {
    if (!of) {
        why.set(errc::empty_handle);
        return {};
    }
    test_run_result result;
    std::vector<std::byte> context(input.context.begin(), input.context.end());
    sys::test_run_attr attr{};
    attr.prog_fd = static_cast<std::uint32_t>(of.fd().get());
    attr.data_in = input.data.empty() ? 0 : reinterpret_cast<std::uint64_t>(input.data.data());
    attr.data_size_in = static_cast<std::uint32_t>(input.data.size());
    attr.ctx_in = context.empty() ? 0 : address(context.data());
    attr.ctx_size_in = static_cast<std::uint32_t>(context.size());
    attr.repeat = input.repeat;
    if (!input.data.empty()) {
        result.data.resize(std::max(input.room, input.data.size() + 256));
        attr.data_out = address(result.data.data());
        attr.data_size_out = static_cast<std::uint32_t>(result.data.size());
    }
    if (!context.empty() && !runs_on_context_alone(of.info().kind)) {
        // All of it comes back, also where only its beginning was given.
        result.context.resize(std::max(context.size(), largest_context));
        attr.ctx_out = address(result.context.data());
        attr.ctx_size_out = static_cast<std::uint32_t>(result.context.size());
    }
    why.set(sys::prog_test_run(attr));
    if (why.is(EOPNOTSUPP)) {
        why.set(errc::unsupported,
                fmt::format("programs of kind {} have no test run", to_string(of.info().kind)));
    }
    if (why) {
        return {};
    }
    result.value = attr.retval;
    result.nanoseconds = attr.duration;
    result.data.resize(std::min<std::size_t>(result.data.size(), attr.data_size_out));
    if (attr.ctx_out == 0) {
        result.context = std::move(context);
    } else {
        result.context.resize(std::min<std::size_t>(result.context.size(), attr.ctx_size_out));
    }
    return result;
}

void bind_body(const program& of, const map& held, failure& why) {
    if (!of || !held) {
        why.set(errc::empty_handle);
        return;
    }
    why.set(sys::prog_bind_map(of.fd().get(), held.fd().get()));
}

} // namespace

void handle_traits<program>::describe(program& made, failure& why) {
    made.info_ = current_info_body(made, why);
}

program program::open(const location& where, access rights) {
    return handle_body<program>::open(where, rights);
}

program program::open(const location& where, access rights, error_code& code) noexcept {
    return handle_body<program>::open(where, rights, code);
}

program program::from(object&& opened) {
    return handle_body<program>::from(std::move(opened));
}

program program::from(object&& opened, error_code& code) noexcept {
    return handle_body<program>::from(std::move(opened), code);
}

void program::pin(const location& where, std::optional<mode> bits) const {
    handle_body<program>::pin(*this, where, bits);
}

void program::pin(const location& where, std::optional<mode> bits,
                  error_code& code) const noexcept {
    handle_body<program>::pin(*this, where, bits, code);
}

program_info program::current_info() const {
    return loudly("look at program", file_, {},
                  [&](failure& why) { return current_info_body(*this, why); });
}

program_info program::current_info(error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return current_info_body(*this, why); });
}

std::vector<std::uint32_t> program::map_ids() const {
    return loudly("look at program", file_, {},
                  [&](failure& why) { return map_ids_body(*this, why); });
}

std::vector<std::uint32_t> program::map_ids(error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return map_ids_body(*this, why); });
}

program_code program::code() const {
    return loudly("dump program", file_, wanted::to_open(access::read),
                  [&](failure& why) { return code_body(*this, why); });
}

program_code program::code(error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return code_body(*this, why); });
}

test_run_result program::test_run(const test_run_input& input) const {
    return loudly("run program", file_, wanted::to_open(access::read_write),
                  [&](failure& why) { return test_run_body(*this, input, why); });
}

test_run_result program::test_run(const test_run_input& input, error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return test_run_body(*this, input, why); });
}

void program::bind(const map& held) const {
    loudly("bind map to program", file_, wanted::to_open(access::read_write),
           [&](failure& why) { bind_body(*this, held, why); });
}

void program::bind(const map& held, error_code& code) const noexcept {
    quietly(code, [&](failure& why) { bind_body(*this, held, why); });
}

} // namespace bpffs
