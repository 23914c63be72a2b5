#!/bin/bash
# Processes append lines to one file under flock:   append.sh PLACE… [procs=2] [lines=1000]
#
# Each line must be there, whole, and once: appending means that the end of the file is looked for under the lock, wherever the
# last line came from.
# shellcheck source=test/checks/locks.sh
. "$(dirname "$0")/locks.sh"
procs=2 lines=1000 list=()
for a in "$@"; do
	case $a in
	procs=* | lines=*) printf -v "${a%%=*}" %s "${a#*=}" ;;
	*) list+=("$a") ;;
	esac
done
[ ${#list[@]} -ge 1 ] || die "usage: append.sh PLACE… [procs=2] [lines=1000]"
shared "${list[@]}"

worker() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	at "$1" bash -c '
		set -e
		for ((i = 0; i < $3; i++)); do
			exec 9>>"$1"
			flock 9
			printf "writer %d line %d of some length %s\n" "$2" $i ---------------------------------------- >&9
			exec 9>&-
		done' _ "$(dir "$1")/$name/log" "$2" "$lines"
}
right() {
	local i j
	for ((i = 0; i < procs; i++)); do
		for ((j = 0; j < lines; j++)); do
			printf 'writer %d line %d of some length %s\n' $i $j ----------------------------------------
		done
	done | sort >"$logs/want"
	local place
	for place in "${places[@]}"; do
		at "$place" cat "$(dir "$place")/$name/log" | sort >"$logs/got"
		same "$logs/want" "$logs/got" || return 1
	done
}
timed "$procs × $lines lines" 170 crowd "$procs" worker
timed "all there" 60 right
