// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The process that goes into homes, and talking to it; see homes.hpp.
#include "homes.hpp"

#include "common/failure.hpp"
#include "home_link.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fsctl {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What is sent: numbers and texts one behind the other.
class parcel {
public:
    parcel() = default;
    explicit parcel(std::string bytes) : bytes_(std::move(bytes)) {}

    void put(std::uint32_t number) {
        std::array<char, sizeof number> raw{};
        std::memcpy(raw.data(), &number, sizeof number);
        bytes_.append(raw.data(), raw.size());
    }
    void put(const std::string& text) {
        put(static_cast<std::uint32_t>(text.size()));
        bytes_ += text;
    }
    std::uint32_t number() {
        std::uint32_t value = 0;
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }
    std::string text() { return std::string(take(number())); }

    [[nodiscard]] const std::string& bytes() const { return bytes_; }

private:
    std::string_view take(std::size_t size) {
        const std::string_view part = std::string_view(bytes_).substr(at_, size);
        if (part.size() != size) {
            throw failure("the process that looks into homes makes no sense");
        }
        at_ += size;
        return part;
    }

    std::string bytes_;
    std::size_t at_ = 0;
};

// Waits until there is something to read. False where the time is over.
bool wait_for(int line, std::optional<steady_clock::time_point> end) {
    for (;;) {
        milliseconds left(-1);
        if (end) {
            left = std::max(std::chrono::ceil<milliseconds>(*end - steady_clock::now()),
                            milliseconds(0));
        }
        pollfd what = {line, POLLIN, 0};
        const int got = ::poll(&what, 1, static_cast<int>(left.count()));
        if (got > 0 || (got < 0 && errno != EINTR)) {
            return true; // reading tells what is wrong
        }
        if (got == 0) {
            return false;
        }
    }
}

enum class got { all, late, nothing };

got receive(int line, char* into, std::size_t size,
            std::optional<steady_clock::time_point> end = std::nullopt) {
    while (size > 0) {
        if (!wait_for(line, end)) {
            return got::late;
        }
        const ssize_t some = ::recv(line, into, size, MSG_DONTWAIT);
        if (some > 0) {
            into += some;
            size -= static_cast<std::size_t>(some);
        } else if (some == 0 || (errno != EAGAIN && errno != EINTR)) {
            return got::nothing;
        }
    }
    return got::all;
}

got receive(int line, parcel& into, std::optional<steady_clock::time_point> end = std::nullopt) {
    std::array<char, sizeof(std::uint32_t)> raw{};
    got how = receive(line, raw.data(), raw.size(), end);
    if (how == got::all) {
        std::uint32_t size = 0;
        std::memcpy(&size, raw.data(), sizeof size);
        std::string bytes(size, '\0');
        how = receive(line, bytes.data(), bytes.size(), end);
        into = parcel(std::move(bytes));
    }
    return how;
}

bool send(int line, const parcel& what) {
    parcel framed;
    framed.put(what.bytes());
    for (std::string_view rest = framed.bytes(); !rest.empty();) {
        const ssize_t some = ::send(line, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (some < 0 && errno != EINTR) {
            return false;
        }
        rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(some, 0)));
    }
    return true;
}

parcel question(home_deed deed, const account& whose, const bpffs::path& target,
                const bpffs::path& former) {
    parcel asked;
    asked.put(static_cast<std::uint32_t>(deed));
    asked.put(whose.name);
    asked.put(whose.home.native());
    asked.put(target.native());
    asked.put(former.native());
    asked.put(whose.user);
    asked.put(whose.group);
    asked.put(static_cast<std::uint32_t>(whose.groups.size()));
    for (const gid_t each : whose.groups) {
        asked.put(each);
    }
    return asked;
}

home_answer answer_to(parcel asked) {
    const auto deed = static_cast<home_deed>(asked.number());
    account whose;
    whose.name = asked.text();
    whose.home = asked.text();
    const bpffs::path target = asked.text();
    const bpffs::path former = asked.text();
    whose.user = asked.number();
    whose.group = asked.number();
    whose.groups.resize(asked.number());
    for (gid_t& each : whose.groups) {
        each = asked.number();
    }
    return do_in_home(deed, whose, target, former);
}

// Keeps nothing of this process: a lock, or an open directory of somebody's mount,
// would be held for as long as a home does not answer; nor a pipe that is read to
// its end.
void keep_only(int line) {
    // Out of the way first: it is one of the three where the caller had closed them.
    const int own = ::fcntl(line, F_DUPFD, 4);
    const int none = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++) {
        ::dup2(none, fd);
    }
    ::dup2(own, 3); // whatever was there
    ::close_range(4, ~0U, 0);
}

pid_t asker = -1; // of this process, where it is the one that goes into homes

[[noreturn]] void work(int line, pid_t parent) {
    asker = parent;
    end_with_asker();
    ::prctl(PR_SET_NAME, "bpffs-homes");
    keep_only(line);
    if (::chdir("/") != 0) { // nor the caller's directory
        ::_exit(1);
    }
    constexpr int own_line = 3;
    for (parcel asked; receive(own_line, asked) == got::all;) {
        parcel reply;
        try {
            const home_answer answer = answer_to(std::move(asked));
            reply.put(static_cast<std::uint32_t>(answer.state));
            reply.put(answer.wrong);
            reply.put(answer.remedy);
        } catch (const std::exception&) {
            ::_exit(1); // who has asked is told by that
        }
        if (!send(own_line, reply)) {
            break;
        }
    }
    ::_exit(0);
}

failure broken(const account& whose) {
    return failure(fmt::format("the process that looks into the home of {}, '{}', has ended",
                               whose.name, whose.home.native()));
}

} // namespace

void end_with_asker() {
    if (asker < 0) {
        return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != asker) { // it ended before that was said
        ::_exit(1);
    }
}

homes::~homes() {
    give_up();
    for (const pid_t each : stuck_) {
        // One that does not even die is left to process 1.
        for (int tries = 0; ::waitpid(each, nullptr, WNOHANG) == 0 && tries < 100; tries++) {
            ::usleep(1000);
        }
    }
}

void homes::start() {
    std::array<int, 2> ends = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw failure(fmt::format("no process can be asked to look into homes: {}",
                                  std::strerror(errno))); // NOLINT(concurrency-mt-unsafe)
    }
    line_ = bpffs::owned_fd::adopt(ends[0]);
    const bpffs::owned_fd other = bpffs::owned_fd::adopt(ends[1]);
    const pid_t self = ::getpid();
    worker_ = ::fork();
    if (worker_ == 0) {
        work(other.get(), self);
    }
    if (worker_ < 0) {
        throw failure(fmt::format("no process can be made to look into homes: {}",
                                  std::strerror(errno))); // NOLINT(concurrency-mt-unsafe)
    }
}

void homes::give_up() noexcept {
    if (worker_ > 0) {
        ::kill(worker_, SIGKILL);
        stuck_.push_back(worker_);
    }
    worker_ = -1;
    line_.reset();
}

milliseconds homes::limit() const {
    constexpr milliseconds least(20);
    return std::max(patience_ / 8, least);
}

home_answer homes::ask(home_deed deed, const account& whose, const bpffs::path& target,
                       const bpffs::path& former) {
    if (worker_ < 0) {
        start();
    }
    const milliseconds most = limit();
    parcel reply;
    got how = got::nothing;
    if (send(line_.get(), question(deed, whose, target, former))) {
        how = receive(line_.get(), reply, steady_clock::now() + most);
    }
    if (how != got::all) {
        give_up();
    }
    if (how == got::nothing) {
        throw broken(whose);
    }
    if (how == got::late) {
        patience_ -= std::min(most, patience_);
        throw failure(fmt::format("the home of {}, '{}', does not answer: waited {:.1f} seconds",
                                  whose.name, whose.home.native(),
                                  std::chrono::duration<double>(most).count()),
                      "Others are not kept waiting for it. It is tried again at the next time; "
                      "without the link nobody goes there: link = false, nolink");
    }
    home_answer answer;
    answer.state = static_cast<link_state>(reply.number());
    answer.wrong = reply.text();
    answer.remedy = reply.text();
    return answer;
}

} // namespace fsctl
