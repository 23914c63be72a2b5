#!/bin/bash
# A directory of many entries is listed whole:   list.sh DIR [ENTRIES]
#
# Makes ENTRIES (10000) files in DIR/many, unless they are there already (a server's own tools make them faster), and lists them:
# each name once, none missing, with attributes. At the end what it made is removed, and the directory must be empty then.
# shellcheck source=test/checks/lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -ge 1 ] || die "usage: list.sh DIR [ENTRIES]"
entries=${2:-10000}
scratch "$1"
many=$1/many
made=''

seq -f 'entry-%06.0f' "$entries" >"$logs/names"
if [ ! -d "$many" ]; then
	many=$work/many made=yes
	step "make $entries files" 180 bash -c "mkdir '$many' && cd '$many' && xargs touch <'$logs/names'"
fi
step "ls -U" 60 bash -c "LC_ALL=C ls -U '$many' | LC_ALL=C sort >'$logs/plain' && same '$logs/names' '$logs/plain'"
step "ls -lU" 60 bash -c "ls -lU '$many' >'$logs/long'"
awk '$1 ~ /^-rw/ { print $NF }' "$logs/long" | LC_ALL=C sort >"$logs/got"
step "each entry once" 60 bash -c "same '$logs/names' '$logs/got'"
step "find -size 0" 60 bash -c "[ \$(find '$many' -type f -size 0 | wc -l) = $entries ]"
if [ -n "$made" ]; then
	step "remove $entries files" 180 bash -c "cd '$many' && xargs rm <'$logs/names' && rmdir '$many'"
fi
