// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The walk over a map, resumed with every call; see dump.hpp.
#include "dump.hpp"

#include <bpffs/kinds.hpp>

namespace fsctl {

namespace {

std::string unreadable(const bpffs::map& from, const bpffs::error_code& why, bool json) {
    if (!json && from.kind() == bpffs::map_kind::reuseport_sockarray &&
        why == boost::system::errc::no_space_on_device) {
        return "<cannot read>";
    }
    return why.message();
}

} // namespace

void refuse_keyless(const bpffs::map& from) {
    if (bpffs::traits_of(from.kind()).keyless) {
        throw failure(fmt::format("dump '{}': a {} has no keys to go through", from.file().native(),
                                  to_string(from.kind())),
                      "The next element of a queue or stack is had with peek or pop.");
    }
}

element_dump::element_dump(context& with, const bpffs::map& from)
    : with_(with),
      from_(from),
      printer_(with, from),
      value_(from.value_bytes()),
      by_batches_(bpffs::traits_of(from.kind()).batch) {}

bool element_dump::more() {
    if (!begun_) {
        begun_ = true;
        begin();
    }
    const bool going_on = by_batches_ ? print_batch() : print_next_keys();
    if (!going_on) {
        end();
    }
    return going_on;
}

void element_dump::begin() {
    if (printer_.in_json()) {
        printer_.json().start_array();
    }
}

void element_dump::end() {
    if (!printer_.in_json()) {
        with_.out.print("Found {} element{}\n", count_, count_ == 1 ? "" : "s");
        return;
    }
    printer_.json().end_array();
    if (!with_.chosen.json) {
        with_.out.put('\n');
    }
}

bool element_dump::print_batch() {
    if (!from_.lookup_batch(some_)) {
        return false;
    }
    for (std::size_t i = 0; i < some_.size(); ++i) {
        printer_.print(some_.key(i), some_.value(i));
    }
    count_ += some_.size();
    return true;
}

// Kinds with elements whose values user space cannot read, or can but one by one: key by key,
// and each that cannot be read is named.
bool element_dump::print_next_keys() {
    constexpr std::size_t at_a_time = 256;
    std::vector<std::byte> key(from_.key_size());
    for (std::size_t i = 0; i < at_a_time; ++i) {
        if (!from_.next_key(previous_, key)) {
            return false;
        }
        print_key(key);
        previous_ = key;
    }
    return true;
}

void element_dump::print_key(bytes key) {
    bpffs::error_code why;
    if (from_.lookup(key, value_, why)) {
        printer_.print(key, value_);
        ++count_;
    } else if (why) {
        printer_.print_error(key, unreadable(from_, why, printer_.in_json()));
    } else if (!bpffs::traits_of(from_.kind()).holds_objects) {
        printer_.print_error(key, printer_.in_json() ? "No such file or directory" : "<no entry>");
    }
}

} // namespace fsctl
