#!/bin/zsh -f
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# What zsh offers at the end of a command line, one a line, sorted:
#   complete.zsh DIRECTORY-OF-COMPLETIONS LINE
# Completion works in a line editor only, so this is one, in a terminal of its own.
zmodload zsh/zpty
here=$(mktemp -d)
cat >$here/start <<END
PROMPT=
fpath=($1 \$fpath)
autoload -Uz compinit
compinit -u -D
bindkey '^I' complete-word
# What compadd adds, it writes down.
compadd() {
    [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] && { builtin compadd "\$@"; return }
    local -a hits
    builtin compadd -A hits "\$@"
    print -rl -- \$hits >>$here/found
    builtin compadd "\$@"
}
at_end() { print done >>$here/done }
comppostfuncs=(at_end)
print ready >$here/ready
END
wait_for() { # FILE
    repeat 300; do
        [[ -s $1 ]] && return
        sleep 0.05
    done
    print -u2 "$1 does not come"
    return 1
}
{
    zpty shell zsh -f -i
    zpty -w shell "source $here/start"
    wait_for $here/ready || exit 1
    zpty -w -n shell "$2"$'\t'
    wait_for $here/done || exit 1
    zpty -d shell
    [[ ! -e $here/found ]] || sed '/^$/d' $here/found | sort -u
} always {
    rm -r $here
}
