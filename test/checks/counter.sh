#!/bin/bash
# Processes alternate on a locked counter:   counter.sh PLACE… [procs=4] [times=1000] [kind=posix]
#
# Each of procs processes, spread over the places, adds 1 to the number in a file times times, under a lock. In the end it must
# be procs × times: every update lost is a lock that was held twice, or data that was read before it was there.
# shellcheck source=test/checks/locks.sh
. "$(dirname "$0")/locks.sh"
procs=4 times=1000 kind=posix list=()
for a in "$@"; do
	case $a in
	procs=* | times=* | kind=*) printf -v "${a%%=*}" %s "${a#*=}" ;;
	*) list+=("$a") ;;
	esac
done
[ ${#list[@]} -ge 1 ] || die "usage: counter.sh PLACE… [procs=4] [times=1000] [kind=posix|ofd|flock]"
shared "${list[@]}"

worker() { at "$1" "$LOCKER" count "$(dir "$1")/$name/counter" "$kind" "$times"; }
right() {
	local place got
	for place in "${places[@]}"; do
		got=$(at "$place" cat "$(dir "$place")/$name/counter")
		[ "$got" = $((procs * times)) ] || {
			echo "counted to $got, want $((procs * times)), at $place"
			return 1
		}
	done
}
# shellcheck disable=SC2016 # expanded by the inner shell
at "${places[0]}" bash -c 'echo 0 >"$1"' _ "$(dir "${places[0]}")/$name/counter"
timed "$procs processes count" 170 crowd "$procs" worker
timed "to exactly $((procs * times))" 60 right
