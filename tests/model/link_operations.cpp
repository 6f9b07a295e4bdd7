// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ways to change a link which one may only read. Without fmode a link cannot be opened read-only at
// all (EINVAL): there the operation does not exist, and must not begin to.

#include <cerrno>

#include <linux/if_link.h>
#include <unistd.h>

#include "operation.hpp"

namespace bpffs_test {

namespace {

void lay_link(scene& s) {
    s.pin_partner("program", load_program(BPF_PROG_TYPE_XDP, returns(2)));
    s.pin_partner("other", load_program(BPF_PROG_TYPE_XDP, returns(2)));
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(s.own("program"));
    attr.target_fd = loopback;
    attr.attach_type = BPF_XDP;
    attr.flags = XDP_FLAGS_SKB_MODE;
    s.pin_victim("link", link_create(attr));
}

uint32_t linked_program(scene& s) {
    object_ids link;
    return link_ids(s.own("link"), link) == 0 ? link.second : 0;
}

outcome update(scene& s) {
    const handle link = s.victim("link");
    const handle other = s.partner("other");
    if (!link.good() || !other.good()) {
        return failed("open", link.good() ? other.error() : link.error());
    }
    return done("update", link_update(link.get(), other.get()));
}

bool was_updated(scene& s) {
    object_ids other;
    return prog_ids(s.own("other"), other) == 0 && linked_program(s) == other.id;
}

outcome detach(scene& s) {
    const handle link = s.victim("link");
    return link.good() ? done("detach", link_detach(link.get())) : failed("open", link.error());
}

outcome pin_again(scene& s) {
    const handle link = s.victim("link");
    if (!link.good()) {
        return failed("open", link.error());
    }
    if (const int e = pin(link.get(), s.mine("link")); e != 0) {
        return failed("pin again", -e);
    }
    const handle mine = get(s.mine("link"));
    return mine.good() ? done("detach", link_detach(mine.get()))
                       : failed("open my pin", mine.error());
}

outcome ask_base_info(scene& s) {
    const handle link = s.victim("link");
    object_ids ids;
    return link.good() ? done("info", link_ids(link.get(), ids)) : failed("open", link.error());
}

void lay_iterator_link(scene& s) {
    const handle program = load_iterator("bpf_map", returns(0));
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.attach_type = BPF_TRACE_ITER;
    s.pin_victim("link", link_create(attr));
}

outcome read_iterator(scene& s) {
    const handle link = s.victim("link");
    if (!link.good()) {
        return failed("open", link.error());
    }
    const handle run = iter_create(link.get());
    char buffer[64];
    return run.good() ? done("read", ::read(run.get(), buffer, sizeof(buffer)) < 0 ? -errno : 0)
                      : failed("make iterator", run.error());
}

operation on_link(const char* use, const char* name, std::function<void(scene&)> prepare,
                  std::function<outcome(scene&)> attempt,
                  std::function<bool(scene&)> seen = nullptr) {
    operation op;
    op.object = object_kind::link;
    op.use = use;
    op.name = name;
    op.prepare = std::move(prepare);
    op.attempt = std::move(attempt);
    op.seen = std::move(seen);
    op.elsewhere = EINVAL;
    return op;
}

} // namespace

const std::vector<operation>& link_operations() {
    static const std::vector<operation> list = {
        on_link("base info", "link_base_info", lay_link, ask_base_info),
        on_link("make an iterator and read it", "link_iterator", lay_iterator_link, read_iterator),
        on_link("update", "link_update", lay_link, update, was_updated),
        on_link("detach", "link_detach", lay_link, detach),
        on_link("pin again", "link_pin_again", lay_link, pin_again),
    };
    return list;
}

} // namespace bpffs_test
