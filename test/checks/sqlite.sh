#!/bin/bash
# Several processes write to one sqlite database:   sqlite.sh PLACE… [procs=4] [txns=25] [modes=delete,truncate,persist]
#
# sqlite locks bytes of the database with fcntl, and trusts that what it reads under a lock is what the last writer wrote. Each
# transaction inserts a row and counts it; in the end integrity_check must say ok and every row must be there.
# shellcheck source=test/checks/locks.sh
. "$(dirname "$0")/locks.sh"
procs=4 txns=25 modes=delete,truncate,persist list=()
for a in "$@"; do
	case $a in
	procs=* | txns=* | modes=*) printf -v "${a%%=*}" %s "${a#*=}" ;;
	*) list+=("$a") ;;
	esac
done
[ ${#list[@]} -ge 1 ] || die "usage: sqlite.sh PLACE… [procs=4] [txns=25] [modes=delete,truncate,persist]"
command -v sqlite3 >/dev/null || die "sqlite3 is missing: apt-get install sqlite3"
shared "${list[@]}"

# sql PLACE SCRIPT: runs it on the database of $mode.
sql() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	at "$1" bash -c 'printf "%s\n" "$2" | sqlite3 -bail "$1"' _ "$(dir "$1")/$name/$mode.db" "$2"
}
worker() {
	# shellcheck disable=SC2016
	at "$1" bash -c '
		set -e
		for ((i = 0; i < $4; i++)); do
			printf "%s\n" ".timeout 60000" "pragma journal_mode=$2;" "begin immediate;" \
				"insert into rows values($3, $i, hex(randomblob(200)));" "update counter set n = n + 1;" "commit;" |
				sqlite3 -bail "$1" >/dev/null
		done' _ "$(dir "$1")/$name/$mode.db" "$mode" "$2" "$txns"
}
right() {
	local place got want="ok $((procs * txns)) $((procs * txns)) $procs"
	for place in "${places[@]}"; do
		got=$(sql "$place" 'pragma integrity_check; select n from counter; select count(*) from rows; select count(distinct writer) from rows;' | tr '\n' ' ')
		[ "$got" = "$want " ] || {
			echo "got: $got; want: $want; at $place"
			return 1
		}
	done
}
for mode in ${modes//,/ }; do
	sql "${places[0]}" "pragma journal_mode=$mode; create table rows(writer int, i int, text text, primary key(writer, i));
		create table counter(n int); insert into counter values(0);" >/dev/null || die "cannot make a database"
	timed "$procs × $txns rows, $mode" 240 crowd "$procs" worker
	timed "integrity, every row" 60 right
done
