#!/bin/bash
# All tests of the project, stage by stage, with the time of each:   run.sh [STAGE…]
#
# Stages: deps, and then three lanes side by side: running (race single portable e2e faults), which waits a lot; building and
# reading (format scripts vet lint cross s390x), which is nice to the first; and fuzz, which is nice to both. A stage is shown when it ends.
# With STAGE arguments only these run, one after the other. One stage runs only so: soak, all tests in their long form.
#
# Where something is missing that a stage needs, it says so and is skipped; with CI=true that is a failure.
set -eu
cd "$(dirname "$0")/.."
export CI="${CI:-}"
[ "$CI" != false ] || CI=''

# The packages of floors 0 to 5, which build everywhere.
portable=(./xdr ./transport ./rpc ./portmap ./mountd ./nfs3 ./nfsacl ./nlm ./nsm ./mountopt ./lock ./mount ./nfstest)
# Commands of make bench that are modules of their own, for what they need is nothing that a user of gonfs should have to have.
modules=(bench/chart bench/peers/willscott)
platforms=(linux/386 linux/arm64 linux/s390x darwin/arm64 windows/amd64 freebsd/amd64)
debian=(nfs-ganesha nfs-ganesha-vfs rpcbind nfs-common sqlite3 fuse3 tshark fio git gcc libc6-dev qemu-user-static util-linux iproute2 nftables
	conntrack procps diffutils tar shellcheck groff-base acl)
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
fuzztime=${FUZZTIME:-10s}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/gonfs-test.XXXXXX")
lanes=()
finish() {
	local lane
	for lane in "${lanes[@]}"; do kill -- "-$lane" 2>/dev/null || true; done
	if [ -e "$tmp/failed" ]; then echo "logs: $tmp/*.out"; else rm -rf "$tmp"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

seconds() { printf '%d.%d' $(($1 / 1000000)) $(($1 / 100000 % 10)); }

# excerpt FILE: its beginning and its end; a stack of a thousand goroutines helps nobody on a screen.
excerpt() {
	local lines
	lines=$(wc -l <"$1")
	if [ "$lines" -le 160 ]; then
		cat "$1"
	else
		head -n 100 "$1"
		echo "[… $((lines - 160)) lines …]"
		tail -n 60 "$1"
	fi
}

# stage NAME: runs stage_NAME and shows how it ended; what it printed only if that is worth reading.
stage() {
	local begin=${EPOCHREALTIME/[.,]/} rc=0 took mark=ok
	# Not in the condition of an if, where bash would not heed set -e.
	set +e
	(
		set -e
		"stage_$1"
	) >"$tmp/$1.out" 2>&1 </dev/null
	rc=$?
	set -e
	took=$(seconds $((${EPOCHREALTIME/[.,]/} - begin)))
	if [ $rc = 77 ]; then
		mark=skip
		[ -z "$CI" ] || rc=1
	fi
	if [ $rc != 0 ] && [ $rc != 77 ]; then
		mark=FAIL
		touch "$tmp/failed"
	fi
	{
		printf '%-4s %-9s %6s s\n' $mark "$1" "$took"
		{
			if [ $mark != ok ]; then excerpt "$tmp/$1.out"; else grep -E '^(skip|note) |passed, ' "$tmp/$1.out" || true; fi
		} | sed 's/^/       /'
	} >"$tmp/$1.say"
	cat "$tmp/$1.say"
}

# skip REASON: ends a stage that cannot run here.
skip() {
	echo "skip: $*"
	exit 77
}
have() { command -v "$1" >/dev/null; }

stage_deps() {
	local missing=() p
	have go || {
		echo "Go is missing: see https://go.dev/doc/install"
		exit 1
	}
	if have dpkg-query; then
		for p in "${debian[@]}"; do
			[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null)" = 'ii ' ] || missing+=("$p")
		done
		if [ ${#missing[@]} != 0 ]; then
			install "${missing[@]}"
		fi
	else
		echo "note this is no Debian: stages skip what they do not find"
	fi
	go mod download
	for p in "${modules[@]}"; do (cd "test/$p" && go mod download); done
}

# install PACKAGE…: by apt-get, without starting the services in them.
install() {
	local policy=/usr/sbin/policy-rc.d rc=0
	if [ "$(id -u)" != 0 ]; then
		echo "note missing, and only root can install them: $*"
		[ -z "$CI" ]
		return
	fi
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod +x $policy
	else
		policy=''
	fi
	export DEBIAN_FRONTEND=noninteractive
	local apt=(apt-get install -y -q --no-install-recommends)
	"${apt[@]}" "$@" || { apt-get update -q && "${apt[@]}" "$@"; } || rc=$?
	[ -z "$policy" ] || rm -f "$policy"
	if [ $rc != 0 ]; then
		echo "note missing, and apt-get cannot install them: $*"
		[ -z "$CI" ]
	fi
}

stage_format() {
	local list
	list=$(gofmt -l .)
	[ -z "$list" ] || {
		echo "not as gofmt writes them:"
		echo "$list"
		exit 1
	}
}

stage_vet() {
	go vet ./...
	go vet -tags portable ./transport ./rpc
	local m
	for m in "${modules[@]}"; do (cd "test/$m" && go vet ./...); done
}

stage_lint() {
	go run "$staticcheck" ./...
	local m
	for m in "${modules[@]}"; do (cd "test/$m" && go run "$staticcheck" ./...); done
}

stage_scripts() {
	have shellcheck || skip "shellcheck is not installed"
	shellcheck -x .ci/run test/*.sh test/*/*.sh
}

# The question is whether it compiles: without optimising that is told sooner. (s390x is optimised, for the tests that run there.)
stage_cross() {
	local p flags
	for p in "${platforms[@]}"; do
		flags=()
		[ "$p" = linux/s390x ] || flags=(-gcflags='all=-N -l')
		echo "$p"
		CGO_ENABLED=0 GOOS=${p%/*} GOARCH=${p#*/} go build "${flags[@]}" "${portable[@]}"
	done
}

# Big-endian: what byte order is assumed anywhere shows here.
stage_s390x() {
	local p
	have qemu-s390x-static || skip "qemu-s390x-static is not installed (Debian: qemu-user-static)"
	mkdir -p "$tmp/s390x"
	CGO_ENABLED=0 GOARCH=s390x go test -c -o "$tmp/s390x/" ./xdr ./rpc ./nfs3
	for p in xdr rpc nfs3; do
		(cd $p && qemu-s390x-static "$tmp/s390x/$p.test" -test.short -test.timeout 120s)
	done
}

# Each fuzz target for a while, two at a time; a binary a package, so that nothing is built twice. A worker that is late for the end
# of its time says "context deadline exceeded" (https://go.dev/issue/75804, mended in Go 1.27): that alone is no finding.
stage_fuzz() {
	local dir bin target list=()
	for dir in $(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -r -n1 dirname | sort -u); do
		bin=$tmp/fuzz$(tr / _ <<<"${dir#.}").test
		go test -c -fuzz=Fuzz -o "$bin" "$dir"
		while read -r target; do
			list+=("$dir $bin $target")
		done < <(cat "$dir"/*_test.go | sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p')
	done
	[ ${#list[@]} != 0 ] || {
		echo "there are no fuzz targets"
		exit 1
	}
	mkdir -p "$tmp/fuzzcache"
	# shellcheck disable=SC2016 # expanded by the inner shell
	printf '%s\n' "${list[@]}" | nice -n 9 xargs -P 2 -L 1 bash -c '
		log=$3.$4.log
		cd "$2" && "$3" -test.run "^$" -test.fuzz "^$4\$" -test.fuzztime "$0" -test.parallel 1 -test.fuzzcachedir "$1" >"$log" 2>&1 ||
			{ grep -q "context deadline exceeded" "$log" && ! grep -qE "Failing input|panic:|minimizing" "$log"; } ||
			{ echo "FAIL $2 $4"; cat "$log"; exit 1; }' "$fuzztime" "$tmp/fuzzcache"
	echo "note ${#list[@]} targets, $fuzztime each"
}

# tests NAME ARGUMENTS…: go test, told by test/report.
tests() {
	local ci=()
	[ -z "$CI" ] || ci=(-ci)
	[ -x "$tmp/report" ] || go build -o "$tmp/report" ./test/report
	"${world[@]}" go test -json "$@" | "$tmp/report" "${ci[@]}"
}

# Where /dev/fuse is for root only, tests that mount as another user need a world where it is not.
world=()
if [ "$(id -u)" = 0 ] && test/rigs/fusedev.sh true 2>/dev/null; then
	world=(test/rigs/fusedev.sh)
fi

stage_race() {
	have gcc || skip "gcc is not installed, and the race detector is linked by it"
	tests -race -timeout 300s ./...
}

# Some races show only when nothing runs at the same time.
stage_single() { GOMAXPROCS=1 tests -count=1 -timeout 300s ./...; }

# The paths of other systems, run on this one.
stage_portable() { tests -tags portable -count=1 -timeout 300s ./transport ./rpc; }

stage_e2e() { GONFS_E2E=1 tests -count=1 -timeout 900s ./test/e2e; }

# Most of these tests wait: for timers, and for networks that are slow on purpose.
stage_faults() { GONFS_E2E=1 tests -count=1 -parallel 12 -timeout 600s ./test/faults; }

# All tests, each as long as its promise is: those that look at GONFS_SOAK.
stage_soak() { GONFS_SOAK=1 GONFS_E2E=1 tests -count=1 -p 1 -parallel 12 -timeout 3h ./...; }

begin=${EPOCHREALTIME/[.,]/}
if [ $# != 0 ]; then
	for s in "$@"; do
		[ "$(type -t "stage_$s")" = function ] || {
			echo "no stage $s" >&2
			exit 2
		}
		stage "$s"
	done
else
	# Fuzzing needs Go alone, so it does not wait for the packages.
	set -m # each lane is a process group of its own, to be ended as one
	CGO_ENABLED=0 nice -n 10 test/run.sh fuzz &
	lanes+=($!)
	set +m
	stage deps
	set -m
	nice -n 10 test/run.sh format scripts vet lint cross s390x &
	lanes+=($!)
	set +m
	for s in race single portable e2e faults; do stage $s; done
	for s in "${lanes[@]}"; do wait "$s" || touch "$tmp/failed"; done
	lanes=()
fi
printf '%-14s %6s s\n' "${*:-all}" "$(seconds $((${EPOCHREALTIME/[.,]/} - begin)))"
[ ! -e "$tmp/failed" ]
