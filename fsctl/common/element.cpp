// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpftool's forms of an element; see element.hpp. A dump spends its time in
// print_plain() and below it, so the layout is worked out once for a map.
#include "element.hpp"

#include "types.hpp"

#include <bpffs/by_id.hpp>
#include <bpffs/kinds.hpp>

#include <bpf/btf.h>

namespace fsctl {

namespace {

constexpr std::size_t longest_on_one_line = 24;
constexpr std::size_t longest_beside_its_name = 16;

} // namespace

void map_types::release::operator()(btf* held) const noexcept {
    btf__free(held);
}

map_types::map_types(const bpffs::map& of) {
    if (of.info().btf_id == 0 || of.info().btf_value_type == 0) {
        return;
    }
    bpffs::error_code refused;
    const std::vector<std::byte> raw = bpffs::types_of(of, refused);
    if (!refused && !raw.empty()) {
        loaded_.reset(btf__new(raw.data(), static_cast<std::uint32_t>(raw.size())));
    }
}

element_printer::element_printer(context& with, const bpffs::map& of)
    : with_(with),
      types_(of),
      info_(of.info()),
      per_cpu_(bpffs::traits_of(of.kind()).per_cpu),
      cpus_(per_cpu_ ? bpffs::possible_cpus() : 1),
      break_names_(info_.key_size > longest_beside_its_name ||
                   info_.value_size > longest_beside_its_name),
      single_line_(info_.key_size + info_.value_size <= longest_on_one_line && !break_names_),
      typed_plain_(with.out),
      json_(with.chosen.json ? with.json : typed_plain_) {
    typed_plain_.set_pretty(true);
    constexpr std::size_t letters_a_byte = 5; // digits and gaps, and some for the names
    if (!per_cpu_ && (info_.key_size + info_.value_size + letters_a_byte * 4) * letters_a_byte <
                         output::longest_form) {
        make_form();
    }
}

void element_printer::make_form() {
    const char* after_name = break_names_ ? "\n" : " ";
    if (info_.key_size != 0) {
        form_.add_text("key:");
        form_.add_text(after_name);
        form_.add_bytes(info_.key_size);
        form_.add_text(single_line_ ? "  " : "\n");
    }
    if (info_.value_size != 0) {
        form_.add_text("value:");
        form_.add_text(after_name);
        form_.add_bytes(info_.value_size);
    }
    form_.add_text("\n");
}

bytes element_printer::slot(bytes value, std::size_t cpu) const {
    const std::size_t step = value.size() / cpus_;
    return value.subspan(cpu * step, info_.value_size);
}

void element_printer::print(bytes key, bytes value) {
    if (with_.chosen.json) {
        print_raw_json(key, value);
    } else if (types_) {
        print_typed(key, value, typed_plain_);
    } else if (per_cpu_) {
        print_cpus_plain(key, value);
    } else {
        print_plain(key, value);
    }
}

void element_printer::print_plain(bytes key, bytes value) {
    if (form_.size() != 0) {
        with_.out.fill(form_, key, value);
        return;
    }
    // Too long for a form, so each part has lines of its own.
    output& out = with_.out;
    if (!key.empty()) {
        out.write("key:\n");
        out.hex(key);
        out.put('\n');
    }
    out.write("value:\n");
    out.hex(value);
    out.put('\n');
}

void element_printer::print_cpus_plain(bytes key, bytes value) {
    output& out = with_.out;
    out.write("key:\n");
    out.hex(key);
    out.put('\n');
    for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
        out.print("value (CPU {:02}):{}", cpu,
                  info_.value_size > longest_beside_its_name ? '\n' : ' ');
        out.hex(slot(value, cpu));
        out.put('\n');
    }
}

void element_printer::print_raw_json(bytes key, bytes value) {
    json_.start_object();
    json_.name("key");
    json_.hex(key);
    if (per_cpu_) {
        json_.name("values");
        json_.start_array();
        for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
            json_.start_object();
            json_.member("cpu", cpu);
            json_.name("value");
            json_.hex(slot(value, cpu));
            json_.end_object();
        }
        json_.end_array();
    } else {
        json_.name("value");
        json_.hex(value);
    }
    if (types_) {
        json_.name("formatted");
        print_typed(key, value, json_);
    }
    json_.end_object();
}

void element_printer::print_typed(bytes key, bytes value, json_writer& to) {
    typed_printer printer(types_.get(), to,
                          with_.chosen.json ? typed_style::json : typed_style::plain);
    to.start_object();
    if (info_.btf_key_type != 0) {
        to.name("key");
        printer.print(info_.btf_key_type, key);
    }
    if (per_cpu_) {
        to.name("values");
        to.start_array();
        for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
            to.start_object();
            to.member("cpu", cpu);
            to.name("value");
            printer.print(info_.btf_value_type, slot(value, cpu));
            to.end_object();
        }
        to.end_array();
    } else {
        to.name("value");
        printer.print(info_.btf_value_type, value);
    }
    to.end_object();
}

void element_printer::print_error(bytes key, std::string_view why) {
    if (in_json()) {
        json_.start_object();
        json_.name("key");
        json_.hex(key);
        json_.name("value");
        json_.start_object();
        json_.member("error", why);
        json_.end_object();
        json_.end_object();
        return;
    }
    const bool broken =
        key.size() > longest_beside_its_name || why.size() > longest_beside_its_name;
    const bool single = key.size() + why.size() <= longest_on_one_line && !broken;
    output& out = with_.out;
    out.write(broken ? "key:\n" : "key: ");
    out.hex(key);
    out.print("{}value:{}{}\n", single ? "  " : "\n", broken ? '\n' : ' ', why);
}

void print_element(context& with, const bpffs::map& from, bytes key, bytes value) {
    element_printer printer(with, from);
    printer.print(key, value);
    if (printer.in_json() && !with.chosen.json) {
        with.out.put('\n');
    }
}

} // namespace fsctl
