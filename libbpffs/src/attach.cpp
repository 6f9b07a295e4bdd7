// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Attaching programs: each target with the call and the fields that it takes.
#include <bpffs/attach.hpp>

#include "link.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/socket.h>

namespace bpffs {

/// The private side of attach_target.
struct attach_access {
    static link attach(const program& held, attach_kind kind, const attach_target& target,
                       failure& why);
    /// Descriptor or index; EINVAL where the target has neither.
    static std::uint32_t number(const attach_target& target, failure& why);

private:
    using shape = attach_target::shape;
    static sys::result<owned_fd> create(const program& held, attach_kind kind,
                                        const attach_target& target);
    static sys::result<owned_fd> create_functions(sys::link_create_attr attr,
                                                  const attach_target& target);
};

std::uint32_t attach_access::number(const attach_target& target, failure& why) {
    if (target.shape_ != shape::descriptor && target.shape_ != shape::device) {
        why.set(EINVAL, "attachments to this target are links only");
    }
    return target.number_;
}

sys::result<owned_fd> attach_access::create_functions(sys::link_create_attr attr,
                                                      const attach_target& target) {
    if (target.shape_ == shape::user_functions) {
        attr.of.uprobe_multi.path = reinterpret_cast<std::uint64_t>(target.name_.c_str());
        attr.of.uprobe_multi.offsets = reinterpret_cast<std::uint64_t>(target.offsets_.data());
        attr.of.uprobe_multi.cnt = static_cast<std::uint32_t>(target.offsets_.size());
        return sys::link_create(attr);
    }
    std::vector<const char*> names;
    for (const std::string& one : target.names_) {
        names.push_back(one.c_str());
    }
    attr.of.kprobe_multi.syms = reinterpret_cast<std::uint64_t>(names.data());
    attr.of.kprobe_multi.cnt = static_cast<std::uint32_t>(names.size());
    return sys::link_create(attr);
}

sys::result<owned_fd> attach_access::create(const program& held, attach_kind kind,
                                            const attach_target& target) {
    sys::link_create_attr attr{};
    attr.prog_fd = static_cast<std::uint32_t>(held.fd().get());
    attr.attach_type = static_cast<std::uint32_t>(kind);
    std::uint32_t map = target.number_; // union bpf_iter_link_info
    switch (target.shape_) {
    case shape::raw_tracepoint:
        return sys::raw_tracepoint_open(target.name_.c_str(), held.fd().get());
    case shape::as_loaded:
        return sys::raw_tracepoint_open(nullptr, held.fd().get());
    case shape::kernel_functions:
    case shape::user_functions:
        return create_functions(attr, target);
    case shape::perf_event:
        attr.of.perf_event.bpf_cookie = target.cookie_;
        attr.target_fd = target.number_;
        break;
    case shape::iterator:
        if (target.has_map_) {
            attr.of.iter.info = reinterpret_cast<std::uint64_t>(&map);
            attr.of.iter.info_len = sizeof map;
        }
        break;
    case shape::netfilter:
        attr.of.netfilter = {target.hook_.family, target.hook_.hook, target.hook_.priority,
                             target.hook_.flags};
        break;
    case shape::descriptor:
    case shape::device:
        attr.target_fd = target.number_;
        break;
    }
    return sys::link_create(attr);
}

link attach_access::attach(const program& held, attach_kind kind, const attach_target& target,
                           failure& why) {
    if (!held) {
        why.set(errc::empty_handle);
        return {};
    }
    owned_fd made = why.take(create(held, kind, target));
    if (why.is(EOPNOTSUPP)) {
        why.set(errc::unsupported);
    }
    return why ? link{} : handle_body<link>::make(std::move(made), access::read_write, path{}, why);
}

namespace {

/// Same file of the same file system.
bool same_file(const sys::result<struct ::stat>& one, const sys::result<struct ::stat>& other) {
    return one && other && one.value.st_dev == other.value.st_dev &&
           one.value.st_ino == other.value.st_ino;
}

/// Without a link a flow dissector is attached in the caller's own network namespace, and the
/// kernel takes no descriptor of it (a link takes one, of any): another one must not come to mean
/// that.
std::uint32_t own_namespace(std::uint32_t asked, failure& why) {
    const auto own =
        why.take(sys::openat(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!why &&
        !same_file(sys::fstatat(static_cast<int>(asked), ""), sys::fstatat(own.get(), ""))) {
        why.set(EINVAL, "without a link it is attached to the caller's own network namespace only");
    }
    return 0;
}

sys::prog_attach_attr attr_for(const program& held, attach_kind kind, const attach_target& target,
                               failure& why) {
    sys::prog_attach_attr attr{};
    attr.target_fd = attach_access::number(target, why);
    attr.attach_bpf_fd = static_cast<std::uint32_t>(held.fd().get());
    attr.attach_type = static_cast<std::uint32_t>(kind);
    if (!why && kind == attach_kind::flow_dissector) {
        attr.target_fd = own_namespace(attr.target_fd, why);
    }
    if (!held) {
        why.set(errc::empty_handle);
    }
    return attr;
}

void attach_directly_body(const program& held, attach_kind kind, const attach_target& target,
                          beside_others others, failure& why) {
    sys::prog_attach_attr attr = attr_for(held, kind, target, why);
    attr.attach_flags = static_cast<std::uint32_t>(others);
    if (!why) {
        why.set(sys::prog_attach(attr));
    }
}

void detach_directly_body(const program& held, attach_kind kind, const attach_target& target,
                          failure& why) {
    const sys::prog_attach_attr attr = attr_for(held, kind, target, why);
    if (!why) {
        why.set(sys::prog_detach(attr));
    }
}

std::vector<std::uint32_t> attached_to_body(const attach_target& target, attach_kind kind,
                                            failure& why) {
    std::vector<std::uint32_t> ids(64);
    sys::prog_query_attr attr{};
    attr.target_fd = attach_access::number(target, why);
    attr.attach_type = static_cast<std::uint32_t>(kind);
    while (!why) {
        attr.prog_ids = reinterpret_cast<std::uint64_t>(ids.data());
        attr.prog_cnt = static_cast<std::uint32_t>(ids.size());
        why.set(sys::prog_query(attr));
        if (!why.is(ENOSPC)) {
            break;
        }
        why.set(0); // more were attached than there is room for
        ids.resize(ids.size() * 2);
    }
    ids.resize(why ? 0 : attr.prog_cnt);
    return ids;
}

void attach_to_socket_body(const program& held, borrowed_fd socket, socket_use use, failure& why) {
    if (!held) {
        why.set(errc::empty_handle);
        return;
    }
    const int option = use == socket_use::filter ? SO_ATTACH_BPF : SO_ATTACH_REUSEPORT_EBPF;
    why.set(sys::set_socket_option(socket.get(), option, held.fd().get()));
}

void detach_from_socket_body(borrowed_fd socket, socket_use use, failure& why) {
    const int option = use == socket_use::filter ? SO_DETACH_BPF : SO_DETACH_REUSEPORT_BPF;
    why.set(sys::set_socket_option(socket.get(), option, 0));
}

} // namespace

attach_target attach_target::cgroup(borrowed_fd directory_or_file) {
    attach_target target;
    target.shape_ = shape::descriptor;
    target.number_ = static_cast<std::uint32_t>(directory_or_file.get());
    return target;
}

attach_target attach_target::network_namespace(borrowed_fd ns) {
    return cgroup(ns);
}

attach_target attach_target::socket_map(borrowed_fd map) {
    return cgroup(map);
}

attach_target attach_target::network_device(std::uint32_t index) {
    attach_target target;
    target.shape_ = shape::device;
    target.number_ = index;
    return target;
}

attach_target attach_target::netfilter(const netfilter_hook& hook) {
    attach_target target;
    target.shape_ = shape::netfilter;
    target.hook_ = hook;
    return target;
}

attach_target attach_target::perf_event(borrowed_fd event, std::uint64_t cookie) {
    attach_target target;
    target.shape_ = shape::perf_event;
    target.number_ = static_cast<std::uint32_t>(event.get());
    target.cookie_ = cookie;
    return target;
}

attach_target attach_target::raw_tracepoint(std::string name) {
    attach_target target;
    target.shape_ = shape::raw_tracepoint;
    target.name_ = std::move(name);
    return target;
}

attach_target attach_target::as_loaded() {
    return {};
}

attach_target attach_target::iterator(std::optional<borrowed_fd> map) {
    attach_target target;
    target.shape_ = shape::iterator;
    target.has_map_ = map.has_value();
    target.number_ = map ? static_cast<std::uint32_t>(map->get()) : 0;
    return target;
}

attach_target attach_target::kernel_functions(std::vector<std::string> names) {
    attach_target target;
    target.shape_ = shape::kernel_functions;
    target.names_ = std::move(names);
    return target;
}

attach_target attach_target::user_functions(std::string file, std::vector<std::uint64_t> offsets) {
    attach_target target;
    target.shape_ = shape::user_functions;
    target.name_ = std::move(file);
    target.offsets_ = std::move(offsets);
    return target;
}

link attach(const program& held, attach_kind kind, const attach_target& target) {
    return loudly("attach program", held.file(), wanted::to_open(access::write),
                  [&](failure& why) { return attach_access::attach(held, kind, target, why); });
}

link attach(const program& held, attach_kind kind, const attach_target& target,
            error_code& code) noexcept {
    return quietly(code,
                   [&](failure& why) { return attach_access::attach(held, kind, target, why); });
}

void attach_directly(const program& held, attach_kind kind, const attach_target& target,
                     beside_others others) {
    loudly("attach program", held.file(), wanted::to_open(access::write),
           [&](failure& why) { attach_directly_body(held, kind, target, others, why); });
}

void attach_directly(const program& held, attach_kind kind, const attach_target& target,
                     beside_others others, error_code& code) noexcept {
    quietly(code, [&](failure& why) { attach_directly_body(held, kind, target, others, why); });
}

void detach_directly(const program& held, attach_kind kind, const attach_target& target) {
    loudly("detach program", held.file(), {},
           [&](failure& why) { detach_directly_body(held, kind, target, why); });
}

void detach_directly(const program& held, attach_kind kind, const attach_target& target,
                     error_code& code) noexcept {
    quietly(code, [&](failure& why) { detach_directly_body(held, kind, target, why); });
}

std::vector<std::uint32_t> attached_to(const attach_target& target, attach_kind kind) {
    return loudly("look what is attached", path{}, {},
                  [&](failure& why) { return attached_to_body(target, kind, why); });
}

std::vector<std::uint32_t> attached_to(const attach_target& target, attach_kind kind,
                                       error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return attached_to_body(target, kind, why); });
}

void attach_to_socket(const program& held, borrowed_fd socket, socket_use use) {
    loudly("attach program", held.file(), wanted::to_open(access::write),
           [&](failure& why) { attach_to_socket_body(held, socket, use, why); });
}

void attach_to_socket(const program& held, borrowed_fd socket, socket_use use,
                      error_code& code) noexcept {
    quietly(code, [&](failure& why) { attach_to_socket_body(held, socket, use, why); });
}

void detach_from_socket(borrowed_fd socket, socket_use use) {
    loudly("detach program", path{}, {},
           [&](failure& why) { detach_from_socket_body(socket, use, why); });
}

void detach_from_socket(borrowed_fd socket, socket_use use, error_code& code) noexcept {
    quietly(code, [&](failure& why) { detach_from_socket_body(socket, use, why); });
}

} // namespace bpffs
