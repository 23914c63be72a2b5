#!/bin/bash
# Builds what the benchmarks need into DIR:   build.sh DIR
#
# The null server, the peers that gonfs is compared with, and gonfs itself. Needs gcc and Debian's libnfs-dev.
set -eu
[ $# = 1 ] || {
	echo "usage: build.sh DIR" >&2
	exit 2
}
echo '#include <nfsc/libnfs.h>' | gcc -E - >/dev/null 2>&1 || {
	echo "build.sh: gcc or libnfs is missing: apt-get install gcc libc6-dev libnfs-dev" >&2
	exit 1
}
mkdir -p "$1"
dir=$(cd "$1" && pwd -P)
cd "$(dirname "$0")"
cflags=(-O2 -Wall -Wextra -Werror -pthread)
gcc "${cflags[@]}" -o "$dir/nullnfsd" nullnfsd/*.c
for peer in libnfs file stream; do
	libs=()
	[ $peer != libnfs ] || libs=(-lnfs)
	gcc "${cflags[@]}" -o "$dir/$peer-bench" peers/$peer.c peers/measure.c "${libs[@]}"
done
export CGO_ENABLED=0
go build -trimpath -o "$dir/" ../../cmd/... ../link . ./nullfuse
(cd chart && go build -trimpath -o "$dir/chart" .)
(cd peers/willscott && go build -trimpath -o "$dir/willscott-bench" .)
