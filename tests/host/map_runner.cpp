// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Running bpffs-map and bpftool; see map_runner.hpp.
#include "map_runner.hpp"

#include "map/map_tool.hpp"
#include "support/bpf_call.hpp"
#include "support/probe.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <sstream>

#include <sys/mman.h>
#include <unistd.h>

namespace bpffs_test {

arguments split_line(const std::string& line, const std::string& file) {
    std::istringstream stream(line);
    arguments words;
    for (std::string word; stream >> word;) {
        const std::size_t at = word.find("{m}");
        words.push_back(at == std::string::npos ? word : word.replace(at, 3, file));
    }
    return words;
}

answer run_tool(const fsctl::tool& which, const arguments& given) {
    std::ostringstream out;
    std::ostringstream err;
    fsctl::env process{out, err};
    const int status = fsctl::run(which, process, given);
    return {status, out.str(), err.str()};
}

answer run_map(const arguments& given) {
    return run_tool(fsctl::map_tool, given);
}

namespace {

// What a child wrote into the file that both have open.
std::string contents(int fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (off_t at = 0;;) {
        const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), at);
        if (got <= 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(got));
        at += got;
    }
}

} // namespace

answer run_map_as(const identity& who, const arguments& given) {
    return run_tool_as(who, fsctl::map_tool, given);
}

answer run_tool_as(const identity& who, const fsctl::tool& which, const arguments& given) {
    const handle out(::memfd_create("out", 0));
    const handle err(::memfd_create("err", 0));
    const outcome ended = as(who, [&] {
        const answer got = run_tool(which, given);
        const bool written = ::write(out.get(), got.out.data(), got.out.size()) >= 0 &&
                             ::write(err.get(), got.err.data(), got.err.size()) >= 0;
        return failed("run", written ? got.status : EIO);
    });
    return {ended.error, contents(out.get()), contents(err.get())};
}

std::string bpftool_map(const std::string& options, const arguments& words) {
    return bpftool(options, "map", words);
}

std::string bpftool(const std::string& options, const std::string& noun, const arguments& words) {
    std::string line = "bpftool " + options + " " + noun;
    for (const std::string& word : words) {
        line += " '" + word + "'";
    }
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((line + " 2>/dev/null").c_str(), "r"),
                                               ::pclose);
    std::string text;
    std::array<char, 4096> buffer{};
    while (pipe) {
        const std::size_t got = ::fread(buffer.data(), 1, buffer.size(), pipe.get());
        if (got == 0) {
            break;
        }
        text.append(buffer.data(), got);
    }
    return text;
}

void map_tool_test::SetUp() {
    BPFFS_NEEDS("root");
    BPFFS_NEEDS("bpf");
    BPFFS_NEEDS("bpffs");
    mount_ = std::make_unique<bpffs_mount>(options());
    ASSERT_EQ(mount_->error(), 0);
}

void map_tool_test::expect_ok(const std::string& line, const std::string& file) const {
    const answer got = map(line, file);
    EXPECT_EQ(got.status, 0) << line << ": " << got.err;
    EXPECT_EQ(got.err, "") << line;
}

void map_tool_test::expect_error(const answer& got, int status,
                                 const std::vector<std::string>& words) {
    EXPECT_EQ(got.status, status);
    for (const std::string& each : words) {
        EXPECT_NE(got.err.find(each), std::string::npos) << "'" << each << "' in: " << got.err;
    }
}

} // namespace bpffs_test
