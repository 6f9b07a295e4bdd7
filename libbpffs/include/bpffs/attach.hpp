// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Attaching programs. W on the program says that it may be attached, not to what: the target must
// agree, too, by what is said here of each. What an ordinary user can have: their own sockets and
// perf events, cgroups whose file cgroup.bpf they may write, devices and namespaces of a network
// namespace that is theirs, and tracing where perfmon is delegated.
#pragma once

#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/kinds.hpp>
#include <bpffs/link.hpp>
#include <bpffs/map.hpp>
#include <bpffs/program.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bpffs {

/// A place in netfilter.
struct netfilter_hook {
    std::uint32_t family = 2; ///< NFPROTO_IPV4 2, NFPROTO_IPV6 10
    std::uint32_t hook = 0;   ///< NF_INET_*: pre-routing 0, local in 1, forward 2, out 3, post 4
    std::int32_t priority = 0;
    std::uint32_t flags = 0;
};

/// What a program is attached to. A value; descriptors in it are borrowed and must stay open.
class BPFFS_API attach_target {
public:
    /// A cgroup: its directory, with CAP_NET_ADMIN (or as the kinds of programs ask), or its file
    /// cgroup.bpf opened for writing (our kernel patches; programs of kind cgroup_skb).
    [[nodiscard]] static attach_target cgroup(borrowed_fd directory_or_file);
    /// A network device: tcx, netkit, XDP. CAP_NET_ADMIN over its namespace, for programs loaded by
    /// directory tokens.
    [[nodiscard]] static attach_target network_device(std::uint32_t index);
    /// A network namespace: flow dissector, sk_lookup.
    [[nodiscard]] static attach_target network_namespace(borrowed_fd ns);
    /// The caller's network namespace.
    [[nodiscard]] static attach_target netfilter(const netfilter_hook& hook);
    /// A perf event of the caller's (kprobe, tracepoint and perf_event programs).
    [[nodiscard]] static attach_target perf_event(borrowed_fd event, std::uint64_t cookie = 0);
    /// A raw tracepoint by name.
    [[nodiscard]] static attach_target raw_tracepoint(std::string name);
    /// What the program was loaded for: fentry, fexit, modify_return, LSM, tp_btf.
    [[nodiscard]] static attach_target as_loaded();
    /// An iterator; of a map's elements where a map is given (R on it, W where it writes).
    [[nodiscard]] static attach_target iterator(std::optional<borrowed_fd> map = std::nullopt);
    /// Functions of the kernel, by name (kprobe_multi).
    [[nodiscard]] static attach_target kernel_functions(std::vector<std::string> names);
    /// Places in a program or library, as offsets in its file (uprobe_multi).
    [[nodiscard]] static attach_target user_functions(std::string file,
                                                      std::vector<std::uint64_t> offsets);
    /// A sockmap or sockhash (W on it).
    [[nodiscard]] static attach_target socket_map(borrowed_fd map);

private:
    friend struct attach_access;
    enum class shape : std::uint8_t {
        descriptor,
        device,
        netfilter,
        perf_event,
        raw_tracepoint,
        as_loaded,
        iterator,
        kernel_functions,
        user_functions
    };
    attach_target() = default;

    shape shape_ = shape::as_loaded;
    std::uint32_t number_ = 0; ///< descriptor or index
    bool has_map_ = false;
    std::uint64_t cookie_ = 0;
    netfilter_hook hook_;
    std::string name_;
    std::vector<std::string> names_;
    std::vector<std::uint64_t> offsets_;
};

/// Attaches a program as a link: it stays as long as the link, which can be pinned. Needs W on the
/// program (EPERM), and the target's agreement (EPERM). EINVAL: not a kind of program or attachment
/// for this target. errc::unsupported: the kernel has no links for this.
[[nodiscard]] BPFFS_API link attach(const program& held, attach_kind kind,
                                    const attach_target& target);
[[nodiscard]] BPFFS_API link attach(const program& held, attach_kind kind,
                                    const attach_target& target, error_code& code) noexcept;

/// How an attachment without a link behaves beside others (BPF_F_ALLOW_OVERRIDE, ALLOW_MULTI).
enum class beside_others : std::uint32_t { alone = 0, overridable = 1, multiple = 2 };

/// Attaches without a link: it stays as long as the target, or until it is detached. Cgroups,
/// network namespaces, sockmaps, tcx, netkit. Rights as for attach().
BPFFS_API void attach_directly(const program& held, attach_kind kind, const attach_target& target,
                               beside_others others = beside_others::alone);
BPFFS_API void attach_directly(const program& held, attach_kind kind, const attach_target& target,
                               beside_others others, error_code& code) noexcept;

/// Ends an attachment that has no link. No right on the program is needed: it only says which; the
/// target's authority is. ENOENT: it is not attached there.
BPFFS_API void detach_directly(const program& held, attach_kind kind, const attach_target& target);
BPFFS_API void detach_directly(const program& held, attach_kind kind, const attach_target& target,
                               error_code& code) noexcept;

/// The ids of the programs attached there, in the order in which they run. Needs the target's
/// authority to query: CAP_NET_ADMIN, or cgroup.bpf opened for reading.
[[nodiscard]] BPFFS_API std::vector<std::uint32_t> attached_to(const attach_target& target,
                                                               attach_kind kind);
[[nodiscard]] BPFFS_API std::vector<std::uint32_t>
attached_to(const attach_target& target, attach_kind kind, error_code& code) noexcept;

/// What a program does for a socket.
enum class socket_use : std::uint8_t {
    filter,   ///< socket_filter: which packets it gets
    reuseport ///< socket_filter or sk_reuseport: which socket of a group gets a packet
};

/// Attaches to a socket of the caller's. Needs W on the program. EINVAL: another kind of program.
BPFFS_API void attach_to_socket(const program& held, borrowed_fd socket, socket_use use);
BPFFS_API void attach_to_socket(const program& held, borrowed_fd socket, socket_use use,
                                error_code& code) noexcept;

/// ENOENT: none is attached.
BPFFS_API void detach_from_socket(borrowed_fd socket, socket_use use);
BPFFS_API void detach_from_socket(borrowed_fd socket, socket_use use, error_code& code) noexcept;

} // namespace bpffs
