package main

import (
	"strings"
	"testing"

	"github.com/gonfs/gonfs/mounttab"
)

func TestStatusTellsWhatIsKeptInMemory(t *testing.T) {
	m := mountStatus{Record: mounttab.Record{Spec: "server:/e", Dir: "/mnt"}, Status: &mounttab.Status{
		Server: "192.0.2.1", State: mounttab.OK, DirtyBytes: 3 << 20, DirtyLimit: 64 << 20,
		Memory: mounttab.Memory{Inodes: 20, InodesKept: 12, InodesLimit: 16384, Names: 7, NamesLimit: 131072, Listed: 100, ListedLimit: 8388608,
			ReadAheadFiles: 2, ReadAheadBytes: 5 << 20, ReadAheadLimit: 64 << 20},
	}}
	var b strings.Builder
	show(&b, m)
	for _, want := range []string{
		"  unsaved    3.0M of at most 64M\n",
		"  cached     20 inode(s), of which 12 are not in use (at most 16384), 7 name(s) (at most 131072)\n",
		"  listed     100 entries of open directories (at most 8388608)\n",
		"  ahead      5.0M of at most 64M read ahead, of 2 file(s)\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	b.Reset()
	m.Status.Memory = mounttab.Memory{}
	show(&b, m)
	if strings.Contains(b.String(), "cached") {
		t.Errorf("a daemon that tells nothing:\n%s", b.String())
	}
}
