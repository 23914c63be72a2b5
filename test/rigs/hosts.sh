#!/bin/bash
# Three hosts on one wire, each with a name, a network, a /run, an /etc/hosts and a state directory of its own:
#
#   hosts.sh up WORKDIR                  makes them, and WORKDIR/on
#   hosts.sh statd WORKDIR HOST up|down  starts or ends rpc.statd on one
#   hosts.sh reboot WORKDIR HOST         a host that has no rpc.statd loses /run, its rpcbind's table and its locks, as by a restart
#   hosts.sh notify WORKDIR              has the server tell its clients that it was restarted, as sm-notify(8) does at boot
#   hosts.sh down WORKDIR                ends them
#   WORKDIR/on HOST COMMAND…             runs a command on a host
#
#   server  nfsserver  198.18.3.1   fd99:3::1    rpcbind, rpc.statd; ganesha.sh up DIR rpcbind=host starts nfs-ganesha
#   one     clientone  198.18.3.11  fd99:3::11   rpcbind, rpc.statd
#   two     clienttwo  198.18.3.12  fd99:3::12   rpcbind
#
# What a host is to NFS locks is its name, its address and its rpcbind, and those are separate here; processes and files are not.
# The hosts' /var/lib/gonfs are WORKDIR/HOST/lib. Needs root and: apt-get install rpcbind nfs-common iproute2 util-linux
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=test/rigs/lib.sh
. "$here/lib.sh"
usage() {
	sed -n '2,11s/^# \{0,1\}//p' "$0"
	exit 2
}
[ $# -ge 2 ] || usage
command=$1
mkdir -p "$2"
work=$(cd "$2" && pwd -P)
shift 2

hosts=(server one two)
declare -A name=([server]=nfsserver [one]=clientone [two]=clienttwo)
declare -A number=([server]=1 [one]=11 [two]=12)
on() { "$work/on" "$@"; }

# statd HOST up|down
statd() {
	local dir=$work/$1
	case $2 in
	up)
		! alive "$dir/statd.pid" || return 0
		mkdir -p "$dir/statd"/{sm,sm.bak}
		chmod 0700 "$dir/statd"
		"$work/on" "$1" rpc.statd -F -L -d -P "$dir/statd" -n "${name[$1]}" </dev/null >"$dir/statd.log" 2>&1 &
		note $! "$dir/statd.pid"
		await 60 on "$1" rpcinfo -T udp 127.0.0.1 100024 1 >/dev/null 2>&1 || die "rpc.statd of $1 did not come up: $(tail -3 "$dir/statd.log")"
		;;
	down) stop "$dir/statd.pid" ;;
	*) usage ;;
	esac
}

# bind HOST starts its rpcbind.
bind() {
	local dir=$work/$1
	"$work/on" "$1" rpcbind -f </dev/null >"$dir/rpcbind.log" 2>&1 &
	note $! "$dir/rpcbind.pid"
	await 60 on "$1" rpcinfo -p 127.0.0.1 >/dev/null 2>&1 || die "rpcbind of $1 did not come up: $(tail -3 "$dir/rpcbind.log")"
}

# reboot HOST: what a restart leaves of a host. gonfs keeps the record of its peers (nsm) on disk; the journal of locks is gone with
# the processes. The kernel's boot_id, which tells one run of a host from the next, is another one.
reboot() {
	local dir=$work/$1
	! alive "$dir/statd.pid" || die "reboot: $1 runs rpc.statd, whose restart is not played here"
	stop "$dir/rpcbind.pid"
	[ -n "$(find "$dir/lib" -name nsm)" ] || die "reboot: there is no record of peers below $dir/lib"
	find "$dir/lib" -type f ! -name nsm -delete
	find "$dir/run" -mindepth 1 -delete
	mkdir "$dir/run/rpcbind"
	cat /proc/sys/kernel/random/uuid >"$dir/run/boot_id"
	on "$1" mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
	bind "$1"
}

down() {
	local host
	for host in "${hosts[@]}"; do
		stop "$work/$host/statd.pid"
		stop "$work/$host/rpcbind.pid"
		stop "$work/$host/host.pid" KILL # its namespaces end with it
	done
	rm -f "$work/on"
}

up() {
	local host pid dir
	[ "$(id -u)" = 0 ] || die "must be root to make namespaces"
	for host in ip rpcbind rpc.statd sm-notify nsenter; do
		command -v "$host" >/dev/null || die "$host is missing: apt-get install rpcbind nfs-common iproute2 util-linux"
	done
	for host in "${hosts[@]}"; do
		printf '198.18.3.%s %s\nfd99:3::%s %s\n' "${number[$host]}" "${name[$host]}" "${number[$host]}" "${name[$host]}"
	done >"$work/hosts"
	printf '127.0.0.1 localhost\n::1 localhost\n' >>"$work/hosts"
	# Nobody answers names here: say so at once, not after the resolver's 5 s.
	echo 'nameserver 127.0.0.1' >"$work/resolv.conf"
	mkdir -p /var/lib/gonfs
	cat >"$work/on" <<-EOF
		#!/bin/bash
		read -r pid _ <"$work/\$1/host.pid"
		shift
		exec nsenter --target "\$pid" --net --mount --uts --wdns="\$PWD" -- "\$@"
	EOF
	chmod +x "$work/on"
	for host in "${hosts[@]}"; do
		dir=$work/$host
		mkdir -p "$dir/run/rpcbind" "$dir/lib"
		# shellcheck disable=SC2016 # expanded by the inner shell
		unshare --net --mount --uts --propagation private bash -c '
			set -e
			hostname "$2"
			mount --bind "$3/hosts" /etc/hosts
			mount --bind "$3/resolv.conf" /etc/resolv.conf
			mount --bind "$1/run" /run
			mount --bind "$1/lib" /var/lib/gonfs
			ip link set lo up
			: >"$1/made"
			exec sleep infinity' _ "$dir" "${name[$host]}" "$work" </dev/null >"$dir/host.log" 2>&1 &
		pid=$!
		await 60 test -e "$dir/made" || die "$host: $(cat "$dir/host.log")"
		note $pid "$dir/host.pid"
		rm "$dir/made"
	done
	on server ip link add wire type bridge
	on server ip link set wire up
	read -r pid _ <"$work/server/host.pid"
	on server ip addr add 198.18.3.1/24 dev wire
	on server ip addr add fd99:3::1/64 dev wire nodad
	for host in one two; do
		on $host ip link add eth0 type veth peer name $host netns "$pid"
		on $host ip addr add "198.18.3.${number[$host]}/24" dev eth0
		on $host ip addr add "fd99:3::${number[$host]}/64" dev eth0 nodad
		on $host ip link set eth0 up
		on server ip link set $host master wire up
	done
	for host in "${hosts[@]}"; do bind "$host"; done
	statd server up
	statd one up
	echo "up hosts=${hosts[*]} run: $work/on HOST COMMAND…"
}

case $command in
up) [ -e "$work/on" ] || up ;;
statd) statd "${1:-}" "${2:-}" ;;
reboot) reboot "${1:-}" ;;
notify) on server sm-notify -f -P "$work/server/statd" -v "${name[server]}" ;;
down) down ;;
*) usage ;;
esac
