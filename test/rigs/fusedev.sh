#!/bin/bash
# Runs a command where any user may open /dev/fuse:   fusedev.sh COMMAND…
#
# Where no udev runs, /dev/fuse is 0600 root, and fusermount3 opens it as the user who calls it: an ordinary user could not
# mount. Inside a mount namespace of the command's own, a node of mode 0666 is bound over it; outside nothing changes.
# Needs root (mknod, mount). Use it as: fusedev.sh setpriv --reuid=nobody --regid=nogroup --clear-groups COMMAND…
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
# shellcheck source=test/rigs/lib.sh
. "$here/lib.sh"
[ $# -ge 1 ] || die "usage: fusedev.sh COMMAND…"
if [ "${1:-}" != --inside ]; then
	[ "$(id -u)" = 0 ] || die "must be root to bind a node over /dev/fuse"
	exec unshare --mount --propagation private "$here/${0##*/}" --inside "$@"
fi
shift
grep -qw fuse /proc/filesystems || die "this kernel has no FUSE (no fuse in /proc/filesystems)"
if [ -c /dev/fuse ] && [ "$(stat -c %a /dev/fuse)" = 666 ]; then
	exec "$@"
fi
# The node lives on a tmpfs of this namespace only, and is gone with it.
[ -e /dev/fuse ] || die "/dev/fuse is missing: modprobe fuse, or give the container --device /dev/fuse"
mount -t tmpfs -o mode=0755,size=64k gonfs-fusedev /mnt
mknod -m 0666 /mnt/fuse c 10 229
mount --bind /mnt/fuse /dev/fuse
umount -l /mnt
: <>/dev/fuse || die "/dev/fuse cannot be opened: FUSE is not allowed here"
exec "$@"
