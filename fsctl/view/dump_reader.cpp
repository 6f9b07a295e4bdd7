// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Reading the JSON with RapidJSON's reader: the events of one element at a time.
#include "dump_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

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

    elements read;
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
    read.keys.insert(read.keys.end(), key_.begin(), key_.end());
    read.values.insert(read.values.end(), value_.begin(), value_.end());
    ++count_;
    return true;
}

} // namespace

elements read_dump(const std::string& dump, std::size_t key_size, std::size_t value_size,
                   std::size_t cpus) {
    dump_reader reader(key_size, value_size, cpus);
    rapidjson::StringStream text(dump.c_str());
    rapidjson::Reader parser;
    const auto result = parser.Parse<rapidjson::kParseIterativeFlag>(text, reader);
    if (result.IsError()) {
        throw wrong_dump(EINVAL, reader.wrong.empty()
                                     ? fmt::format("no JSON at byte {}", result.Offset())
                                     : reader.wrong);
    }
    if (text.Tell() != dump.size()) { // behind a zero byte, where the reader sees the end
        throw wrong_dump(EINVAL, fmt::format("no JSON at byte {}", text.Tell()));
    }
    return std::move(reader.read);
}

} // namespace fsctl::view
