#!/bin/bash
# Runs a command in a small world of its own:   netns.sh WORKDIR COMMAND…
#
# A network namespace with 127.0.0.1, ::1 and the host nfsserver (198.18.0.2, fd99::2) on lo and nothing else, so that rpcbind
# has port 111, nfs-ganesha 2049, and a mount needs no port=. A mount namespace with /run = WORKDIR/run and a /dev/fuse that any user may open. A process
# namespace, so that whatever the command left behind ends with it. Needs root.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=test/rigs/lib.sh
. "$here/lib.sh"
if [ "${1:-}" != --inside ]; then
	[ $# -ge 2 ] || die "usage: netns.sh WORKDIR COMMAND…"
	[ "$(id -u)" = 0 ] || die "must be root to make namespaces"
	mkdir -p "$1/run"
	work=$(cd "$1" && pwd -P)
	shift
	exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc "$here/${0##*/}" --inside "$work" "$@"
fi
work=$2
shift 2
ip link set lo up
# Addresses beside loopback's: the resolver (AI_ADDRCONFIG) does not see IPv6 without one, and then nfs-ganesha cannot bind ::.
ip addr add 198.18.0.2/32 dev lo
ip addr add fd99::2/128 dev lo nodad
printf '%s\n' '127.0.0.1 localhost' '::1 localhost' '198.18.0.2 nfsserver' 'fd99::2 nfsserver' >"$work/hosts"
mount --bind "$work/hosts" /etc/hosts
mount --bind "$work/run" /run
# No exec: this shell is process 1 here and takes in the orphans, as daemons become.
"$here/fusedev.sh" "$@"
