// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// How one map looks as files: which files there are, what its keys are called and what its
// values read as. A map's kind, sizes and types never change, so this is worked out once.
#pragma once

#include "settings.hpp"

#include "common/element.hpp"
#include "common/text_form.hpp"
#include "common/typed_text.hpp"

#include <bpffs/map.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fsctl::view {

using blob = std::vector<std::byte>;

// What holds a map's elements.
enum class store {
    keys,    // a file for each key
    unnamed, // keys that are too long to be names: the whole map alone
    stream,  // taken and put in order
    none     // nothing that files can show
};

class map_shape {
public:
    // Needs a handle with R where the map has types.
    map_shape(const bpffs::map& of, const settings& chosen);

    [[nodiscard]] store holds() const noexcept { return holds_; }
    [[nodiscard]] bool holds_maps() const noexcept { return holds_maps_; }

    // Whether the map has types that could not be had, so another attempt may find more.
    [[nodiscard]] bool lacks_types() const noexcept {
        return info_.btf_id != 0 && info_.btf_value_type != 0 && !types_;
    }

    // Ring buffers: programs send records to the stream, or take them from it.
    [[nodiscard]] bool is_ring() const noexcept {
        return info_.kind == bpffs::map_kind::ringbuf || takes_records();
    }
    [[nodiscard]] bool takes_records() const noexcept {
        return info_.kind == bpffs::map_kind::user_ringbuf;
    }

    // Whether values can be written. What holds programs, maps or sockets takes descriptors of
    // the writer's, which text cannot name.
    [[nodiscard]] bool takes_text() const noexcept;
    // Whether single keys can be deleted.
    [[nodiscard]] bool deletes() const noexcept;

    // A file's name, and its key again. Nothing for a name that this map gives to no key.
    [[nodiscard]] std::string name_of(bytes key) const { return key_.write(key); }
    [[nodiscard]] std::optional<blob> key_of(std::string_view name) const;

    // A file's text: a line, or for per-CPU kinds a line each CPU. It may be written back
    // without the last newline; one line alone counts for every CPU. Nothing for text that is no
    // value of this map.
    [[nodiscard]] std::string text_of(bytes value) const;
    [[nodiscard]] std::optional<blob> value_of(std::string_view text) const;

    // A record of a ring, which has any size: a line in the form of --value where the size is that
    // form's, else hexadecimal; and back, without its newline.
    [[nodiscard]] std::string text_of_record(bytes record) const;
    [[nodiscard]] std::optional<blob> record_of(std::string_view line) const;

    // The most bytes of a record: what the ring has less the head that each has.
    [[nodiscard]] std::size_t longest_record() const noexcept {
        constexpr std::size_t head = 8;
        return info_.max_entries - head;
    }

    // The most bytes that text_of() or a record's text can come to.
    [[nodiscard]] std::size_t longest_text() const noexcept;
    [[nodiscard]] std::size_t lines() const noexcept { return cpus_; }

    // Whether the map has the key, and its value then. Unlike a look-up this finds no shorter
    // prefix in an LPM trie.
    bool find(const bpffs::map& in, bytes key, std::span<std::byte> value) const;

private:
    [[nodiscard]] std::size_t longest_slot() const noexcept;
    [[nodiscard]] std::string slot_text(bytes slot) const;
    [[nodiscard]] std::optional<blob> slot_of(std::string_view line) const;

    bpffs::map_info info_;
    map_types types_;
    store holds_;
    bool holds_maps_;
    bool index_;           // keys are numbers from 0 to below max_entries
    std::size_t cpus_ = 1; // slots of a value
    text_form key_;
    text_form value_;
    std::optional<typed_text> typed_value_; // of structures and the like
    std::string told_value_;                // the form by name; of records
};

} // namespace fsctl::view
