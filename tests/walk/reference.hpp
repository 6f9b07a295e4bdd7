// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The reference: what the model and the rules of files say of every step, written anew from these
// and without a line of the kernel's or the library's. It knows owners, groups, modes, directories,
// sticky and setgid bits, umask, mounts, room, delegation, and what each handle carries.

#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "steps.hpp"

namespace bpffs_walk {

/// Wrong on purpose, so that tests can see that a walk finds it.
enum class flaw {
    none,
    readers_pin,            ///< a handle that may only read can be pinned again
    writers_run,            ///< a handle that may only write can run a program
    umask_is_ignored,       //
    sticky_is_ignored,      //
    groups_are_ignored,     //
    setgid_is_ignored,      ///< a file's group is its maker's, whatever the directory
    read_only_is_ignored,   ///< the read-only view gives writers
    room_is_endless,        //
    fmode_can_be_turned_off //
};

enum class kind { map, filter, lookup, link, token };

struct object {
    kind is = kind::map;
    // map
    bool filled = false;
    uint64_t value = 0;
    bool frozen = false;
    // filter
    std::shared_ptr<object> uses = nullptr;
    bool writes = false;
    // link
    bool detached = false;
};

struct held {
    std::shared_ptr<object> what = nullptr;
    bool bound = false;
    bool read = true;
    bool write = true;
};

struct inode {
    bool directory = false;
    uint32_t uid = 0;
    uint32_t gid = 0;
    uint32_t mode = 0;
    unsigned names = 1;
    std::shared_ptr<object> pinned = nullptr;
    std::map<std::string, std::shared_ptr<inode>> entries = {};
};
using inode_ptr = std::shared_ptr<inode>;

struct file_system {
    inode_ptr root;
    bool fmode = false;
    bool delegates = false;
    unsigned limit = 0; ///< 0: none
    unsigned used = 1;
};

class reference {
public:
    explicit reference(const features& kernel, flaw wrong = flaw::none);

    /// Says what comes of the step, and has done it.
    answer apply(const step& s);

    // For whoever draws the next step.
    [[nodiscard]] std::vector<std::string> paths() const;
    [[nodiscard]] bool holds(unsigned who, unsigned slot) const {
        return people_.at(who).hands.at(slot).what != nullptr;
    }
    [[nodiscard]] unsigned links_made() const { return links_; }

private:
    struct process {
        uint32_t uid = 0, gid = 0;
        std::set<uint32_t> groups;
        uint32_t umask = 022;
        bool administrator = false; ///< every capability but those of the next line
        bool passes_modes = false;  ///< CAP_DAC_OVERRIDE
        std::array<held, slots> hands;
    };
    struct mount {
        std::shared_ptr<file_system> of;
        bool read_only = false;
    };
    struct place {
        int error = 0;
        const mount* on = nullptr;
        inode_ptr file;             ///< of a whole path
        std::vector<inode_ptr> way; ///< the directories, from the root on
        std::string last;
        [[nodiscard]] inode& parent() const { return *way.back(); }
    };

    // Names.
    [[nodiscard]] place find_parent(const process& p, const std::string& path) const;
    [[nodiscard]] place find(const process& p, const std::string& path) const;
    [[nodiscard]] bool allowed(const process& p, const inode& file, unsigned bits) const;
    [[nodiscard]] bool sticky(const process& p, const inode& dir, const inode& file) const;
    [[nodiscard]] int may_delete(const process& p, const inode& dir, const inode& file,
                                 bool as_directory) const;
    [[nodiscard]] bool in_group(const process& p, uint32_t gid) const;
    [[nodiscard]] int find_free(const process& p, const std::string& path, place& out) const;
    answer create(process& p, const std::string& path, inode_ptr file);

    // Handles.
    [[nodiscard]] static int check(const held& h, bool (*is)(kind), bool read, bool write);
    [[nodiscard]] static int check_data(const held& h, bool read, bool write);

    answer make(process& p, const step& s);
    answer make_filter(process& p, const step& s);
    answer make_token(process& p, const step& s);
    answer with_token(process& p, const step& s);
    answer pin(process& p, const step& s);
    answer get(process& p, const step& s);
    answer close(process& p, const step& s);
    answer copy(process& p, const step& s);
    answer pass(process& p, const step& s);
    answer link(process& p, const step& s);
    answer update_link(process& p, const step& s);
    answer detach_link(process& p, const step& s);
    answer use_map(process& p, const step& s);
    answer use_program(process& p, const step& s);
    answer make_directory(process& p, const step& s);
    answer chmod(process& p, const step& s);
    answer chown(process& p, const step& s);
    answer remove(process& p, const step& s);
    answer rename(process& p, const step& s);
    answer rename_found(process& p, const place& from, const place& to);
    answer hard_link(process& p, const step& s);
    answer change_oneself(process& p, const step& s);
    answer remount(process& p, const step& s);
    answer look(process& p, const step& s);

    void forget_name(const mount& on, const inode_ptr& file);

    features kernel_;
    flaw wrong_;
    std::map<std::string, mount> mounts_;
    std::vector<process> people_;
    unsigned links_ = 0;
};

} // namespace bpffs_walk
