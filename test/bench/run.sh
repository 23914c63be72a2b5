#!/bin/bash
# Measures gonfs beside its peers, in a network namespace of its own:   run.sh [FLAG…] [ROW…]
#
# Flags (-quick, -reps=3, -again, -list, -report) and rows are those of the command in this directory: go doc ./test/bench. Programs and
# results are kept in bin/bench. The report goes to docs/benchmarks.md, unless rows were named or the run is a -quick one.
# Needs root, gcc and Debian's libnfs-dev, libc6-dev, util-linux, iproute2, and what the end-to-end tests need.
set -eu
cd "$(dirname "$0")/../.."
out=$PWD/bin/bench
test/bench/build.sh "$out"
doc=(-doc "$PWD/docs/benchmarks.md") count=yes
for arg in "$@"; do
	case $arg in
	-report) count='' ;;
	-quick | -list) doc=() count='' ;;
	-*) ;;
	*) doc=() count='' ;;
	esac
done
# Calls are counted by a test, which makes its own world.
if [ "$count" ]; then
	mkdir -p "$out/results"
	GONFS_E2E=1 GONFS_E2E_RPCS="$out/results/rpcs.json" go test -count=1 -run TestNoWorkNeedsMoreCallsThanLinux ./test/e2e ||
		echo "run.sh: some work makes too many calls, see above" >&2
fi
# Other work on the machine should not be measured: nice, where root allows it.
exec nice -n -15 test/rigs/netns.sh "$out/world" "$out/bench" -bin "$out" -results "$out/results" "${doc[@]}" "$@"
