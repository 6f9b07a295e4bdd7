# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# bash completion for bpffs-view: options, forms, directories.
_bpffs_view() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local forms='u8 u16 u32 u64 s8 s16 s32 s64 be16 be32 be64 ip4 ip6 str hex'
    case $before in
    --key | --value) mapfile -t COMPREPLY < <(compgen -W "$forms" -- "$word") ;;
    -o) mapfile -t COMPREPLY < <(compgen -W 'shared ro key= value=' -- "$word") ;;
    *)
        if [[ $word == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W \
                '--shared --key --value --foreground --debug --help --version -o -f -d -h -V' -- "$word")
        else
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
        fi
        ;;
    esac
}
complete -o filenames -F _bpffs_view bpffs-view
