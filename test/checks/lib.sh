# shellcheck shell=bash
# What the checks share. A check is a script that gets a directory (a mount, but any directory will do), works in it as people's
# programs do, prints one line a step with its time, removes what it made, and exits 0 only if every step went well.
set -eu

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# scratch DIR: makes a directory of our own in DIR, sets $work to it, and removes it at the end.
scratch() {
	local name=${0##*/}
	work=$(cd "$1" && mktemp -d "$PWD/${name%.sh}.XXXXXX") || die "cannot make a directory in $1"
	logs=$(mktemp -d "${TMPDIR:-/tmp}/gonfs-check.XXXXXX")
	trap 'cd /; rm -rf "$work" "$logs"' EXIT
}

# step NAME SECONDS COMMAND…: runs a command, which must end well within SECONDS. The first failure ends the check.
step() {
	local name=$1 limit=$2 begin=${EPOCHREALTIME/[.,]/} rc=0
	shift 2
	timeout --kill-after=5 "$limit" "$@" >"$logs/out" 2>&1 </dev/null || rc=$?
	local took=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
	if [ $rc != 0 ]; then
		[ $rc != 124 ] || echo "no end after $limit s" >>"$logs/out"
		printf 'FAIL %-24s %6d ms, exit code %d\n' "$name" $took $rc
		tail -n 15 "$logs/out" | sed 's/^/     | /'
		exit 1
	fi
	printf 'ok   %-24s %6d ms\n' "$name" $took
}

# same A B: two files are equal; the first differences are shown.
same() {
	diff "$1" "$2" | head -10
	cmp -s "$1" "$2"
}
export -f same
