// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// bpftool's layout on RapidJSON's writer; see json.hpp.
#include "json.hpp"

namespace fsctl {

void json_writer::new_line() {
    if (pretty_) {
        sink_.to->print("\n{:{}}", "", depth() * 4);
    }
}

// The comma, colon and white space that the next value or name needs.
void json_writer::before_value() {
    written_ = true;
    if (depth() == 0) {
        return;
    }
    Level* level = level_stack_.template Top<Level>();
    const bool is_name = !level->inArray && level->valueCount % 2 == 0;
    const bool is_member = !level->inArray && !is_name;
    if (is_member) {
        sink_.to->write(pretty_ ? ": " : ":");
    } else if (level->valueCount > 0) {
        sink_.Put(',');
    }
    ++level->valueCount;
    if (is_name) {
        new_line();
    }
}

void json_writer::open(bool array) {
    before_value();
    new (level_stack_.template Push<Level>()) Level(array);
    sink_.Put(array ? '[' : '{');
}

void json_writer::close(bool array) {
    const bool empty = level_stack_.template Pop<Level>(1)->valueCount == 0;
    if (!empty) {
        new_line();
    }
    sink_.Put(array ? ']' : '}');
}

void json_writer::start_object() {
    open(false);
}
void json_writer::end_object() {
    close(false);
}
void json_writer::start_array() {
    open(true);
}
void json_writer::end_array() {
    close(true);
}

// Nothing in it needs escaping, and a dump writes two of them an entry.
void json_writer::name(std::string_view text) {
    before_value();
    sink_.Put('"');
    sink_.to->write(text);
    sink_.Put('"');
}

void json_writer::string(std::string_view text) {
    before_value();
    WriteString(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void json_writer::number(std::uint64_t value) {
    before_value();
    WriteUint64(value);
}

void json_writer::signed_number(std::int64_t value) {
    before_value();
    WriteInt64(value);
}

void json_writer::boolean(bool value) {
    before_value();
    WriteBool(value);
}

void json_writer::null() {
    before_value();
    WriteNull();
}

void json_writer::raw(std::string_view text) {
    before_value();
    sink_.to->write(text);
}

void json_writer::hex(bytes data) {
    before_value();
    sink_.Put('[');
    sink_.to->json_hex(data);
    if (!data.empty()) {
        new_line();
    }
    sink_.Put(']');
}

void json_writer::error_members(const trouble& each) {
    member("error", each.message);
    if (!each.remedy.empty()) {
        member("diagnosis", each.remedy);
    }
    if (!each.findings.empty()) {
        name("findings");
        start_array();
        for (const std::string& one : each.findings) {
            string(one);
        }
        end_array();
    }
}

void json_writer::fail(const std::vector<trouble>& list) {
    const bool in_object = depth() > 0 && !level_stack_.template Top<Level>()->inArray;
    if (in_object) {
        if (level_stack_.template Top<Level>()->valueCount % 2 != 0) {
            null(); // a name that waits for its value
        }
        error_members(list.front()); // the rest has no room in an object
    } else {
        for (const trouble& each : list) {
            start_object();
            error_members(each);
            end_object();
        }
    }
    while (depth() > 0) {
        close(level_stack_.template Top<Level>()->inArray);
    }
}

} // namespace fsctl
