// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The texts that the view makes as bpffs-map prints them: info.json and all.json.
#pragma once

#include "common/dump.hpp"
#include "common/tool.hpp"

#include <bpffs/map.hpp>
#include <bpffs/pin.hpp>

#include <memory>
#include <sstream>
#include <streambuf>
#include <string>

namespace fsctl::view {

// A stream's end that is a string, which can be taken away piece by piece.
class string_sink : public std::streambuf {
public:
    std::string text;

protected:
    std::streamsize xsputn(const char* from, std::streamsize count) override {
        text.append(from, static_cast<std::size_t>(count));
        return count;
    }
    int_type overflow(int_type letter) override {
        text.push_back(traits_type::to_char_type(letter));
        return letter;
    }
};

// A tool's output, as it would be with -j, into a string.
class json_text {
public:
    json_text() { chosen_.json = true; }

    [[nodiscard]] context& with() noexcept { return with_; }

    // What has been written since the last time.
    std::string take() {
        out_.flush();
        return std::exchange(sink_.text, {});
    }

private:
    string_sink sink_;
    std::ostream stream_{&sink_};
    env process_{stream_, stream_};
    options chosen_;
    output out_{stream_};
    json_writer json_{out_};
    context with_{process_, chosen_, out_, json_};
};

// The whole of info.json.
std::string info_text(bpffs::object&& of);

// The whole of xlated: a program's instructions after the verifier, as bytes. bpffs::error EPERM
// where they may not be read.
std::string code_text(bpffs::object&& of);
// How long that is; 0 where it may not be read.
std::size_t code_size(bpffs::object&& of);

// all.json, a piece after the other, each no longer than a batch of elements comes to.
class dump_text {
public:
    // The map is borrowed.
    explicit dump_text(const bpffs::map& of) : of_(of) { rewind(); }

    // The next piece; empty at the end.
    std::string next();
    void rewind();

private:
    const bpffs::map& of_;
    std::unique_ptr<json_text> text_;
    std::unique_ptr<element_dump> dump_;
    bool ended_ = false;
};

// How long all.json is now, or 0 where it takes too long to find out.
std::size_t dump_size(const bpffs::map& of);

} // namespace fsctl::view
