// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Walking a bpffs for saving, and filling one again; see saved_tree.hpp. Others
// may own parts of it, so no symbolic link is followed, and a map that root
// saves is opened by the id of what the name itself holds.
#include "saved_tree.hpp"

#include "common/failure.hpp"
#include "save_files.hpp"
#include "save_owners.hpp"
#include "user_mount.hpp"

#include <bpffs/by_id.hpp>
#include <bpffs/identity.hpp>
#include <bpffs/map.hpp>
#include <bpffs/pin.hpp>

#include <fmt/format.h>

namespace fsctl {

namespace {

// Where a map gets its entries before it gets its name.
constexpr const char* stage_name = "bpffs-restoring";

saved_name name_of(const std::string& name, uid_t owner, gid_t group, bpffs::mode bits) {
    return {name, owner, group, bits};
}

bpffs::map open_map(const bpffs::directory& in, const bpffs::listed_pin& one) {
    return bpffs::map::from(bpffs::identity::of_caller().user == 0
                                ? bpffs::open_by_id(bpffs::object_kind::map, one.info.id)
                                : bpffs::open_pin({in, one.name}, bpffs::access::read));
}

class saving {
public:
    saving(new_save& into, saved_counts& counts, user_names& names)
        : into_(into), counts_(counts), names_(names) {}

    void save_all(const bpffs::directory& top) {
        owners_.directory = bpffs::look_at({top, "."}).owner;
        note(owners_.directory);
        walk(top);
        into_.add(owners_file, [&](std::FILE* to) { write_owners(to, owners_); });
    }

private:
    void note(uid_t user) {
        if (!owners_.users.contains(user)) {
            owners_.users.emplace(user, asked([&] { return names_.of(user); }));
        }
    }
    void note_group(gid_t group) {
        if (!owners_.groups.contains(group)) {
            owners_.groups.emplace(group, asked([&] { return names_.of_group(group); }));
        }
    }

    // At a shutdown the network may be gone, and the directory of users with it: that
    // loses no maps.
    template <class Ask> static std::string asked(Ask ask) {
        try {
            return ask();
        } catch (const failure&) {
            return unknown_name;
        }
    }

    void walk(const bpffs::directory& at) {
        for (const bpffs::listed_pin& one : list_pins(at)) {
            const bpffs::pin_info& info = one.info;
            if (above_.empty() && one.name == stage_name) {
                continue; // what a restore that was killed has left
            }
            above_.push_back(name_of(one.name, info.owner, info.group, info.permissions));
            if (info.type == bpffs::file_type::directory) {
                walk(bpffs::directory::open({at, one.name}, bpffs::symlinks::refuse));
            } else if (info.type == bpffs::file_type::file) {
                save(at, one);
            }
            above_.pop_back();
        }
    }

    void save(const bpffs::directory& at, const bpffs::listed_pin& one) {
        saved_map what;
        what.place = above_;
        if (one.info.kind != bpffs::object_kind::map) {
            leave_out(what, one.info.kind ? "is no map" : "cannot be read");
            return;
        }
        const bpffs::map held = open_map(at, one);
        if (!can_be_saved(held.kind())) {
            leave_out(what, fmt::format("is of kind {}, whose entries cannot be saved",
                                        bpffs::to_string(held.kind())));
            return;
        }
        what.info = held.info();
        what.value_bytes = held.value_bytes();
        what.frozen = held.usage().frozen;
        into_.add([&](std::FILE* to) { counts_.entries += write_map(to, what, held); });
        for (const saved_name& each : above_) {
            note(each.owner);
            note_group(each.group);
        }
        ++counts_.maps;
    }

    void leave_out(const saved_map& what, const std::string& why) {
        counts_.left_out.push_back(fmt::format("'{}' {}", what.shown(), why));
    }

    new_save& into_;
    saved_counts& counts_;
    user_names& names_;
    save_owners owners_;
    std::vector<saved_name> above_;
};

void set_owner_and_mode(const bpffs::location& where, const saved_name& like) {
    const bpffs::file_info now = bpffs::look_at(where);
    if (now.owner != like.owner || now.group != like.group) {
        bpffs::change_owner(where, like.owner, like.group);
    }
    bpffs::permissions(where, like.bits);
}

// What is in it is nobody else's: the stage is private.
void make_empty(const bpffs::directory& stage) {
    for (const bpffs::listed_pin& one : list_pins(stage)) {
        if (one.info.type == bpffs::file_type::directory) {
            make_empty(bpffs::directory::open({stage, one.name}, bpffs::symlinks::refuse));
            bpffs::remove_directory({stage, one.name});
        } else {
            bpffs::remove({stage, one.name});
        }
    }
}

// The private directory, empty: one that a killed process left is emptied.
bpffs::directory make_stage(const bpffs::directory& top) {
    const bpffs::location place(top, stage_name);
    const uid_t caller = bpffs::identity::of_caller().user;
    bpffs::error_code code;
    bpffs::make_directory(place, bpffs::mode(0700), code);
    if (code && code != boost::system::errc::file_exists) {
        throw bpffs::error(code, "make directory", place.display());
    }
    bpffs::directory stage = bpffs::directory::open(place, bpffs::symlinks::refuse);
    const bpffs::file_info found = bpffs::look_at({stage, "."});
    if (found.owner != caller || (found.permissions.bits() & 0077U) != 0) {
        throw failure(fmt::format("'{}' is somebody else's, and needed for restoring",
                                  place.display().native()),
                      "Move it away.");
    }
    make_empty(stage);
    return stage;
}

class restoring {
public:
    restoring(const bpffs::directory& top, const rightful& owners, saved_counts& counts,
              failures& wrong)
        : top_(top), owners_(owners), counts_(counts), wrong_(wrong) {}

    void restore(map_reader& from) {
        const saved_map what = from.verify();
        check_owners(what);
        if (!stage_) {
            stage_ = make_stage(top_);
        }
        const bpffs::directory parent = make_parents(what);
        const bpffs::location place(parent, what.place.back().name);
        bpffs::error_code absent;
        (void)bpffs::look_at(place, absent);
        if (!absent) {
            counts_.left_out.push_back(fmt::format("'{}' is there already", what.shown()));
            return;
        }
        const bpffs::location working(stage_, "map");
        bpffs::remove(working, absent); // of one that failed
        fill(working, what, from);
        set_owner_and_mode(working, rightful_name(what, what.place.size() - 1));
        bpffs::rename(working, place);
        ++counts_.maps;
    }

    void finish() {
        if (stage_) {
            bpffs::error_code ignored;
            bpffs::remove({stage_, "map"}, ignored); // of one that failed
            stage_ = {};
            bpffs::remove_directory({top_, stage_name}, ignored);
        }
    }

private:
    void check_owners(const saved_map& what) const {
        for (const saved_name& each : what.place) {
            try {
                owners_.check(each.owner);
            } catch (const failure& error) {
                throw failure(fmt::format("'{}' {}", what.shown(), error.what()), error.remedy());
            }
        }
    }

    // One of the names of a map, without what was a group's whose number is another
    // one's now.
    saved_name rightful_name(const saved_map& what, std::size_t which) {
        constexpr unsigned of_a_group = 02070;
        saved_name one = what.place[which];
        try {
            owners_.check_group(one.group);
        } catch (const failure& error) {
            saved_map shown;
            shown.place.assign(what.place.begin(),
                               what.place.begin() + static_cast<std::ptrdiff_t>(which) + 1);
            wrong_.add(
                failure(fmt::format("'{}' {}", shown.shown(), error.what()), error.remedy()));
            // Others than root can give it to groups of their own only.
            const bpffs::identity caller = bpffs::identity::of_caller();
            one.group = caller.user == 0 ? bpffs::look_at({top_, "."}).group : caller.group;
            one.bits = one.bits.without(bpffs::mode(of_a_group));
        }
        return one;
    }

    // Directories above the map. What is missing gets its owner and mode where
    // nobody else can put another file in its place, and then its name.
    bpffs::directory make_parents(const saved_map& what) {
        bpffs::directory at = bpffs::directory::open({top_, "."}, bpffs::symlinks::refuse);
        for (std::size_t i = 0; i + 1 < what.place.size(); i++) {
            const bpffs::location next(at, what.place[i].name);
            bpffs::error_code absent;
            (void)bpffs::look_at(next, absent);
            if (absent == boost::system::errc::no_such_file_or_directory) {
                const bpffs::location working(stage_, "directory");
                bpffs::make_directory(working, bpffs::mode(0700));
                set_owner_and_mode(working, rightful_name(what, i));
                bpffs::rename(working, next);
            }
            bpffs::directory below = bpffs::directory::open(next, bpffs::symlinks::refuse);
            at = std::move(below);
        }
        return at;
    }

    void fill(const bpffs::location& working, const saved_map& what, map_reader& from) {
        bpffs::map_spec spec;
        spec.kind = what.info.kind;
        spec.key_size = what.info.key_size;
        spec.value_size = what.info.value_size;
        spec.max_entries = what.info.max_entries;
        spec.flags = what.info.flags;
        spec.extra = what.info.extra;
        spec.name = what.info.name;
        spec.permissions = bpffs::mode(0600);
        bpffs::map made = bpffs::create_map(working, spec);
        if (what.value_bytes != made.value_bytes() && what.info.kind != bpffs::map_kind::ringbuf) {
            throw failure(fmt::format("'{}' was saved with values of {} bytes, and here they have "
                                      "{}: the number of processors is another one",
                                      what.shown(), what.value_bytes, made.value_bytes()));
        }
        from.for_each_block(what, [&](bpffs::const_bytes keys, bpffs::const_bytes values) {
            counts_.entries += made.update_many(keys, values);
        });
        if (what.frozen) {
            made.freeze();
        }
    }

    const bpffs::directory& top_;
    const rightful& owners_;
    saved_counts& counts_;
    failures& wrong_;
    bpffs::directory stage_;
};

} // namespace

saved_counts save_tree(const bpffs::directory& top, const bpffs::directory& place,
                       const std::string& name, user_names& names) {
    saved_counts counts;
    new_save into(place, name);
    saving(into, counts, names).save_all(top);
    into.finish();
    return counts;
}

namespace {

saved_counts restore_files(const bpffs::directory& top, const bpffs::directory& place,
                           const std::string& name, user_names& names, failures& wrong) {
    saved_counts counts;
    const std::vector<std::string> files = files_of_save(place, name);
    if (files.empty()) {
        return counts;
    }
    const bpffs::file_info directory = bpffs::look_at({top, "."});
    const rightful owners(read_owners(place, name), directory.owner, directory.group, names);
    try {
        owners.check_directory();
    } catch (const failure& error) {
        throw failure(fmt::format("'{}' {}", (place.name() / name).native(), error.what()),
                      error.remedy());
    }
    restoring work(top, owners, counts, wrong);
    for (const std::string& file : files) {
        try {
            map_reader from(open_saved(place, name, file), (place.name() / name / file).native());
            work.restore(from);
        } catch (const std::exception& error) {
            wrong.add(error);
        }
    }
    work.finish();
    return counts;
}

void keep(const bpffs::directory& place, const std::string& name, failures& wrong) {
    try {
        mark_refused(place, name);
    } catch (const std::exception& error) {
        wrong.add(error);
    }
}

} // namespace

saved_counts restore_tree(const bpffs::directory& top, const bpffs::directory& place,
                          const std::string& name, user_names& names, failures& wrong) {
    const std::size_t before = wrong.list().size();
    try {
        saved_counts counts = restore_files(top, place, name, names, wrong);
        if (wrong.list().size() != before) {
            keep(place, name, wrong);
        }
        return counts;
    } catch (const std::exception&) {
        keep(place, name, wrong);
        throw;
    }
}

} // namespace fsctl
