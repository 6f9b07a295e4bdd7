# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# Words said to a bpftool, $tool, by users of the machine, and what has to come of them. Sourced by
# *.guest, which run in the machine as root; failed is 1 if anything else came of them.
failed=0

# Run words as a user with no capability, with bpftool meaning the series' own; show both.
as() { # USER WORDS
    local drop=(setpriv "--reuid=$1" "--regid=$1" --clear-groups
        --inh-caps=-all --ambient-caps=-all --bounding-set=-all)
    echo "$1\$ $2"
    status=0
    [[ $1 != root ]] || drop=()
    # shellcheck disable=SC2016 # for the inner bash
    output=$("${drop[@]}" bash -c 'bpftool() { "$0" "$@"; }; eval "$1"' "${tool:?}" "$2" 2>&1) ||
        status=$?
    [[ -z $output ]] || printf '%s\n' "$output"
}

wrong() {
    echo "FAILED: it should have $1"
    failed=1
}

works() { # USER WORDS [REGULAR-EXPRESSION OF THE OUTPUT]
    as "$1" "$2"
    ((status == 0)) || wrong "worked, and ended with $status"
    [[ $output =~ ${3-} ]] || wrong "said '$3'"
}

refused() { # USER WORDS REGULAR-EXPRESSION OF THE OUTPUT
    as "$1" "$2"
    ((status != 0)) || wrong "been refused, and worked"
    [[ $output =~ $3 ]] || wrong "said '$3'"
}

end_of_steps() {
    ((failed == 0)) && echo "All steps did what they should."
    exit "$failed"
}
