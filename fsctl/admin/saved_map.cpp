// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Writing and reading saved maps; see saved_map.hpp.
#include "saved_map.hpp"

#include "common/failure.hpp"
#include "common/words.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <map>

#include <fmt/format.h>
#include <zlib.h>

namespace fsctl {

namespace {

constexpr std::string_view first_line = "bpffs-map 1";

std::uint32_t add_to(std::uint32_t sum, const void* data, std::size_t size) {
    return static_cast<std::uint32_t>(crc32_z(sum, static_cast<const unsigned char*>(data), size));
}

std::string reason() {
    return bpffs::error_code(errno, boost::system::system_category()).message();
}

class writer {
public:
    explicit writer(std::FILE* to) : to_(to) {}

    void put(const void* data, std::size_t size) {
        sum_ = add_to(sum_, data, size);
        if (std::fwrite(data, 1, size, to_) != size) {
            throw failure(fmt::format("writing: {}", reason()));
        }
    }
    void put(bpffs::const_bytes data) { put(data.data(), data.size()); }
    template <class Number> void put_number(Number number) { put(&number, sizeof number); }
    void line(std::string_view key, const std::string& value) {
        const std::string text = fmt::format("{} {}\n", key, value);
        put(text.data(), text.size());
    }
    void line(std::string_view key, std::uint64_t value) { line(key, fmt::format("{}", value)); }
    [[nodiscard]] std::uint32_t sum() const noexcept { return sum_; }

private:
    std::FILE* to_;
    std::uint32_t sum_ = 0;
};

// Names of files may hold anything but a slash.
std::string escape(const std::string& name) {
    std::string plain;
    for (const char letter : name) {
        if (letter == '%' || letter == '\n' || letter == ' ') {
            plain += fmt::format("%{:02x}", static_cast<unsigned>(letter));
        } else {
            plain += letter;
        }
    }
    return plain;
}

std::string unescape(std::string_view text) {
    std::string name;
    while (!text.empty()) {
        unsigned code = 0;
        if (text.front() == '%' && text.size() >= 3 &&
            std::from_chars(text.data() + 1, text.data() + 3, code, 16).ec == std::errc()) {
            name += static_cast<char>(code);
            text.remove_prefix(3);
        } else {
            name += text.front();
            text.remove_prefix(1);
        }
    }
    return name;
}

void write_header(writer& to, const saved_map& what) {
    const std::string start = fmt::format("{}\n", first_line);
    to.put(start.data(), start.size());
    for (const saved_name& one : what.place) {
        to.line("name", fmt::format("{} {} {} {}", one.owner, one.group, one.bits.octal(),
                                    escape(one.name)));
    }
    to.line("kind", static_cast<std::uint64_t>(what.info.kind));
    to.line("key_size", what.info.key_size);
    to.line("value_size", what.info.value_size);
    to.line("value_bytes", what.value_bytes);
    to.line("max_entries", what.info.max_entries);
    to.line("flags", what.info.flags);
    to.line("extra", what.info.extra);
    to.line("object", escape(what.info.name));
    to.line("frozen", what.frozen ? 1U : 0U);
    to.put("\n", 1);
}

template <class Number> Number number(std::string_view text, Number most) {
    return static_cast<Number>(parse_number(text, "a number", most));
}
std::uint32_t u32(std::string_view text) {
    return number(text, std::numeric_limits<std::uint32_t>::max());
}

saved_name parse_name(const std::string& text) {
    const std::vector<std::string_view> parts = split(text, ' ');
    if (parts.size() != 4) {
        throw usage_error("not a name");
    }
    saved_name one{unescape(parts[3]), u32(parts[0]), u32(parts[1]), bpffs::mode::parse(parts[2])};
    if (one.name.empty() || one.name == "." || one.name == ".." ||
        one.name.find('/') != std::string::npos) {
        throw usage_error("not a name");
    }
    return one;
}

} // namespace

std::string saved_map::shown() const {
    std::string all;
    for (const saved_name& one : place) {
        all += (all.empty() ? "" : "/") + one.name;
    }
    return all;
}

bool can_be_saved(bpffs::map_kind kind) {
    using bpffs::map_kind;
    constexpr std::array kinds = {map_kind::hash,        map_kind::array,
                                  map_kind::percpu_hash, map_kind::percpu_array,
                                  map_kind::lru_hash,    map_kind::lru_percpu_hash,
                                  map_kind::lpm_trie,    map_kind::ringbuf};
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

std::uint64_t write_map(std::FILE* to, const saved_map& what, const bpffs::map& entries) {
    writer out(to);
    write_header(out, what);
    std::uint64_t count = 0;
    if (what.info.kind != bpffs::map_kind::ringbuf) { // which has no elements to keep
        constexpr std::size_t most = 4096;
        constexpr std::size_t about = std::size_t{1} << 20; // bytes of a block
        bpffs::batch some(
            std::clamp<std::size_t>(about / (what.info.key_size + what.value_bytes), 1, most));
        while (entries.lookup_batch(some)) {
            out.put_number(static_cast<std::uint32_t>(some.size()));
            out.put(some.keys());
            out.put(some.values());
            count += some.size();
        }
    }
    out.put_number(std::uint32_t{0});
    out.put_number(count);
    const std::uint32_t sum = out.sum();
    out.put_number(sum);
    if (std::fflush(to) != 0) {
        throw failure(fmt::format("writing: {}", reason()));
    }
    return count;
}

map_reader::map_reader(file_handle from, std::string shown)
    : from_(std::move(from)), shown_(std::move(shown)) {
    std::fseek(from_.get(), 0, SEEK_END);
    size_ = static_cast<std::uint64_t>(std::max(std::ftell(from_.get()), 0L));
    std::rewind(from_.get());
}

void map_reader::refuse(const std::string& why) const {
    throw failure(fmt::format("'{}' {}", shown_, why), "Nothing of it is restored.");
}

void map_reader::read(void* into, std::size_t size) {
    if (std::fread(into, 1, size, from_.get()) != size) {
        refuse(std::ferror(from_.get()) != 0 ? "cannot be read: " + reason() : "is cut short");
    }
    sum_ = add_to(sum_, into, size);
}

std::string map_reader::read_line() {
    constexpr std::size_t longest = 4096;
    std::string line;
    for (char letter = 0;;) {
        read(&letter, 1);
        if (letter == '\n') {
            return line;
        }
        line += letter;
        if (line.size() > longest) {
            refuse("is not a saved map");
        }
    }
}

saved_map map_reader::read_header() {
    sum_ = 0;
    if (read_line() != first_line) {
        refuse("is not a saved map");
    }
    saved_map what;
    bpffs::map_info& info = what.info;
    const std::map<std::string_view, std::function<void(const std::string&)>> keys = {
        {"name", [&](const std::string& text) { what.place.push_back(parse_name(text)); }},
        {"kind", [&](const std::string& text) { info.kind = bpffs::map_kind{u32(text)}; }},
        {"key_size", [&](const std::string& text) { info.key_size = u32(text); }},
        {"value_size", [&](const std::string& text) { info.value_size = u32(text); }},
        {"value_bytes", [&](const std::string& text) { what.value_bytes = u32(text); }},
        {"max_entries", [&](const std::string& text) { info.max_entries = u32(text); }},
        {"flags", [&](const std::string& text) { info.flags = u32(text); }},
        {"extra",
         [&](const std::string& text) {
             info.extra = number(text, std::numeric_limits<std::uint64_t>::max());
         }},
        {"object", [&](const std::string& text) { info.name = unescape(text); }},
        {"frozen", [&](const std::string& text) { what.frozen = text == "1"; }},
    };
    for (std::string line = read_line(); !line.empty(); line = read_line()) {
        const std::size_t space = std::min(line.find(' '), line.size() - 1);
        const auto key = keys.find(std::string_view(line).substr(0, space));
        if (key == keys.end()) {
            refuse(fmt::format("says '{}', which is not known here", line));
        }
        try {
            key->second(line.substr(space + 1));
        } catch (const std::exception&) {
            refuse(fmt::format("says '{}', which cannot be", line));
        }
    }
    if (what.place.empty() || !can_be_saved(info.kind)) {
        refuse("is not a saved map");
    }
    return what;
}

void map_reader::for_each_block(
    const saved_map& what, const std::function<void(bpffs::const_bytes, bpffs::const_bytes)>& use) {
    std::rewind(from_.get());
    (void)read_header();
    std::vector<std::byte> keys;
    std::vector<std::byte> values;
    std::uint64_t count = 0;
    for (;;) {
        std::uint32_t entries = 0;
        read(&entries, sizeof entries);
        if (entries == 0) {
            break;
        }
        if (what.info.key_size == 0) {
            refuse("is damaged: entries without keys");
        }
        // So that a changed number takes no more memory than the file has bytes.
        if (entries > size_ / (what.info.key_size + what.value_bytes)) {
            refuse("is damaged: a block larger than the file");
        }
        keys.resize(std::size_t{entries} * what.info.key_size);
        values.resize(entries * what.value_bytes);
        read(keys.data(), keys.size());
        read(values.data(), values.size());
        use(keys, values);
        count += entries;
    }
    std::uint64_t said = 0;
    read(&said, sizeof said);
    const std::uint32_t sum = sum_;
    std::uint32_t written = 0;
    read(&written, sizeof written);
    if (said != count || written != sum || std::fgetc(from_.get()) != EOF) {
        refuse("is damaged: the checksum is another one");
    }
}

saved_map map_reader::verify() {
    std::rewind(from_.get());
    saved_map what = read_header();
    for_each_block(what, [](bpffs::const_bytes, bpffs::const_bytes) {});
    return what;
}

} // namespace fsctl
