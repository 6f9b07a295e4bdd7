// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// How the elements of a map are shown: plain, as JSON, and with the types of
// the map's BTF where the caller may read them; each as bpftool shows it.
#pragma once

#include "tool.hpp"

#include <bpffs/map.hpp>

#include <memory>
#include <string_view>

struct btf;

namespace fsctl {

// The BTF of a map's keys and values, or none: for a map without, and (in
// silence, the bytes are still shown) where the caller may not read it.
class map_types {
public:
    explicit map_types(const bpffs::map& of);

    [[nodiscard]] explicit operator bool() const noexcept { return loaded_ != nullptr; }
    [[nodiscard]] const btf& get() const noexcept { return *loaded_; }

private:
    struct release {
        void operator()(btf* held) const noexcept;
    };
    std::unique_ptr<btf, release> loaded_;
};

class element_printer {
public:
    element_printer(context& with, const bpffs::map& of);

    // With -j and for maps with types the elements are values in a JSON text.
    [[nodiscard]] bool in_json() const noexcept { return with_.chosen.json || types_; }

    // The writer for such a text, laid out on several lines where it is not
    // the output of -j.
    [[nodiscard]] json_writer& json() noexcept { return json_; }

    void print(bytes key, bytes value);

    // A key whose value the kernel did not give; `why` in words.
    void print_error(bytes key, std::string_view why);

private:
    void make_form();
    void print_plain(bytes key, bytes value);
    void print_cpus_plain(bytes key, bytes value);
    void print_raw_json(bytes key, bytes value);
    void print_typed(bytes key, bytes value, json_writer& to);
    [[nodiscard]] bytes slot(bytes value, std::size_t cpu) const;

    context& with_;
    map_types types_;
    bpffs::map_info info_;
    bool per_cpu_;
    std::size_t cpus_;
    bool break_names_;
    bool single_line_;
    hex_form form_; // of a plain element; empty where it is too long or per CPU
    json_writer typed_plain_;
    json_writer& json_;
};

// One element as the whole result of a verb.
void print_element(context& with, const bpffs::map& from, bytes key, bytes value);

} // namespace fsctl
