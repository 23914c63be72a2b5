#!/bin/bash
# An NFSv3 server on this machine for the tests: nfs-ganesha 4.3 (Debian 12) with NFS, MOUNT, NLM over TCP and UDP.
#
#   ganesha.sh up WORKDIR [key=value…]    starts it and prints "up host=… nfs=… mount=… nlm=…"; does nothing if it is up
#   ganesha.sh down WORKDIR [SIGNAL]      stops it (KILL: a crash); what it served stays in WORKDIR
#   ganesha.sh status WORKDIR             exit 0 if it is up
#
#   bind=127.0.0.1|::1|::     address to serve; :: is both families (0.0.0.0 would register IPv6 that does not answer)
#   ports=NFS,MOUNT,NLM,RQUOTA
#   rpcbind=private|net|host  private: on a unix socket only, no port 111 is touched: mount with port= and mountport=.
#                             net: on port 111 of the network namespace that we are in (netns.sh makes one)
#                             host: the one that runs, with rpc.statd, on the host that we are on (hosts.sh makes one): only
#                             there are locks monitored; without rpc.statd, LOCK is DENIED_NOLOCKS, and NM_LOCK works
#   grace=SECONDS             how long after the start only locks from before can be had; 0 is no time
#   backing=DIR               where the exported files live (ext4, tmpfs); WORKDIR/ex
#   maxio=BYTES               MaxRead and MaxWrite; export /small always has 65536
#   exports=LIST              of rw,ro,squash,small,priv,tcponly,udponly,deny; all of them
#
# Needs root (the VFS back end opens files by handle) and: apt-get install nfs-ganesha nfs-ganesha-vfs rpcbind iproute2
#
# Two quirks shape this script. Ganesha exits if it cannot register with rpcbind, and it finds rpcbind by the path
# /run/rpcbind.sock, which no network namespace isolates: so both run in a mount namespace whose /run is WORKDIR/run.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=test/rigs/lib.sh
. "$here/lib.sh"
usage() {
	sed -n '2,20s/^# \{0,1\}//p' "$0"
	exit 2
}
[ $# -ge 2 ] || usage
command=$1
mkdir -p "$2"
work=$(cd "$2" && pwd -P)
shift 2

bind=127.0.0.1 rpcbind=private backing=$work/ex maxio=1048576 grace=0
ports='' exports=rw,ro,squash,small,priv,tcponly,udponly,deny
case $command in
up)
	for option in "$@"; do
		case $option in
		bind=* | ports=* | rpcbind=* | backing=* | maxio=* | grace=* | exports=*) printf -v "${option%%=*}" %s "${option#*=}" ;;
		*) usage ;;
		esac
	done
	;;
down)
	stop "$work/ganesha.pid" "${1:-TERM}"
	stop "$work/rpcbind.pid"
	exit
	;;
status)
	alive "$work/ganesha.pid"
	exit
	;;
*) usage ;;
esac
case $rpcbind in
private) : "${ports:=30049,30048,30045,30075}" ;;
net | host) : "${ports:=2049,635,4045,875}" ;;
*) usage ;;
esac
IFS=, read -r nfsport mountport nlmport quotaport <<<"$ports"
up="up bind=$bind nfs=$nfsport mount=$mountport nlm=$nlmport log=$work/ganesha.log"
if alive "$work/ganesha.pid"; then
	echo "$up"
	exit
fi
[ "$(id -u)" = 0 ] || die "must be root: nfs-ganesha's VFS back end opens files by handle"
for need in ganesha.nfsd rpcbind ss; do
	command -v "$need" >/dev/null || die "$need is missing: apt-get install nfs-ganesha nfs-ganesha-vfs rpcbind iproute2"
done
mkdir -p "$work"/{etc,recovery} "$work"/run/{rpcbind,ganesha,blkid,mount} "$backing"
backing=$(cd "$backing" && pwd -P)

# export ID NAME MAXIO LINES: one EXPORT block, its directory open to everybody.
export_block() {
	if [ ! -d "$backing/$2" ]; then
		mkdir -p "$backing/$2"
		chmod 0777 "$backing/$2"
	fi
	cat <<-EOF
		EXPORT {
			Export_Id = $1; Path = "$backing/$2"; Pseudo = "/$2"; FSAL { Name = VFS; }
			MaxRead = $3; PrefRead = $3; MaxWrite = $3; PrefWrite = $3;
			$4
		}
	EOF
}

grace_lines='Graceless = true;'
[ "$grace" = 0 ] || grace_lines="Grace_Period = $grace; Lease_Lifetime = $((grace > 1 ? grace - 1 : 1));"
configuration() {
	cat <<-EOF
		NFS_CORE_PARAM {
			NFS_Port = $nfsport; MNT_Port = $mountport; NLM_Port = $nlmport; Rquota_Port = $quotaport;
			Bind_addr = $bind; Protocols = 3; Enable_UDP = true; Enable_NLM = true;
			mount_path_pseudo = true; NSM_Use_Caller_Name = false;
			Plugins_Dir = "$(dirname "$(dpkg -L nfs-ganesha-vfs | grep 'libfsalvfs\.so$')")";
			MaxRPCSendBufferSize = 9437184; MaxRPCRecvBufferSize = 9437184;
		}
		NFSv4 { $grace_lines RecoveryRoot = "$work/recovery"; }
		NFS_KRB5 { Active_krb5 = false; }
		EXPORT_DEFAULTS {
			Access_Type = RW; Protocols = 3; SecType = sys, none; Squash = no_root_squash;
			Anonymous_uid = 65534; Anonymous_gid = 65534; Attr_Expiration_Time = 0;
		}
	EOF
	local id=10 name
	for name in ${exports//,/ }; do
		id=$((id + 1))
		case $name in
		rw) export_block $id rw "$maxio" "" ;;
		ro) export_block $id ro "$maxio" "Access_Type = RO;" ;;
		squash) export_block $id squash "$maxio" "Squash = root_squash;" ;;
		small) export_block $id small 65536 "" ;;
		priv) export_block $id priv "$maxio" "PrivilegedPort = true;" ;;
		tcponly) export_block $id tcponly "$maxio" "Transports = TCP;" ;;
		udponly) export_block $id udponly "$maxio" "Transports = UDP;" ;;
		deny) export_block $id deny "$maxio" "Access_Type = None; CLIENT { Clients = 198.18.0.99; Access_Type = RW; }" ;;
		*) die "exports=$name: not one of rw,ro,squash,small,priv,tcponly,udponly,deny" ;;
		esac
	done
}
configuration >"$work/etc/ganesha.conf"
[ ! -d "$backing/ro" ] || echo "a file of the read-only export" >"$backing/ro/hello"

# Without the lines of the networks, rpcbind listens on its unix socket only.
grep -E "^$([ "$rpcbind" = net ] && echo '[a-z]' || echo '(local|unix) ')" /etc/netconfig >"$work/etc/netconfig"

run=$work/run
# inside COMMAND…: runs it with our /run; "exec" keeps the process id that note takes.
inside() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	exec unshare --mount --propagation private bash -c 'mount --bind "$1" /run && shift && exec "$@"' _ "$run" "$@"
}
serving() { grep -q 'NFS SERVER INITIALIZED' "$work/ganesha.log"; }
settled() { serving || ! alive "$work/ganesha.pid"; }

# listening PID: it has a unix socket to which one can connect; the file is there a moment earlier.
listening() { ss -Hxlp | grep -q "pid=$1,"; }

if [ "$rpcbind" = host ]; then
	run=/run
	mkdir -p /run/{ganesha,blkid,mount}
elif ! alive "$work/rpcbind.pid"; then
	rm -f "$work/run/rpcbind.sock"
	# shellcheck disable=SC2016
	inside bash -c 'mount --bind "$1" /etc/netconfig && exec rpcbind -f' _ "$work/etc/netconfig" </dev/null >"$work/rpcbind.log" 2>&1 &
	note $! "$work/rpcbind.pid"
	await 60 listening $! || die "rpcbind did not come up: $(tail -3 "$work/rpcbind.log")"
fi
: >"$work/ganesha.log"
(
	ulimit -n 20000
	inside ganesha.nfsd -F -f "$work/etc/ganesha.conf" -L "$work/ganesha.log" -p "$run/ganesha.pid" -N NIV_EVENT
) </dev/null >"$work/ganesha.out" 2>&1 &
note $! "$work/ganesha.pid"
await 60 settled || true
if ! serving; then
	echo "nfs-ganesha did not come up:" >&2
	grep -E 'CRIT|FATAL|MAJ' "$work/ganesha.log" | tail -5 >&2
	stop "$work/ganesha.pid" KILL
	stop "$work/rpcbind.pid"
	exit 1
fi
echo "$up"
