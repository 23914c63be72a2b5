#!/bin/bash
# fio writes in DIR and verifies every block by its checksum:   fio.sh DIR [MIB]
#
# Sequential, odd sizes, random, several threads on a file, mmap, append; MIB (16) mebibytes a job.
# shellcheck source=test/checks/lib.sh
. "$(dirname "$0")/lib.sh"
[ $# -ge 1 ] || die "usage: fio.sh DIR [MIB]"
mib=${2:-16}
scratch "$1"

# job NAME ARGUMENTS…
job() {
	local name=$1
	shift
	step "fio $name" 120 fio --name="$name" --directory="$work" --size="${mib}m" --ioengine=psync --verify=crc32c --verify_state_save=0 \
		--verify_fatal=1 --do_verify=1 --group_reporting --output-format=terse "$@"
	rm -f "$work"/*
}
job seq-1m --rw=write --bs=1m --end_fsync=1
job seq-odd --rw=write --bs=65537 --bs_unaligned --end_fsync=1
job rand-4k --rw=randwrite --bs=4k --size=2m --fdatasync=64
job rand-mix --rw=randwrite --bsrange=1k-256k --bs_unaligned
job threads --rw=randwrite --bs=8k --size=$((mib / 4))m --numjobs=4 --thread --filename=shared --offset_increment=$((mib / 4))m
job mmap --rw=randwrite --bs=4k --size=4m --ioengine=mmap
job read-back --rw=randrw --bs=16k --verify_backlog=64
