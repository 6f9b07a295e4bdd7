// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Iterators over a map's elements are given the values by the kernel, not by a reference to the
// map: whoever makes the link, or puts another program into it, must have what the program does to
// them. All by root, whose handles are bound too.

#include <cerrno>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <bpf/btf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "support/bpf_call.hpp"
#include "support/instructions.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

constexpr uint32_t value_bytes = 8;

// Helpers that Debian 12's linux/bpf.h may name otherwise or not at all.
constexpr int helper_seq_write = 127;
constexpr int helper_snprintf_btf = 149;
constexpr int helper_snprintf = 165;

// What an iterator's context points to, struct bpf_iter__bpf_map_elem.
constexpr int context_meta = 0;
constexpr int context_value = 24;

bpf_insn load_word(unsigned dst, unsigned src, int at) {
    return insn(BPF_LDX | BPF_MEM | BPF_DW, dst, src, at, 0);
}

/// `use` with r1 the address of the value; r6 is the context. Nothing is done for a value that is
/// not there, which is that of the end.
program_text with_value(const program_text& use) {
    return program_text{
               move(BPF_REG_6, BPF_REG_1), load_word(BPF_REG_1, BPF_REG_6, context_value),
               insn(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, static_cast<int>(use.size()), 0)} +
           use + program_text{set(BPF_REG_0, 0), leave()};
}

program_text reads_at(int at) {
    return with_value({insn(BPF_LDX | BPF_MEM | BPF_B, BPF_REG_2, BPF_REG_1, at, 0)});
}

/// The value goes out to whoever reads the iterator: a helper is given it, and reads.
program_text shows_value() {
    return with_value({move(BPF_REG_2, BPF_REG_1), load_word(BPF_REG_1, BPF_REG_6, context_meta),
                       load_word(BPF_REG_1, BPF_REG_1, 0), set(BPF_REG_3, value_bytes),
                       call(helper_seq_write)});
}

/// Text into the value. `format` is an array that nobody changes any more.
program_text prints_into_value(int format) {
    return with_value(program_text{set(BPF_REG_2, value_bytes)} +
                      load_constant(BPF_REG_3, BPF_PSEUDO_MAP_VALUE, format) +
                      program_text{set(BPF_REG_4, 0), set(BPF_REG_5, 0), call(helper_snprintf)});
}

/// A kernel object's text into the value; there is none, which is text enough.
program_text prints_an_object_into_value() {
    return with_value({insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -16, 0),
                       insn(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 1), // the type's number
                       set(BPF_REG_2, value_bytes), move(BPF_REG_3, BPF_REG_10),
                       add(BPF_REG_3, -16), set(BPF_REG_4, 16), set(BPF_REG_5, 0),
                       call(helper_snprintf_btf)});
}

/// Goes on as a program that is put there later, which may do to the value what it likes.
program_text calls_tail(int programs) {
    return load_map(BPF_REG_2, programs) +
           program_text{set(BPF_REG_3, 0), call(BPF_FUNC_tail_call), set(BPF_REG_0, 0), leave()};
}

handle iterator(const program_text& text) {
    return load_iterator("bpf_map_elem", text);
}

/// An array of one text that programs may print by.
handle create_format(const char (&text)[value_bytes]) {
    handle map = create_map(BPF_MAP_TYPE_ARRAY, 4, value_bytes, 1, BPF_F_RDONLY_PROG);
    const uint32_t key = 0;
    EXPECT_EQ(map_update(map.get(), &key, text), 0);
    EXPECT_EQ(map_freeze(map.get()), 0);
    return map;
}

handle link_to(const handle& map, const handle& program) {
    const auto fd = static_cast<uint32_t>(map.get());
    link_create_attr attr;
    attr.prog_fd = static_cast<uint32_t>(program.get());
    attr.attach_type = BPF_TRACE_ITER;
    attr.u.iter.iter_info = reinterpret_cast<uintptr_t>(&fd);
    attr.u.iter.iter_info_len = sizeof(fd);
    return link_create(attr);
}

class iterator_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "fmode"}) {
            BPFFS_NEEDS(need);
        }
        ASSERT_EQ(mount_.error(), 0);
        made_ = create_map(BPF_MAP_TYPE_HASH, 4, value_bytes, 4);
        const uint32_t key = 1;
        ASSERT_EQ(map_update(made_.get(), &key, &before), 0);
        ASSERT_EQ(pin(made_.get(), mount_ / "map"), 0);
    }

    [[nodiscard]] handle opened(uint32_t flags) const { return get(mount_ / "map", flags); }

    /// The errno of a link with this program by a handle that only reads.
    [[nodiscard]] int by_reader(const handle& program) const {
        EXPECT_TRUE(program.good()) << "load: " << program.error();
        return link_to(opened(BPF_F_RDONLY), program).error();
    }
    /// The same by one that may do everything: what is wrong with the program itself.
    [[nodiscard]] int by_everything(const handle& program) const {
        return link_to(opened(0), program).error();
    }

    [[nodiscard]] bool is_unchanged() const {
        const uint32_t key = 1;
        uint64_t value = 0;
        return map_lookup(made_.get(), &key, &value) == 0 && value == before;
    }

    static constexpr uint64_t before = 7;

    bpffs_mount mount_{"fmode"};

private:
    handle made_;
};

/// Lets it go over all elements; how many bytes it showed, or -errno.
int run(const handle& link) {
    const handle it = iter_create(link.get());
    if (!it.good()) {
        return -it.error();
    }
    char text[256];
    const ssize_t size = ::read(it.get(), text, sizeof(text));
    return size < 0 ? -errno : static_cast<int>(size);
}

TEST_F(iterator_test, a_readers_link_takes_no_program_that_writes) {
    const handle link = link_to(opened(BPF_F_RDONLY), iterator(iterator_reads_value()));
    ASSERT_TRUE(link.good()) << link.error();
    EXPECT_EQ(link_update(link.get(), iterator(iterator_writes_value()).get()), -EPERM);
    EXPECT_GE(run(link), 0);
    EXPECT_TRUE(is_unchanged());
}

TEST_F(iterator_test, a_readers_link_takes_another_program_that_reads) {
    const handle link = link_to(opened(BPF_F_RDONLY), iterator(iterator_reads_value()));
    ASSERT_TRUE(link.good()) << link.error();
    EXPECT_EQ(link_update(link.get(), iterator(shows_value()).get()), 0);
    EXPECT_EQ(run(link), static_cast<int>(value_bytes));
}

TEST_F(iterator_test, a_writers_link_takes_a_program_that_writes) {
    const handle link = link_to(opened(0), iterator(iterator_reads_value()));
    ASSERT_TRUE(link.good()) << link.error();
    EXPECT_EQ(link_update(link.get(), iterator(iterator_writes_value()).get()), 0);
    EXPECT_GE(run(link), 0);
    EXPECT_FALSE(is_unchanged());
}

TEST_F(iterator_test, a_link_takes_no_program_that_goes_past_the_values) {
    const handle past = iterator(reads_at(value_bytes));
    ASSERT_TRUE(past.good()) << past.error();
    EXPECT_EQ(by_everything(past), EACCES) << "as it is refused here";
    for (const uint32_t flags : {static_cast<uint32_t>(BPF_F_RDONLY), 0U}) {
        const handle link = link_to(opened(flags), iterator(reads_at(value_bytes - 1)));
        ASSERT_TRUE(link.good()) << link.error();
        EXPECT_EQ(link_update(link.get(), past.get()), -EACCES) << flags;
    }
}

TEST_F(iterator_test, a_helper_that_reads_the_value_does_not_write) {
    const handle link = link_to(opened(BPF_F_RDONLY), iterator(shows_value()));
    ASSERT_TRUE(link.good()) << link.error();
    EXPECT_EQ(run(link), static_cast<int>(value_bytes));
    EXPECT_TRUE(is_unchanged());
}

TEST_F(iterator_test, a_helper_that_prints_into_the_value_writes) {
    const handle format = create_format("printed");
    const handle program = iterator(prints_into_value(format.get()));
    EXPECT_EQ(by_reader(program), EPERM);
    EXPECT_EQ(by_everything(program), 0);
    const handle link = link_to(opened(BPF_F_RDONLY), iterator(iterator_reads_value()));
    EXPECT_EQ(link_update(link.get(), program.get()), -EPERM);
    EXPECT_GE(run(link), 0);
    EXPECT_TRUE(is_unchanged());
}

TEST_F(iterator_test, a_helper_that_prints_an_object_into_the_value_writes) {
    const handle program = iterator(prints_an_object_into_value());
    EXPECT_EQ(by_reader(program), EPERM);
    EXPECT_EQ(by_everything(program), 0);
}

/// Where struct `name` has this member, in bytes; negative: it has none.
int member_offset(const btf* types, const char* name, const char* member) {
    const int id = btf__find_by_name_kind(types, name, BTF_KIND_STRUCT);
    const btf_type* type = id < 0 ? nullptr : btf__type_by_id(types, static_cast<uint32_t>(id));
    for (uint32_t i = 0; type != nullptr && i < btf_vlen(type); i++) {
        if (std::string(member) == btf__name_by_offset(types, btf_members(type)[i].name_off)) {
            return static_cast<int>(btf_member_bit_offset(type, i) / 8);
        }
    }
    return -ENOENT;
}

/// The path of the iterator's own file into the value.
program_text prints_a_path_into_value(int seq_file, int path) {
    return with_value({move(BPF_REG_2, BPF_REG_1), load_word(BPF_REG_1, BPF_REG_6, context_meta),
                       load_word(BPF_REG_1, BPF_REG_1, 0), // the seq_file
                       load_word(BPF_REG_1, BPF_REG_1, seq_file), add(BPF_REG_1, path),
                       set(BPF_REG_3, value_bytes), call(BPF_FUNC_d_path)});
}

TEST_F(iterator_test, a_helper_that_prints_a_path_into_the_value_writes) {
    const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), &btf__free);
    const int file = types ? member_offset(types.get(), "seq_file", "file") : -ENOENT;
    const int path = types ? member_offset(types.get(), "file", "f_path") : -ENOENT;
    BPFFS_NEEDS("kernel_types", file >= 0 && path >= 0 ? "" : "no struct file");
    const handle program = iterator(prints_a_path_into_value(file, path));
    EXPECT_EQ(by_reader(program), EPERM);
    EXPECT_EQ(by_everything(program), 0);
}

TEST_F(iterator_test, a_program_that_goes_on_as_another_one_writes) {
    const handle programs = create_map(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1);
    const handle program = iterator(calls_tail(programs.get()));
    EXPECT_EQ(by_reader(program), EPERM);
    EXPECT_EQ(by_everything(program), 0);
    const handle link = link_to(opened(BPF_F_RDONLY), iterator(iterator_reads_value()));
    EXPECT_EQ(link_update(link.get(), program.get()), -EPERM);
}

// The sockets are not only looked at: such a program may put them into a sockmap of its own, where
// other programs decide what becomes of their data.
TEST_F(iterator_test, over_a_sockmap_takes_both_rights) {
    const handle sockets = create_map(BPF_MAP_TYPE_SOCKMAP, 4, 4, 1);
    ASSERT_TRUE(sockets.good()) << sockets.error();
    ASSERT_EQ(pin(sockets.get(), mount_ / "sockets"), 0);
    const handle program = load_iterator("sockmap", {set(BPF_REG_0, 0), leave()});
    ASSERT_TRUE(program.good()) << program.error();
    EXPECT_EQ(link_to(get(mount_ / "sockets", BPF_F_RDONLY), program).error(), EPERM);
    EXPECT_EQ(link_to(get(mount_ / "sockets", BPF_F_WRONLY), program).error(), EPERM);
    EXPECT_EQ(link_to(get(mount_ / "sockets", 0), program).error(), 0);
}

} // namespace

} // namespace bpffs_test
