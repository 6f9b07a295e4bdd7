// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The forms of a step in words (steps.hpp).

#include "steps.hpp"

#include <array>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace bpffs_walk {

namespace {

const std::array<const char*, static_cast<size_t>(verb::count)> names = {
    "make_map", "make_filter", "make_lookup", "make_token", "make_map_with", "load_with",
    "pin",      "pin_mode",    "get",         "close",      "copy",          "pass",
    "link",     "update_link", "detach_link", "read",       "write",         "erase",
    "freeze",   "insert",      "bind",        "run",        "attach",        "chmod",
    "chown",    "mkdir",       "rmdir",       "unlink",     "rename",        "hard_link",
    "umask",    "drop_groups", "fork",        "remount",    "look"};

std::string or_dash(const std::string& path) {
    return path.empty() ? "-" : path;
}

std::string from_dash(const std::string& word) {
    return word == "-" ? "" : word;
}

} // namespace

const std::vector<person>& actors() {
    static const std::vector<person> all = {{"root", 0, 0, {}},
                                            {"warden", 0, 0, {}},
                                            {"alice", 1000, 1000, {staff}},
                                            {"bob", 1001, 1001, {staff}},
                                            {"carol", 1002, 1002, {}}};
    return all;
}

std::string words(const step& s) {
    std::ostringstream line;
    line << actors().at(s.who).name << " " << names.at(static_cast<size_t>(s.what)) << " " << s.slot
         << " " << s.other << " 0" << std::oct << s.value << " " << or_dash(s.path) << " "
         << or_dash(s.to);
    return line.str();
}

std::string words(const answer& a) {
    if (a.error != 0) {
        return ::strerrorname_np(a.error);
    }
    std::ostringstream text;
    text << "success, 0" << std::oct << a.value;
    return text.str();
}

step parse(const std::string& line) {
    std::istringstream in(line);
    std::string who;
    std::string what;
    step s;
    in >> who >> what >> s.slot >> s.other >> std::oct >> s.value >> s.path >> s.to;
    if (!in) {
        throw std::runtime_error("not a step: " + line);
    }
    s.path = from_dash(s.path);
    s.to = from_dash(s.to);
    unsigned found = 0;
    for (unsigned i = 0; i < actor_count; i++) {
        if (who == actors().at(i).name) {
            s.who = i;
            found++;
        }
    }
    for (unsigned i = 0; i < names.size(); i++) {
        if (what == names.at(i)) {
            s.what = static_cast<verb>(i);
            found++;
        }
    }
    if (found != 2 || s.slot >= slots) {
        throw std::runtime_error("not a step: " + line);
    }
    return s;
}

} // namespace bpffs_walk
