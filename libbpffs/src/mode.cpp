// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Modes: reading them as chmod(1) does, printing them as ls(1) does, and applying changes.
#include <bpffs/mode.hpp>

#include "failure.hpp"
#include "text.hpp"

#include <fmt/format.h>

namespace bpffs {
namespace {

constexpr unsigned user_bits = 04700;
constexpr unsigned group_bits = 02070;
constexpr unsigned other_bits = 01007;
constexpr unsigned all_bits = 07777;
constexpr unsigned execute_bits = 0111;
constexpr unsigned set_id_bits = 06000;

mode parse_octal(std::string_view text, failure& why) {
    const auto bits = number<unsigned>(text, 8);
    if (!bits || *bits > all_bits) {
        why.set(errc::bad_mode, fmt::format("'{}' is not octal digits up to 7777", text));
        return {};
    }
    return mode{*bits};
}

unsigned class_mask(char c) noexcept {
    switch (c) {
    case 'u':
        return user_bits;
    case 'g':
        return group_bits;
    case 'o':
        return other_bits;
    case 'a':
        return all_bits;
    default:
        return 0;
    }
}

/// The bits a permission letter stands for in every class; 0 for another letter.
unsigned letter_bits(char c) noexcept {
    switch (c) {
    case 'r':
        return 0444;
    case 'w':
        return 0222;
    case 'x':
        return execute_bits;
    case 's':
        return set_id_bits;
    case 't':
        return 01000;
    default:
        return 0;
    }
}

/// The rwx of one class, in all three.
unsigned spread(unsigned bits, char from) noexcept {
    const unsigned shift = from == 'u' ? 6 : (from == 'g' ? 3 : 0);
    return ((bits >> shift) & 7) * 0111;
}

/// "rwx" of one class, with `special` (s, S, t, T) in the place of x.
void print_class(std::string& text, unsigned rwx, bool special, char letter) {
    text += (rwx & 4) != 0 ? 'r' : '-';
    text += (rwx & 2) != 0 ? 'w' : '-';
    const bool execute = (rwx & 1) != 0;
    if (special) {
        text += execute ? letter : static_cast<char>(letter - 'a' + 'A');
    } else {
        text += execute ? 'x' : '-';
    }
}

} // namespace

mode mode::parse(std::string_view text) {
    return loudly("read mode", path{}, {}, [&](failure& why) { return parse_octal(text, why); });
}

mode mode::parse(std::string_view text, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return parse_octal(text, why); });
}

std::string mode::to_string() const {
    std::string text;
    print_class(text, bits_ >> 6 & 7, (bits_ & 04000) != 0, 's');
    print_class(text, bits_ >> 3 & 7, (bits_ & 02000) != 0, 's');
    print_class(text, bits_ & 7, (bits_ & 01000) != 0, 't');
    return text;
}

std::string mode::octal() const {
    return fmt::format("{:04o}", bits_);
}

/// "ug+rw-x": classes, then actions with letters or one class to copy from.
bool mode_change::parse_clause(std::string_view clause) {
    unsigned who = 0;
    while (!clause.empty() && class_mask(clause.front()) != 0) {
        who |= class_mask(clause.front());
        clause.remove_prefix(1);
    }
    if (clause.empty()) {
        return false;
    }
    while (!clause.empty()) {
        step one;
        one.action = clause.front();
        one.who = who == 0 ? all_bits : who;
        one.implicit_who = who == 0;
        if (one.action != '=' && one.action != '+' && one.action != '-') {
            return false;
        }
        clause.remove_prefix(1);
        if (!clause.empty() && class_mask(clause.front()) != 0 && clause.front() != 'a') {
            one.copy_from = clause.front();
            clause.remove_prefix(1);
        }
        while (one.copy_from == 0 && !clause.empty() &&
               (letter_bits(clause.front()) != 0 || clause.front() == 'X')) {
            one.bits |= letter_bits(clause.front());
            one.conditional_x = one.conditional_x || clause.front() == 'X';
            clause.remove_prefix(1);
        }
        steps_.push_back(one);
    }
    return true;
}

mode_change mode_change::parse(std::string_view text) {
    return loudly("read mode", path{}, {}, [&](failure& why) { return parse_body(text, why); });
}

mode_change mode_change::parse(std::string_view text, error_code& code) noexcept {
    return quietly(code, [&](failure& why) { return parse_body(text, why); });
}

mode_change mode_change::parse_body(std::string_view text, failure& why) {
    mode_change change;
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        change.absolute_ = true;
        change.value_ = parse_octal(text, why);
        return change;
    }
    std::string_view rest = text;
    do {
        const bool comma = rest.find(',') != std::string_view::npos;
        if (!change.parse_clause(cut(rest, ',')) || (comma && rest.empty())) {
            why.set(errc::bad_mode, fmt::format("'{}' is neither octal nor like u=rw,g-w", text));
            return {};
        }
    } while (!rest.empty());
    return change;
}

unsigned mode_change::step_bits(const step& one, unsigned current, file_type type) noexcept {
    unsigned bits = one.copy_from != 0 ? spread(current, one.copy_from) : one.bits;
    if (one.conditional_x && (type == file_type::directory || (current & execute_bits) != 0)) {
        bits |= execute_bits;
    }
    return bits;
}

mode mode_change::apply(mode current, file_type type, mode umask) const noexcept {
    if (absolute_) {
        return value_;
    }
    unsigned bits = current.bits();
    for (const step& one : steps_) {
        const unsigned wanted =
            step_bits(one, bits, type) & one.who & (one.implicit_who ? ~umask.bits() : ~0U);
        if (one.action == '-') {
            bits &= ~wanted;
        } else if (one.action == '+') {
            bits |= wanted;
        } else {
            // As chmod(1): "=" leaves a directory's set-id bits alone unless they are named.
            const unsigned kept = type == file_type::directory ? set_id_bits : 0;
            bits = (bits & ~(one.who & ~kept)) | wanted;
        }
    }
    return mode{bits};
}

} // namespace bpffs
