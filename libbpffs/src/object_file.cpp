// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Object files: libbpf reads and relocates them; its calls of bpf(2) come back through sys.cpp,
// which adds the directory's token.
#include <bpffs/object_file.hpp>

#include "map.hpp"
#include "program.hpp"
#include "text.hpp"

#include <bpffs/delegation.hpp>
#include <bpffs/mount.hpp>

#include <fmt/format.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <mutex>

namespace bpffs {
namespace {

// What libbpf says, on the thread that asks it.

thread_local std::string* listener = nullptr;

/// libbpf's warnings while it lives.
class hearing {
public:
    hearing() {
        static std::once_flag once;
        std::call_once(once, [] {
            ::libbpf_set_print(&hear);
            // Kernels that have directory tokens charge no RLIMIT_MEMLOCK for BPF.
            ::libbpf_set_memlock_rlim(0);
        });
        listener = &words_;
    }
    hearing(const hearing&) = delete;
    hearing& operator=(const hearing&) = delete;
    hearing(hearing&&) = delete;
    hearing& operator=(hearing&&) = delete;
    ~hearing() { listener = nullptr; }

    [[nodiscard]] const std::string& words() const noexcept { return words_; }

private:
    static int hear(libbpf_print_level level, const char* format, va_list arguments) {
        if (listener == nullptr || level == LIBBPF_DEBUG) {
            return 0;
        }
        va_list again;
        va_copy(again, arguments);
        const int length = std::vsnprintf(nullptr, 0, format, arguments);
        if (length > 0) {
            const std::size_t before = listener->size();
            listener->resize(before + static_cast<std::size_t>(length) + 1);
            std::vsnprintf(listener->data() + before, static_cast<std::size_t>(length) + 1, format,
                           again);
            listener->pop_back();
        }
        va_end(again);
        return length;
    }

    std::string words_;
};

constexpr std::string_view log_begin = "-- BEGIN PROG LOAD LOG --\n";
constexpr std::string_view log_end = "-- END PROG LOAD LOG --";

/// The verifier's log in libbpf's words; empty where there is none.
std::string_view log_in(std::string_view words) noexcept {
    const auto begin = words.find(log_begin);
    if (begin == std::string_view::npos) {
        return {};
    }
    const auto text = words.substr(begin + log_begin.size());
    return text.substr(0, text.find(log_end));
}

/// The last line of a log that says what is wrong: before the counts.
std::string_view verdict_in(std::string_view log) noexcept {
    std::string_view verdict;
    while (!log.empty()) {
        const auto line = cut(log, '\n');
        if (line.starts_with("processed ")) {
            break;
        }
        if (!line.empty()) {
            verdict = line;
        }
    }
    return verdict;
}

/// libbpf's first complaint without its prefix.
std::string_view complaint_in(std::string_view words) noexcept {
    auto line = words.substr(0, words.find('\n'));
    constexpr std::string_view prefix = "libbpf: ";
    return line.starts_with(prefix) ? line.substr(prefix.size()) : line;
}

std::string pin_name(std::string name) {
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
}

constexpr std::uint64_t bit(std::uint32_t kind) noexcept {
    return kind < 64 ? 1ULL << kind : 0;
}

struct close_object {
    void operator()(bpf_object* object) const noexcept { ::bpf_object__close(object); }
};

} // namespace

struct object_file::state {
    path file;
    std::unique_ptr<bpf_object, close_object> object;
    std::vector<file_program> programs;
    std::vector<file_map> maps;
};

/// The private side of object_file.
struct object_file_access {
    static object_file open(const path& file, failure& why);
    static loaded_file load(object_file& file, int authority, const load_options& options,
                            failure& why);
    static bpf_program* program_named(object_file& file, std::string_view name, failure& why);
    static bpf_map* map_named(object_file& file, std::string_view name, failure& why);
    static void look(object_file::state& inside);
    static std::vector<file_program>& programs(object_file& file) { return file.state_->programs; }
    static std::vector<file_map>& maps(object_file& file) { return file.state_->maps; }

private:
    static void look_at_maps(object_file::state& inside);
};

object_file object_file_access::open(const path& file, failure& why) {
    const hearing libbpf;
    auto inside = std::make_unique<object_file::state>();
    inside->file = file;
    inside->object.reset(::bpf_object__open_file(file.c_str(), nullptr));
    if (!inside->object) {
        const int error = errno;
        if (error == ENOENT || error == EACCES || error == ENOMEM || error == EMFILE) {
            why.set(error);
        } else {
            why.set(errc::not_an_object_file, std::string{complaint_in(libbpf.words())});
        }
        return {};
    }
    look(*inside);
    object_file opened;
    opened.state_ = std::move(inside);
    return opened;
}

void object_file_access::look(object_file::state& inside) {
    bpf_program* one = nullptr;
    while ((one = ::bpf_object__next_program(inside.object.get(), one)) != nullptr) {
        inside.programs.push_back(
            {::bpf_program__name(one), ::bpf_program__section_name(one),
             static_cast<program_kind>(::bpf_program__type(one)),
             static_cast<attach_kind>(::bpf_program__expected_attach_type(one)),
             ::bpf_program__autoload(one)});
    }
    look_at_maps(inside);
}

void object_file_access::look_at_maps(object_file::state& inside) {
    bpf_map* one = nullptr;
    while ((one = ::bpf_object__next_map(inside.object.get(), one)) != nullptr) {
        ::bpf_map__set_pin_path(one, nullptr);
        inside.maps.push_back({::bpf_map__name(one), static_cast<map_kind>(::bpf_map__type(one)),
                               ::bpf_map__key_size(one), ::bpf_map__value_size(one),
                               ::bpf_map__max_entries(one), ::bpf_map__map_flags(one)});
    }
}

bpf_program* object_file_access::program_named(object_file& file, std::string_view name,
                                               failure& why) {
    if (!file) {
        why.set(errc::empty_handle);
        return nullptr;
    }
    bpf_program* found =
        ::bpf_object__find_program_by_name(file.state_->object.get(), std::string{name}.c_str());
    if (found == nullptr) {
        why.set(errc::no_such_name, fmt::format("program '{}'", name));
    }
    return found;
}

bpf_map* object_file_access::map_named(object_file& file, std::string_view name, failure& why) {
    if (!file) {
        why.set(errc::empty_handle);
        return nullptr;
    }
    bpf_map* found =
        ::bpf_object__find_map_by_name(file.state_->object.get(), std::string{name}.c_str());
    if (found == nullptr) {
        why.set(errc::no_such_name, fmt::format("map '{}'", name));
    }
    return found;
}

namespace {

template <class Entry> Entry& entry_named(std::vector<Entry>& all, std::string_view name) {
    return *std::find_if(all.begin(), all.end(),
                         [&](const Entry& one) { return one.name == name; });
}

void skip_body(object_file& file, std::string_view name, failure& why) {
    if (bpf_program* const found = object_file_access::program_named(file, name, why)) {
        why.set(-::bpf_program__set_autoload(found, false));
        entry_named(object_file_access::programs(file), name).loads = false;
    }
}

void set_kind_body(object_file& file, std::string_view name, program_kind kind, attach_kind attach,
                   failure& why) {
    if (bpf_program* const found = object_file_access::program_named(file, name, why)) {
        ::bpf_program__set_type(found, static_cast<bpf_prog_type>(kind));
        ::bpf_program__set_expected_attach_type(found, static_cast<bpf_attach_type>(attach));
        file_program& entry = entry_named(object_file_access::programs(file), name);
        entry.kind = kind;
        entry.attach = attach;
    }
}

void set_entries_body(object_file& file, std::string_view name, std::uint32_t entries,
                      failure& why) {
    if (bpf_map* const found = object_file_access::map_named(file, name, why)) {
        why.set(-::bpf_map__set_max_entries(found, entries));
        entry_named(object_file_access::maps(file), name).max_entries = entries;
    }
}

void reuse_body(object_file& file, std::string_view name, const map& existing, failure& why) {
    bpf_map* const found = object_file_access::map_named(file, name, why);
    if (found == nullptr) {
        return;
    }
    const file_map& entry = entry_named(object_file_access::maps(file), name);
    if (!existing) {
        why.set(errc::empty_handle);
    } else if (existing.kind() != entry.kind || existing.key_size() != entry.key_size ||
               existing.info().value_size != entry.value_size) {
        why.set(EINVAL,
                fmt::format("the file has a {} of {} to {} bytes as '{}', not a {} of {} to "
                            "{}",
                            to_string(entry.kind), entry.key_size, entry.value_size, name,
                            to_string(existing.kind()), existing.key_size(),
                            existing.info().value_size));
    } else {
        why.set(-::bpf_map__reuse_fd(found, existing.fd().get()));
    }
}

/// One loading: which way, and what came of it.
class loader {
public:
    loader(bpf_object* object, const std::vector<file_program>& programs,
           const std::vector<file_map>& maps, const load_options& options)
        : object_{object}, programs_{programs}, maps_{maps}, options_{options} {}

    loaded_file load(int authority, failure& why) {
        const owned_fd token = token_of(authority, why);
        if (!why) {
            load_by(token.get(), why);
        }
        return why ? loaded_file{} : handles(why);
    }

private:
    /// The directory's token, or none where it would not do.
    owned_fd token_of(int authority, failure& why);
    [[nodiscard]] std::string what_is_not_delegated(const delegation& to) const;
    void load_by(int token, failure& why);
    [[nodiscard]] sys::loading what_is_loaded(int token) const;
    void provide_logs();
    void hand_out_log(std::string_view words);
    void note_refusal(int error, std::string_view words, failure& why);
    loaded_file handles(failure& why) const;

    bpf_object* object_;
    const std::vector<file_program>& programs_;
    const std::vector<file_map>& maps_;
    const load_options& options_;
    std::vector<std::vector<char>> logs_;
    std::string no_token_; ///< why there is no token
};

std::string loader::what_is_not_delegated(const delegation& to) const {
    if (!to.commands.contains(command::prog_load)) {
        return "the directory's mount does not delegate the command prog_load";
    }
    for (const file_program& one : programs_) {
        if (one.loads && !can_be_delegated(one.kind)) {
            return fmt::format("no directory delegates programs of kind {}", to_string(one.kind));
        }
        if (one.loads && !to.programs.contains(one.kind)) {
            return fmt::format("the directory's mount delegates programs of kind {}, not {}",
                               to.programs.empty() ? "(none)" : to_string(to.programs),
                               to_string(one.kind));
        }
        if (one.loads && !to.attachments.contains(one.attach)) {
            return fmt::format("the directory's mount does not delegate the attachment {}, which "
                               "the program '{}' is for",
                               word(one.attach), one.name);
        }
    }
    for (const file_map& one : maps_) {
        if (!to.allows_map(one.kind)) {
            return fmt::format("the directory's mount does not delegate maps of kind {}",
                               to_string(one.kind));
        }
    }
    return {};
}

owned_fd loader::token_of(int authority, failure& why) {
    error_code code;
    const mount_info mount = mount_info::of(borrowed_fd{authority}, code);
    if (code || !mount.gives_tokens()) {
        no_token_ =
            "the directory's mount gives out no tokens (it has no fmode with delegate_caps)";
        return {};
    }
    no_token_ = what_is_not_delegated(mount.delegated);
    if (!no_token_.empty()) {
        return {};
    }
    auto token = sys::token_create(authority);
    // Who may not write the directory cannot pin there either.
    if (token.error == EACCES || token.error == EROFS) {
        why.set(token.error, "the directory is not writable");
    } else if (!token) {
        const error_code refused{token.error, boost::system::system_category()};
        no_token_ = fmt::format("no token of the directory: {}", refused.message());
    }
    return std::move(token.value);
}

sys::loading loader::what_is_loaded(int token) const {
    sys::loading now;
    now.token_fd = token;
    for (const file_program& one : programs_) {
        now.programs |= one.loads ? bit(static_cast<std::uint32_t>(one.kind)) : 0;
    }
    bpf_map* one = nullptr;
    while ((one = ::bpf_object__next_map(object_, one)) != nullptr) {
        now.maps |= bit(::bpf_map__type(one));
        if (bpf_map* const inner = ::bpf_map__inner_map(one)) {
            now.maps |= bit(::bpf_map__type(inner));
        }
    }
    if (const btf* const types = ::bpf_object__btf(object_)) {
        (void)::btf__raw_data(types, &now.btf_size);
    }
    return now;
}

void loader::provide_logs() {
    constexpr std::size_t room = std::size_t{1} << 20;
    bpf_program* one = nullptr;
    while (options_.log_level != 0 && (one = ::bpf_object__next_program(object_, one)) != nullptr) {
        logs_.emplace_back(room);
        ::bpf_program__set_log_level(one, options_.log_level);
        ::bpf_program__set_log_buf(one, logs_.back().data(), room);
    }
}

void loader::hand_out_log(std::string_view words) {
    if (options_.log == nullptr) {
        return;
    }
    *options_.log = log_in(words);
    for (const std::vector<char>& one : logs_) {
        *options_.log += one.data();
    }
}

void loader::load_by(int token, failure& why) {
    provide_logs();
    const hearing libbpf;
    int error = 0;
    {
        const sys::loading_scope now{what_is_loaded(token)};
        error = -::bpf_object__load(object_);
    }
    hand_out_log(libbpf.words());
    if (error != 0) {
        note_refusal(error, libbpf.words(), why);
    } else {
        why.set(0);
    }
}

void loader::note_refusal(int error, std::string_view words, failure& why) {
    std::string log{log_in(words)};
    for (const std::vector<char>& one : logs_) {
        log += one.data();
    }
    const error_code refused{error, boost::system::system_category()};
    if (error == EPERM && log.empty() && !no_token_.empty()) {
        why.attempts.push_back({creation_way::directory_token, errc::not_delegated, no_token_});
        why.attempts.push_back({creation_way::plain_call, refused,
                                "the caller lacks the capabilities bpf, or what else the programs "
                                "need"});
        why.set(errc::not_creatable, fmt::format("by directory token: {}; by the plain call: {}",
                                                 no_token_, why.attempts.back().reason));
        return;
    }
    const std::string_view verdict = verdict_in(log);
    std::string detail{complaint_in(words)};
    if (!verdict.empty()) {
        detail += fmt::format("{}the verifier says: {}", detail.empty() ? "" : "; ", verdict);
    }
    why.set(refused, std::move(detail));
}

loaded_file loader::handles(failure& why) const {
    loaded_file all;
    for (const file_program& one : programs_) {
        bpf_program* const found = ::bpf_object__find_program_by_name(object_, one.name.c_str());
        if (!one.loads || found == nullptr || why) {
            continue;
        }
        owned_fd fd = why.take(sys::duplicate(::bpf_program__fd(found)));
        if (!why) {
            all.programs.push_back(
                {one.name, one.attach,
                 handle_body<program>::make(std::move(fd), access::read_write, path{}, why)});
        }
    }
    bpf_map* one = nullptr;
    while (!why && (one = ::bpf_object__next_map(object_, one)) != nullptr) {
        owned_fd fd = why.take(sys::duplicate(::bpf_map__fd(one)));
        if (!why) {
            all.maps.push_back(
                {::bpf_map__name(one),
                 handle_body<map>::make(std::move(fd), access::read_write, path{}, why)});
        }
    }
    return why ? loaded_file{} : std::move(all);
}

/// What a diagnosis is to look at: the first program.
std::optional<wanted> wish_of(const object_file& file) {
    for (const file_program& one : file.programs()) {
        if (one.loads) {
            return wanted::to_load(one.kind, one.attach);
        }
    }
    return std::nullopt;
}

loaded_file load_pinned_body(object_file&& file, const location& where,
                             const load_pinned_options& options, failure& why) {
    object_file once = std::move(file);
    const place here = resolve(where, why);
    if (!why) {
        check_new_name(here, why);
    }
    if (why) {
        return {};
    }
    loaded_file all = object_file_access::load(once, here.directory, options.loading, why);
    std::vector<named_pin> pins;
    for (const auto& one : all.programs) {
        pins.push_back(
            {pin_name(one.name), one.handle.fd(), options.program_permissions, options.group});
    }
    for (const auto& one : all.maps) {
        pins.push_back(
            {pin_name(one.name), one.handle.fd(), options.map_permissions, options.group});
    }
    if (!why) {
        pin_all_at(pins, here, {options.directory_permissions, options.group}, options.conflict,
                   why);
    }
    return why ? loaded_file{} : std::move(all);
}

} // namespace

loaded_file object_file_access::load(object_file& file, int authority, const load_options& options,
                                     failure& why) {
    if (!file) {
        why.set(errc::empty_handle, "an object file is loaded once");
        return {};
    }
    const std::unique_ptr<object_file::state> inside = std::move(file.state_);
    return loader{inside->object.get(), inside->programs, inside->maps, options}.load(authority,
                                                                                      why);
}

object_file::object_file() noexcept = default;
object_file::object_file(object_file&&) noexcept = default;
object_file& object_file::operator=(object_file&&) noexcept = default;
object_file::~object_file() = default;

object_file object_file::open(const path& file) {
    return loudly("open object file", file, {},
                  [&](failure& why) { return object_file_access::open(file, why); });
}

object_file object_file::open(const path& file, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return object_file_access::open(file, why); });
}

const path& object_file::file() const noexcept {
    static const path none;
    return state_ ? state_->file : none;
}

const std::vector<file_program>& object_file::programs() const noexcept {
    static const std::vector<file_program> none;
    return state_ ? state_->programs : none;
}

const std::vector<file_map>& object_file::maps() const noexcept {
    static const std::vector<file_map> none;
    return state_ ? state_->maps : none;
}

void object_file::skip(std::string_view program) {
    loudly("leave out of object file", file(), {},
           [&](failure& why) { skip_body(*this, program, why); });
}

void object_file::skip(std::string_view program, error_code& code) noexcept {
    quietly(code, [&](failure& why) { skip_body(*this, program, why); });
}

void object_file::set_kind(std::string_view program, program_kind kind, attach_kind attach) {
    loudly("change object file", file(), {},
           [&](failure& why) { set_kind_body(*this, program, kind, attach, why); });
}

void object_file::set_kind(std::string_view program, program_kind kind, attach_kind attach,
                           error_code& code) noexcept {
    quietly(code, [&](failure& why) { set_kind_body(*this, program, kind, attach, why); });
}

void object_file::set_entries(std::string_view map, std::uint32_t entries) {
    loudly("change object file", file(), {},
           [&](failure& why) { set_entries_body(*this, map, entries, why); });
}

void object_file::set_entries(std::string_view map, std::uint32_t entries,
                              error_code& code) noexcept {
    quietly(code, [&](failure& why) { set_entries_body(*this, map, entries, why); });
}

void object_file::reuse(std::string_view map, const bpffs::map& existing) {
    loudly("change object file", file(), {},
           [&](failure& why) { reuse_body(*this, map, existing, why); });
}

void object_file::reuse(std::string_view map, const bpffs::map& existing,
                        error_code& code) noexcept {
    quietly(code, [&](failure& why) { reuse_body(*this, map, existing, why); });
}

loaded_file object_file::load(const directory& authority, const load_options& options) {
    const path shown = file();
    return loudly("load object file", shown, {}, [&](failure& why) {
        return object_file_access::load(*this, authority.fd().get(), options, why);
    });
}

loaded_file object_file::load(const directory& authority, const load_options& options,
                              error_code& code) noexcept {
    return quietly(code, [&](failure& why) {
        return object_file_access::load(*this, authority.fd().get(), options, why);
    });
}

loaded_file load_pinned(object_file&& file, const location& where,
                        const load_pinned_options& options) {
    const std::optional<wanted> wish = wish_of(file);
    return loudly("load and pin in", where, wish, [&](failure& why) {
        return load_pinned_body(std::move(file), where, options, why);
    });
}

loaded_file load_pinned(object_file&& file, const location& where,
                        const load_pinned_options& options, error_code& code) noexcept {
    return quietly(
        code, [&](failure& why) { return load_pinned_body(std::move(file), where, options, why); });
}

} // namespace bpffs
