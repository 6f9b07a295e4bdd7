// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
//
// All of libbpffs: pinned BPF objects as files.
#pragma once

#include <bpffs/access.hpp>
#include <bpffs/attach.hpp>
#include <bpffs/by_id.hpp>
#include <bpffs/delegation.hpp>
#include <bpffs/diagnosis.hpp>
#include <bpffs/directory.hpp>
#include <bpffs/error.hpp>
#include <bpffs/fd.hpp>
#include <bpffs/held.hpp>
#include <bpffs/identity.hpp>
#include <bpffs/kernel.hpp>
#include <bpffs/kinds.hpp>
#include <bpffs/link.hpp>
#include <bpffs/link_details.hpp>
#include <bpffs/map.hpp>
#include <bpffs/map_memory.hpp>
#include <bpffs/map_shapes.hpp>
#include <bpffs/mode.hpp>
#include <bpffs/mount.hpp>
#include <bpffs/object_file.hpp>
#include <bpffs/pin.hpp>
#include <bpffs/program.hpp>
#include <bpffs/ring.hpp>
#include <bpffs/typed_handles.hpp>
#include <bpffs/typed_map.hpp>
#include <bpffs/types.hpp>
