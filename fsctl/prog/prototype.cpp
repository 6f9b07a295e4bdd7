// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// Types as text; see prototype.hpp.
#include "prototype.hpp"

#include <cstdint>

#include <bpf/btf.h>
#include <fmt/format.h>

namespace fsctl {

namespace {

constexpr unsigned kind_enum64 = 19; // newer than Debian 12's headers

std::string function_text(const btf& types, const btf_type& proto, const std::string& name);

std::string named(const btf& types, const char* keyword, const btf_type& type) {
    return fmt::format("{}{} ", keyword, btf__name_by_offset(&types, type.name_off));
}

// The blanks are bpftool's.
std::string type_text(const btf& types, std::uint32_t id, unsigned depth = 0) {
    constexpr unsigned deepest = 32; // of types from elsewhere
    const btf_type* type = id == 0 ? nullptr : btf__type_by_id(&types, id);
    if (type == nullptr || depth > deepest) {
        return "void ";
    }
    const auto behind = [&] { return type_text(types, type->type, depth + 1); };
    switch (btf_kind(type)) {
    case BTF_KIND_INT:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_FLOAT:
        return named(types, "", *type);
    case BTF_KIND_STRUCT:
        return named(types, "struct ", *type);
    case BTF_KIND_UNION:
        return named(types, "union ", *type);
    case BTF_KIND_ENUM:
    case kind_enum64:
        return named(types, "enum ", *type);
    case BTF_KIND_FWD:
        return named(types, btf_kflag(type) ? "union " : "struct ", *type);
    case BTF_KIND_ARRAY:
        return type_text(types, btf_array(type)->type, depth + 1) +
               fmt::format("[{}]", btf_array(type)->nelems);
    case BTF_KIND_PTR:
        return behind() + "* ";
    case BTF_KIND_VOLATILE:
        return "volatile " + behind();
    case BTF_KIND_CONST:
        return "const " + behind();
    case BTF_KIND_RESTRICT:
        return "restrict " + behind();
    case BTF_KIND_FUNC_PROTO:
        return depth < 2 ? function_text(types, *type, {}) : "void ";
    default:
        return {};
    }
}

std::string function_text(const btf& types, const btf_type& proto, const std::string& name) {
    std::string text = type_text(types, proto.type, 1) + name + "(";
    const btf_param* parameters = btf_params(&proto);
    for (unsigned i = 0; i < btf_vlen(&proto); ++i) {
        const std::uint32_t type = parameters[i].type;
        text += i > 0 ? ", " : "";
        text += type == 0 ? std::string("...")
                          : type_text(types, type, 1) +
                                btf__name_by_offset(&types, parameters[i].name_off);
    }
    return text + ")";
}

} // namespace

prototypes::prototypes(const std::vector<std::byte>& types) {
    if (!types.empty()) {
        btf* parsed = btf__new(types.data(), static_cast<std::uint32_t>(types.size()));
        if (parsed != nullptr) {
            types_ = std::shared_ptr<const btf>(
                parsed, [](const btf* old) { btf__free(const_cast<btf*>(old)); });
        }
    }
}

std::string prototypes::of(const std::string& function) const {
    if (types_ == nullptr || function.empty()) {
        return {};
    }
    const std::int32_t id = btf__find_by_name_kind(types_.get(), function.c_str(), BTF_KIND_FUNC);
    const btf_type* found =
        id > 0 ? btf__type_by_id(types_.get(), static_cast<std::uint32_t>(id)) : nullptr;
    const btf_type* proto = found != nullptr ? btf__type_by_id(types_.get(), found->type) : nullptr;
    return proto == nullptr ? std::string() : function_text(*types_, *proto, function);
}

} // namespace fsctl
