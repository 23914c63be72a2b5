package lock

import (
	"net/netip"
	"os"
	"strings"
	"testing"
)

func TestWhoElseMayHoldLocks(t *testing.T) {
	peer := netip.MustParseAddr("192.0.2.9")
	unix := func(name string) string {
		return "Num       RefCount Protocol Flags    Type St Inode Path\n" +
			"0000000000000000: 00000002 00000000 00010000 0001 01 17 /run/x\n" +
			"0000000000000000: 00000003 00000000 00000000 0001 03 18\n" +
			"0000000000000000: 00000002 00000000 00010000 0001 01 19 " + name + "\n"
	}
	for _, tt := range []struct {
		name, file, want string
		find             func(text string) string
	}{
		{"another gonfs", unix("@gonfs-nsm/192.0.2.9/17"), `gonfs, process "17"`, nil},
		{"this process", unix("@gonfs-nsm/192.0.2.9/42"), "", nil},
		{"another server", unix("@gonfs-nsm/192.0.2.99/17"), "", nil},
		{"a longer name than any process has", unix("@gonfs-nsm/192.0.2.9/" + strings.Repeat("1", 60)), `gonfs, process "11111111111111111111"`, nil},
		{"the kernel's client", "srv:/x /mnt/a nfs rw,vers=3,addr=192.0.2.9,proto=tcp 0 0\n", "the kernel, mounted at /mnt/a", nil},
		{"the kernel's client elsewhere", "srv:/x /mnt/a nfs rw,vers=3,addr=192.0.2.99 0 0\n", "", nil},
		{"version 4 has no NLM", "srv:/x /mnt/a nfs4 rw,addr=192.0.2.9 0 0\n", "", nil},
		{"a mount of ours", "srv:/x /mnt/a fuse.gonfs rw,addr=192.0.2.9 0 0\n", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := flagged(strings.NewReader(tt.file), peer, 42) + kernelMount(strings.NewReader(tt.file), peer)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAFlagIsSeenByOthersAndGoesDown(t *testing.T) {
	peer := netip.MustParseAddr("192.0.2.201")
	down := showFlag(peer, os.Getpid())
	if who := rivals(peer, os.Getpid()); who != "" {
		t.Errorf("our own flag is %s", who)
	}
	if who := rivals(peer, 1); who == "" {
		t.Error("another process does not see our flag")
	}
	down()
	if who := rivals(peer, 1); who != "" {
		t.Errorf("after it was taken down: %s", who)
	}
}
