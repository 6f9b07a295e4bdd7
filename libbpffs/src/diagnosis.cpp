// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The judging half of a diagnosis: which of the known facts stand in whose way, and what would
// help.
#include "diagnosis.hpp"

#include <fmt/format.h>

#include <array>

#include <grp.h>
#include <pwd.h>

namespace bpffs {
namespace {

// Numbers of <linux/capability.h>.
constexpr unsigned cap_chown = 0;
constexpr unsigned cap_dac_override = 1;
constexpr unsigned cap_dac_read_search = 2;
constexpr unsigned cap_fowner = 3;
constexpr unsigned cap_sys_admin = 21;

constexpr unsigned bit_read = 4;
constexpr unsigned bit_write = 2;
constexpr unsigned bit_execute = 1;
constexpr unsigned sticky = 01000;

std::string quoted(const path& file) {
    return fmt::format("'{}'", file.native());
}

/// For commands: quoted for the shell.
std::string shell_word(const path& file) {
    std::string word = "'";
    for (const char c : file.native()) {
        word += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
    }
    return word + "'";
}

std::string user_name(uid_t user) {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
    return error == 0 && found != nullptr ? found->pw_name : std::to_string(user);
}

std::string group_name(gid_t group) {
    std::array<char, 4096> buffer{};
    ::group entry{};
    ::group* found = nullptr;
    const int error = ::getgrgid_r(group, &entry, buffer.data(), buffer.size(), &found);
    return error == 0 && found != nullptr ? found->gr_name : std::to_string(group);
}

/// "drwxr-x--- root:adm"
std::string listed(const waypoint& point) {
    const char type = point.type == file_type::directory ? 'd'
                      : point.type == file_type::symlink ? 'l'
                                                         : '-';
    return fmt::format("{}{} {}:{}", type, point.bits.to_string(), user_name(point.owner),
                       group_name(point.group));
}

std::string caller_name(const identity& who) {
    const std::string name = user_name(who.user);
    return name == std::to_string(who.user) ? fmt::format("uid {}", name)
                                            : fmt::format("{} (uid {})", name, who.user);
}

/// The class of a file's mode that counts for somebody: 'u', 'g' or 'o'.
char class_of(const waypoint& point, const identity& who) {
    if (point.owner == who.user) {
        return 'u';
    }
    return who.has_group(point.group) ? 'g' : 'o';
}

unsigned bits_for(const waypoint& point, char of_class) {
    const unsigned shift = of_class == 'u' ? 6 : (of_class == 'g' ? 3 : 0);
    return point.bits.bits() >> shift & 7;
}

/// As generic_permission() in the kernel; `need` is a mask of rwx.
bool permits(const waypoint& point, unsigned need, const identity& who) {
    if ((bits_for(point, class_of(point, who)) & need) == need) {
        return true;
    }
    const bool directory = point.type == file_type::directory;
    const bool any_execute = (point.bits.bits() & 0111) != 0;
    if (who.has_capability(cap_dac_override)) {
        return directory || (need & bit_execute) == 0 || any_execute;
    }
    return who.has_capability(cap_dac_read_search) && (need & bit_write) == 0 &&
           (directory || need == bit_read);
}

/// CAP_SYS_ADMIN counts as each of the capabilities that BPF asks for.
bool may_bpf(const identity& who, capability needed) {
    return who.initial_user_namespace &&
           (who.has_capability(static_cast<unsigned>(needed)) || who.has_capability(cap_sys_admin));
}

/// Kinds that need no capability where kernel.unprivileged_bpf_disabled is 0.
bool open_to_all(map_kind kind) {
    switch (kind) {
    case map_kind::array:
    case map_kind::percpu_array:
    case map_kind::prog_array:
    case map_kind::perf_event_array:
    case map_kind::cgroup_array:
    case map_kind::array_of_maps:
    case map_kind::hash:
    case map_kind::percpu_hash:
    case map_kind::hash_of_maps:
    case map_kind::ringbuf:
    case map_kind::user_ringbuf:
    case map_kind::cgroup_storage:
    case map_kind::percpu_cgroup_storage:
        return true;
    default:
        return false;
    }
}

class judgement {
public:
    judgement(const facts& known, const wanted& wish, const identity& who)
        : known_{known}, wish_{wish}, who_{who} {}

    diagnosis judge() {
        look_at_way();
        if (known_.end == walk_end::complete) {
            look_at_end();
        }
        note_circumstances();
        write_sentence();
        return std::move(found_);
    }

private:
    void add(obstacle what, const path& file, std::string words, std::string remedy) {
        found_.findings.push_back({what, file, std::move(words), std::move(remedy)});
    }
    void add_dot(const path& file);
    void add_not_a_bpffs(const path& file);
    void add_no_delegation(const mount_info& mount, std::string_view what, std::string remedy);
    void add_no_capability(std::string_view what, capability needed);

    void look_at_way();
    void look_at_stop();
    void look_at_end();
    void look_at_open();
    void look_at_new_name();
    void look_at_creation(map_kind kind);
    void look_at_token(map_kind kind);
    void look_at_load(program_kind kind, attach_kind attach);
    void look_at_load_token(program_kind kind, attach_kind attach);
    void look_at_inodes();
    void look_at_link_open();
    void note_circumstances();
    [[nodiscard]] bool may_load(program_kind kind) const;
    void look_at_plain_call(map_kind kind);
    void look_at_file_change();
    void look_at_removal();
    void look_at_mount(bool writes);
    void look_at_directory_write();
    void need_bits(obstacle what, const waypoint& point, unsigned need, const char* verb);
    [[nodiscard]] std::string remedy_for(const waypoint& point, unsigned need) const;
    [[nodiscard]] std::string mount_point() const;
    [[nodiscard]] bool token_possible(map_kind kind) const;
    [[nodiscard]] bool plain_call_possible(map_kind kind) const;
    [[nodiscard]] std::string wish_words() const;
    void write_sentence();

    const facts& known_;
    const wanted& wish_;
    const identity& who_;
    diagnosis found_;
};

void judgement::add_dot(const path& file) {
    add(obstacle::dot_in_name, file,
        fmt::format("{} has a dot in its name, which a bpffs does not take", quoted(file)),
        "use a name without a dot");
}

void judgement::add_not_a_bpffs(const path& file) {
    add(obstacle::not_a_bpffs, file, fmt::format("{} is not on a BPF file system", quoted(file)),
        "see where there are any: findmnt -t bpf");
}

void judgement::add_no_delegation(const mount_info& mount, std::string_view what,
                                  std::string remedy) {
    add(obstacle::no_delegation, mount.mount_point,
        fmt::format("the bpffs on {} does not let {} {}: it is mounted without {}", mount_point(),
                    caller_name(who_), what,
                    mount.fmode == fmode_option::off ? "fmode and delegate_caps" : "delegate_caps"),
        std::move(remedy));
}

/// Nobody but the kernel's administrator can give what the plain call asks for.
void judgement::add_no_capability(std::string_view what, capability needed) {
    if (who_.initial_user_namespace) {
        add(obstacle::capability_missing, known_.target,
            fmt::format("{} asks for the capability {}, which {} has not", what, word(needed),
                        caller_name(who_)),
            "");
    } else {
        add(obstacle::other_user_namespace, known_.target,
            fmt::format("{} is in a user namespace, whose capabilities do not count for bpf(2)",
                        caller_name(who_)),
            "");
    }
}

std::string judgement::remedy_for(const waypoint& point, unsigned need) const {
    const char of_class = class_of(point, who_);
    // Where the group has the right, joining it is the smaller change.
    if (of_class == 'o' && (bits_for(point, 'g') & need) == need && point.group != 0) {
        return fmt::format("root can run: usermod -aG {} {}", group_name(point.group),
                           user_name(who_.user));
    }
    std::string letters;
    for (const auto& [bit, letter] :
         {std::pair{bit_read, 'r'}, std::pair{bit_write, 'w'}, std::pair{bit_execute, 'x'}}) {
        if ((need & bit) != 0) {
            letters += letter;
        }
    }
    return fmt::format("{} can run: chmod {}+{} {}", user_name(point.owner), of_class, letters,
                       shell_word(point.shown));
}

void judgement::need_bits(obstacle what, const waypoint& point, unsigned need, const char* verb) {
    if (!permits(point, need, who_)) {
        add(what, point.shown,
            fmt::format("{} is {}, and {} may not {} it", quoted(point.shown), listed(point),
                        caller_name(who_), verb),
            remedy_for(point, need));
    }
}

void judgement::look_at_way() {
    for (const waypoint& one : known_.way) {
        need_bits(obstacle::no_search_permission, one, bit_execute, "search");
    }
    if (known_.end != walk_end::complete) {
        look_at_stop();
    }
}

void judgement::look_at_stop() {
    const path& at = known_.stopped_at;
    switch (known_.end) {
    case walk_end::complete:
    case walk_end::refused: // said by the directory's bits, which the walker met
        if (found_.findings.empty() && !known_.way.empty()) {
            add(obstacle::no_search_permission, known_.way.back().shown,
                fmt::format("{} may not be searched", quoted(known_.way.back().shown)), "");
        }
        return;
    case walk_end::missing:
        if (at.filename().native().find('.') != std::string::npos && known_.on_bpffs) {
            add_dot(at);
            return;
        }
        add(obstacle::no_such_file, at, fmt::format("{} does not exist", quoted(at)),
            fmt::format("make it first: mkdir {}", shell_word(at)));
        return;
    case walk_end::not_a_directory:
        add(obstacle::not_a_directory, at, fmt::format("{} is no directory", quoted(at)), "");
        return;
    case walk_end::loop:
        add(obstacle::link_loop, at, fmt::format("too many symbolic links at {}", quoted(at)), "");
        return;
    case walk_end::bad_name:
        add(obstacle::bad_name, at,
            at.empty() ? "the path is empty" : fmt::format("{} does not name a file", quoted(at)),
            "give the name of the pin in its directory");
        return;
    case walk_end::too_long:
        add(obstacle::bad_name, at, "the name is too long: 255 bytes is the most", "");
        return;
    }
}

void judgement::look_at_end() {
    switch (wish_.what) {
    case action::open:
        look_at_open();
        return;
    case action::create:
    case action::load:
    case action::pin:
        look_at_new_name();
        return;
    case action::change_mode:
    case action::change_owner:
        look_at_file_change();
        return;
    case action::remove:
        look_at_removal();
        return;
    }
}

std::string judgement::mount_point() const {
    return known_.mount ? quoted(known_.mount->mount_point) : std::string{"the mount"};
}

void judgement::look_at_mount(bool writes) {
    if (writes && known_.mount && known_.mount->protection == write_protection::read_only) {
        add(obstacle::read_only_mount, known_.mount->mount_point,
            fmt::format("{} is mounted read-only", mount_point()),
            fmt::format("root can run: mount -o remount,rw {}",
                        shell_word(known_.mount->mount_point)));
    }
}

void judgement::look_at_open() {
    if (!known_.file) {
        if (known_.on_bpffs && known_.name.find('.') != std::string::npos) {
            add_dot(known_.target);
        } else {
            add(obstacle::no_such_file, known_.target,
                fmt::format("{} does not exist", quoted(known_.target)),
                fmt::format("look what there is: ls -l {}",
                            shell_word(known_.way.empty() ? path{"."} : known_.way.back().shown)));
        }
        return;
    }
    const waypoint& file = *known_.file;
    if (!known_.on_bpffs) {
        add_not_a_bpffs(file.shown);
        return;
    }
    if (file.type != file_type::file) {
        add(obstacle::not_a_pin, file.shown,
            fmt::format("{} is {}, and holds no BPF object", quoted(file.shown),
                        file.type == file_type::directory ? "a directory" : "no file"),
            "");
        return;
    }
    look_at_mount(can_write(wish_.rights));
    look_at_link_open();
    if (can_read(wish_.rights)) {
        need_bits(obstacle::no_read_bit, file, bit_read, "read");
    }
    if (can_write(wish_.rights)) {
        need_bits(obstacle::no_write_bit, file, bit_write, "write");
    }
}

void judgement::look_at_directory_write() {
    if (!known_.way.empty()) {
        need_bits(obstacle::no_write_permission, known_.way.back(), bit_write, "write to");
    }
}

void judgement::look_at_new_name() {
    const path directory = known_.way.empty() ? path{"."} : known_.way.back().shown;
    if (!known_.on_bpffs) {
        add_not_a_bpffs(directory);
        return;
    }
    if (known_.name.find('.') != std::string::npos) {
        add_dot(known_.target);
    }
    look_at_mount(true);
    look_at_directory_write();
    if (wish_.what == action::create && wish_.kind) {
        look_at_creation(*wish_.kind);
    }
    if (wish_.what == action::load && wish_.program) {
        look_at_load(*wish_.program, wish_.attach);
    }
    look_at_inodes();
    if (known_.file) {
        add(obstacle::name_exists, known_.target,
            fmt::format("{} exists already", quoted(known_.target)),
            fmt::format("choose another name, or remove it: rm {}", shell_word(known_.target)));
    }
    if (wish_.what == action::pin && wish_.rights != access::read_write) {
        add(obstacle::handle_lacks_right, known_.target,
            fmt::format("the object is open for {} only, and pinning asks for read and write",
                        to_string(wish_.rights)),
            "open it for read and write");
    }
}

void judgement::look_at_link_open() {
    const bool bound = known_.mount && known_.mount->fmode == fmode_option::on;
    if (known_.holds_link && !bound && wish_.rights != access::read_write) {
        add(obstacle::links_need_fmode, known_.file->shown,
            fmt::format("{} holds a link, and {} is mounted without fmode, where links open for "
                        "read and write only",
                        quoted(known_.file->shown), mount_point()),
            known_.mount ? fmt::format("root can run: mount -o remount,fmode {}",
                                       shell_word(known_.mount->mount_point))
                         : "open it for read and write");
    }
}

void judgement::look_at_inodes() {
    if (known_.inodes_left == std::optional<std::uint64_t>{0}) {
        add(obstacle::no_inodes_left, known_.mount ? known_.mount->mount_point : known_.target,
            fmt::format("the bpffs on {} takes no more files: nr_inodes= is reached",
                        mount_point()),
            "remove what is not needed, or root can remount it with a larger nr_inodes=");
    }
}

/// The plain call: CAP_BPF, and for kinds that see packets or the kernel another one.
bool judgement::may_load(program_kind kind) const {
    const bool simple = kind == program_kind::socket_filter || kind == program_kind::cgroup_skb;
    return may_bpf(who_, capability::bpf) || (simple && known_.unprivileged_bpf_disabled == 0);
}

void judgement::look_at_load(program_kind kind, attach_kind attach) {
    const bool by_token = known_.mount && known_.mount->gives_tokens() &&
                          known_.mount->delegated.allows_program(kind, attach) &&
                          known_.mount->delegated.capabilities.contains(capability::bpf);
    if (by_token || may_load(kind)) {
        return;
    }
    look_at_load_token(kind, attach);
    add_no_capability(fmt::format("a program of kind {}", to_string(kind)), capability::bpf);
}

void judgement::look_at_load_token(program_kind kind, attach_kind attach) {
    if (!known_.mount) {
        return;
    }
    const mount_info& mount = *known_.mount;
    const delegation& to = mount.delegated;
    if (!can_be_delegated(kind)) {
        add(obstacle::kind_not_delegated, mount.mount_point,
            fmt::format("no directory delegates programs of kind {}", to_string(kind)), "");
        return;
    }
    if (!mount.gives_tokens()) {
        add_no_delegation(
            mount, "load programs",
            "root can mount it with delegate_cmds=prog_load and the kinds in delegate_progs");
        return;
    }
    const auto missing = [&](const std::string& what, const std::string& option) {
        add(obstacle::kind_not_delegated, mount.mount_point,
            fmt::format("the bpffs on {} does not delegate {}", mount_point(), what),
            fmt::format("root can mount it with {}", option));
    };
    if (!to.commands.contains(command::prog_load)) {
        missing("prog_load", "delegate_cmds=prog_load");
    } else if (!to.programs.contains(kind)) {
        missing(fmt::format("programs of kind {}", to_string(kind)),
                fmt::format("{} in delegate_progs", to_string(kind)));
    } else if (!to.attachments.contains(attach)) {
        missing(fmt::format("the attachment {}", word(attach)),
                fmt::format("{} in delegate_attachs", word(attach)));
    } else {
        add(obstacle::capability_not_delegated, mount.mount_point,
            fmt::format("the bpffs on {} does not delegate the capability bpf", mount_point()),
            "root can mount it with bpf in delegate_caps");
    }
}

/// What may refuse, and tells nobody beforehand.
void judgement::note_circumstances() {
    if (!known_.security_modules.empty()) {
        found_.circumstances.push_back(
            fmt::format("the security modules {} are active", known_.security_modules));
    }
    if (!known_.lockdown.empty()) {
        found_.circumstances.push_back(
            fmt::format("the kernel is locked down ({})", known_.lockdown));
    }
}

bool judgement::token_possible(map_kind kind) const {
    return known_.mount && known_.mount->gives_tokens() &&
           known_.mount->delegated.allows_map(kind) &&
           known_.mount->delegated.capabilities.contains(capability_for(kind));
}

bool judgement::plain_call_possible(map_kind kind) const {
    return may_bpf(who_, capability_for(kind)) ||
           (known_.unprivileged_bpf_disabled == 0 && open_to_all(kind));
}

void judgement::look_at_creation(map_kind kind) {
    if (!token_possible(kind) && !plain_call_possible(kind)) {
        look_at_token(kind);
        look_at_plain_call(kind);
    }
}

void judgement::look_at_token(map_kind kind) {
    if (!known_.mount) {
        return;
    }
    const mount_info& mount = *known_.mount;
    if (!mount.gives_tokens()) {
        add_no_delegation(mount, "create maps",
                          fmt::format("root can run: bpffs-admin add {}", user_name(who_.user)));
    } else if (!mount.delegated.allows_map(kind)) {
        const bool command_given = mount.delegated.commands.contains(command::map_create);
        add(obstacle::kind_not_delegated, mount.mount_point,
            command_given
                ? fmt::format("the bpffs on {} delegates maps of kind {}, not {}", mount_point(),
                              mount.delegated.maps.empty() ? "(none)"
                                                           : to_string(mount.delegated.maps),
                              to_string(kind))
                : fmt::format("the bpffs on {} does not delegate map_create", mount_point()),
            command_given ? fmt::format("use one of these kinds, or root can mount it with {} in "
                                        "delegate_maps",
                                        to_string(kind))
                          : "root can mount it with delegate_cmds=map_create");
    } else {
        const auto needed = word(capability_for(kind));
        add(obstacle::capability_not_delegated, mount.mount_point,
            fmt::format("the bpffs on {} does not delegate the capability {} that a {} asks for",
                        mount_point(), needed, to_string(kind)),
            fmt::format("root can mount it with {} in delegate_caps", needed));
    }
}

void judgement::look_at_plain_call(map_kind kind) {
    const bool sysctl = open_to_all(kind) && known_.unprivileged_bpf_disabled.value_or(0) != 0;
    if (sysctl) {
        add(obstacle::sysctl_disables, "/proc/sys/kernel/unprivileged_bpf_disabled",
            fmt::format("kernel.unprivileged_bpf_disabled is {}, and {} has no CAP_BPF",
                        *known_.unprivileged_bpf_disabled, caller_name(who_)),
            "");
    } else {
        add_no_capability(fmt::format("a {}", to_string(kind)), capability_for(kind));
    }
}

void judgement::look_at_file_change() {
    if (!known_.file) {
        look_at_open(); // says that it is not there
        return;
    }
    const waypoint& file = *known_.file;
    look_at_mount(true);
    const bool mode_change = wish_.what == action::change_mode;
    const bool allowed = mode_change ? file.owner == who_.user || who_.has_capability(cap_fowner)
                                     : who_.has_capability(cap_chown);
    if (!allowed) {
        add(obstacle::not_the_owner, file.shown,
            mode_change
                ? fmt::format("{} belongs to {}, and only the owner changes its mode",
                              quoted(file.shown), user_name(file.owner))
                : fmt::format("only root gives {} to another owner, and {} only to a group of "
                              "their own",
                              quoted(file.shown), user_name(file.owner)),
            mode_change && file.owner != 0
                ? fmt::format("{} or root can do it", user_name(file.owner))
                : "root can do it");
    }
}

void judgement::look_at_removal() {
    if (!known_.file) {
        look_at_open();
        return;
    }
    look_at_mount(true);
    look_at_directory_write();
    if (known_.way.empty()) {
        return;
    }
    const waypoint& directory = known_.way.back();
    const bool others = known_.file->owner != who_.user && directory.owner != who_.user;
    if ((directory.bits.bits() & sticky) != 0 && others && !who_.has_capability(cap_fowner)) {
        add(obstacle::sticky_directory, directory.shown,
            fmt::format("{} is sticky: only {} may remove {}", quoted(directory.shown),
                        user_name(known_.file->owner), quoted(known_.file->shown)),
            fmt::format("{} can run: rm {}", user_name(known_.file->owner),
                        shell_word(known_.file->shown)));
    }
}

std::string judgement::wish_words() const {
    const std::string file = quoted(known_.target);
    switch (wish_.what) {
    case action::open:
        return fmt::format("opening {} for {}", file, to_string(wish_.rights));
    case action::create:
        return fmt::format("creating {}", file);
    case action::load:
        return fmt::format("loading a program as {}", file);
    case action::pin:
        return fmt::format("pinning {}", file);
    case action::change_mode:
        return fmt::format("changing the mode of {}", file);
    case action::change_owner:
        return fmt::format("changing the owner of {}", file);
    case action::remove:
        break;
    }
    return fmt::format("removing {}", file);
}

void judgement::write_sentence() {
    if (found_.findings.empty()) {
        found_.sentence = fmt::format("nothing known stands in the way of {}", wish_words());
        for (const std::string& one : found_.circumstances) {
            found_.sentence += "; " + one;
        }
        return;
    }
    const finding& first = found_.findings.front();
    found_.sentence =
        first.remedy.empty() ? first.words : fmt::format("{}; {}", first.words, first.remedy);
}

diagnosis explain_body(const location& where, const wanted& wish, const identity* who,
                       failure& why) {
    error_code code;
    const identity asking = who != nullptr ? *who : identity::of_caller(code);
    if (code) {
        why.set(code, "who is asking cannot be found out");
        return {};
    }
    const facts known = gather(where, wish, why);
    return why ? diagnosis{} : judge(known, wish, asking);
}

} // namespace

diagnosis judge(const facts& known, const wanted& wish, const identity& who) {
    return judgement{known, wish, who}.judge();
}

diagnosis explain(const location& where, const wanted& wish) {
    return loudly("diagnose", where, {},
                  [&](failure& why) { return explain_body(where, wish, nullptr, why); });
}

diagnosis explain(const location& where, const wanted& wish, const identity& who) {
    return loudly("diagnose", where, {},
                  [&](failure& why) { return explain_body(where, wish, &who, why); });
}

diagnosis explain(const location& where, const wanted& wish, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return explain_body(where, wish, nullptr, why); });
}

diagnosis explain(const location& where, const wanted& wish, const identity& who,
                  error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return explain_body(where, wish, &who, why); });
}

} // namespace bpffs
