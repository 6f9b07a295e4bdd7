// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Asking the library, and printing what it says; see report.hpp.
#include "report.hpp"

#include "common/identity.hpp"
#include "common/table.hpp"

#include <algorithm>

namespace fsctl {

namespace {

using bpffs::object_kind;
using bpffs::wanted;

// The place of a new name: the path itself, or in the directory that it is.
bpffs::path new_name(const bpffs::path& file) {
    bpffs::error_code code;
    if (!bpffs::directory::open(file, code)) {
        return file;
    }
    bpffs::path free = file / "new";
    for (unsigned n = 2; (void)bpffs::look_at(free, code), !code; ++n) {
        free = file / fmt::format("new{}", n);
    }
    return free;
}

bool makes_a_name(const wanted& wish) {
    return wish.what == bpffs::action::create || wish.what == bpffs::action::load ||
           wish.what == bpffs::action::pin;
}

class examination {
public:
    explicit examination(const question& asked) : asked_(asked), free_(new_name(asked.file)) {
        found_.kernel = bpffs::ask_kernel();
        look_at_place();
    }

    report examine() {
        if (asked_.wanted) {
            add(*asked_.wanted);
        } else if (found_.pin && found_.pin->type == bpffs::file_type::file) {
            look_at_pin();
        } else {
            look_at_directory();
        }
        return std::move(found_);
    }

private:
    void look_at_place() {
        bpffs::error_code code;
        bpffs::directory at = bpffs::directory::open(asked_.file, code);
        if (code) {
            const bpffs::pin_info pin = bpffs::inspect(asked_.file, code);
            if (!code) {
                found_.pin = pin;
            }
            const bpffs::path above = asked_.file.parent_path();
            at = bpffs::directory::open(above.empty() ? bpffs::path(".") : above, code);
        }
        if (at && at.is_bpffs(code)) {
            bpffs::mount_info mount = bpffs::mount_info::of(at.fd(), code);
            if (!code) {
                found_.mount = std::move(mount);
            }
        }
    }

    void add(const deed& each, std::vector<std::string> kinds = {}) {
        const bpffs::path& file = makes_a_name(each.wish) ? free_ : asked_.file;
        finding_of one{std::string(each.word), std::move(kinds), false, {}};
        one.why = bpffs::explain(file, each.wish, asked_.identity);
        one.works = one.why.findings.empty();
        if (one.works && each.only && found_.pin && found_.pin->kind &&
            *found_.pin->kind != *each.only) {
            one.works = false;
            one.why.sentence =
                fmt::format("'{}' holds a {}, and only a {} can be meant", asked_.file.native(),
                            to_string(*found_.pin->kind), to_string(*each.only));
        }
        // What comes to the same stands together.
        const auto same = std::find_if(
            found_.findings.begin(), found_.findings.end(), [&](const finding_of& other) {
                return other.deed == one.deed && other.works && one.works;
            });
        if (same != found_.findings.end()) {
            same->kinds.insert(same->kinds.end(), one.kinds.begin(), one.kinds.end());
        } else {
            found_.findings.push_back(std::move(one));
        }
    }

    void look_at_pin() {
        for (const deed& each : all_deeds()) {
            const bool fits = !each.only || (found_.pin->kind && *each.only == *found_.pin->kind);
            const bool map_update = each.word == "update"; // a link's; a map's is "write"
            if (!makes_a_name(each.wish) && fits && (!map_update || holds(object_kind::link))) {
                add(each);
            }
        }
    }

    [[nodiscard]] bool holds(object_kind kind) const {
        return found_.pin && found_.pin->kind && *found_.pin->kind == kind;
    }

    void look_at_directory() {
        add({"pin", wanted::to_pin(bpffs::access::read_write)});
        const bpffs::delegation to = found_.mount ? found_.mount->delegated : bpffs::delegation();
        look_at_maps(to);
        look_at_programs(to);
    }

    // The kinds that are delegated, or the one that everybody has heard of.
    void look_at_maps(const bpffs::delegation& to) {
        bool any = false;
        for (const bpffs::map_kind kind : bpffs::all_of<bpffs::map_kind>()) {
            if (to.maps.contains(kind)) {
                add({"create", wanted::to_create(kind)}, {to_string(kind)});
                any = true;
            }
        }
        if (!any) {
            add({"create", wanted::to_create(bpffs::map_kind::hash)}, {"hash"});
        }
    }

    void look_at_programs(const bpffs::delegation& to) {
        bpffs::attach_kind attach{}; // that of the kinds that have none of their own
        if (!to.attachments.contains(attach)) {
            for (const bpffs::attach_kind each : bpffs::all_of<bpffs::attach_kind>()) {
                attach = to.attachments.contains(each) ? each : attach;
            }
        }
        bool any = false;
        for (const bpffs::program_kind kind : bpffs::all_of<bpffs::program_kind>()) {
            if (to.programs.contains(kind) && bpffs::can_be_delegated(kind)) {
                add({"load", wanted::to_load(kind, attach)}, {to_string(kind)});
                any = true;
            }
        }
        if (!any) {
            add({"load", wanted::to_load(bpffs::program_kind::socket_filter, {})},
                {"socket_filter"});
        }
    }

    const question& asked_;
    bpffs::path free_;
    report found_;
};

// --- for people

std::string coloured(const context& with, std::string_view text, int colour) {
    return with.process.colours ? fmt::format("\033[{}m{}\033[0m", colour, text)
                                : std::string(text);
}

std::string kernel_words(const bpffs::kernel_info& kernel) {
    std::string text = kernel.model ? "has the permission model (fmode, tokens from directories)"
                                    : "has not the permission model: modes of maps count, those of "
                                      "programs and links do not";
    if (kernel.unprivileged_bpf_disabled) {
        text += fmt::format("; kernel.unprivileged_bpf_disabled is {}",
                            *kernel.unprivileged_bpf_disabled);
    }
    if (!kernel.security_modules.empty()) {
        text += fmt::format("; {} may refuse, too", kernel.security_modules);
    }
    if (!kernel.lockdown.empty()) {
        text += fmt::format("; locked down ({})", kernel.lockdown);
    }
    return text;
}

std::string mount_words(const bpffs::mount_info& mount) {
    const bool fmode = mount.fmode == bpffs::fmode_option::on;
    return fmt::format("{}: {}; {}", mount.mount_point.native(),
                       fmode ? "fmode, so a handle may do what it was opened for"
                             : "without fmode, so reading is enough to write, run and attach",
                       mount.gives_tokens() ? "delegates " + mount.delegated.to_options()
                                            : std::string("delegates nothing"));
}

std::string pin_words(const bpffs::pin_info& pin) {
    return fmt::format("{}, -{} {}:{}",
                       pin.kind ? std::string(to_string(*pin.kind))
                                : "holds what is not yours to see",
                       pin.permissions.to_string(), user_name(pin.owner), group_name(pin.group));
}

void print_reasons(context& with, const finding_of& one) {
    if (one.why.findings.empty()) {
        with.out.print("    {}\n", one.why.sentence);
    }
    const std::size_t most = with.chosen.verbose ? one.why.findings.size() : 1;
    for (std::size_t i = 0; i < std::min(most, one.why.findings.size()); ++i) {
        const bpffs::finding& each = one.why.findings[i];
        with.out.print("    {}\n", each.words);
        if (!each.remedy.empty()) {
            with.out.print("    {}\n", coloured(with, "-> " + each.remedy, 36));
        }
    }
    for (const std::string& each :
         with.chosen.verbose ? one.why.circumstances : std::vector<std::string>()) {
        with.out.print("    {}\n", each);
    }
}

void print_plain(context& with, const question& asked, const report& found) {
    if (!asked.wanted || with.chosen.verbose) {
        table facts;
        facts.add({"path", asked.file.native() + (found.pin ? ": " + pin_words(*found.pin) : "")});
        facts.add({"for", fmt::format("{} (uid {})", asked.who, asked.identity.user)});
        facts.add({"kernel", kernel_words(found.kernel)});
        facts.add({"mount", found.mount ? mount_words(*found.mount)
                                        : "not a bpffs, as far as one "
                                          "can see"});
        facts.print(with.out, with.process);
    }
    for (const finding_of& one : found.findings) {
        with.out.print("{:<7} {}{}{}\n", one.deed,
                       coloured(with, one.works ? "yes" : "no", one.works ? 32 : 31),
                       one.kinds.empty() ? ""
                       : one.works       ? "  "
                                         : "   ",
                       fmt::join(one.kinds, " "));
        if (!one.works) {
            print_reasons(with, one);
        }
    }
}

// --- for machines

void strings(json_writer& json, std::string_view name, const std::vector<std::string>& list) {
    json.name(name);
    json.start_array();
    for (const std::string& each : list) {
        json.string(each);
    }
    json.end_array();
}

void flag(json_writer& json, std::string_view name, bool value) {
    json.name(name);
    json.boolean(value);
}

void print_kernel(json_writer& json, const bpffs::kernel_info& kernel) {
    json.name("kernel");
    json.start_object();
    flag(json, "model", kernel.model);
    flag(json, "tokens", kernel.tokens);
    if (kernel.unprivileged_bpf_disabled) {
        json.name("unprivileged_bpf_disabled");
        json.signed_number(*kernel.unprivileged_bpf_disabled);
    }
    json.member("security_modules", kernel.security_modules);
    json.member("lockdown", kernel.lockdown);
    json.end_object();
}

void print_mount(json_writer& json, const bpffs::mount_info& mount) {
    json.name("mount");
    json.start_object();
    json.member("path", mount.mount_point.native());
    flag(json, "fmode", mount.fmode == bpffs::fmode_option::on);
    flag(json, "read_only", mount.protection == bpffs::write_protection::read_only);
    json.member("delegate_cmds", to_string(mount.delegated.commands));
    json.member("delegate_maps", to_string(mount.delegated.maps));
    json.member("delegate_progs", to_string(mount.delegated.programs));
    json.member("delegate_attachs", to_string(mount.delegated.attachments));
    json.member("delegate_caps", to_string(mount.delegated.capabilities));
    json.end_object();
}

void print_pin(json_writer& json, const bpffs::pin_info& pin) {
    json.name("pin");
    json.start_object();
    if (pin.kind) {
        json.member("kind", to_string(*pin.kind));
    }
    json.member("owner", user_name(pin.owner));
    json.member("group", group_name(pin.group));
    json.member("mode", pin.permissions.octal());
    json.end_object();
}

void print_finding(json_writer& json, const finding_of& one) {
    json.start_object();
    json.member("for", one.deed);
    if (!one.kinds.empty()) {
        strings(json, "kinds", one.kinds);
    }
    flag(json, "works", one.works);
    if (!one.works) {
        json.member("diagnosis", one.why.sentence);
        json.name("findings");
        json.start_array();
        for (const bpffs::finding& each : one.why.findings) {
            json.start_object();
            json.member("file", each.file.native());
            json.member("words", each.words);
            json.member("remedy", each.remedy);
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();
}

void print_json(json_writer& json, const question& asked, const report& found) {
    json.start_object();
    json.member("path", asked.file.native());
    json.member("user", asked.who);
    json.member("uid", asked.identity.user);
    print_kernel(json, found.kernel);
    if (found.mount) {
        print_mount(json, *found.mount);
    }
    if (found.pin) {
        print_pin(json, *found.pin);
    }
    json.name("answers");
    json.start_array();
    for (const finding_of& one : found.findings) {
        print_finding(json, one);
    }
    json.end_array();
    json.end_object();
}

} // namespace

bool report::works() const {
    return std::all_of(findings.begin(), findings.end(),
                       [](const finding_of& one) { return one.works; });
}

report look(const question& asked) {
    return examination(asked).examine();
}

void print(context& with, const question& asked, const report& found) {
    with.chosen.json ? print_json(with.json, asked, found) : print_plain(with, asked, found);
}

} // namespace fsctl
