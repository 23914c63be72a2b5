# shellcheck shell=bash
# What the rigs share: processes are known by "pid starttime", so that a number that was given away again is never killed.

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# starttime PID prints field 22 of /proc/PID/stat; the name in field 2 may hold blanks, so it is cut off first.
starttime() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086 # words are wanted: state is word 1, starttime word 20
	set -- $stat
	echo "${20}"
}

# state PID prints the letter of field 3: Z is a process that ended and was not waited for.
state() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	echo "${stat%% *}"
}

# note PID FILE remembers a process that we started.
note() {
	echo "$1 $(starttime "$1")" >"$2"
}

# alive FILE: the process noted in FILE runs.
alive() {
	local pid start
	read -r pid start 2>/dev/null <"$1" || return 1
	[ "$(starttime "$pid")" = "$start" ] && [ "$(state "$pid")" != Z ]
}

# stop FILE [SIGNAL]: ends the process noted in FILE, by force after 10 s, and forgets it.
stop() {
	local pid start i
	if alive "$1"; then
		read -r pid start <"$1"
		kill "-${2:-TERM}" "$pid" 2>/dev/null || true # it may just have ended
		for ((i = 0; i < 100; i++)); do
			alive "$1" || break
			sleep 0.1
		done
		if alive "$1"; then kill -KILL "$pid" 2>/dev/null || true; fi
	fi
	rm -f "$1"
}

# await SECONDS COMMAND…: waits until COMMAND succeeds.
await() {
	local i tenths=$(($1 * 10))
	shift
	for ((i = 0; i < tenths; i++)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}
