// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Ways to change a link which one may only read. Without fmode a link cannot be opened read-only at
// all (EINVAL): there the attack does not exist, and must not begin to.

#include <cerrno>

#include <linux/if_link.h>

#include "attack.hpp"

namespace bpffs_test {

namespace {

void lay_link(scene& s) {
    s.pin("program", load_program(BPF_PROG_TYPE_XDP, returns(2)), 0444);
    s.pin("other", load_program(BPF_PROG_TYPE_XDP, returns(2)), 0666);
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(s.own("program"));
    attr.target_fd = loopback;
    attr.attach_type = BPF_XDP;
    attr.flags = XDP_FLAGS_SKB_MODE;
    s.pin("link", link_create(attr), 0444);
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

attack on_link(const char* name, std::function<outcome(scene&)> attempt,
               std::function<bool(scene&)> seen = nullptr) {
    attack a;
    a.name = name;
    a.prepare = lay_link;
    a.attempt = std::move(attempt);
    a.seen = std::move(seen);
    a.elsewhere = EINVAL;
    return a;
}

} // namespace

const std::vector<attack>& link_attacks() {
    static const std::vector<attack> list = {
        on_link("link_update", update, was_updated),
        on_link("link_detach", detach),
        on_link("link_pin_again", pin_again),
    };
    return list;
}

} // namespace bpffs_test
