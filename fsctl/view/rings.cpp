// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Waiting for records; see rings.hpp.
#include "rings.hpp"

#include "refused.hpp"

#include <bpffs/ring.hpp>

#include <array>
#include <deque>
#include <exception>
#include <iostream>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace fsctl::view {

class ring_file : public open_file {
public:
    ring_file(ring_waiter& waiter, bpffs::map ring, std::shared_ptr<const map_shape> shape);
    ring_file(const ring_file&) = delete;
    ring_file& operator=(const ring_file&) = delete;
    ring_file(ring_file&&) = delete;
    ring_file& operator=(ring_file&&) = delete;
    ~ring_file() override;

    std::string read(std::size_t size, off_t at) override;
    void answer_read(fuse_req_t request, std::size_t size, off_t at, int flags) override;
    unsigned poll(fuse_pollhandle* later) override;
    [[nodiscard]] bool is_stream() const override { return true; }

    // The waiter's mutex is held for these.
    void serve();
    void end_interrupted();
    void end_all(int error) noexcept;

private:
    struct kept {
        fuse_req_t request;
        std::size_t size;
    };

    std::string take(std::size_t size);
    bool readable();
    void drop_poll() noexcept;

    ring_waiter& waiter_;
    std::uint64_t number_ = 0;
    bpffs::ring_reader ring_;
    std::shared_ptr<const map_shape> shape_;
    std::string rest_; // of a line that was longer than what was asked for
    std::deque<kept> waiting_;
    fuse_pollhandle* poll_ = nullptr;
};

ring_file::ring_file(ring_waiter& waiter, bpffs::map ring, std::shared_ptr<const map_shape> shape)
    : waiter_(waiter), ring_(bpffs::ring_reader::from(std::move(ring))), shape_(std::move(shape)) {
    const std::scoped_lock lock(waiter_.mutex_);
    number_ = waiter_.next_++;
    // Edges only: a record that a program has begun and not sent yet makes the ring readable, too.
    epoll_event event{EPOLLIN | EPOLLET, {.u64 = number_}};
    if (epoll_ctl(waiter_.epoll_.get(), EPOLL_CTL_ADD, ring_.fd().get(), &event) != 0) {
        throw refused(errno);
    }
    waiter_.files_.emplace(number_, this);
}

ring_file::~ring_file() {
    const std::scoped_lock lock(waiter_.mutex_);
    waiter_.files_.erase(number_);
    epoll_ctl(waiter_.epoll_.get(), EPOLL_CTL_DEL, ring_.fd().get(), nullptr);
    end_all(EINTR);
    drop_poll();
}

// Whole lines as far as they fit, so that a record which is not shown stays in the ring; only one
// that is longer than all that was asked for comes in parts.
std::string ring_file::take(std::size_t size) {
    std::string text = std::exchange(rest_, {});
    while (text.size() < size) {
        const bpffs::const_bytes record = ring_.next();
        if (record.data() == nullptr) {
            break;
        }
        const std::string line = shape_->text_of_record(record);
        if (!text.empty() && text.size() + line.size() > size) {
            break;
        }
        keep(line.size()); // before the record is out of the ring
        ring_.consume();
        text += line;
    }
    if (text.size() > size) {
        rest_ = text.substr(size);
        text.resize(size);
    }
    keep(rest_.size());
    return text;
}

bool ring_file::readable() {
    return !rest_.empty() || ring_.next().data() != nullptr;
}

std::string ring_file::read(std::size_t size, off_t /*at*/) {
    const std::scoped_lock lock(waiter_.mutex_);
    return take(size);
}

void ring_file::answer_read(fuse_req_t request, std::size_t size, off_t /*at*/, int flags) {
    const std::scoped_lock lock(waiter_.mutex_);
    const std::string text = waiting_.empty() ? take(size) : std::string();
    if (!text.empty() || size == 0) {
        fuse_reply_buf(request, text.data(), text.size());
    } else if ((flags & O_NONBLOCK) != 0) {
        throw refused(EAGAIN);
    } else if (waiter_.stopping_) {
        throw refused(ENODEV);
    } else {
        waiting_.push_back({request, size});
        // Under the lock: whoever is told must not answer before this is done with the request.
        fuse_req_interrupt_func(request, ring_waiter::on_interrupt, &waiter_);
    }
}

unsigned ring_file::poll(fuse_pollhandle* later) {
    const std::scoped_lock lock(waiter_.mutex_);
    if (later != nullptr) {
        drop_poll(); // one notice is enough for all
        poll_ = later;
    }
    return readable() ? POLLIN | POLLRDNORM : 0U;
}

void ring_file::serve() {
    while (!waiting_.empty()) {
        const kept& first = waiting_.front();
        try {
            const std::string text = take(first.size);
            if (text.empty()) {
                return;
            }
            fuse_reply_buf(first.request, text.data(), text.size());
        } catch (const refused& why) {
            fuse_reply_err(first.request, why.number);
        }
        waiting_.pop_front();
    }
    if (poll_ != nullptr && readable()) {
        fuse_lowlevel_notify_poll(poll_);
        drop_poll();
    }
}

void ring_file::end_interrupted() {
    std::erase_if(waiting_, [](const kept& each) {
        const bool interrupted = fuse_req_interrupted(each.request) != 0;
        if (interrupted) {
            fuse_reply_err(each.request, EINTR);
        }
        return interrupted;
    });
}

void ring_file::end_all(int error) noexcept {
    for (const kept& each : waiting_) {
        fuse_reply_err(each.request, error);
    }
    waiting_.clear();
}

void ring_file::drop_poll() noexcept {
    if (poll_ != nullptr) {
        fuse_pollhandle_destroy(std::exchange(poll_, nullptr));
    }
}

std::unique_ptr<open_file> ring_waiter::open(bpffs::map ring,
                                             std::shared_ptr<const map_shape> shape) {
    if (!thread_.joinable()) {
        throw refused(EAGAIN);
    }
    return std::make_unique<ring_file>(*this, std::move(ring), std::move(shape));
}

void ring_waiter::start() noexcept {
    const std::scoped_lock lock(mutex_);
    epoll_ = bpffs::owned_fd::adopt(epoll_create1(EPOLL_CLOEXEC));
    bell_ = bpffs::owned_fd::adopt(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    epoll_event event{EPOLLIN, {.u64 = 0}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, bell_.get(), &event) != 0) {
        return;
    }
    try {
        thread_ = std::thread([this] { wait_and_serve(); });
    } catch (const std::system_error&) {
        bell_.reset(); // no rings in this view
    }
}

void ring_waiter::wait_and_serve() {
    std::array<epoll_event, 16> events{};
    for (;;) {
        const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
        const std::scoped_lock lock(mutex_);
        for (int i = 0; i < count; ++i) {
            try {
                serve(events.at(static_cast<std::size_t>(i)).data.u64);
            } catch (const std::exception& error) { // no memory: it is there for the next reader
                std::cerr << fmt::format("bpffs-view: {}\n", error.what());
            }
        }
        if (stopping_) {
            return;
        }
    }
}

// The ring with this number, which may have been closed meanwhile; or the bell, which is 0.
void ring_waiter::serve(std::uint64_t number) {
    if (number != 0) {
        const auto found = files_.find(number);
        if (found != files_.end()) {
            found->second->serve();
        }
        return;
    }
    std::uint64_t rung = 0;
    (void)!::read(bell_.get(), &rung, sizeof(rung));
    for (const auto& each : files_) {
        each.second->end_interrupted();
    }
}

void ring_waiter::wake() noexcept {
    const std::uint64_t once = 1;
    (void)!::write(bell_.get(), &once, sizeof(once));
}

// The request is locked here, so it is answered by the thread.
void ring_waiter::on_interrupt(fuse_req_t /*request*/, void* waiter) {
    static_cast<ring_waiter*>(waiter)->wake();
}

void ring_waiter::stop() noexcept {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
        for (const auto& each : files_) {
            each.second->end_all(ENODEV);
        }
    }
    if (thread_.joinable()) {
        wake();
        thread_.join();
    }
}

namespace {

// One writer at a time: the view's own are kept apart here.
std::mutex one_sender; // NOLINT(cert-err58-cpp): its constructor throws nothing

class sender_file : public line_file {
public:
    sender_file(node_ref of, bpffs::map ring, std::shared_ptr<const map_shape> shape,
                const settings& chosen)
        : line_file(std::move(of), shape->longest_text(), chosen),
          ring_(bpffs::ring_writer::from(std::move(ring))),
          shape_(std::move(shape)) {}

    std::string read(std::size_t /*size*/, off_t /*at*/) override { throw refused(EBADF); }

protected:
    bool is_line(std::string_view line) const override {
        const std::optional<blob> record = shape_->record_of(line);
        return record && record->size() <= shape_->longest_record();
    }
    void put(std::string_view line) override {
        const std::scoped_lock lock(one_sender);
        if (!ring_.send(*shape_->record_of(line))) {
            throw refused(ENOSPC);
        }
    }

private:
    bpffs::ring_writer ring_;
    std::shared_ptr<const map_shape> shape_;
};

} // namespace

std::unique_ptr<open_file> open_sender(const node_ref& of, bpffs::map ring,
                                       std::shared_ptr<const map_shape> shape,
                                       const settings& chosen) {
    return std::make_unique<sender_file>(of, std::move(ring), std::move(shape), chosen);
}

} // namespace fsctl::view
