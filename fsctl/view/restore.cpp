// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Reading the JSON with RapidJSON's pull-free reader: the events of one element at a time.
#include "restore.hpp"

#include "refused.hpp"

#include <bpffs/kinds.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/reader.h>

namespace fsctl::view {

namespace {

std::optional<std::byte> byte_of(std::string_view text) {
    unsigned value = 0;
    if (!text.starts_with("0x") || text.size() < 3 || text.size() > 4) {
        return std::nullopt;
    }
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data() + 2, end, value, 16);
    return code == std::errc() && stop == end ? std::optional(static_cast<std::byte>(value))
                                              : std::nullopt;
}

// [{"key":["0x00",…],"value":["0x00",…]},…], or for per-CPU kinds in place of the value
// "values":[{"cpu":0,"value":[…]},…]. Other members ("formatted") are passed over.
class dump_reader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, dump_reader> {
public:
    dump_reader(std::size_t key_size, std::size_t value_size, std::size_t cpus)
        : key_size_(key_size),
          value_size_(value_size),
          cpus_(cpus),
          step_(cpus == 0 ? value_size : (value_size + 7) / 8 * 8) {}

    std::vector<std::byte> keys;
    std::vector<std::byte> values;
    std::string wrong; // what is, where reading stopped

    // Everything that is neither string nor number nor structure.
    bool Default() { return passed_over_ > 0 || stop("a value that is no byte"); }
    bool Key(const char* text, rapidjson::SizeType length, bool /*copy*/);
    bool String(const char* text, rapidjson::SizeType length, bool /*copy*/);
    bool Uint(unsigned value);
    bool StartObject();
    bool EndObject(rapidjson::SizeType /*members*/);
    bool StartArray();
    bool EndArray(rapidjson::SizeType /*elements*/);

private:
    enum class inside { nothing, all, element, key, value, cpus, one_cpu };

    bool stop(std::string_view why) {
        wrong = fmt::format("element {}: {}", count_, why);
        return false;
    }
    bool pass_over_start();
    bool element_done();
    bool bytes_done();

    std::size_t key_size_;
    std::size_t value_size_;
    std::size_t cpus_; // 0: the kind is not per CPU
    std::size_t step_;
    std::vector<inside> where_{inside::nothing};
    std::string member_;
    unsigned passed_over_ = 0; // depth of what is not looked at
    std::size_t count_ = 0;
    std::vector<std::byte> bytes_;
    std::vector<std::byte> key_;
    std::vector<std::byte> value_;
    std::vector<bool> seen_; // CPUs of this element
    std::size_t cpu_ = 0;
    bool has_cpu_ = false;
    bool has_key_ = false;
    bool has_value_ = false;
};

bool dump_reader::Key(const char* text, rapidjson::SizeType length, bool /*copy*/) {
    if (passed_over_ == 0) {
        member_.assign(text, length);
    }
    return true;
}

bool dump_reader::String(const char* text, rapidjson::SizeType length, bool /*copy*/) {
    if (passed_over_ > 0) {
        return true;
    }
    const std::optional<std::byte> value = byte_of({text, length});
    if ((where_.back() != inside::key && where_.back() != inside::value) || !value) {
        return stop(fmt::format("'{}' where no such text can be", std::string_view(text, length)));
    }
    bytes_.push_back(*value);
    return true;
}

bool dump_reader::Uint(unsigned value) {
    if (passed_over_ > 0) {
        return true;
    }
    if (where_.back() != inside::one_cpu || member_ != "cpu" || value >= cpus_ || seen_[value]) {
        return stop(fmt::format("the number {} where no such number can be", value));
    }
    cpu_ = value;
    has_cpu_ = true;
    return true;
}

bool dump_reader::pass_over_start() {
    ++passed_over_;
    return true;
}

bool dump_reader::StartObject() {
    if (passed_over_ > 0) {
        return pass_over_start();
    }
    switch (where_.back()) {
    case inside::all:
        where_.push_back(inside::element);
        has_key_ = has_value_ = false;
        value_.assign(step_ * std::max<std::size_t>(cpus_, 1), std::byte{0});
        seen_.assign(cpus_, false);
        return true;
    case inside::cpus:
        where_.push_back(inside::one_cpu);
        has_cpu_ = false;
        return true;
    case inside::element:
        return member_ != "key" && member_ != "value" && member_ != "values"
                   ? pass_over_start()
                   : stop("an object where bytes have to be");
    default:
        return stop("an object where none can be");
    }
}

bool dump_reader::StartArray() {
    if (passed_over_ > 0) {
        return pass_over_start();
    }
    const inside place = where_.back();
    const bool value_here = cpus_ == 0 ? place == inside::element : place == inside::one_cpu;
    bytes_.clear();
    if (place == inside::nothing) {
        where_.push_back(inside::all);
    } else if (place == inside::element && member_ == "key") {
        where_.push_back(inside::key);
    } else if (value_here && member_ == "value") {
        where_.push_back(inside::value);
    } else if (place == inside::element && member_ == "values" && cpus_ != 0) {
        where_.push_back(inside::cpus);
    } else if (place == inside::element && member_ != "value" && member_ != "values") {
        return pass_over_start();
    } else {
        return stop("an array where none can be");
    }
    return true;
}

bool dump_reader::EndObject(rapidjson::SizeType /*members*/) {
    if (passed_over_ > 0) {
        --passed_over_;
        return true;
    }
    const inside left = where_.back();
    where_.pop_back();
    return left != inside::element || element_done();
}

bool dump_reader::EndArray(rapidjson::SizeType /*elements*/) {
    if (passed_over_ > 0) {
        --passed_over_;
        return true;
    }
    const bool of_bytes = where_.back() == inside::key || where_.back() == inside::value;
    if (of_bytes && !bytes_done()) {
        return false;
    }
    if (where_.back() == inside::cpus) {
        has_value_ = std::find(seen_.begin(), seen_.end(), false) == seen_.end();
    }
    where_.pop_back();
    return true;
}

bool dump_reader::bytes_done() {
    const bool is_key = where_.back() == inside::key;
    const std::size_t size = is_key ? key_size_ : value_size_;
    if (bytes_.size() != size) {
        return stop(fmt::format("a {} of {} bytes, and the map's have {}", is_key ? "key" : "value",
                                bytes_.size(), size));
    }
    if (is_key) {
        key_ = bytes_;
        has_key_ = true;
        return true;
    }
    if (cpus_ != 0) {
        if (!has_cpu_) {
            return stop("a value without its cpu");
        }
        seen_[cpu_] = true;
    } else {
        has_value_ = true;
    }
    const std::size_t at = cpus_ == 0 ? 0 : cpu_ * step_;
    std::copy(bytes_.begin(), bytes_.end(), value_.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
}

bool dump_reader::element_done() {
    if (!has_key_ || !has_value_) {
        return stop(has_key_ ? "no whole value" : "no key");
    }
    keys.insert(keys.end(), key_.begin(), key_.end());
    values.insert(values.end(), value_.begin(), value_.end());
    ++count_;
    return true;
}

// One of the keys or values that stand side by side.
class rows {
public:
    rows(const std::vector<std::byte>& all, std::size_t size) : all_(all), size_(size) {}
    [[nodiscard]] std::size_t count() const { return size_ == 0 ? 0 : all_.size() / size_; }
    [[nodiscard]] bpffs::const_bytes operator[](std::size_t row) const {
        return bpffs::const_bytes(all_).subspan(row * size_, size_);
    }

private:
    const std::vector<std::byte>& all_;
    std::size_t size_;
};

std::string_view as_text(bpffs::const_bytes data) {
    return {reinterpret_cast<const char*>(data.data()), data.size()};
}

// An array's index, a prefix: what no such map takes would be found when others are deleted
// already.
void check_key(const bpffs::map& into, bpffs::const_bytes key) {
    std::uint32_t first = 0;
    std::memcpy(&first, key.data(), std::min(sizeof(first), key.size()));
    switch (into.kind()) {
    case bpffs::map_kind::array:
    case bpffs::map_kind::percpu_array:
    case bpffs::map_kind::devmap:
    case bpffs::map_kind::cpumap:
    case bpffs::map_kind::array_of_maps:
    case bpffs::map_kind::prog_array:
        if (first >= into.info().max_entries) {
            throw wrong_dump(EINVAL, fmt::format("the array has no element {}", first));
        }
        break;
    case bpffs::map_kind::lpm_trie:
        if (first > (key.size() - sizeof(first)) * 8) {
            throw wrong_dump(EINVAL, fmt::format("a prefix of {} bits is too long", first));
        }
        break;
    default:
        break;
    }
}

bool has_deletion(bpffs::map_kind kind) {
    return kind != bpffs::map_kind::array && kind != bpffs::map_kind::percpu_array;
}

void check_keys(const bpffs::map& into, const rows& keys,
                const std::unordered_set<std::string_view>& set) {
    if (set.size() != keys.count()) {
        throw wrong_dump(EINVAL, "a key stands in it twice");
    }
    if (keys.count() > into.info().max_entries) {
        throw wrong_dump(ENOSPC, fmt::format("{} elements, and the map takes {}", keys.count(),
                                             into.info().max_entries));
    }
    for (std::size_t i = 0; i < keys.count(); ++i) {
        check_key(into, keys[i]);
    }
}

void delete_others(bpffs::map& from, const std::unordered_set<std::string_view>& kept) {
    bpffs::error_code why;
    std::vector<std::byte> others;
    bpffs::batch some;
    while (from.lookup_batch(some, why)) {
        for (std::size_t i = 0; i < some.size(); ++i) {
            if (!kept.contains(as_text(some.key(i)))) {
                others.insert(others.end(), some.key(i).begin(), some.key(i).end());
            }
        }
    }
    check(why);
    const rows keys(others, from.key_size());
    for (std::size_t i = 0; i < keys.count(); ++i) {
        from.erase(keys[i], why);
        check(why);
    }
}

} // namespace

void restore(bpffs::map& into, std::string& dump) {
    const bool per_cpu = bpffs::traits_of(into.kind()).per_cpu;
    dump_reader reader(into.key_size(), into.info().value_size,
                       per_cpu ? bpffs::possible_cpus() : 0);
    rapidjson::StringStream text(dump.c_str());
    rapidjson::Reader parser;
    const auto result = parser.Parse<rapidjson::kParseIterativeFlag>(text, reader);
    if (result.IsError()) {
        throw wrong_dump(EINVAL, reader.wrong.empty()
                                     ? fmt::format("no JSON at byte {}", result.Offset())
                                     : reader.wrong);
    }
    const rows keys(reader.keys, into.key_size());
    const rows values(reader.values, into.value_bytes());
    std::unordered_set<std::string_view> set;
    for (std::size_t i = 0; i < keys.count(); ++i) {
        set.insert(as_text(keys[i]));
    }
    check_keys(into, keys, set);
    if (has_deletion(into.kind())) {
        delete_others(into, set);
    }
    for (std::size_t i = 0; i < keys.count(); ++i) {
        bpffs::error_code why;
        into.update(keys[i], values[i], bpffs::update_flag::any, why);
        check(why);
    }
}

std::size_t longest_dump(const bpffs::map& of) {
    // A byte is "0x00" with a comma, on a line of its own at worst, and may be formatted too.
    constexpr std::size_t letters_a_byte = 128;
    constexpr std::size_t letters_an_element = 1024;
    const std::size_t element = (of.key_size() + of.value_bytes()) * letters_a_byte;
    return (element + letters_an_element) * (std::size_t{of.info().max_entries} + 1);
}

} // namespace fsctl::view
