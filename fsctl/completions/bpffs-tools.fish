# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# fish completion for the tools with verbs, installed under the name of each. The
# tool itself says what may come next, so that what is completed is what it takes.
function __bpffs_tools
    set -l words (commandline -opc)
    $words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c (basename (status filename) .fish) -f -a '(__bpffs_tools)'
