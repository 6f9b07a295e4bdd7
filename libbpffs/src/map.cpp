// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Map handles and single elements. Streams of elements are in batch.cpp, creation in
// create_map.cpp.
#include "map.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <linux/bpf.h>

#include <atomic>

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

map_info info_of(const bpf_map_info& raw) {
    map_info info;
    info.id = raw.id;
    info.kind = static_cast<map_kind>(raw.type);
    info.key_size = raw.key_size;
    info.value_size = raw.value_size;
    info.max_entries = raw.max_entries;
    info.flags = raw.map_flags;
    info.extra = raw.map_extra;
    info.name = std::string_view{raw.name, ::strnlen(raw.name, sizeof raw.name)};
    info.btf_id = raw.btf_id;
    info.btf_key_type = raw.btf_key_type_id;
    info.btf_value_type = raw.btf_value_type_id;
    info.ifindex = raw.ifindex;
    return info;
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

// Elements. The kernel takes no pointer to a key of no bytes.

template <class Span> auto pointer(Span span) noexcept {
    return span.empty() ? nullptr : span.data();
}

void check_size(const char* what, std::size_t expected, std::size_t got, failure& why) {
    if (!why && expected != got) {
        why.set(errc::wrong_size,
                fmt::format("the map takes {}s of {} bytes, got {}", what, expected, got));
    }
}

/// What every operation on elements asks first.
void check_use(const map& used, std::size_t key, std::size_t value, failure& why) {
    if (!used) {
        why.set(errc::empty_handle);
        return;
    }
    check_size("key", used.key_size(), key, why);
    check_size("value", used.value_bytes(), value, why);
}

/// Success, or one errno that means "nothing there".
bool found(sys::status status, sys::status nothing, failure& why) {
    if (status != 0 && status != nothing) {
        why.set(status);
    }
    return status == 0;
}

bool lookup_body(const map& from, const_bytes key, bytes value, failure& why) {
    check_use(from, key.size(), value.size(), why);
    return !why && found(sys::map_lookup(from.fd().get(), pointer(key), value.data()), ENOENT, why);
}

void update_body(const map& to, const_bytes key, const_bytes value, update_flag flag,
                 failure& why) {
    check_use(to, key.size(), value.size(), why);
    if (!why) {
        why.set(sys::map_update(to.fd().get(), pointer(key), value.data(),
                                static_cast<std::uint64_t>(flag)));
    }
}

void hold_body(const map& to, const_bytes key, borrowed_fd held, update_flag flag, failure& why) {
    if (to && !traits_of(to.kind()).holds_objects) {
        why.set(errc::wrong_kind,
                fmt::format("a map of kind {} holds no objects", to_string(to.kind())));
        return;
    }
    const auto number = static_cast<std::uint32_t>(held.get());
    update_body(to, key, std::as_bytes(std::span{&number, 1}), flag, why);
}

bool erase_body(const map& from, const_bytes key, failure& why) {
    check_use(from, key.size(), from.value_bytes(), why);
    return !why && found(sys::map_delete(from.fd().get(), pointer(key)), ENOENT, why);
}

bool next_key_body(const map& in, const_bytes key, bytes next, failure& why) {
    check_use(in, key.empty() ? in.key_size() : key.size(), in.value_bytes(), why);
    check_size("key", in.key_size(), next.size(), why);
    if (!why && in.key_size() == 0) {
        why.set(errc::unsupported, fmt::format("a {} has no keys", to_string(in.kind())));
    }
    return !why && found(sys::map_next_key(in.fd().get(), pointer(key), next.data()), ENOENT, why);
}

bool take_body(const map& from, const_bytes key, bytes value, failure& why) {
    check_use(from, key.size(), value.size(), why);
    return !why && found(sys::map_lookup_and_delete(from.fd().get(), pointer(key), value.data()),
                         ENOENT, why);
}

void freeze_body(const map& whole, failure& why) {
    check_use(whole, whole.key_size(), whole.value_bytes(), why);
    if (!why) {
        why.set(sys::map_freeze(whole.fd().get()));
    }
}

/// The throwing form for elements. Nothing is built before something fails: this is the hot path.
template <class Body>
auto in_map(const char* operation, const map& used, access needed, Body body) {
    failure why;
    if constexpr (std::is_void_v<decltype(body(why))>) {
        body(why);
        if (why) {
            raise(std::move(why), operation, used.file(), wanted::to_open(needed));
        }
    } else {
        const auto value = body(why);
        if (why) {
            raise(std::move(why), operation, used.file(), wanted::to_open(needed));
        }
        return value;
    }
}

} // namespace

void handle_traits<map>::describe(map& made, failure& why) {
    bpf_map_info raw{};
    why.take(sys::obj_info(made.fd_.get(), &raw, sizeof raw));
    made.info_ = info_of(raw);
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

map map::open(const location& where, access rights) {
    return handle_body<map>::open(where, rights);
}

map map::open(const location& where, access rights, error_code& code) noexcept {
    return handle_body<map>::open(where, rights, code);
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
    return in_map("look up in map", *this, access::read,
                  [&](failure& why) { return lookup_body(*this, key, value, why); });
}

bool map::lookup(const_bytes key, bytes value, error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return lookup_body(*this, key, value, why); });
}

void map::update(const_bytes key, const_bytes value, update_flag flag) {
    in_map("update map", *this, access::write,
           [&](failure& why) { update_body(*this, key, value, flag, why); });
}

void map::update(const_bytes key, const_bytes value, update_flag flag, error_code& code) noexcept {
    quietly(code, [&](failure& why) { update_body(*this, key, value, flag, why); });
}

void map::update(const_bytes key, borrowed_fd held, update_flag flag) {
    in_map("update map", *this, access::write,
           [&](failure& why) { hold_body(*this, key, held, flag, why); });
}

void map::update(const_bytes key, borrowed_fd held, update_flag flag, error_code& code) noexcept {
    quietly(code, [&](failure& why) { hold_body(*this, key, held, flag, why); });
}

bool map::erase(const_bytes key) {
    return in_map("delete from map", *this, access::write,
                  [&](failure& why) { return erase_body(*this, key, why); });
}

bool map::erase(const_bytes key, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return erase_body(*this, key, why); });
}

bool map::next_key(const_bytes key, bytes next) const {
    return in_map("walk map", *this, access::read,
                  [&](failure& why) { return next_key_body(*this, key, next, why); });
}

bool map::next_key(const_bytes key, bytes next, error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return next_key_body(*this, key, next, why); });
}

bool map::lookup_and_delete(const_bytes key, bytes value) {
    return in_map("take from map", *this, access::read_write,
                  [&](failure& why) { return take_body(*this, key, value, why); });
}

bool map::lookup_and_delete(const_bytes key, bytes value, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return take_body(*this, key, value, why); });
}

void map::push(const_bytes value, update_flag flag) {
    in_map("push to map", *this, access::write,
           [&](failure& why) { update_body(*this, {}, value, flag, why); });
}

void map::push(const_bytes value, update_flag flag, error_code& code) noexcept {
    quietly(code, [&](failure& why) { update_body(*this, {}, value, flag, why); });
}

bool map::pop(bytes value) {
    return in_map("pop from map", *this, access::read_write,
                  [&](failure& why) { return take_body(*this, {}, value, why); });
}

bool map::pop(bytes value, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return take_body(*this, {}, value, why); });
}

bool map::peek(bytes value) const {
    return in_map("peek into map", *this, access::read,
                  [&](failure& why) { return lookup_body(*this, {}, value, why); });
}

bool map::peek(bytes value, error_code& code) const noexcept {
    return quietly(code, [&](failure& why) { return lookup_body(*this, {}, value, why); });
}

void map::freeze() {
    in_map("freeze map", *this, access::write, [&](failure& why) { freeze_body(*this, why); });
}

void map::freeze(error_code& code) noexcept {
    quietly(code, [&](failure& why) { freeze_body(*this, why); });
}

void map::pin(const location& where, std::optional<mode> bits) const {
    handle_body<map>::pin(*this, where, bits);
}

void map::pin(const location& where, std::optional<mode> bits, error_code& code) const noexcept {
    handle_body<map>::pin(*this, where, bits, code);
}

} // namespace bpffs
