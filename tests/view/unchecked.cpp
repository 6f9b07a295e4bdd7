// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// For rights-unchecked.test, to be preloaded into bpffs-view: mounts without default_permissions,
// so that nothing but what the view itself does stands between a user and a map.
#include <dlfcn.h>

#include <string>

extern "C" __attribute__((visibility("default"))) int mount(const char* source, const char* target,
                                                            const char* type, unsigned long flags,
                                                            const void* data) noexcept {
    using function = int (*)(const char*, const char*, const char*, unsigned long, const void*);
    const auto real = reinterpret_cast<function>(dlsym(RTLD_NEXT, "mount"));
    std::string options = data != nullptr ? static_cast<const char*>(data) : "";
    const std::string checked = "default_permissions";
    const auto at = options.find(checked);
    if (at != std::string::npos) {
        const bool more = options[at + checked.size()] == ',';
        options.erase(at, checked.size() + (more ? 1 : 0));
    }
    return real(source, target, type, flags, options.c_str());
}
