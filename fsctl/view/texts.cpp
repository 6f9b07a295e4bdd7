// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// info.json and all.json; see texts.hpp.
#include "texts.hpp"

#include "refused.hpp"

#include "common/info.hpp"

#include <bpffs/link.hpp>
#include <bpffs/program.hpp>

namespace fsctl::view {

namespace {

std::string in_hex(std::span<const std::uint8_t> data) {
    std::string text;
    for (const std::uint8_t each : data) {
        text += fmt::format("{:02x}", each);
    }
    return text;
}

void print_program(json_writer& json, const bpffs::program_info& info) {
    json.start_object();
    json.member("id", info.id);
    json.member("type", to_string(info.kind));
    if (!info.name.empty()) {
        json.member("name", info.name);
    }
    json.member("tag", in_hex(info.tag));
    json.member("loaded_by_uid", info.created_by);
    json.member("load_time", info.load_time);
    json.end_object();
}

void print_link(json_writer& json, const bpffs::link_info& info) {
    json.start_object();
    json.member("id", info.id);
    json.member("type", to_string(info.kind));
    json.member("prog_id", info.program_id);
    json.end_object();
}

void print_object(context& with, bpffs::object&& of) {
    switch (of.kind()) {
    case bpffs::object_kind::map:
        return print_info(with, bpffs::map::from(std::move(of)), {});
    case bpffs::object_kind::program:
        return print_program(with.json, bpffs::program::from(std::move(of)).info());
    case bpffs::object_kind::link:
        return print_link(with.json, bpffs::link::from(std::move(of)).info());
    }
}

} // namespace

std::string info_text(bpffs::object&& of) {
    json_text text;
    print_object(text.with(), std::move(of));
    return text.take() + '\n';
}

std::string code_text(bpffs::object&& of) {
    const std::vector<std::byte> code = bpffs::program::from(std::move(of)).code().translated;
    return {reinterpret_cast<const char*>(code.data()), code.size()};
}

std::size_t code_size(bpffs::object&& of) {
    return bpffs::program::from(std::move(of)).info().translated_bytes;
}

void dump_text::rewind() {
    dump_.reset();
    text_ = std::make_unique<json_text>();
    dump_ = std::make_unique<element_dump>(text_->with(), of_);
    ended_ = false;
}

std::string dump_text::next() {
    std::string piece;
    while (piece.empty() && !ended_) {
        ended_ = !dump_->more();
        piece = text_->take();
    }
    if (ended_ && !piece.empty()) {
        piece += '\n';
    }
    return piece;
}

std::size_t dump_size(const bpffs::map& of) {
    // Up to here it takes about a millisecond.
    constexpr std::size_t most_bytes = std::size_t{64} * 1024;
    if ((of.key_size() + of.value_bytes()) * of.info().max_entries > most_bytes) {
        return 0;
    }
    dump_text text(of);
    std::size_t size = 0;
    for (std::string piece = text.next(); !piece.empty(); piece = text.next()) {
        size += piece.size();
    }
    return size;
}

} // namespace fsctl::view
