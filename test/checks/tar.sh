#!/bin/bash
# tar unpacks a source tree in DIR:   tar.sh DIR SOURCE [BACKING]
#
# Packs the folder SOURCE (in the tests: net/ of Go's own sources), unpacks it in DIR, and compares the SHA-256 sums, names and
# modes of all files with those of SOURCE. With BACKING, the server's own directory behind DIR, the files are read there as well:
# what was closed must have reached the server.
# shellcheck source=test/checks/lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || die "usage: tar.sh DIR SOURCE [BACKING]"
source=$2 backing=${3:+$(cd "$3" && pwd)}
scratch "$1"

# tree DIR prints a line a file: mode, time, sum or target, name.
tree() {
	cd "$1" || return
	find . ! -type d -printf '%m %Ts %l %p\n' | LC_ALL=C sort
	find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
}
export -f tree
tar -C "$source" -c -f "$logs/a.tar" --owner="$(id -u)" --group="$(id -g)" .
tree "$source" >"$logs/want"
[ "$(wc -l <"$logs/want")" -gt 100 ] || die "$source has only $(wc -l <"$logs/want") files"

step "untar $(($(wc -l <"$logs/want") / 2)) files" 120 tar -C "$work" -x -p -f "$logs/a.tar"
step "sums are equal" 120 bash -c "tree '$work' >'$logs/got' && same '$logs/want' '$logs/got'"
if [ -n "$backing" ]; then
	step "and at the server" 60 bash -c "tree '$backing/${work##*/}' >'$logs/got' && same '$logs/want' '$logs/got'"
fi
step "remove it all" 60 rm -r "$work"
