# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# bash completion for the tools with verbs. The tool itself says what may come
# next, so that what is completed is what it takes.
_bpffs_tools() {
    local words=() word before
    # bash takes words apart at colons, which lists of kinds have.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        if ((${#words[@]})) && [[ $word == :* || ${words[-1]} == *: ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    before=${words[-1]%"${words[-1]##*:}"}
    mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
    # The word goes on in a directory.
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace
    fi
}
complete -F _bpffs_tools bpffs-map bpffs-prog bpffs-link bpffs-doctor bpffs-admin
