// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// From requests to nodes, open files and listings, and back to answers. The kernel keeps no names
// (a time limit of 0) and no pages of files (direct_io), so every path is looked up anew, and
// attributes only for the system call that looked the path up.
#include "operations.hpp"

#include "caller.hpp"
#include "files.hpp"
#include "listing.hpp"
#include "pins.hpp"
#include "refused.hpp"
#include "texts.hpp"

#include <bpffs/directory.hpp>

#include <bit>
#include <cstring>
#include <new>
#include <optional>

#include <fcntl.h>

namespace fsctl::view {

namespace {

world& world_of(fuse_req_t request) {
    return *static_cast<world*>(fuse_req_userdata(request));
}

working_for as_caller(fuse_req_t request) {
    const world& in = world_of(request);
    return {request, in.chosen.shared ? working_for::view_is::shared : working_for::view_is::own,
            in.source};
}

// What a user opens in a shared view counts for them; root's and one's own does not.
allowances::claim claim_for(fuse_req_t request) {
    world& in = world_of(request);
    const uid_t user = fuse_req_ctx(request)->uid;
    return in.chosen.shared && user != 0 ? in.users.open(user) : allowances::claim();
}

// Runs a callback's body, which answers unless it throws.
template <typename Body> void serve(fuse_req_t request, Body body) noexcept {
    int error = EIO;
    try {
        body();
        return;
    } catch (const refused& why) {
        error = why.number;
    } catch (const bpffs::error& why) {
        error = errno_of(why.code());
    } catch (const std::bad_alloc&) {
        error = ENOMEM;
    } catch (...) {
        error = EIO;
    }
    fuse_reply_err(request, error);
}

// The numbers that fuse_file_info carries for us.
template <typename Type> Type& held(const fuse_file_info* info) {
    return *std::bit_cast<Type*>(info->fh);
}

template <typename Type> void hold(fuse_file_info* info, std::unique_ptr<Type> what) {
    info->fh = reinterpret_cast<std::uint64_t>(what.release());
}

template <typename Type> void let_go(const fuse_file_info* info) {
    const std::unique_ptr<Type> last(&held<Type>(info));
}

// --- attributes

// The shortest time that the kernel can keep anything: until its clock ticks. A system call on a
// path has the attributes from its own look-up then, and does not ask again for each directory on
// the way and for the file; what is asked without a path (fstat) may be a tick old.
constexpr double for_this_call = 1e-6;

// The size that reading the file comes to now; 0 where only reading can tell.
std::size_t size_of(const node_ref& of, const settings& chosen) {
    switch (of->kind) {
    case node_kind::entry: {
        const auto [map, pin, shape] = open_shown(*of, bpffs::access::read, chosen);
        blob value(map.value_bytes());
        if (shape->find(map, of->key, value)) {
            return shape->text_of(value).size();
        }
        if (of->open_files == 0) {
            throw refused(ENOENT);
        }
        return 0; // not made yet, or deleted meanwhile: open all the same
    }
    case node_kind::info:
        return info_text(open_object(*of, bpffs::access::read)).size();
    case node_kind::code:
        return code_size(open_object(*of, bpffs::access::read));
    case node_kind::dump:
        return dump_size(open_map(*of, bpffs::access::read));
    default:
        return 0;
    }
}

// What is known already of a file that is asked for.
struct known {
    std::optional<bpffs::file_info> source;
    std::optional<std::size_t> size;
};

struct stat whole_attributes(const node_ref& of, const settings& chosen, const known& so_far = {}) {
    struct stat about = so_far.source ? attributes(*of, *so_far.source) : attributes(*of);
    if (S_ISREG(about.st_mode)) {
        try {
            about.st_size = static_cast<off_t>(so_far.size ? *so_far.size : size_of(of, chosen));
        } catch (const refused& why) {
            if (why.number != EACCES) { // whoever may not read it may still look at it
                throw;
            }
        }
        about.st_blocks = (about.st_size + 511) / 512;
    }
    return about;
}

// --- names

// One look-up counts against the node until the kernel has the answer.
class counted {
public:
    counted(node_table& table, node_ref of) : table_(table), node_(std::move(of)) {}
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    counted(counted&&) = delete;
    counted& operator=(counted&&) = delete;
    ~counted() {
        if (node_) {
            table_.forget(node_->id, 1);
        }
    }

    [[nodiscard]] const node_ref& get() const { return node_; }
    void answered() { node_.reset(); }

private:
    node_table& table_;
    node_ref node_;
};

node_ref enter_in_directory(world& in, const node_ref& parent, const char* name, known& so_far) {
    bpffs::error_code why;
    if (std::optional<bpffs::directory> opened = open_below(parent->opened, name)) {
        so_far.source = bpffs::look_at({*opened, "."}, why);
        check(why);
        return in.nodes.enter(parent, name, node_kind::directory, so_far.source->inode,
                              [&](node& made) { made.opened = std::move(*opened); });
    }
    const bpffs::file_info info = bpffs::look_at({parent->opened, name}, why);
    check(why);
    switch (info.type) {
    case bpffs::file_type::symlink:
        so_far.source = info;
        return in.nodes.enter(parent, name, node_kind::symlink, info.inode);
    case bpffs::file_type::file:
        so_far.source = info;
        return in.nodes.enter(parent, name, node_kind::object, info.inode);
    case bpffs::file_type::directory: // it has become one meanwhile
    case bpffs::file_type::other:
        break;
    }
    throw refused(ENOENT);
}

node_ref enter_in_entries(world& in, const node_ref& parent, const char* name, known& so_far) {
    const auto [map, pin, shape] = open_shown(*parent, bpffs::access::read, in.chosen);
    std::optional<blob> key = shape->key_of(name);
    blob value(map.value_bytes());
    if (!key || !shape->find(map, *key, value)) {
        throw refused(ENOENT);
    }
    so_far = {pin, shape->text_of(value).size()};
    node_kind kind = node_kind::entry;
    if (shape->holds_maps()) {
        std::uint32_t id = 0;
        std::memcpy(&id, value.data(), std::min(sizeof(id), value.size()));
        kind = path_to_map(*parent, id) ? node_kind::inner_map : node_kind::entry;
    }
    return in.nodes.enter(parent, name, kind, number_below(parent->number, name),
                          [&](node& made) { made.key = std::move(*key); });
}

node_ref enter_in_object(world& in, const node_ref& parent, const char* name, known& so_far) {
    so_far.source = look_at_source(*parent); // it is still there
    const auto kind = child_of_object(*shape_of(*parent, in.chosen), name);
    if (!kind) {
        throw refused(ENOENT);
    }
    return in.nodes.enter(parent, name, *kind, number_below(parent->number, name));
}

// What the way there tells is known then.
node_ref enter(world& in, const node_ref& parent, const char* name, known& so_far) {
    switch (parent->kind) {
    case node_kind::directory:
        return enter_in_directory(in, parent, name, so_far);
    case node_kind::object:
        return enter_in_object(in, parent, name, so_far);
    case node_kind::entries:
        return enter_in_entries(in, parent, name, so_far);
    default:
        throw refused(ENOTDIR);
    }
}

void look_up(fuse_req_t request, fuse_ino_t parent, const char* name) {
    serve(request, [&] {
        world& in = world_of(request);
        fuse_entry_param entry{};
        const auto caller = as_caller(request);
        known so_far;
        counted one(in.nodes, enter(in, in.nodes.find(parent), name, so_far));
        entry.ino = one.get()->id;
        entry.attr = whole_attributes(one.get(), in.chosen, so_far);
        entry.attr_timeout = for_this_call;
        if (fuse_reply_entry(request, &entry) == 0) {
            one.answered();
        }
    });
}

void forget(fuse_req_t request, fuse_ino_t id, std::uint64_t lookups) {
    world_of(request).nodes.forget(id, lookups);
    fuse_reply_none(request);
}

void forget_many(fuse_req_t request, std::size_t count, fuse_forget_data* all) {
    for (std::size_t i = 0; i < count; ++i) {
        world_of(request).nodes.forget(all[i].ino, all[i].nlookup);
    }
    fuse_reply_none(request);
}

void get_attributes(fuse_req_t request, fuse_ino_t id, fuse_file_info* /*info*/) {
    serve(request, [&] {
        world& in = world_of(request);
        const auto caller = as_caller(request);
        const struct stat about = whole_attributes(in.nodes.find(id), in.chosen);
        fuse_reply_attr(request, &about, 0);
    });
}

// The pin's mode: a pin has no x.
bpffs::mode pin_mode(const node& of, mode_t wanted) {
    return bpffs::mode(of.kind == node_kind::directory ? wanted & 07777U : wanted & 0666U);
}

// chmod and chown change pins and directories. The files of a pin follow it, so for them only
// what they have already can be asked, as a copy with attributes does.
void change(const node& of, const struct stat& wanted, unsigned what) {
    const struct stat before = attributes(of);
    const bool own = of.kind == node_kind::object || of.kind == node_kind::directory;
    const bool other_mode =
        (what & FUSE_SET_ATTR_MODE) != 0 && (wanted.st_mode ^ before.st_mode) % 010000U != 0;
    const bool other_owner = (what & FUSE_SET_ATTR_UID) != 0 && wanted.st_uid != before.st_uid;
    const bool other_group = (what & FUSE_SET_ATTR_GID) != 0 && wanted.st_gid != before.st_gid;
    if (!own && (other_mode || other_owner || other_group)) {
        throw refused(EPERM);
    }
    bpffs::error_code why;
    if (other_owner || other_group) {
        bpffs::change_owner(place_of(of), other_owner ? std::optional(wanted.st_uid) : std::nullopt,
                            other_group ? std::optional(wanted.st_gid) : std::nullopt, why);
        check(why);
    }
    if (other_mode) {
        bpffs::permissions(place_of(of), pin_mode(of, wanted.st_mode), why);
        check(why);
    }
    const bool text =
        of.kind == node_kind::entry || of.kind == node_kind::dump || of.kind == node_kind::stream;
    // What is written next replaces the text, so there is nothing to cut off now.
    if ((what & FUSE_SET_ATTR_SIZE) != 0 && !(text && wanted.st_size == 0)) {
        throw refused(EINVAL);
    }
}

void set_attributes(fuse_req_t request, fuse_ino_t id, struct stat* wanted, int what,
                    fuse_file_info* /*info*/) {
    serve(request, [&] {
        world& in = world_of(request);
        const auto caller = as_caller(request);
        const node_ref of = in.nodes.find(id);
        change(*of, *wanted, static_cast<unsigned>(what));
        const struct stat about = whole_attributes(of, in.chosen);
        fuse_reply_attr(request, &about, 0);
    });
}

void read_link(fuse_req_t request, fuse_ino_t id) {
    serve(request, [&] {
        world& in = world_of(request);
        const auto caller = as_caller(request);
        const node_ref of = in.nodes.find(id);
        std::string text;
        if (of->kind == node_kind::symlink) {
            text = bpffs::read_symlink({of->parent->opened, of->name}).native();
        } else if (of->kind == node_kind::inner_map) {
            const bpffs::map map = open_map(*of, bpffs::access::read);
            std::uint32_t inner = 0;
            if (!map.lookup(of->key, std::as_writable_bytes(std::span(&inner, 1)))) {
                throw refused(ENOENT);
            }
            text = path_to_map(*of->parent, inner).value_or("");
        }
        if (text.empty()) {
            throw refused(EINVAL);
        }
        fuse_reply_readlink(request, text.c_str());
    });
}

// --- open files

bpffs::access rights_of(int flags) {
    switch (flags & O_ACCMODE) {
    case O_RDONLY:
        return bpffs::access::read;
    case O_WRONLY:
        return bpffs::access::write;
    default:
        return bpffs::access::read_write;
    }
}

void set_flags(const open_file& file, fuse_file_info* info) {
    info->direct_io = 1;
    info->nonseekable = file.is_stream() ? 1 : 0;
    info->noflush = rights_of(info->flags) == bpffs::access::read ? 1 : 0; // nothing was written
}

void open(fuse_req_t request, fuse_ino_t id, fuse_file_info* info) {
    serve(request, [&] {
        world& in = world_of(request);
        allowances::claim user = claim_for(request);
        std::unique_ptr<open_file> file;
        {
            const auto caller = as_caller(request);
            file = open_node(in.nodes.find(id), rights_of(info->flags), in.chosen, in.rings);
        }
        file->count_for(std::move(user));
        set_flags(*file, info);
        hold(info, std::move(file));
        if (fuse_reply_open(request, info) != 0) {
            let_go<open_file>(info);
        }
    });
}

void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t /*mode*/,
            fuse_file_info* info) {
    serve(request, [&] {
        world& in = world_of(request);
        allowances::claim user = claim_for(request);
        const auto caller = as_caller(request);
        const node_ref entries = in.nodes.find(parent);
        if (entries->kind != node_kind::entries) {
            throw refused(EPERM);
        }
        std::optional<blob> key = map_shape_of(*entries, in.chosen)->key_of(name);
        if (!key) {
            throw refused(EINVAL);
        }
        counted one(in.nodes, in.nodes.enter(entries, name, node_kind::entry,
                                             number_below(entries->number, name),
                                             [&](node& made) { made.key = std::move(*key); }));
        std::unique_ptr<open_file> file = create_entry(
            one.get(), rights_of(info->flags),
            (info->flags & O_EXCL) != 0 ? creating::anew : creating::at_all, in.chosen);
        file->count_for(std::move(user));
        fuse_entry_param entry{};
        entry.ino = one.get()->id;
        entry.attr = attributes(*one.get());
        set_flags(*file, info);
        hold(info, std::move(file));
        if (fuse_reply_create(request, &entry, info) == 0) {
            one.answered();
        } else {
            let_go<open_file>(info);
        }
    });
}

void read(fuse_req_t request, fuse_ino_t /*id*/, std::size_t size, off_t at, fuse_file_info* info) {
    serve(request, [&] { held<open_file>(info).answer_read(request, size, at, info->flags); });
}

void poll(fuse_req_t request, fuse_ino_t /*id*/, fuse_file_info* info, fuse_pollhandle* later) {
    serve(request, [&] { fuse_reply_poll(request, held<open_file>(info).poll(later)); });
}

void write(fuse_req_t request, fuse_ino_t /*id*/, const char* text, std::size_t size, off_t at,
           fuse_file_info* info) {
    serve(request, [&] {
        const bool append = (info->flags & O_APPEND) != 0;
        const std::size_t taken =
            held<open_file>(info).write({text, size}, append ? open_file::at_end : at);
        fuse_reply_write(request, taken);
    });
}

void flush(fuse_req_t request, fuse_ino_t /*id*/, fuse_file_info* info) {
    serve(request, [&] {
        held<open_file>(info).flush();
        fuse_reply_err(request, 0);
    });
}

void sync(fuse_req_t request, fuse_ino_t id, int /*data_only*/, fuse_file_info* info) {
    flush(request, id, info);
}

void release(fuse_req_t request, fuse_ino_t /*id*/, fuse_file_info* info) {
    let_go<open_file>(info);
    fuse_reply_err(request, 0);
}

// --- directories

void open_directory(fuse_req_t request, fuse_ino_t id, fuse_file_info* info) {
    serve(request, [&] {
        world& in = world_of(request);
        allowances::claim user = claim_for(request);
        const auto caller = as_caller(request);
        std::unique_ptr<listing> opened = open_listing(in.nodes.find(id), in.chosen);
        opened->count_for(std::move(user));
        hold(info, std::move(opened));
        if (fuse_reply_open(request, info) != 0) {
            let_go<listing>(info);
        }
    });
}

void read_directory(fuse_req_t request, fuse_ino_t /*id*/, std::size_t size, off_t from,
                    fuse_file_info* info) {
    serve(request, [&] {
        const std::string part = held<listing>(info).read(request, size, from);
        fuse_reply_buf(request, part.data(), part.size());
    });
}

void release_directory(fuse_req_t request, fuse_ino_t /*id*/, fuse_file_info* info) {
    let_go<listing>(info);
    fuse_reply_err(request, 0);
}

void unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
    serve(request, [&] {
        world& in = world_of(request);
        const auto caller = as_caller(request);
        const node_ref entries = in.nodes.find(parent);
        if (entries->kind != node_kind::entries) {
            throw refused(EPERM);
        }
        const auto shape = map_shape_of(*entries, in.chosen);
        const std::optional<blob> key = shape->key_of(name);
        if (!key) {
            throw refused(ENOENT);
        }
        if (!shape->deletes()) {
            throw refused(EPERM);
        }
        bpffs::error_code why;
        const bool was_there = open_map(*entries, bpffs::access::write).erase(*key, why);
        check(why);
        fuse_reply_err(request, was_there ? 0 : ENOENT);
    });
}

void stat_file_system(fuse_req_t request, fuse_ino_t /*id*/) {
    struct statvfs about {};
    about.f_bsize = 4096;
    about.f_frsize = 4096;
    about.f_namemax = 1024;
    fuse_reply_statfs(request, &about);
}

// --- what no pin and no map has: EPERM, as from a file system that has no such files

void refuse_to_make(fuse_req_t request, fuse_ino_t /*parent*/, const char* /*name*/, mode_t /*m*/) {
    fuse_reply_err(request, EPERM);
}

void refuse_node(fuse_req_t request, fuse_ino_t /*parent*/, const char* /*name*/, mode_t /*m*/,
                 dev_t /*device*/) {
    fuse_reply_err(request, EPERM);
}

void refuse_to_remove(fuse_req_t request, fuse_ino_t /*parent*/, const char* /*name*/) {
    fuse_reply_err(request, EPERM);
}

void refuse_link(fuse_req_t request, fuse_ino_t /*id*/, fuse_ino_t /*parent*/,
                 const char* /*name*/) {
    fuse_reply_err(request, EPERM);
}

void refuse_symlink(fuse_req_t request, const char* /*text*/, fuse_ino_t /*parent*/,
                    const char* /*name*/) {
    fuse_reply_err(request, EPERM);
}

void refuse_rename(fuse_req_t request, fuse_ino_t /*from*/, const char* /*name*/, fuse_ino_t /*to*/,
                   const char* /*new_name*/, unsigned /*flags*/) {
    fuse_reply_err(request, EPERM);
}

void start(void* userdata, fuse_conn_info* connection) {
    // O_TRUNC comes with the open, so that it is no change of its own.
    connection->want |= connection->capable & FUSE_CAP_ATOMIC_O_TRUNC;
    // Attributes that are not kept would be asked for twice.
    connection->want &= ~static_cast<unsigned>(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
    // In a thread of the session: not before it has gone to the background.
    static_cast<world*>(userdata)->rings.start();
}

// The session goes next: what waits is answered while it is there.
void end(void* userdata) {
    static_cast<world*>(userdata)->rings.stop();
}

fuse_lowlevel_ops make_operations() {
    fuse_lowlevel_ops all{};
    all.init = start;
    all.lookup = look_up;
    all.forget = forget;
    all.forget_multi = forget_many;
    all.getattr = get_attributes;
    all.setattr = set_attributes;
    all.readlink = read_link;
    all.mknod = refuse_node;
    all.mkdir = refuse_to_make;
    all.unlink = unlink;
    all.rmdir = refuse_to_remove;
    all.symlink = refuse_symlink;
    all.rename = refuse_rename;
    all.link = refuse_link;
    all.open = open;
    all.read = read;
    all.write = write;
    all.flush = flush;
    all.release = release;
    all.fsync = sync;
    all.opendir = open_directory;
    all.readdir = read_directory;
    all.releasedir = release_directory;
    all.statfs = stat_file_system;
    all.create = create;
    all.poll = poll;
    all.destroy = end;
    return all;
}

} // namespace

const fuse_lowlevel_ops operations = make_operations();

} // namespace fsctl::view
