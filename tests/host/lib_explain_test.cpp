// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Diagnoses as a table: a set-up in which alice is refused, the sentence that she is told, and the
// remedy in it, which is applied as it stands and makes the call succeed.
#include "lib_scene.hpp"

#include "support/bpf_call.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace {

using namespace lib_test;
using bpffs_test::alice;
using bpffs_test::bob;

constexpr uid_t root = 0;

/// One set-up's mount, with short words for what stands on it.
class stage {
public:
    explicit stage(const std::string& options) { mount(options); }

    void mount(const std::string& options) {
        mount_.reset();
        mount_ = std::make_unique<bpffs_test::bpffs_mount>(options);
        EXPECT_EQ(mount_->error(), 0) << options;
    }
    [[nodiscard]] path at(const std::string& name) const {
        return name.starts_with('/') ? path{name} : path{*mount_ / name};
    }
    [[nodiscard]] std::string base() const { return mount_->directory(); }

    void pin(const std::string& name, unsigned bits, uid_t owner = root, gid_t group = root) const {
        const auto map = bpffs_test::create_map(BPF_MAP_TYPE_HASH, 8, 8, 4);
        EXPECT_EQ(bpffs_test::pin(map.get(), at(name).native()), 0);
        own(name, bits, owner, group);
    }
    void dir(const std::string& name, unsigned bits, uid_t owner = root, gid_t group = root) const {
        EXPECT_EQ(::mkdir(at(name).c_str(), 0700), 0);
        own(name, bits, owner, group);
    }
    void own(const std::string& name, unsigned bits, uid_t owner = root, gid_t group = root) const {
        EXPECT_EQ(::chown(at(name).c_str(), owner, group), 0);
        EXPECT_EQ(::chmod(at(name).c_str(), bits), 0);
    }
    void remount(const std::string& options) const { EXPECT_EQ(mount_->remount(options), 0); }

private:
    std::unique_ptr<bpffs_test::bpffs_mount> mount_;
};

struct row {
    std::string name;
    std::string options; ///< of the mount
    std::function<void(stage&)> set_up;
    wanted wish;
    std::string file;                ///< below the mount, or absolute
    std::string sentence;            ///< with @ for the mount point
    std::function<void(stage&)> fix; ///< nothing: the commands in the remedies are run
};

void PrintTo(const row& one,
             std::ostream* to) { // NOLINT(readability-identifier-naming): GoogleTest
    *to << one.name;
}

std::string with_base(const std::string& text, const std::string& base) {
    std::string whole;
    for (const char c : text) {
        whole += c == '@' ? base : std::string(1, c);
    }
    return whole;
}

/// The groups that alice has when she logs in now.
std::vector<gid_t> groups_of_alice() {
    std::vector<gid_t> groups(64);
    int count = static_cast<int>(groups.size());
    ::getgrouplist("alice", alice, groups.data(), &count);
    groups.resize(static_cast<std::size_t>(std::max(count, 0)));
    return groups;
}

/// The remedy of a handle with too few rights.
bool the_handle_is_opened_for_both = false;

/// Does what is wished; the code is what came of it.
error_code attempt_of(const wanted& wish, const path& file) {
    error_code code;
    switch (wish.what) {
    case action::open:
        (void)open_pin(file, wish.rights, code);
        break;
    case action::create: {
        map_spec spec = default_spec(*wish.kind);
        (void)create_map(file, spec, code);
        break;
    }
    case action::load: {
        const auto where = bpffs_test::open_file(file.parent_path().native(), O_PATH | O_DIRECTORY);
        const auto token = bpffs_test::token_create(where.get());
        bpffs_test::load_options options;
        options.token = token.get();
        const auto loaded = bpffs_test::load_program(static_cast<std::uint32_t>(*wish.program),
                                                     bpffs_test::returns(0), options);
        code = error_code{loaded.error(), boost::system::system_category()};
        if (loaded.good()) {
            pin_object(borrowed_fd{loaded.get()}, file, {}, code);
        }
        break;
    }
    case action::pin: {
        const map opened =
            map::open(file.parent_path() / "m",
                      the_handle_is_opened_for_both ? access::read_write : wish.rights, code);
        if (!code) {
            opened.pin(file, {}, code);
        }
        break;
    }
    case action::change_mode:
        permissions(file, mode{0640}, code);
        break;
    case action::change_owner:
        change_owner(file, std::nullopt, alice, code);
        break;
    case action::remove:
        bpffs::remove(file, code);
        break;
    }
    return code;
}

/// As alice, with the groups she has by now: what came of it; complaints about the sentence.
bool alice_succeeds(const row& one, const stage& on, bool compare) {
    const bpffs_test::identity who{alice, alice, groups_of_alice(), 0};
    const path file = on.at(one.file);
    const auto outcome = bpffs_test::as(who, [&] {
        std::string said;
        error_code code;
        try {
            code = attempt_of(one.wish, file);
            // What has been done cannot be explained: what is removed is not there any more.
            said = code ? explain(file, one.wish).sentence : "nothing is in the way";
        } catch (const std::exception& why) {
            said = why.what();
            code = errc::bad_word;
        }
        const std::string expected = with_base(one.sentence, on.base());
        const bool right = !compare || said == expected;
        if (!right) {
            std::fprintf(stderr, "%s\n  said     %s\n  expected %s\n", one.name.c_str(),
                         said.c_str(), expected.c_str());
        } else if (code && !compare) {
            std::fprintf(stderr, "%s: still: %s; %s\n", one.name.c_str(), code.message().c_str(),
                         said.c_str());
        }
        return bpffs_test::done(code ? "refused" : "done", right ? 0 : -EPROTO, !code);
    });
    EXPECT_EQ(outcome.error, 0) << outcome.step;
    return outcome.seen;
}

/// Runs what the remedies say: "alice can run: COMMAND" as root, who may do what the owner may.
void apply_remedies(const row& one, const stage& on) {
    const bpffs::identity who{alice, alice, {}, 0};
    const diagnosis said = explain(on.at(one.file), one.wish, who);
    constexpr std::string_view before_command = " can run: ";
    for (const finding& found : said.findings) {
        const auto at = found.remedy.find(before_command);
        ASSERT_NE(at, std::string::npos) << found.remedy;
        const std::string command = found.remedy.substr(at + before_command.size());
        EXPECT_EQ(std::system(command.c_str()), 0) << command; // NOLINT(concurrency-mt-unsafe)
    }
}

class explain_table : public ::testing::TestWithParam<row> {
public:
    void SetUp() override {
        for (const char* probe : {"root", "bpf", "bpffs"}) {
            BPFFS_NEEDS(probe);
        }
        the_handle_is_opened_for_both = false;
        // NOLINTNEXTLINE(concurrency-mt-unsafe)
        BPFFS_NEEDS("users", ::getpwnam("alice") != nullptr && ::getpwnam("bob") != nullptr
                                 ? ""
                                 : "no users alice and bob");
        if (speaks_of("fmode")) {
            BPFFS_NEEDS("fmode");
        }
        if (speaks_of("delegate_caps")) {
            BPFFS_NEEDS("token");
        }
        if (speaks_of("nr_inodes")) {
            BPFFS_NEEDS("nr_inodes");
        }
        if (GetParam().wish.what == action::load) {
            BPFFS_NEEDS("program_tokens", why_no_program());
        }
    }

private:
    /// Is the option in force, or what the remedy turns on?
    static bool speaks_of(std::string_view option) {
        return GetParam().options.find(option) != std::string::npos ||
               GetParam().sentence.find(option) != std::string::npos;
    }

    static std::string why_no_program() {
        const stage on{"fmode,mode=0700,uid=1000,delegate_cmds=0x20,delegate_progs=0x2,"
                       "delegate_attachs=0x1,delegate_caps=bpf"};
        const auto loaded = bpffs_test::as_user(alice, [&] {
            const error_code code =
                attempt_of(wanted::to_load(program_kind::socket_filter, attach_kind{}), on.at("p"));
            return bpffs_test::done("load", code ? -EPERM : 0);
        });
        return loaded.error == 0 ? "" : "directory tokens load no programs";
    }
};

TEST_P(explain_table, says_what_is_in_the_way_and_the_remedy_helps) {
    const row& one = GetParam();
    stage on{one.options};
    one.set_up(on);
    EXPECT_FALSE(alice_succeeds(one, on, true)) << "nothing is in the way";
    if (one.fix) {
        one.fix(on);
    } else {
        apply_remedies(one, on);
    }
    EXPECT_TRUE(alice_succeeds(one, on, false)) << "the remedy does not help";
}

// The rows.

const std::string plain = "mode=0755";
const std::string alices = "mode=0700,uid=1000,gid=1000";
const std::string delegating =
    "fmode,mode=0700,uid=1000,gid=1000,delegate_cmds=0x1,delegate_maps=0x2,delegate_caps=bpf";

wanted to_read() {
    return wanted::to_open(access::read);
}
wanted to_write() {
    return wanted::to_open(access::write);
}
wanted to_both() {
    return wanted::to_open(access::read_write);
}

struct ownership {
    const char* letter;
    uid_t owner;
    gid_t group;
    const char* shown;
    const char* owner_name;
};
constexpr ownership classes[] = {{"u", alice, root, "alice:root", "alice"},
                                 {"g", root, alice, "root:alice", "root"},
                                 {"o", root, root, "root:root", "root"}};

/// Opening with each right, refused to the owner, the group and others.
std::vector<row> rows_of_pins() {
    std::vector<row> rows;
    struct wish_words {
        const char* name;
        wanted wish;
        const char* verb;
        const char* letter;
        unsigned bits; ///< what everybody has already
        const char* shown;
    };
    const wish_words wishes[] = {{"read", to_read(), "read", "r", 0222, "--w--w--w-"},
                                 {"write", to_write(), "write", "w", 0444, "-r--r--r--"},
                                 {"both", to_both(), "read", "r", 0000, "----------"}};
    for (const ownership& of : classes) {
        for (const wish_words& one : wishes) {
            rows.push_back(
                {std::string{"pin_"} + of.letter + "_" + one.name,
                 plain,
                 [bits = one.bits, of](stage& on) { on.pin("m", bits, of.owner, of.group); },
                 one.wish,
                 "m",
                 std::string{"'@/m' is "} + one.shown + " " + of.shown +
                     ", and alice (uid 1000) may not " + one.verb + " it; " + of.owner_name +
                     " can run: chmod " + of.letter + "+" + one.letter + " '@/m'",
                 {}});
        }
    }
    return rows;
}

/// A directory on the way that may not be searched.
row row_of_way(const ownership& of, const std::string& where) {
    std::string sentence = "'@/";
    sentence.append(where).append("' is drw-rw-rw- ").append(of.shown);
    sentence.append(", and alice (uid 1000) may not search it; ").append(of.owner_name);
    sentence.append(" can run: chmod ")
        .append(of.letter)
        .append("+x '@/")
        .append(where)
        .append("'");
    const auto set_up = [where, of](stage& on) {
        for (const std::string one : {"d", "d/e", "d/e/f"}) {
            on.dir(one, 0755);
        }
        on.pin("d/e/f/m", 0444);
        on.own(where, 0666, of.owner, of.group);
    };
    return {"way_" + std::string{of.letter} + "_" + std::to_string(where.size()),
            plain,
            set_up,
            to_read(),
            "d/e/f/m",
            sentence,
            {}};
}

/// Near and far.
std::vector<row> rows_of_ways() {
    std::vector<row> rows;
    for (const ownership& of : classes) {
        for (const std::string where : {"d", "d/e", "d/e/f"}) {
            rows.push_back(row_of_way(of, where));
        }
    }
    return rows;
}

/// A directory that may not be written: creating, pinning, removing.
std::vector<row> rows_of_directories() {
    std::vector<row> rows;
    for (const ownership& of : classes) {
        const auto set_up = [of](stage& on) {
            on.dir("d", 0755, of.owner, of.group);
            on.pin("d/m", 0666);
            on.own("d", 0555, of.owner, of.group);
        };
        const std::string sentence = std::string{"'@/d' is dr-xr-xr-x "} + of.shown +
                                     ", and alice (uid 1000) may not write to it; " +
                                     of.owner_name + " can run: chmod " + of.letter + "+w '@/d'";
        rows.push_back({std::string{"directory_pin_"} + of.letter,
                        plain,
                        set_up,
                        wanted::to_pin(access::read_write),
                        "d/n",
                        sentence,
                        {}});
        rows.push_back({std::string{"directory_remove_"} + of.letter,
                        plain,
                        set_up,
                        wanted::to_remove(),
                        "d/m",
                        sentence,
                        {}});
        rows.push_back({std::string{"directory_create_"} + of.letter,
                        "fmode,mode=0755,delegate_cmds=0x1,delegate_maps=0x2,delegate_caps=bpf",
                        set_up,
                        wanted::to_create(map_kind::hash),
                        "d/n",
                        sentence,
                        {}});
    }
    return rows;
}

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<row> rows_of_names() {
    const auto nothing = [](stage&) {};
    const auto create_pin = [](stage& on) { on.pin("m", 0666); };
    return {
        {"no_file", plain, nothing, to_read(), "m",
         "'@/m' does not exist; look what there is: ls -l '@'", create_pin},
        {"no_directory", plain, nothing, to_read(), "d/m",
         "'@/d' does not exist; make it first: mkdir '@/d'",
         [](stage& on) {
             on.dir("d", 0755);
             on.pin("d/m", 0444);
         }},
        {"file_on_the_way", plain, create_pin, to_read(), "m/n", "'@/m' is no directory",
         [](stage& on) {
             ::unlink(on.at("m").c_str());
             on.dir("m", 0755);
             on.pin("m/n", 0444);
         }},
        {"a_directory", plain, [](stage& on) { on.dir("m", 0777); }, to_read(), "m",
         "'@/m' is a directory, and holds no BPF object",
         [](stage& on) {
             ::rmdir(on.at("m").c_str());
             on.pin("m", 0444);
         }},
        {"through_a_link",
         plain,
         [](stage& on) {
             on.dir("d", 0755);
             on.pin("d/m", 0600);
             EXPECT_EQ(::symlink(on.at("d/m").c_str(), on.at("l").c_str()), 0);
         },
         to_read(),
         "l",
         "'@/d/m' is -rw------- root:root, and alice (uid 1000) may not read it; root can run: "
         "chmod o+r '@/d/m'",
         {}},
        {"a_name_with_a_quote",
         plain,
         [](stage& on) { on.pin("it's", 0600); },
         to_read(),
         "it's",
         "'@/it's' is -rw------- root:root, and alice (uid 1000) may not read it; root can run: "
         "chmod o+r '@/it'\\''s'",
         {}},
        {"a_group_to_join",
         plain,
         [](stage& on) { on.pin("m", 0640, root, 100); },
         to_read(),
         "m",
         "'@/m' is -rw-r----- root:users, and alice (uid 1000) may not read it; root can run: "
         "usermod -aG users alice",
         {}},
        {"name_taken", alices,
         [](stage& on) {
             on.pin("m", 0666, alice, alice);
             on.pin("n", 0666, alice, alice);
         },
         wanted::to_pin(access::read_write), "n",
         "'@/n' exists already; choose another name, or remove it: rm '@/n'",
         [](stage& on) { ::unlink(on.at("n").c_str()); }},
    };
}

std::vector<row> rows_of_owners() {
    return {
        {"mode_of_roots", plain, [](stage& on) { on.pin("m", 0666); }, wanted::to_change_mode(),
         "m", "'@/m' belongs to root, and only the owner changes its mode; root can do it",
         [](stage& on) { on.own("m", 0666, alice, root); }},
        {"mode_of_bobs", plain, [](stage& on) { on.pin("m", 0666, bob, bob); },
         wanted::to_change_mode(), "m",
         "'@/m' belongs to bob, and only the owner changes its mode; bob or root can do it",
         [](stage& on) { on.own("m", 0666, alice, root); }},
        {"owner_of_roots", plain, [](stage& on) { on.pin("m", 0666); }, wanted::to_change_owner(),
         "m",
         "only root gives '@/m' to another owner, and root only to a group of their own; root can "
         "do it",
         [](stage& on) { on.own("m", 0666, alice, root); }},
        {"sticky", "mode=01777", [](stage& on) { on.pin("m", 0666, bob, bob); },
         wanted::to_remove(), "m",
         "'@' is sticky: only bob may remove '@/m'; bob can run: rm '@/m'",
         [](stage& on) { on.own("m", 0666, alice, alice); }},
        {"a_readers_handle", "fmode," + alices, [](stage& on) { on.pin("m", 0644, alice, alice); },
         wanted::to_pin(access::read), "n",
         "the object is open for read only, and pinning asks for read and write; open it for read "
         "and write",
         [](stage&) { the_handle_is_opened_for_both = true; }},
    };
}

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<row> rows_of_mounts() {
    const auto read_only = [](stage& on) {
        on.pin("m", 0666);
        on.remount("ro");
    };
    const auto own_read_only = [](stage& on) {
        on.pin("m", 0666, alice, alice);
        on.remount("ro");
    };
    const std::string ro_sentence =
        "'@' is mounted read-only; root can run: mount -o remount,rw '@'";
    const wanted make_hash = wanted::to_create(map_kind::hash);
    const auto nothing = [](stage&) {};
    const auto full = [](stage& on) { on.mount(delegating); };
    return {
        {"read_only_pin",
         "mode=0777",
         read_only,
         wanted::to_pin(access::read_write),
         "n",
         ro_sentence,
         {}},
        // Of alice's own: the root of a bpffs is sticky.
        {"read_only_remove", "mode=0777", own_read_only, wanted::to_remove(), "m", ro_sentence, {}},
        {"read_only_mode",
         "mode=0777",
         own_read_only,
         wanted::to_change_mode(),
         "m",
         ro_sentence,
         {}},
        {"read_only_write", "fmode,mode=0777", read_only, to_write(), "m", ro_sentence, {}},
        {"no_delegation", alices, nothing, make_hash, "m",
         "the bpffs on '@' does not let alice (uid 1000) create maps: it is mounted without fmode "
         "and delegate_caps; root can run: bpffs-admin add alice",
         full},
        {"fmode_alone", "fmode," + alices, nothing, make_hash, "m",
         "the bpffs on '@' does not let alice (uid 1000) create maps: it is mounted without "
         "delegate_caps; root can run: bpffs-admin add alice",
         full},
        {"other_kind", delegating, nothing, wanted::to_create(map_kind::array), "m",
         "the bpffs on '@' delegates maps of kind hash, not array; use one of these kinds, or root "
         "can mount it with array in delegate_maps",
         [](stage& on) {
             on.mount("fmode,mode=0700,uid=1000,delegate_cmds=0x1,delegate_maps=0x6,"
                      "delegate_caps=bpf");
         }},
        {"other_command",
         "fmode,mode=0700,uid=1000,delegate_cmds=0x40000,delegate_maps=0x2,delegate_caps=bpf",
         nothing, make_hash, "m",
         "the bpffs on '@' does not delegate map_create; root can mount it with "
         "delegate_cmds=map_create",
         full},
        {"other_capability",
         "fmode,mode=0700,uid=1000,delegate_cmds=0x1,delegate_maps=0x2,delegate_caps=perfmon",
         nothing, make_hash, "m",
         "the bpffs on '@' does not delegate the capability bpf that a hash asks for; root can "
         "mount it with bpf in delegate_caps",
         full},
        {"no_inodes", delegating + ",nr_inodes=2",
         [](stage& on) { on.pin("one", 0600, alice, alice); }, make_hash, "m",
         "the bpffs on '@' takes no more files: nr_inodes= is reached; remove what is not needed, "
         "or root can remount it with a larger nr_inodes=",
         [](stage& on) { ::unlink(on.at("one").c_str()); }},
        {"a_link_without_fmode",
         plain,
         [](stage& on) {
             const auto program =
                 bpffs_test::load_program(BPF_PROG_TYPE_RAW_TRACEPOINT, bpffs_test::returns(0));
             const auto link = bpffs_test::raw_tracepoint_open("sched_switch", program.get());
             EXPECT_EQ(bpffs_test::pin(link.get(), on.at("l").native()), 0) << link.error();
             on.own("l", 0666);
         },
         to_read(),
         "l",
         "'@/l' holds a link, and '@' is mounted without fmode, where links open for read and "
         "write only; root can run: mount -o remount,fmode '@'",
         {}},
    };
}

std::vector<row> rows_of_programs() {
    const wanted load = wanted::to_load(program_kind::socket_filter, attach_kind{});
    const auto nothing = [](stage&) {};
    const auto options = [](const std::string& commands, const std::string& programs,
                            const std::string& attachments, const std::string& capabilities) {
        return "fmode,mode=0700,uid=1000,delegate_cmds=" + commands +
               ",delegate_progs=" + programs + ",delegate_attachs=" + attachments +
               ",delegate_caps=" + capabilities;
    };
    const auto full = [options](stage& on) { on.mount(options("0x20", "0x2", "0x1", "bpf")); };
    return {
        {"load_without_delegation", alices, nothing, load, "p",
         "the bpffs on '@' does not let alice (uid 1000) load programs: it is mounted without "
         "fmode and delegate_caps; root can mount it with delegate_cmds=prog_load and the kinds in "
         "delegate_progs",
         full},
        {"load_command", options("0x1", "0x2", "0x1", "bpf"), nothing, load, "p",
         "the bpffs on '@' does not delegate prog_load; root can mount it with "
         "delegate_cmds=prog_load",
         full},
        {"load_kind", options("0x20", "0x100", "0x1", "bpf"), nothing, load, "p",
         "the bpffs on '@' does not delegate programs of kind socket_filter; root can mount it "
         "with socket_filter in delegate_progs",
         full},
        {"load_attachment", options("0x20", "0x2", "0x2", "bpf"), nothing, load, "p",
         "the bpffs on '@' does not delegate the attachment cgroup_inet_ingress; root can mount it "
         "with cgroup_inet_ingress in delegate_attachs",
         full},
        {"load_capability", options("0x20", "0x2", "0x1", "perfmon"), nothing, load, "p",
         "the bpffs on '@' does not delegate the capability bpf; root can mount it with bpf in "
         "delegate_caps",
         full},
    };
}

std::vector<row> all_rows() {
    std::vector<row> all;
    for (const auto& some : {rows_of_pins(), rows_of_ways(), rows_of_directories(), rows_of_names(),
                             rows_of_owners(), rows_of_mounts(), rows_of_programs()}) {
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(all, explain_table, ::testing::ValuesIn(all_rows()),
                         [](const auto& info) { return info.param.name; });

} // namespace
