# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# bash completion for the tools with verbs. The tool itself says what may come
# next, so that what is completed is what it takes.
_bpffs_tools() {
    mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    # The word goes on in a directory.
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace
    fi
}
complete -F _bpffs_tools bpffs-map bpffs-prog bpffs-link bpffs-doctor bpffs-admin
