// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Naming and opening maps and programs; see operand.hpp.
#include "operand.hpp"

#include "failure.hpp"

#include <bpffs/by_id.hpp>

#include <optional>

#include <fmt/format.h>

namespace fsctl {

namespace {

std::string tag_text(const bpffs::program_info& info) {
    std::string text;
    for (const unsigned part : info.tag) {
        text += fmt::format("{:02x}", part);
    }
    return text;
}

operand take(words& given, std::string_view what, std::string_view by) {
    if (by == "id") {
        return {naming::id, {}, parse_u32(given.next("an id"), "id")};
    }
    if (by == "name" || by == "tag") {
        return {by == "name" ? naming::name : naming::tag, given.next(fmt::format("a {}", by))};
    }
    const std::string text = given.next(by.empty() ? what : "the file of a pin");
    if (text.empty()) {
        throw usage_error(fmt::format("{} is an empty word", what));
    }
    return {naming::path, text};
}

// A word with a slash is a path, whatever keyword it could abbreviate.
bool is_path(const words& given) {
    return given.peek().find('/') != std::string_view::npos;
}

// Every look-up by id or name goes through here, so that a refusal says what
// to do instead.
template <typename Call>
auto privileged(std::string_view kind, const std::string& what, Call call) {
    try {
        return call();
    } catch (const bpffs::error& error) {
        const bool refused = error.code() == boost::system::errc::operation_not_permitted;
        throw failure(fmt::format("get {} by {}: {}", kind, what, error.code().message()),
                      refused ? privileged_lookup_remedy(kind) : std::string());
    }
}

// Calls `visit` with every object of the kind that is still there.
template <typename Visit>
void each_object(bpffs::object_kind kind, std::string_view word, const std::string& what,
                 Visit visit) {
    std::optional<std::uint32_t> id = 0;
    while ((id = privileged(word, what, [&] { return bpffs::next_id(kind, *id); }))) {
        bpffs::error_code gone;
        bpffs::object found = bpffs::open_by_id(kind, *id, gone);
        if (gone == boost::system::errc::operation_not_permitted) {
            throw failure(fmt::format("get {} by {}: {}", word, what, gone.message()),
                          privileged_lookup_remedy(word));
        }
        if (!gone) {
            visit(std::move(found));
        }
    }
}

std::vector<bpffs::map> maps_named(const std::string& name) {
    std::vector<bpffs::map> found;
    each_object(bpffs::object_kind::map, "map", fmt::format("name ({})", name),
                [&](bpffs::object&& candidate) {
                    bpffs::map opened = bpffs::map::from(std::move(candidate));
                    if (opened.info().name == name) {
                        found.push_back(std::move(opened));
                    }
                });
    if (found.empty()) {
        throw failure(fmt::format("get map by name ({}): there is none", name));
    }
    return found;
}

std::vector<bpffs::program> programs_like(const operand& named) {
    std::vector<bpffs::program> found;
    const std::string what =
        fmt::format("{} ({})", named.by == naming::tag ? "tag" : "name", named.text);
    each_object(bpffs::object_kind::program, "program", what, [&](bpffs::object&& candidate) {
        bpffs::program opened = bpffs::program::from(std::move(candidate));
        const bool same = named.by == naming::tag ? tag_text(opened.info()) == named.text
                                                  : opened.info().name == named.text;
        if (same) {
            found.push_back(std::move(opened));
        }
    });
    if (found.empty()) {
        throw failure(fmt::format("get program by {}: there is none", what));
    }
    return found;
}

// The only one of several, or a failure that says how to choose.
template <typename Object> Object only(std::vector<Object> found, std::string_view kind) {
    if (found.size() > 1) {
        std::string ids;
        for (const Object& each : found) {
            ids += fmt::format("{}{}", ids.empty() ? "" : ", ", each.info().id);
        }
        throw failure(fmt::format("several {}s match this handle", kind),
                      fmt::format("Choose one by its id: {}.", ids));
    }
    return std::move(found.front());
}

} // namespace

operand take_map(words& given) {
    return take(given, "a map",
                is_path(given) ? std::string_view() : given.keyword({"pinned", "id", "name"}));
}

operand take_program(words& given) {
    return take(given, "a program",
                is_path(given) ? std::string_view()
                               : given.keyword({"pinned", "id", "name", "tag"}));
}

operand take_link(words& given) {
    return take(given, "a link",
                is_path(given) ? std::string_view() : given.keyword({"pinned", "id"}));
}

std::string privileged_lookup_remedy(std::string_view kind) {
    return fmt::format("Look-ups by id or name are kept for CAP_SYS_ADMIN; name the {} by the path "
                       "of its pin, which needs no more than permission on that file.",
                       kind);
}

std::vector<bpffs::map> open_maps(const operand& named, bpffs::access rights) {
    std::vector<bpffs::map> found;
    switch (named.by) {
    case naming::name:
        return maps_named(named.text);
    case naming::id:
        found.push_back(privileged("map", fmt::format("id ({})", named.id), [&] {
            return bpffs::map::from(bpffs::open_by_id(bpffs::object_kind::map, named.id));
        }));
        return found;
    default:
        found.push_back(bpffs::map::open(named.text, rights));
        return found;
    }
}

bpffs::map open_map(const operand& named, bpffs::access rights) {
    return only(open_maps(named, rights), "map");
}

std::vector<bpffs::program> open_programs(const operand& named, bpffs::access rights) {
    std::vector<bpffs::program> found;
    switch (named.by) {
    case naming::path:
        found.push_back(bpffs::program::open(named.text, rights));
        return found;
    case naming::id:
        found.push_back(privileged("program", fmt::format("id ({})", named.id), [&] {
            return bpffs::program::from(bpffs::open_by_id(bpffs::object_kind::program, named.id));
        }));
        return found;
    default:
        return programs_like(named);
    }
}

bpffs::program open_program(const operand& named, bpffs::access rights) {
    return only(open_programs(named, rights), "program");
}

bpffs::program open_any_program(const operand& named) {
    if (named.by != naming::path) {
        return open_program(named, bpffs::access::read);
    }
    bpffs::error_code refused;
    bpffs::program opened = bpffs::program::open(named.text, bpffs::access::write, refused);
    return refused ? bpffs::program::open(named.text, bpffs::access::read) : std::move(opened);
}

bpffs::link open_link(const operand& named, bpffs::access rights) {
    if (named.by == naming::path) {
        bpffs::error_code code;
        bpffs::link opened = bpffs::link::open(named.text, rights, code);
        if (code == bpffs::errc::unsupported) { // without fmode there is no less than both
            return bpffs::link::open(named.text, bpffs::access::read_write);
        }
        return code ? bpffs::link::open(named.text, rights) : std::move(opened);
    }
    return privileged("link", fmt::format("id ({})", named.id), [&] {
        return bpffs::link::from(bpffs::open_by_id(bpffs::object_kind::link, named.id));
    });
}

} // namespace fsctl
