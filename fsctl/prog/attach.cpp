// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// attach and detach. An attachment with `link` stays as long as the link's pin;
// one without as long as its target, or until it is detached.
#include "common/identity.hpp"
#include "target.hpp"
#include "verbs.hpp"

#include <optional>

namespace fsctl {

namespace {

namespace errc = boost::system::errc;

struct order {
    operand program;
    std::string type; // as typed; empty where the target says all
    std::optional<bpffs::socket_use> use;
    bpffs::attach_kind attach{};
    target_words target;
};

// Targets for which there is nothing to choose.
bool says_all(const words& given) {
    return given.peek() == "tracepoint" || given.peek() == "loaded";
}

order take_order(words& given) {
    order taken;
    taken.program = take_program(given);
    if (!says_all(given)) {
        taken.type = given.next("an ATTACH_TYPE");
        if (taken.type == "filter") {
            taken.use = bpffs::socket_use::filter;
        } else if (taken.type == "reuseport") {
            taken.use = bpffs::socket_use::reuseport;
        } else {
            taken.attach = parse_attach(taken.type);
        }
    }
    if (given.empty() && taken.attach == bpffs::attach_kind::flow_dissector) {
        taken.target.sort = target_sort::netns; // bpftool's short form
        taken.target.text = "/proc/self/ns/net";
    } else {
        taken.target = take_target(given);
    }
    if (taken.use.has_value() != (taken.target.sort == target_sort::socket)) {
        throw usage_error("a socket takes the attach types filter and reuseport, and nothing else "
                          "does");
    }
    return taken;
}

// What the target wants of whoever attaches to it.
std::string what_the_target_asks(const order& asked) {
    switch (asked.target.sort) {
    case target_sort::cgroup:
        return fmt::format(
            "A cgroup takes programs from those with CAP_NET_ADMIN, and from those "
            "who may write its file cgroup.bpf; root can run: chown {} '{}/cgroup.bpf'",
            user_name(bpffs::identity::of_caller().user), asked.target.text);
    case target_sort::device:
    case target_sort::netns:
        return "It takes CAP_NET_ADMIN over the network namespace: one has it in one's own, such "
               "as "
               "that of 'unshare -Urn'.";
    case target_sort::tracepoint:
    case target_sort::loaded:
        return "Tracing takes CAP_PERFMON, or a directory that delegates perfmon.";
    default:
        return {};
    }
}

std::string remedy_for(const bpffs::error_code& why, const order& asked,
                       const bpffs::program& held) {
    if (why == errc::operation_not_permitted) {
        return what_the_target_asks(asked);
    }
    if (why == errc::invalid_argument) {
        return fmt::format("A program of kind {} is not for that{}{}.", to_string(held.info().kind),
                           asked.type.empty() ? "" : ": ", asked.type);
    }
    if (why == errc::not_a_socket) {
        return "That descriptor is no socket.";
    }
    if (why == errc::bad_file_descriptor && asked.target.sort == target_sort::cgroup) {
        return fmt::format("'{}' is no cgroup: those are directories of a cgroup2 file system.",
                           asked.target.text);
    }
    if (why == errc::no_such_file_or_directory) {
        return asked.target.sort == target_sort::tracepoint
                   ? fmt::format("The kernel has no tracepoint '{}'; names are such as "
                                 "sched_switch and sys_enter.",
                                 asked.target.text)
                   : "It is not attached there.";
    }
    return {};
}

// Runs `call`; what the target refuses gets the sentence that belongs to it.
template <typename Call>
void with_reasons(const order& asked, const bpffs::program& held, Call call) {
    try {
        call();
    } catch (const bpffs::error& error) {
        std::string remedy = remedy_for(error.code(), asked, held);
        if (remedy.empty()) {
            throw;
        }
        throw failure(error.what(), std::move(remedy));
    }
}

// Where a link is to be pinned.
struct link_pin {
    std::string file;
    std::optional<bpffs::mode> bits;
};

// What follows the target of attach, in any order.
struct manner {
    bpffs::beside_others company = bpffs::beside_others::alone;
    std::optional<link_pin> pinned;
};

manner take_manner(words& given) {
    manner taken;
    while (!given.empty()) {
        const std::string_view word = given.keyword({"multi", "override", "link", "mode"});
        if (word == "multi" || word == "override") {
            taken.company = word == "multi" ? bpffs::beside_others::multiple
                                            : bpffs::beside_others::overridable;
        } else if (word == "link") {
            taken.pinned = link_pin{given.next("the FILE to pin the link as"), std::nullopt};
        } else if (word == "mode" && taken.pinned) {
            taken.pinned->bits = parse_mode(given.next("a mode"));
        } else {
            throw usage_error(
                fmt::format("unexpected word '{}'", word.empty() ? given.peek() : word));
        }
    }
    if (taken.pinned && taken.company != bpffs::beside_others::alone) {
        throw usage_error("a link always stands beside others: no 'multi' or 'override'");
    }
    return taken;
}

// Attach types that a target takes as links only.
bool takes_links_only(bpffs::attach_kind kind) {
    return kind == bpffs::attach_kind::xdp || kind == bpffs::attach_kind::sk_lookup;
}

void check_link(const order& asked, bool linked) {
    if (linked && asked.use) {
        throw usage_error("an attachment to a socket has no link");
    }
    if (!linked && (asked.target.sort == target_sort::tracepoint ||
                    asked.target.sort == target_sort::loaded)) {
        throw usage_error("expected 'link' and a FILE: tracing ends when nothing holds its link");
    }
    if (!linked && takes_links_only(asked.attach)) {
        throw usage_error(
            fmt::format("expected 'link' and a FILE: {} is attached by links only", asked.type));
    }
}

} // namespace

void prog_attach(context& /*with*/, words& given) {
    const order asked = take_order(given);
    const manner how = take_manner(given);
    const std::optional<link_pin>& pinned = how.pinned;
    check_link(asked, pinned.has_value());
    const bpffs::program held = open_program(asked.program, bpffs::access::write);
    const open_target target(asked.target);
    if (asked.use) {
        with_reasons(asked, held, [&] { attach_to_socket(held, target.socket(), *asked.use); });
    } else if (!pinned) {
        with_reasons(asked, held,
                     [&] { attach_directly(held, asked.attach, target.value(), how.company); });
    } else {
        bpffs::link made;
        with_reasons(asked, held,
                     [&] { made = bpffs::attach(held, asked.attach, target.value()); });
        made.pin(pinned->file, pinned->bits); // where this fails the attachment ends with it
    }
}

void prog_detach(context& /*with*/, words& given) {
    const order asked = take_order(given);
    given.end();
    const bpffs::program held = open_any_program(asked.program);
    const open_target target(asked.target);
    with_reasons(asked, held, [&] {
        if (asked.use) {
            detach_from_socket(target.socket(), *asked.use);
        } else {
            detach_directly(held, asked.attach, target.value());
        }
    });
}

} // namespace fsctl
