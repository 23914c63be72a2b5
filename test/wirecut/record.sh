#!/bin/bash
# Records the golden captures anew:   record.sh OUTDIR
#
# Talks to nfs-ganesha and rpcbind in a network namespace of our own, captures that, and cuts the capture. Needs root and:
# apt-get install nfs-ganesha nfs-ganesha-vfs rpcbind tshark
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
rigs=$here/../rigs
# shellcheck source=test/rigs/lib.sh
. "$rigs/lib.sh"
if [ "${1:-}" != --inside ]; then
	[ $# = 1 ] || die "usage: record.sh OUTDIR"
	mkdir -p "$1"
	out=$(cd "$1" && pwd -P)
	work=$(mktemp -d "${TMPDIR:-/tmp}/gonfs-record.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	(cd "$here" && go build -o "$work/wirecut" .)
	"$rigs/netns.sh" "$work" "$here/record.sh" --inside "$work"
	"$work/wirecut" cut "$work/talk.pcapng" "$work/labels" "$out"
	exit
fi
work=$2
"$rigs/ganesha.sh" up "$work" rpcbind=net bind=::
dumpcap -q -i lo -s 0 -w "$work/talk.pcapng" 2>"$work/dumpcap.log" &
capture=$!
await 10 grep -q '^File:' "$work/dumpcap.log" || die "dumpcap: $(cat "$work/dumpcap.log")"
"$work/wirecut" talk 127.0.0.1 "$work/labels"
sleep 0.5 # dumpcap reads what the kernel has collected twice a second
kill -INT $capture
wait $capture
