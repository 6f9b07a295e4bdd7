# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# fish completion for bpffs-view: options, forms, directories.
set -l forms u8 u16 u32 u64 s8 s16 s32 s64 be16 be32 be64 ip4 ip6 str hex
complete -c bpffs-view -f -a '(__fish_complete_directories)'
complete -c bpffs-view -l shared -d 'for all users, each with the rights they have on the pins'
complete -c bpffs-view -l key -x -a "$forms" -d 'how to write keys that have no type'
complete -c bpffs-view -l value -x -a "$forms" -d 'how to write values that have no type'
complete -c bpffs-view -s o -x -a 'shared ro key= value=' -d 'as in /etc/fstab'
complete -c bpffs-view -s f -l foreground -d 'stay in the foreground'
complete -c bpffs-view -s d -l debug -d 'the same, and say why text was refused'
complete -c bpffs-view -s h -l help -d 'print the options'
complete -c bpffs-view -s V -l version -d 'print the version'
