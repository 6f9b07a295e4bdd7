// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// BTF by handle: whoever may read a map or a program may have its types, and only these; by id
// alone they stay privileged.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "support/bpf_call.hpp"
#include "support/inspect.hpp"
#include "support/instructions.hpp"
#include "support/probe.hpp"
#include "support/sandbox.hpp"

namespace bpffs_test {

namespace {

identity root() {
    return {0, 0, {}, all_capabilities};
}

uint32_t types_of_map(int map) {
    bpf_map_info info = {};
    return object_info(map, &info, sizeof(info)) == 0 ? info.btf_id : 0;
}

uint32_t types_of_program(int program) {
    bpf_prog_info info = {};
    return object_info(program, &info, sizeof(info)) == 0 ? info.btf_id : 0;
}

class types_test : public testing::Test {
protected:
    void SetUp() override {
        for (const char* need : {"root", "namespaces", "bpf", "bpffs", "fmode", "btf_by_handle"}) {
            BPFFS_NEEDS(need);
        }
        map_ = create_typed_array(types_of_tests().number, 4);
        program_ = load_typed(BPF_PROG_TYPE_SCHED_CLS, returns(0));
        ASSERT_TRUE(map_.good()) << map_.error();
        ASSERT_TRUE(program_.good()) << program_.error();
        ids_[0] = types_of_map(map_.get());
        ids_[1] = types_of_program(program_.get());
        ASSERT_NE(ids_[0], 0U);
        ASSERT_NE(ids_[1], 0U);
        ASSERT_NE(ids_[0], ids_[1]);
    }

    [[nodiscard]] int map() const { return map_.get(); }
    [[nodiscard]] int program() const { return program_.get(); }
    [[nodiscard]] uint32_t map_types() const { return ids_[0]; }
    [[nodiscard]] uint32_t program_types() const { return ids_[1]; }

    /// Both as files that everybody may open in every way.
    void pin_both(const bpffs_mount& mount) const {
        for (const auto& [fd, name] : {std::pair{map(), "m"}, std::pair{program(), "p"}}) {
            ASSERT_EQ(pin(fd, mount / name), 0);
            ASSERT_EQ(::chmod((mount / name).c_str(), 0666), 0);
        }
    }

private:
    handle map_;
    handle program_;
    uint32_t ids_[2] = {};
};

/// Somebody opens the pin and asks for the types with this id: are they those of the tests?
outcome ask(const identity& who, const std::string& path, uint32_t flags, uint32_t id) {
    return as(who, [&] {
        const handle object = get(path, flags);
        if (!object.good()) {
            return failed("open", object.error());
        }
        const handle types = btf_of_object(id, object.get());
        if (!types.good()) {
            return failed("types", types.error());
        }
        std::vector<uint8_t> data;
        const int value = view_types(types.get(), data);
        return done("look", value, data == types_of_tests().data);
    });
}

TEST_F(types_test, who_may_read_an_object_has_its_types) {
    const bpffs_mount mount("fmode,mode=0755");
    pin_both(mount);
    for (const identity& who : {identity{}, root()}) {
        for (const uint32_t flags : {static_cast<uint32_t>(BPF_F_RDONLY), 0U}) {
            for (const auto& [name, id] :
                 {std::pair{"m", map_types()}, std::pair{"p", program_types()}}) {
                const outcome o = ask(who, mount / name, flags, id);
                EXPECT_EQ(o.error, 0) << o.step << " " << name << ", uid " << who.uid;
                EXPECT_TRUE(o.seen) << name << ", uid " << who.uid;
            }
        }
    }
}

TEST_F(types_test, who_may_not_read_it_has_not_root_included) {
    const bpffs_mount mount("fmode,mode=0755");
    pin_both(mount);
    for (const identity& who : {identity{}, root()}) {
        EXPECT_EQ(ask(who, mount / "m", BPF_F_WRONLY, map_types()).error, EPERM);
        EXPECT_EQ(ask(who, mount / "p", BPF_F_WRONLY, program_types()).error, EPERM);
        EXPECT_EQ(ask(who, mount / "m", BPF_F_WRONLY, program_types()).error, EPERM)
            << "the right comes before the id";
    }
}

TEST_F(types_test, handles_that_are_not_bound_have_every_right) {
    for (const auto& [fd, id] :
         {std::pair{map(), map_types()}, std::pair{program(), program_types()}}) {
        const outcome o = as({}, [&, object = fd, number = id] {
            return failed("types", btf_of_object(number, object).error());
        });
        EXPECT_EQ(o.error, 0);
    }
    object_ids ids;
    ASSERT_EQ(map_ids(map(), ids), 0);
    const handle writer = map_by_id(ids.id, BPF_F_WRONLY);
    EXPECT_EQ(btf_of_object(map_types(), writer.get()).error(), 0);
    const bpffs_mount plain("mode=0755");
    pin_both(plain);
    EXPECT_EQ(ask({}, plain / "m", BPF_F_RDONLY, map_types()).error, 0);
    EXPECT_EQ(ask({}, plain / "p", BPF_F_RDONLY, program_types()).error, 0);
}

TEST_F(types_test, others_than_the_objects_own_are_not_there) {
    EXPECT_EQ(btf_of_object(program_types(), map()).error(), ENOENT);
    EXPECT_EQ(btf_of_object(map_types(), program()).error(), ENOENT);
    EXPECT_EQ(btf_of_object(0, map()).error(), ENOENT);
    EXPECT_EQ(btf_of_object(~0U, map()).error(), ENOENT);
    const handle plain = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1);
    const handle untyped = load_program(BPF_PROG_TYPE_SOCKET_FILTER, returns(0));
    for (const uint32_t id : {0U, 1U, map_types()}) {
        EXPECT_EQ(btf_of_object(id, plain.get()).error(), ENOENT) << "a map without types";
        EXPECT_EQ(btf_of_object(id, untyped.get()).error(), ENOENT) << "a program without types";
    }
}

TEST_F(types_test, other_descriptors_are_invalid) {
    const handle types = btf_load(types_of_tests().data);
    const handle file = open_file("/dev/null", O_RDWR);
    const handle path = open_file("/dev/null", O_PATH);
    EXPECT_EQ(btf_of_object(map_types(), types.get()).error(), EINVAL) << "BTF";
    EXPECT_EQ(btf_of_object(map_types(), file.get()).error(), EINVAL) << "a file";
    EXPECT_EQ(btf_of_object(map_types(), path.get()).error(), EBADF) << "O_PATH";
    EXPECT_EQ(btf_of_object(map_types(), -1).error(), EBADF);
}

TEST_F(types_test, what_is_not_asked_for_must_be_zero) {
    by_id_attr good;
    good.id = map_types();
    good.open_flags = flag_object_fd;
    good.object = map();
    EXPECT_EQ(open_by_id(BPF_BTF_GET_FD_BY_ID, good).error(), 0);
    const auto error_with = [&](auto change) {
        by_id_attr attr = good;
        change(attr);
        return open_by_id(BPF_BTF_GET_FD_BY_ID, attr).error();
    };
    EXPECT_EQ(error_with([](by_id_attr& a) { a.reserved = 1; }), EINVAL);
    EXPECT_EQ(error_with([](by_id_attr& a) { a.next_id = 1; }), EINVAL);
    EXPECT_EQ(error_with([](by_id_attr& a) { a.open_flags = 0; }), EINVAL) << "no flag";
    EXPECT_EQ(error_with([](by_id_attr& a) { a.open_flags |= BPF_F_RDONLY; }), EINVAL);
    EXPECT_EQ(error_with([](by_id_attr& a) { a.open_flags = BPF_F_RDONLY, a.object = 0; }), EINVAL);
}

TEST_F(types_test, no_other_command_takes_an_object) {
    for (const int command : {BPF_MAP_GET_FD_BY_ID, BPF_PROG_GET_FD_BY_ID, BPF_LINK_GET_FD_BY_ID}) {
        by_id_attr attr;
        attr.id = 1;
        attr.open_flags = flag_object_fd;
        attr.object = map();
        EXPECT_EQ(open_by_id(command, attr).error(), EINVAL) << command;
    }
}

TEST_F(types_test, by_id_alone_stay_privileged) {
    by_id_attr attr;
    attr.id = map_types();
    EXPECT_EQ(open_by_id(BPF_BTF_GET_FD_BY_ID, attr).error(), 0) << "root";
    const outcome o = as({alice, alice, {}, 1ULL << 39U}, [&] {
        return failed("types", open_by_id(BPF_BTF_GET_FD_BY_ID, attr).error());
    });
    EXPECT_EQ(o.error, EPERM) << "CAP_BPF is not enough";
}

} // namespace

} // namespace bpffs_test
