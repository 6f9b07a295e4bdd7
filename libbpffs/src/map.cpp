// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Map handles and single elements. Streams of elements are in batch.cpp, creation in
// create_map.cpp.
#include "map.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <linux/bpf.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <iterator>

namespace bpffs {
namespace {

/// "0-3,5" has 5 numbers.
std::size_t count_ranges(std::string_view list) noexcept {
    std::size_t count = 0;
    while (!list.empty()) {
        std::string_view last = cut(list, ',');
        const auto first = number(cut(last, '-'));
        const auto end = last.empty() ? first : number(last);
        if (!first || !end || *end < *first) {
            return 0;
        }
        count += *end - *first + 1;
    }
    return count;
}

std::size_t count_possible_cpus() noexcept {
    error_code code;
    return quietly(code, [](failure& why) {
        const std::string list = read_file("/sys/devices/system/cpu/possible", why);
        return count_ranges(std::string_view{list}.substr(0, list.find('\n')));
    });
}

void fill(map_info& info, const bpf_map_info& raw) {
    info.id = raw.id;
    info.kind = static_cast<map_kind>(raw.type);
    info.key_size = raw.key_size;
    info.value_size = raw.value_size;
    info.max_entries = raw.max_entries;
    info.flags = raw.map_flags;
    info.extra = raw.map_extra;
    info.name = std::string{raw.name, ::strnlen(raw.name, sizeof raw.name)};
    info.btf_id = raw.btf_id;
    info.btf_key_type = raw.btf_key_type_id;
    info.btf_value_type = raw.btf_value_type_id;
    info.ifindex = raw.ifindex;
}

std::size_t value_bytes_of(const map_info& info, failure& why) {
    if (!traits_of(info.kind).per_cpu) {
        return info.value_size;
    }
    const std::size_t cpus = possible_cpus();
    if (cpus == 0) {
        why.set(errc::unsupported, "the number of CPUs is not in /sys/devices/system/cpu/possible");
    }
    return (static_cast<std::size_t>(info.value_size) + 7) / 8 * 8 * cpus;
}

map_usage usage_body(const map& opened, failure& why) {
    const std::string text = read_fdinfo(opened.fd().get(), why);
    const auto value = [&](std::string_view key) { return number(field(text, key).value_or("")); };
    map_usage usage;
    usage.memlock = value("memlock").value_or(0);
    usage.frozen = value("frozen").value_or(0) != 0;
    if (const auto owner = value("owner_prog_type")) {
        usage.owner_kind = static_cast<program_kind>(*owner);
        usage.owner_jited = value("owner_jited").value_or(0) != 0;
    }
    return usage;
}

// Elements. What is common costs no more than the call: nothing is built before something fails.

/// The kernel takes no pointer to a key of no bytes.
template <class Span> auto pointer(Span span) noexcept {
    return span.empty() ? nullptr : span.data();
}

/// The bytes that an operation on an element was given.
struct given_bytes {
    std::size_t key;
    std::size_t value;
};

/// One call of bpf(2) on an element. `ask(fd)` makes it.
template <class Ask> struct element_call {
    const char* operation;
    access needed;
    sys::status nothing; ///< the errno that means "nothing there"; 0: there is none
    given_bytes given;
    Ask ask;
};
template <class Ask>
element_call(const char*, access, sys::status, given_bytes, Ask) -> element_call<Ask>;

bool fits(const map& used, given_bytes given) noexcept {
    return used && given.key == used.key_size() && given.value == used.value_bytes();
}

void check_size(const char* what, std::size_t expected, std::size_t got, failure& why) {
    if (!why && expected != got) {
        why.set(errc::wrong_size,
                fmt::format("the map takes {}s of {} bytes, got {}", what, expected, got));
    }
}

/// Why a call was not made, or with which errno it failed.
void note(const map& used, given_bytes given, sys::status status, failure& why) {
    if (!used) {
        why.set(errc::empty_handle);
    } else if (!fits(used, given)) {
        check_size("key", used.key_size(), given.key, why);
        check_size("value", used.value_bytes(), given.value, why);
    } else {
        why.set(status);
    }
}

[[noreturn, gnu::cold]] void refuse(const char* operation, const map& used, access needed,
                                    given_bytes given, sys::status status) {
    failure why;
    note(used, given, status, why);
    raise(std::move(why), operation, used.file(), wanted::to_open(needed));
}

[[gnu::cold]] void refuse(const map& used, given_bytes given, sys::status status,
                          error_code& code) noexcept {
    quietly(code, [&](failure& why) { note(used, given, status, why); });
}

/// The throwing form: true where it was done, false where there was nothing.
template <class Ask> bool perform(const map& used, const element_call<Ask>& call) {
    sys::status status = 0;
    if (fits(used, call.given)) {
        status = call.ask(used.fd().get());
        if (status == 0) {
            return true;
        }
        if (status == call.nothing) {
            return false;
        }
    }
    refuse(call.operation, used, call.needed, call.given, status);
}

template <class Ask>
bool perform(const map& used, const element_call<Ask>& call, error_code& code) noexcept {
    sys::status status = 0;
    if (fits(used, call.given)) {
        status = call.ask(used.fd().get());
        if (status == 0 || status == call.nothing) {
            code = {};
            return status == 0;
        }
    }
    refuse(used, call.given, status, code);
    return false;
}

auto lookup_call(const char* operation, const_bytes key, bytes value) noexcept {
    return element_call{
        operation, access::read, ENOENT, {key.size(), value.size()}, [=](int fd) noexcept {
            return sys::map_lookup(fd, pointer(key), value.data());
        }};
}

auto update_call(const char* operation, const_bytes key, const_bytes value,
                 update_flag flag) noexcept {
    return element_call{
        operation, access::write, 0, {key.size(), value.size()}, [=](int fd) noexcept {
            return sys::map_update(fd, pointer(key), value.data(),
                                   static_cast<std::uint64_t>(flag));
        }};
}

auto erase_call(const map& from, const_bytes key) noexcept {
    return element_call{"delete from map",
                        access::write,
                        ENOENT,
                        {key.size(), from.value_bytes()},
                        [=](int fd) noexcept { return sys::map_delete(fd, pointer(key)); }};
}

auto take_call(const char* operation, const_bytes key, bytes value) noexcept {
    return element_call{
        operation, access::read_write, ENOENT, {key.size(), value.size()}, [=](int fd) noexcept {
            return sys::map_lookup_and_delete(fd, pointer(key), value.data());
        }};
}

auto freeze_call(const map& whole) noexcept {
    return element_call{"freeze map",
                        access::write,
                        0,
                        {whole.key_size(), whole.value_bytes()},
                        [](int fd) noexcept { return sys::map_freeze(fd); }};
}

/// For update with an object in place of a value.
void check_holds(const map& to, failure& why) {
    if (to && !traits_of(to.kind()).holds_objects) {
        why.set(errc::wrong_kind,
                fmt::format("a map of kind {} holds no objects", to_string(to.kind())));
    }
}

bool next_key_body(const map& in, const_bytes key, bytes next, failure& why) {
    const std::size_t from = key.empty() ? in.key_size() : key.size();
    if (!fits(in, {from, in.value_bytes()})) {
        note(in, {from, in.value_bytes()}, 0, why);
    }
    check_size("key", in.key_size(), next.size(), why);
    if (!why && in.key_size() == 0) {
        why.set(errc::unsupported, fmt::format("a {} has no keys", to_string(in.kind())));
    }
    if (why) {
        return false;
    }
    const sys::status status = sys::map_next_key(in.fd().get(), pointer(key), next.data());
    if (status != 0 && status != ENOENT) {
        why.set(status);
    }
    return status == 0;
}

/// What the end of the name in a map's information is before the kernel is asked. There a map's
/// has its zero byte; in a program's stands an address, which the kernel leaves alone where it is
/// not asked for what it would point to; a link's ends before it can be mistaken (smallest_info).
constexpr char unwritten = '\xff';

/// Of a map's information, since Linux 4.18; a link's is smaller.
constexpr std::uint32_t smallest_info = offsetof(bpf_map_info, map_extra);

/// Asks a descriptor, whatever it is of. False: it is no map, or a kernel older than that.
bool ask_map(int fd, bpf_map_info& raw) noexcept {
    raw = {};
    char& end_of_name = *std::rbegin(raw.name);
    end_of_name = unwritten;
    const auto filled = sys::obj_info(fd, &raw, sizeof raw);
    return filled && filled.value >= smallest_info && end_of_name == 0;
}

/// Asks nothing but what it has to: that it is a map is seen by its information.
map open_body(location& where, access rights, failure& why) {
    owned_fd fd = open_fd(where, rights, why);
    if (why) {
        return {};
    }
    bpf_map_info raw;
    if (!ask_map(fd.get(), raw)) {
        return handle_body<map>::from(adopt_object(std::move(fd), rights, where.display(), why),
                                      why);
    }
    return handle_body<map>::make(std::move(fd), rights, std::move(where), why, raw);
}

} // namespace

void handle_traits<map>::describe(map& made, failure& why) {
    bpf_map_info raw{};
    why.take(sys::obj_info(made.fd_.get(), &raw, sizeof raw));
    describe(made, why, raw);
}

void handle_traits<map>::describe(map& made, failure& why, const bpf_map_info& raw) {
    fill(made.info_, raw);
    if (!why) {
        made.value_bytes_ = value_bytes_of(made.info_, why);
    }
}

std::size_t possible_cpus() noexcept {
    static std::atomic<std::size_t> known{0};
    if (known.load(std::memory_order_relaxed) == 0) {
        known.store(count_possible_cpus(), std::memory_order_relaxed);
    }
    return known.load(std::memory_order_relaxed);
}

map map::open(location where, access rights) {
    failure why;
    map opened = open_body(where, rights, why);
    if (why) {
        raise(std::move(why), handle_traits<map>::opening, where.display(),
              wanted::to_open(rights));
    }
    return opened;
}

map map::open(location where, access rights, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return open_body(where, rights, why); });
}

map map::from(object&& opened) {
    return handle_body<map>::from(std::move(opened));
}

map map::from(object&& opened, error_code& code) noexcept {
    return handle_body<map>::from(std::move(opened), code);
}

map_usage map::usage() const {
    return loudly("look at map", file_, {}, [&](failure& why) { return usage_body(*this, why); });
}

map_usage map::usage(error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return usage_body(*this, why); });
}

bool map::lookup(const_bytes key, bytes value) const {
    return perform(*this, lookup_call("look up in map", key, value));
}

bool map::lookup(const_bytes key, bytes value, error_code& code) const noexcept {
    return perform(*this, lookup_call("look up in map", key, value), code);
}

void map::update(const_bytes key, const_bytes value, update_flag flag) {
    perform(*this, update_call("update map", key, value, flag));
}

void map::update(const_bytes key, const_bytes value, update_flag flag, error_code& code) noexcept {
    perform(*this, update_call("update map", key, value, flag), code);
}

void map::update(const_bytes key, borrowed_fd held, update_flag flag) {
    loudly("update map", file_, {}, [&](failure& why) { check_holds(*this, why); });
    const int number = held.get();
    update(key, std::as_bytes(std::span{&number, 1}), flag);
}

void map::update(const_bytes key, borrowed_fd held, update_flag flag, error_code& code) noexcept {
    quietly(code, [&](failure& why) { check_holds(*this, why); });
    const int number = held.get();
    if (!code) {
        update(key, std::as_bytes(std::span{&number, 1}), flag, code);
    }
}

bool map::erase(const_bytes key) {
    return perform(*this, erase_call(*this, key));
}

bool map::erase(const_bytes key, error_code& code) noexcept {
    return perform(*this, erase_call(*this, key), code);
}

bool map::next_key(const_bytes key, bytes next) const {
    return loudly("walk map", file_, wanted::to_open(access::read),
                  [&](failure& why) { return next_key_body(*this, key, next, why); });
}

bool map::next_key(const_bytes key, bytes next, error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return next_key_body(*this, key, next, why); });
}

bool map::lookup_and_delete(const_bytes key, bytes value) {
    return perform(*this, take_call("take from map", key, value));
}

bool map::lookup_and_delete(const_bytes key, bytes value, error_code& code) noexcept {
    return perform(*this, take_call("take from map", key, value), code);
}

void map::push(const_bytes value, update_flag flag) {
    perform(*this, update_call("push to map", {}, value, flag));
}

void map::push(const_bytes value, update_flag flag, error_code& code) noexcept {
    perform(*this, update_call("push to map", {}, value, flag), code);
}

bool map::pop(bytes value) {
    return perform(*this, take_call("pop from map", {}, value));
}

bool map::pop(bytes value, error_code& code) noexcept {
    return perform(*this, take_call("pop from map", {}, value), code);
}

bool map::peek(bytes value) const {
    return perform(*this, lookup_call("peek into map", {}, value));
}

bool map::peek(bytes value, error_code& code) const noexcept {
    return perform(*this, lookup_call("peek into map", {}, value), code);
}

void map::freeze() {
    perform(*this, freeze_call(*this));
}

void map::freeze(error_code& code) noexcept {
    perform(*this, freeze_call(*this), code);
}

void map::pin(const location& where, std::optional<mode> bits) const {
    handle_body<map>::pin(*this, where, bits);
}

void map::pin(const location& where, std::optional<mode> bits, error_code& code) const noexcept {
    handle_body<map>::pin(*this, where, bits, code);
}

} // namespace bpffs
