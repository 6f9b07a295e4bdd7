// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// The verbs of bpffs-admin, one file each.
#pragma once

#include "common/tool.hpp"

namespace fsctl {

void admin_add(context& with, words& given);
void admin_apply(context& with, words& given);
void admin_check(context& with, words& given);
void admin_clean(context& with, words& given);
void admin_diff(context& with, words& given);
void admin_list(context& with, words& given);
void admin_login(context& with, words& given);
void admin_remove(context& with, words& given);
void admin_restore(context& with, words& given);
void admin_save(context& with, words& given);
void admin_show(context& with, words& given);

} // namespace fsctl
