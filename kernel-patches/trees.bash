#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by build, check and selftests: Debian's source and the series, trees that hold the one
# and any part of the other, configuring and building in them. Everything is kept below $cache.
#
# shellcheck disable=SC2034 # some are for the scripts that source this
export LC_ALL=C
# What fails in $(…) is not taken for an answer.
shopt -s inherit_errexit

here=$(cd "${BASH_SOURCE[0]%/*}" && pwd -P)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bpffs
archive=/usr/src/linux-source-6.12.tar.xz
series=$here/linux-6.12/series

# What is built: with the series (patched) or without (stock); the names of the configuration's
# fragments; the build directory in the tree, named after them. The scripts change the first two.
flavour=patched configuration=(lean base) output=o-base

# The modules that test_progs loads. They are kept beside a kernel of the selftests configuration.
test_modules=(bpf_testmod bpf_test_no_cfi bpf_test_modorder_x bpf_test_modorder_y)

say() { echo "kernel: $*" >&2; }
fail() { say "$*"; exit 1; }

# What a script does first: the tools, the place, the source.
prepare() {
    local tool name
    [[ -s $series ]] || fail "there is no series: $series"
    # Everything but the lean kernel is a base kernel, and more.
    name=$(IFS=-; echo "${configuration[*]}")
    output=o-${name#lean-}
    for tool in gcc make flex bison bc pahole lz4 patch git xz; do
        command -v $tool >/dev/null || fail "$tool is not installed; tests/install installs it"
    done
    mkdir -p "$cache"
    fetch_source
}

# One at a time works in the trees.
take_lock() {
    exec 9>"$cache/lock"
    flock -n 9 || { say "waiting for another build to end"; flock 9; }
    # What runs that ended early have left; the self-tests are staged without the lock.
    find "$cache" -maxdepth 1 -name 'scratch.*' -mmin +120 -exec rm -rf {} +
}

# --- what goes into a kernel

patch_files() { # the series, one path a line
    [[ -r $series ]] || return 0
    sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' -e "s|^|${series%/*}/|" "$series"
}

# Debian's package of the source; a newer one changes the content, and so the key.
fetch_source() {
    local root=()
    [[ ! -r $archive ]] || return 0
    ((EUID == 0)) || root=(sudo)
    say "installing Debian's package linux-source-6.12"
    # The lists of packages are mostly fresh: tests/install has just run.
    install_source "${root[@]}" || { "${root[@]}" apt-get update >&2 && install_source "${root[@]}"; } ||
        fail "the package linux-source-6.12 cannot be installed (Debian 12 has it in its updates)"
}

install_source() { # [SUDO]
    "$@" apt-get install -y --no-install-recommends linux-source-6.12 >&2
}

# The checksum of 150 MB is remembered by the file's size and time.
source_id() {
    local stamp memo=$cache/source-checksum known id
    stamp=$(stat -c '%n %s %Y' "$archive")
    if [[ -r $memo ]] && IFS=$'\t' read -r known id <"$memo" && [[ $known == "$stamp" ]]; then
        echo "$id"
        return
    fi
    id=$(sha256sum <"$archive" | cut -c1-16)
    printf '%s\t%s\n' "$stamp" "$id" >"$memo.$$" && mv "$memo.$$" "$memo"
    echo "$id"
}

fragments() {
    local name
    for name in "${configuration[@]}"; do
        echo "$here/config/$name.config"
    done
}

kernel_key() {
    local files
    mapfile -t files < <(fragments)
    [[ $flavour == stock ]] || mapfile -t -O "${#files[@]}" files < <(patch_files)
    {
        source_id
        gcc --version | head -1
        pahole --version
        cat "${files[@]}"
    } | sha256sum | cut -c1-16
}

# --- trees

# Half of the files are for other machines and for devices that no virtual machine has. All that
# Kconfig reads stays, and the documents that the series touches.
top_of_archive=linux-source-6.12
left_out=(--anchored --wildcards
    --wildcards-match-slash
    --exclude="$top_of_archive"/{'arch/[!x]*',drivers/{gpu/drm,staging,net/{ethernet,wireless}}/'*',sound/'*'}.{'[chS]',dts,dtsi}
    --no-wildcards-match-slash --exclude="$top_of_archive/Documentation/[!abK]*")

locate_source() { pristine=$cache/source-$(source_id); }

# The unpacked package. Never built in and never changed: the trees share its files.
unpack_source() {
    locate_source
    [[ ! -d $pristine ]] || return 0
    # What other scripts have made of the old one, too.
    rm -rf "$cache"/{source-*,linux-*,bpftool-source*,selftests-unmodified*,selftests-series*}/ \
        "$cache/unpacking"
    mkdir -p "$cache/unpacking"
    say "unpacking ${archive##*/}"
    tar -x -I 'xz -T0' -f "$archive" -C "$cache/unpacking" --strip-components=1 "${left_out[@]}"
    mv "$cache/unpacking" "$pristine"
}

touched_files() { # PATCH…: every file that they name
    (($#)) || return 0
    sed -nE -e 's#^(---|\+\+\+) [ab]/([^\t]*).*#\2#p' -e 's#^rename (from|to) ##p' "$@" | sort -u
}

# Bring a tree to "source plus these patches", changing only the files that differ, so that
# make rebuilds no more than it must. The patches are applied in a scratch directory that
# has just the files they touch.
stage() { # TREE PATCH…
    local tree=$1 scratch file
    shift
    if [[ ! -d $tree ]]; then
        rm -rf "$tree.new"
        cp -al "$pristine" "$tree.new"
        mv -T "$tree.new" "$tree"
    fi
    scratch=$(mktemp -d "$cache/scratch.XXXXXX")
    touched_files "$@" >"$scratch.new"
    copy_pristine "$scratch" <"$scratch.new"
    apply_patches "$scratch" "$@"
    # What an interrupted run has changed must still be known to the next one.
    [[ -e $tree/.touched ]] || : >"$tree/.touched"
    sort -u "$scratch.new" "$tree/.touched" >"$scratch.all"
    cp "$scratch.all" "$tree/.touched"
    while IFS= read -r file; do
        place_file "$scratch/$file" "$tree/$file" "$pristine/$file"
    done <"$scratch.all"
    mv "$scratch.new" "$tree/.touched"
    rm -rf "$scratch" "$scratch.all"
}

copy_pristine() { # DIRECTORY, names on stdin
    local file
    while IFS= read -r file; do
        [[ ! -e $pristine/$file ]] || (cd "$pristine" && cp --parents "$file" "$1")
    done
}

# patch(1) accepts hunks that moved; a series that needs that is one for another source.
apply_patches() { # DIRECTORY PATCH…
    local directory=$1 file told
    shift
    for file; do
        told=$(patch -d "$directory" -p1 -F0 --no-backup-if-mismatch <"$file" 2>&1) ||
            fail "${file##*/} does not apply:"$'\n'"$told"
        [[ $told != *offset* && $told != *fuzz* ]] ||
            fail "${file##*/} applies only with an offset or fuzz:"$'\n'"$told"
    done
}

# Files are replaced, not written: the tree's are hard links to the pristine ones.
place_file() { # WANTED PLACE PRISTINE
    local wanted=$1
    [[ -e $wanted ]] || wanted=$3
    if [[ ! -e $wanted ]]; then
        rm -f "$2"
    elif ! cmp -s "$wanted" "$2"; then
        mkdir -p "${2%/*}"
        cp "$wanted" "$2.new" && touch "$2.new" && mv "$2.new" "$2"
    fi
}

# --- configuring and building

# make in the build directory of a tree. That directory lies in the tree: then no absolute
# path is in any command, and ccache finds the objects of one tree for the other.
make_in() { # TREE WORD…
    local tree=$1 compiler=gcc
    shift
    if command -v ccache >/dev/null; then
        compiler='ccache gcc'
        export CCACHE_DIR=$cache/ccache CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=6G
    fi
    make -C "$tree" O="$output" CC="$compiler" KBUILD_BUILD_USER=bpffs KBUILD_BUILD_HOST=bpffs \
        KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_VERSION=1 \
        LOCALVERSION="-bpffs" "$@" 9>&-
}

# tinyconfig and the fragments over it. Kconfig drops what depends on something absent
# without a word, so every wish is compared with what came out.
configure() { # TREE
    local tree=$1 directory=$1/$output files wish unmet=()
    mkdir -p "$directory"
    mapfile -t files < <(fragments)
    if cat "${files[@]}" | cmp -s - "$directory/.fragments"; then
        return
    fi
    say "configuring: ${configuration[*]}"
    rm -f "$directory/vmlinux" # all of it will be built again
    make_in "$tree" -s tinyconfig >/dev/null
    "$tree/scripts/kconfig/merge_config.sh" -m -O "$directory" "$directory/.config" \
        "${files[@]}" >/dev/null
    make_in "$tree" -s olddefconfig >/dev/null
    while IFS= read -r wish; do
        [[ $wish == *=n ]] && wish="# ${wish%=n} is not set"
        grep -qxF -- "$wish" "$directory/.config" || not_visible "$wish" || unmet+=("$wish")
    done < <(effective_wishes "${files[@]}")
    ((${#unmet[@]} == 0)) || fail "the configuration did not take: ${unmet[*]}"
    cat "${files[@]}" >"$directory/.fragments"
}

# A symbol that is wanted off and does not occur at all is off.
not_visible() { # WISH
    local name=${1#\# }
    [[ $1 == "#"* ]] && ! grep -q "^${name%% *}=" "$directory/.config"
}

# The last word of the fragments on each symbol.
effective_wishes() { # FRAGMENT…
    sed -n 's/^\(CONFIG_[A-Z0-9_a-z]*\)=/\1 /p' "$@" | tac | sort -su -k1,1 | sed 's/ /=/'
}

compile() { # TREE TARGET…
    local tree=$1 log=$1/$output/build.log total=0 jobs
    shift
    jobs=$(nproc)
    # How many steps an incremental build takes is not known.
    [[ -s $tree/$output/vmlinux ]] || total=$(known_steps)
    say "building the $flavour kernel with $jobs jobs (the log: $log)"
    if ! make_in "$tree" -j"$jobs" "$@" 2>&1 | tee "$log" | progress "$total"; then
        grep -nE 'error|Error|\*\*\*|undefined' "$log" | head -20 >&2 || tail -20 "$log" >&2
        fail "the build failed; the log is $log"
    fi
}

# How many objects a first build of this configuration takes; 0 where it is not known.
known_steps() {
    local name count
    while read -r name count; do
        [[ o-$name != "$output" ]] || { echo "$count"; return; }
    done <"$here/config/steps"
    echo 0
}

# One line for a person, now and then a line for a log.
progress() { # TOTAL-STEPS
    local total=$1 count=0 line shown=0 period=30 share
    [[ ! -t 2 ]] || period=1
    while IFS= read -r line; do
        [[ $line == "  "[A-Z]* ]] || continue
        ((count += 1))
        ((SECONDS - shown >= period)) || continue
        shown=$SECONDS
        share="$count objects"
        ((total == 0)) || share="$((count < total ? count * 100 / total : 99)) %, $share"
        if [[ -t 2 ]]; then
            printf '\r\033[Kkernel: %s, %d:%02d  %.50s' "$share" \
                $((SECONDS / 60)) $((SECONDS % 60)) "${line##* }" >&2
        else
            say "$share, $((SECONDS / 60)):$(printf %02d $((SECONDS % 60)))"
        fi
    done
    [[ ! -t 2 ]] || printf '\r\033[K' >&2
    say "built $count objects in $((SECONDS / 60)):$(printf %02d $((SECONDS % 60)))"
}
