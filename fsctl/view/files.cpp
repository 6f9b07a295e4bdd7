// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The kinds of open files; see files.hpp.
#include "files.hpp"

#include "dump_reader.hpp"
#include "pins.hpp"
#include "refused.hpp"
#include "restore.hpp"
#include "rings.hpp"
#include "texts.hpp"

#include "common/words.hpp"

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <mutex>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fsctl::view {

namespace {

std::string part_of(const std::string& text, std::size_t size, off_t at) {
    const auto from = static_cast<std::size_t>(at);
    return from < text.size() ? text.substr(from, size) : std::string();
}

// Where new text goes: at the end of what has been written, or in place of some of it.
std::size_t start_of(off_t at, const std::string& written) {
    const std::size_t from =
        at == open_file::at_end ? written.size() : static_cast<std::size_t>(at);
    if (from > written.size()) {
        throw refused(EINVAL);
    }
    return from;
}

// Text that is no value: the writer gets EINVAL, and the reason is told with -d.
[[noreturn]] void refuse_text(const node& file, std::string_view text, const settings& chosen) {
    if (chosen.debug) {
        std::cerr << fmt::format("{}/{}: no value of this map: {:.80}\n", file.object().name,
                                 file.name, text);
    }
    throw refused(EINVAL);
}

// --- text that is made once

class text_file : public open_file {
public:
    explicit text_file(std::string text) : text_(std::move(text)) {}
    std::string read(std::size_t size, off_t at) override { return part_of(text_, size, at); }

protected:
    [[nodiscard]] std::size_t kept() const override { return text_.size(); }

private:
    std::string text_;
};

// --- one element

class entry_file : public open_file {
public:
    entry_file(node_ref of, bpffs::map map, std::shared_ptr<const map_shape> shape,
               bpffs::update_flag flag, const settings& chosen)
        : node_(std::move(of)),
          map_(std::move(map)),
          shape_(std::move(shape)),
          flag_(flag),
          chosen_(chosen) {
        ++node_->open_files;
    }
    entry_file(const entry_file&) = delete;
    entry_file& operator=(const entry_file&) = delete;
    entry_file(entry_file&&) = delete;
    entry_file& operator=(entry_file&&) = delete;
    ~entry_file() override { --node_->open_files; }

    std::string read(std::size_t size, off_t at) override;
    std::size_t write(std::string_view text, off_t at) override;
    void flush() override;

private:
    void commit();
    void take_up();

    node_ref node_;
    bpffs::map map_;
    std::shared_ptr<const map_shape> shape_;
    bpffs::update_flag flag_;
    const settings& chosen_;
    std::mutex mutex_;
    std::string shown_;   // being read: one value, however many reads it takes
    std::string written_; // the new value as far as it has come
    bool pending_ = false;
};

std::string entry_file::read(std::size_t size, off_t at) {
    const std::scoped_lock lock(mutex_);
    if (at == 0 || shown_.empty()) { // whoever begins in the middle has not read yet
        blob value(map_.value_bytes());
        if (!shape_->find(map_, node_->key, value)) {
            throw refused(ENOENT);
        }
        std::string text = shape_->text_of(value);
        keep(text.size() + written_.size());
        shown_ = std::move(text);
    }
    return part_of(shown_, size, at);
}

// A whole value takes effect at once, so that whoever wrote it learns what came of it; one
// without its newline when the file is closed.
std::size_t entry_file::write(std::string_view text, off_t at) {
    const std::scoped_lock lock(mutex_);
    const std::size_t from = start_of(at, written_);
    if (from + text.size() > shape_->longest_text()) {
        throw refused(EFBIG);
    }
    keep(shown_.size() + from + text.size());
    const std::string before = written_;
    written_.resize(from);
    written_ += text;
    pending_ = true;
    try {
        take_up();
    } catch (...) {
        written_ = before;
        pending_ = false;
        throw;
    }
    return text.size();
}

void entry_file::take_up() {
    const auto lines = static_cast<std::size_t>(std::count(written_.begin(), written_.end(), '\n'));
    if (lines >= shape_->lines()) {
        commit();
    } else if (lines > 0 && !shape_->value_of(written_.substr(0, written_.find('\n')))) {
        refuse_text(*node_, written_, chosen_);
    }
}

void entry_file::flush() {
    const std::scoped_lock lock(mutex_);
    if (pending_) {
        commit();
    }
}

void entry_file::commit() {
    pending_ = false;
    const std::optional<blob> value = shape_->value_of(written_);
    if (!value) {
        refuse_text(*node_, written_, chosen_);
    }
    bpffs::error_code why;
    map_.update(node_->key, *value, flag_, why);
    check(why);
    flag_ = bpffs::update_flag::any;
}

// --- the whole map

class dump_file : public open_file {
public:
    explicit dump_file(bpffs::map map) : map_(std::move(map)), text_(map_) {}
    std::string read(std::size_t size, off_t at) override;

private:
    bpffs::map map_;
    std::mutex mutex_;
    dump_text text_;
    std::string piece_;
    std::size_t start_ = 0; // of the piece in the file
    bool begun_ = false;
};

std::string dump_file::read(std::size_t size, off_t at) {
    const std::scoped_lock lock(mutex_);
    const auto from = static_cast<std::size_t>(at);
    // Reading on is the rule. Going back starts the walk again, and so does a new beginning.
    if (from < start_ || (from == 0 && begun_)) {
        text_.rewind();
        piece_.clear();
        start_ = 0;
    }
    begun_ = true;
    std::string part;
    while (part.size() < size) {
        if (from + part.size() >= start_ + piece_.size()) {
            std::string next = text_.next();
            keep(next.size());
            start_ += piece_.size();
            piece_ = std::move(next);
            if (piece_.empty()) {
                break;
            }
            continue;
        }
        part.append(piece_, from + part.size() - start_, size - part.size());
    }
    return part;
}

class restore_file : public open_file {
public:
    restore_file(node_ref of, bpffs::map map, const settings& chosen)
        : node_(std::move(of)), map_(std::move(map)), chosen_(chosen) {}

    std::string read(std::size_t /*size*/, off_t /*at*/) override { throw refused(EBADF); }
    std::size_t write(std::string_view text, off_t at) override;
    void flush() override;

private:
    node_ref node_;
    bpffs::map map_;
    const settings& chosen_;
    std::mutex mutex_;
    std::string written_;
    bool pending_ = false;
};

std::size_t restore_file::write(std::string_view text, off_t at) {
    const std::scoped_lock lock(mutex_);
    const std::size_t from = start_of(at, written_);
    if (from + text.size() > longest_dump(map_)) {
        throw refused(EFBIG);
    }
    keep(from + text.size());
    written_.resize(from);
    written_ += text;
    pending_ = true;
    return text.size();
}

void restore_file::flush() {
    const std::scoped_lock lock(mutex_);
    if (!std::exchange(pending_, false)) {
        return;
    }
    try {
        restore(map_, written_);
    } catch (const wrong_dump& error) {
        if (chosen_.debug) {
            std::cerr << fmt::format("{}/{}: {}\n", node_->object().name, node_->name,
                                     error.what());
        }
        throw refused(error.number);
    }
}

// --- what an iterator's program writes

class iterator_file : public open_file {
public:
    explicit iterator_file(bpffs::owned_fd opened) : file_(std::move(opened)) {}
    std::string read(std::size_t size, off_t at) override;
    [[nodiscard]] bool is_stream() const override { return true; }

private:
    std::mutex mutex_;
    bpffs::owned_fd file_;
};

std::string iterator_file::read(std::size_t size, off_t /*at*/) {
    const std::scoped_lock lock(mutex_);
    std::string part(size, '\0');
    const ssize_t got = ::read(file_.get(), part.data(), part.size());
    if (got < 0) {
        throw refused(errno);
    }
    part.resize(static_cast<std::size_t>(got));
    return part;
}

// --- queues and stacks

class queue_file : public line_file {
public:
    queue_file(node_ref of, bpffs::map map, std::shared_ptr<const map_shape> shape,
               const settings& chosen)
        : line_file(std::move(of), shape->longest_text(), chosen),
          map_(std::move(map)),
          shape_(std::move(shape)) {}

    std::string read(std::size_t size, off_t at) override;

protected:
    [[nodiscard]] bool is_line(std::string_view line) const override {
        return shape_->value_of(line).has_value();
    }
    void put(std::string_view line) override;

private:
    bpffs::map map_;
    std::shared_ptr<const map_shape> shape_;
    std::string taken_; // an element that has been read in part
};

std::string queue_file::read(std::size_t size, off_t /*at*/) {
    const std::scoped_lock lock(mutex_);
    if (taken_.empty()) {
        keep_beside(shape_->longest_text()); // before the element is out of the map
        blob value(map_.value_bytes());
        bpffs::error_code why;
        if (map_.pop(value, why)) {
            taken_ = shape_->text_of(value);
        }
        check(why);
    }
    std::string part = taken_.substr(0, size);
    taken_.erase(0, part.size());
    keep_beside(taken_.size());
    return part;
}

void queue_file::put(std::string_view line) {
    bpffs::error_code why;
    map_.push(*shape_->value_of(line), bpffs::update_flag::any, why);
    check(why);
}

bool frozen(const bpffs::map& which) {
    bpffs::error_code why;
    const bpffs::map_usage usage = which.usage(why);
    check(why);
    return usage.frozen;
}

// To write text into; EPERM, as for an immutable file, where nobody can.
shown_map open_for_text(const node& of, bpffs::access rights, const settings& chosen) {
    shown_map opened = open_shown(of, rights, chosen);
    if (!opened.shape->takes_text() || frozen(opened.map)) {
        throw refused(EPERM);
    }
    return opened;
}

std::unique_ptr<open_file> open_entry(const node_ref& of, bpffs::access rights,
                                      bpffs::update_flag flag, const settings& chosen) {
    auto [map, pin, shape] = bpffs::can_write(rights) ? open_for_text(*of, rights, chosen)
                                                      : open_shown(*of, rights, chosen);
    return std::make_unique<entry_file>(of, std::move(map), std::move(shape), flag, chosen);
}

std::unique_ptr<open_file> open_dump(const node_ref& of, bpffs::access rights,
                                     const settings& chosen) {
    if (!bpffs::can_write(rights)) {
        return std::make_unique<dump_file>(open_map(*of, rights));
    }
    if (bpffs::can_read(rights)) {
        throw refused(EINVAL); // reading and writing would meet midway
    }
    shown_map opened = open_for_text(*of, bpffs::access::read_write, chosen);
    return std::make_unique<restore_file>(of, std::move(opened.map), chosen);
}

// A mount over the name has inodes of its own.
dev_t device_of(const node& directory) {
    struct stat about {};
    if (::fstat(directory.opened.fd().get(), &about) != 0) {
        throw refused(errno);
    }
    return about.st_dev;
}

// Opening the pin starts the iterator; the pin's mode decides, as for any file. Its name may have
// become anything meanwhile, a link or a pipe: what is opened is what was looked at.
std::unique_ptr<open_file> open_iterator(const node& of, bpffs::access rights) {
    if (bpffs::can_write(rights)) {
        throw refused(EACCES);
    }
    const node& pin = of.object();
    const auto named = bpffs::owned_fd::adopt(
        ::openat(pin.parent->opened.fd().get(), pin.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat there {};
    if (!named || ::fstat(named.get(), &there) != 0) {
        throw refused(errno);
    }
    if (there.st_ino != pin.number || there.st_dev != device_of(*pin.parent)) {
        throw refused(ESTALE);
    }
    auto opened = bpffs::owned_fd::adopt(
        ::open(fmt::format("/proc/self/fd/{}", named.get()).c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened) {
        throw refused(errno);
    }
    return std::make_unique<iterator_file>(std::move(opened));
}

std::unique_ptr<open_file> open_stream(const node_ref& of, bpffs::access rights,
                                       const settings& chosen, ring_waiter& rings) {
    if (shape_of(*of, chosen)->kind == bpffs::object_kind::link) {
        return open_iterator(*of, rights);
    }
    const auto known = map_shape_of(*of, chosen);
    if (known->takes_records() && bpffs::can_read(rights)) {
        throw refused(EACCES); // programs read it
    }
    // Taking an element needs both, and so do both sides of a ring.
    const bool both = bpffs::can_read(rights) || known->is_ring();
    const bpffs::access needed = both ? bpffs::access::read_write : bpffs::access::write;
    auto [map, pin, shape] = bpffs::can_write(rights) ? open_for_text(*of, needed, chosen)
                                                      : open_shown(*of, needed, chosen);
    if (shape->takes_records()) {
        return open_sender(of, std::move(map), std::move(shape), chosen);
    }
    if (shape->is_ring()) {
        return rings.open(std::move(map), std::move(shape));
    }
    return std::make_unique<queue_file>(of, std::move(map), std::move(shape), chosen);
}

std::unique_ptr<open_file> open_text(const node& of, bpffs::access rights) {
    if (bpffs::can_write(rights)) {
        throw refused(EACCES);
    }
    bpffs::object opened = open_object(of, bpffs::access::read);
    return std::make_unique<text_file>(of.kind == node_kind::code ? code_text(std::move(opened))
                                                                  : info_text(std::move(opened)));
}

} // namespace

std::unique_ptr<open_file> open_node(const node_ref& of, bpffs::access rights,
                                     const settings& chosen, ring_waiter& rings) {
    try {
        switch (of->kind) {
        case node_kind::entry:
            return open_entry(of, rights, bpffs::update_flag::any, chosen);
        case node_kind::dump:
            return open_dump(of, rights, chosen);
        case node_kind::stream:
            return open_stream(of, rights, chosen, rings);
        case node_kind::info:
        case node_kind::code:
            return open_text(*of, rights);
        default:
            throw refused(EISDIR);
        }
    } catch (const bpffs::error& error) {
        throw refused(errno_of(error.code()));
    }
}

std::unique_ptr<open_file> create_entry(const node_ref& of, bpffs::access rights, creating how,
                                        const settings& chosen) {
    return open_entry(of, rights,
                      how == creating::anew ? bpffs::update_flag::noexist : bpffs::update_flag::any,
                      chosen);
}

std::size_t open_file::write(std::string_view /*text*/, off_t /*at*/) {
    throw refused(EBADF);
}

void open_file::answer_read(fuse_req_t request, std::size_t size, off_t at, int /*flags*/) {
    const std::string part = read(size, at);
    fuse_reply_buf(request, part.data(), part.size());
}

unsigned open_file::poll(fuse_pollhandle* later) {
    if (later != nullptr) {
        fuse_pollhandle_destroy(later);
    }
    return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
}

void line_file::check_line(std::string_view line) const {
    if (!is_line(line)) {
        refuse_text(*node_, line, chosen_);
    }
}

// Lines, each with its newline. How much of them has been put; thrown where that is none.
std::size_t line_file::put_all(std::string_view lines) {
    if (lines.empty()) {
        return 0;
    }
    const auto all = split(lines.substr(0, lines.size() - 1), '\n');
    std::for_each(all.begin(), all.end(), [&](std::string_view line) { check_line(line); });
    std::size_t done = 0;
    for (const std::string_view line : all) {
        try {
            put(line);
        } catch (const refused&) {
            if (done == 0) {
                throw;
            }
            break;
        }
        done += line.size() + 1;
    }
    return done;
}

std::size_t line_file::write(std::string_view text, off_t /*at*/) {
    const std::scoped_lock lock(mutex_);
    std::string all = written_;
    all += text;
    const std::size_t end = all.rfind('\n') + 1; // 0 where there is none
    if (all.size() - end > longest_) {
        throw refused(EFBIG);
    }
    keep(beside_ + all.size() - end);
    const std::size_t done = put_all(std::string_view(all).substr(0, end));
    if (done < end) {
        return done - std::exchange(written_, {}).size();
    }
    written_ = all.substr(end);
    return text.size();
}

void line_file::flush() {
    const std::scoped_lock lock(mutex_);
    if (!written_.empty()) {
        const std::string line = std::exchange(written_, {});
        check_line(line);
        put(line);
    }
}

} // namespace fsctl::view
