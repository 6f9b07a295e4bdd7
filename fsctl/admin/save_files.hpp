// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Where saves are: a directory for each user, in one that nobody else can
// change. A save takes its place as a whole: it is written beside it, brought
// to the disk, and exchanged for the one before, which is kept as NAME~old.
#pragma once

#include "saved_map.hpp"

#include <bpffs/directory.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fsctl {

enum class if_no_place { fail, make };

// Opens the directory of all saves by its absolute path. failure where somebody
// else than root and the caller could change what the path means.
bpffs::directory open_save_place(const bpffs::path& where, if_no_place missing);

// A save in the making. What is not finished goes away, and so does what a
// process that was killed has left.
class new_save {
public:
    new_save(const bpffs::directory& place, std::string name);
    new_save(const new_save&) = delete;
    new_save& operator=(const new_save&) = delete;
    new_save(new_save&&) = delete;
    new_save& operator=(new_save&&) = delete;
    ~new_save();

    // A file of its own for each; `write` fills it. It is on the disk when this
    // returns.
    void add(const std::function<void(std::FILE*)>& write);
    // One that is no map, under this name.
    void add(const std::string& file, const std::function<void(std::FILE*)>& write);
    // Makes this the save.
    void finish();

private:
    const bpffs::directory& place_;
    std::string name_;
    std::string working_;
    bpffs::directory inside_;
    unsigned files_ = 0;
};

// The files of a finished save, in order; none where there is no save.
std::vector<std::string> files_of_save(const bpffs::directory& place, const std::string& name);
file_handle open_saved(const bpffs::directory& place, const std::string& name,
                       const std::string& file);
// Nothing where there is no such file.
std::optional<file_handle> find_saved(const bpffs::directory& place, const std::string& name,
                                      const std::string& file);

// Part of it could not be restored: once newer ones have taken its place it is kept as
// NAME~refused (~refused2, ...), which no save ever removes.
void mark_refused(const bpffs::directory& place, const std::string& name);

// With all that is in it; nothing where there is none.
void remove_save(const bpffs::directory& place, const std::string& name);

} // namespace fsctl
