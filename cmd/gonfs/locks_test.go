package main

import (
	"strings"
	"testing"

	"github.com/gonfs/gonfs/mounttab"
)

func TestLocksAreShownWithWhoAndWhere(t *testing.T) {
	end := uint64(19)
	m := mountLocks{Spec: "server:/e", Dir: "/mnt", Locks: &mounttab.Locks{
		Local: "flock", HeldCount: 3, WaitCount: 1, Reclaimed: 4, Agent: true, CalledBack: true, Unmonitored: true, Recovering: true, State: 7,
		Peers: []mounttab.LockPeer{{Name: "server", Addr: "192.0.2.1", Statd: true}},
		Held:  []mounttab.Lock{{Path: "/dir/f\x1b[2J", Kind: "posix", Type: "exclusive", Start: 10, End: &end, PID: 12, Svid: 3}},
		Wait:  []mounttab.Lock{{FH: "0102", Kind: "ofd", Type: "shared"}},
		Lost:  []mounttab.Lock{{Path: "/gone", Kind: "posix", Type: "shared", PID: 9}},
	}}
	var b strings.Builder
	showLocks(&b, m)
	for _, want := range []string{
		"server:/e on /mnt\n", "local      flock\n", "heard by this daemon, for all of this host; the server calls\n",
		"monitored  no:", "server (192.0.2.1), watched by rpc.statd of this host, state 7\n", "may have restarted",
		"3 held, 1 waited for, 4 reclaimed, 1 lost\n", "10-19", "/dir/f?[2J", "handle 0102", "0-", "… and 2 more\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	rows := map[string]string{"held": "exclusive", "waits": "ofd", "lost": "/gone"}
	for _, line := range strings.Split(b.String(), "\n") {
		if f := strings.Fields(line); len(f) > 0 && rows[f[0]] != "" && strings.Contains(line, rows[f[0]]) {
			delete(rows, f[0])
		}
	}
	if len(rows) > 0 {
		t.Errorf("rows are missing: %v in\n%s", rows, b.String())
	}
}

func TestLocksOfAMountWithoutAServersLocks(t *testing.T) {
	var b strings.Builder
	showLocks(&b, mountLocks{Spec: "s:/e", Dir: "/m", Locks: &mounttab.Locks{Local: "all"}})
	if got, want := b.String(), "s:/e on /m\n  local      all\n  locks      0 held, 0 waited for, 0 reclaimed, 0 lost\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	b.Reset()
	showLocks(&b, mountLocks{Spec: "s:/e", Dir: "/m", Error: "it hung up"})
	if !strings.Contains(b.String(), "unknown: it hung up") {
		t.Error(b.String())
	}
}
