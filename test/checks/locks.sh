# shellcheck shell=bash
# What the checks of locks share. They take places: a directory, or HOST:DIRECTORY, where $ON HOST COMMAND… runs a command on
# the host HOST (hosts.sh makes such a command). Their directories are the same one, seen by several mounts.
#
# $LOCKER is the locker of test/locker.
# shellcheck source=test/checks/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
: "${LOCKER:=locker}"
command -v "$LOCKER" >/dev/null || die "LOCKER=$LOCKER is not there: go build -o DIR ./test/locker"

# at PLACE COMMAND…: runs a command where PLACE is.
at() {
	local place=$1
	shift
	case $place in
	/*) "$@" ;;
	*) "${ON:?runs commands on a host}" "${place%%:*}" "$@" ;;
	esac
}
# dir PLACE prints its directory.
dir() { echo "${1#*:}"; }

# shared PLACE…: makes a directory of our own in the first place, sets $name to its name and $places, and removes it at the end.
shared() {
	places=("$@")
	logs=$(mktemp -d "${TMPDIR:-/tmp}/gonfs-check.XXXXXX")
	name=${0##*/}
	name=${name%.sh}.$$.$RANDOM
	at "$1" mkdir "$(dir "$1")/$name" || die "cannot make a directory in $1"
	trap 'at "${places[0]}" rm -rf "$(dir "${places[0]}")/$name"; rm -rf "$logs"' EXIT
}

# crowd N COMMAND…: runs N copies of a command at once, COMMAND… PLACE I, taking the places in turn; it fails if one fails.
crowd() {
	local n=$1 i pids=() rc=0
	shift
	for ((i = 0; i < n; i++)); do
		"$@" "${places[i % ${#places[@]}]}" "$i" &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || rc=1; done
	return $rc
}

# timed NAME SECONDS FUNCTION…: step for a shell function, whose processes end by themselves.
timed() {
	local what=$1 limit=$2 begin=${EPOCHREALTIME/[.,]/} rc=0 watch
	shift 2
	set -m # a group each, to be ended as one
	"$@" >"$logs/out" 2>&1 </dev/null &
	local job=$!
	(sleep "$limit" && kill -KILL -- -$job) >/dev/null 2>&1 &
	watch=$!
	set +m
	wait $job || rc=$?
	kill -- -$watch 2>/dev/null || true
	local took=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
	if [ $rc != 0 ]; then
		printf 'FAIL %-24s %6d ms, exit code %d\n' "$what" $took $rc
		tail -n 15 "$logs/out" | sed 's/^/     | /'
		exit 1
	fi
	printf 'ok   %-24s %6d ms\n' "$what" $took
}
