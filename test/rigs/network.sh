#!/bin/bash
# Runs a command in a small internet of its own:   network.sh WORKDIR COMMAND…
#
#   client                router                server
#   198.18.1.2  eth0 ─ c  .1.1    .2.1  s ─ eth0  198.18.2.2  nfsserver
#   fd99:1::2             fd99:1::1 fd99:2::1   fd99:2::2
#
# Three network namespaces; the command runs in that of the client. It reaches the others by nsenter --net=/run/netns/router
# COMMAND… (or server). The router forwards, and nft in it loses, refuses and translates. Packets are never longer than the
# MTU (no segmentation offload), so that what nft drops is what a wire would drop.
#
# A mount namespace: /run is empty, /dev/fuse is for any user. A process namespace: whatever the command left behind ends with
# it, and the namespaces with that. Names and addresses are private, so any number of them run side by side. Needs root.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=test/rigs/lib.sh
. "$here/lib.sh"
if [ "${1:-}" != --inside ]; then
	[ $# -ge 2 ] || die "usage: network.sh WORKDIR COMMAND…"
	[ "$(id -u)" = 0 ] || die "must be root to make namespaces"
	for need in ip nft nsenter; do
		command -v $need >/dev/null || die "$need is missing: apt-get install iproute2 nftables util-linux"
	done
	mkdir -p "$1"
	work=$(cd "$1" && pwd -P)
	shift
	exec unshare --net --mount --propagation private --pid --fork --kill-child --mount-proc "$here/${0##*/}" --inside "$work" "$@"
fi
work=$2
shift 2
printf '%s\n' '127.0.0.1 localhost' '::1 localhost' '198.18.2.2 nfsserver' 'fd99:2::2 nfsserver' '198.18.1.2 nfsclient' \
	'fd99:1::2 nfsclient' >"$work/hosts"
mount --bind "$work/hosts" /etc/hosts
# Nobody answers names here: say so at once, not after the resolver's 5 s.
echo 'nameserver 127.0.0.1' >"$work/resolv.conf"
mount --bind "$work/resolv.conf" /etc/resolv.conf
mount -t tmpfs -o mode=0755 gonfs-network /run

ip netns add router
ip netns add server
ip link add eth0 type veth peer name c netns router
ip -n server link add eth0 type veth peer name s netns router

# address NAMESPACE DEVICE IPV4 IPV6: configures a device, "" being the client's namespace. Addresses are usable at once (nodad).
address() {
	ip ${1:+-n "$1"} addr add "$3/24" dev "$2"
	ip ${1:+-n "$1"} addr add "$4/64" dev "$2" nodad
	ip ${1:+-n "$1"} link set "$2" up gso_max_segs 1
	ip ${1:+-n "$1"} link set lo up
}
address '' eth0 198.18.1.2 fd99:1::2
address server eth0 198.18.2.2 fd99:2::2
address router c 198.18.1.1 fd99:1::1
address router s 198.18.2.1 fd99:2::1
ip route add default via 198.18.1.1
ip -6 route add default via fd99:1::1
ip -n server route add default via 198.18.2.1
ip -n server -6 route add default via fd99:2::1
nsenter --net=/run/netns/router bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'

# No exec: this shell is process 1 here and takes in the orphans, as daemons become.
"$here/fusedev.sh" "$@"
