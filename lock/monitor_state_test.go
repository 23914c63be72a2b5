package lock

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/gonfs/gonfs/nsm"
	"github.com/gonfs/gonfs/portmap"
)

var byAddr = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestWhatARestartOfTheHostMakesOfTheRecord(t *testing.T) {
	byStatd := Peer{Name: "old", Addr: netip.MustParseAddr("192.0.2.1"), Statd: true}
	for _, tt := range []struct {
		name    string
		was     bootRecord
		id      string
		want    bootRecord
		changed bool
	}{
		{"the first start on a host begins with 1", bootRecord{}, "a",
			bootRecord{BootID: "a", State: 1, Since: 99}, true},
		{"a second daemon changes nothing", bootRecord{BootID: "a", State: 3, Peers: []Peer{server}, Since: 5}, "a",
			bootRecord{BootID: "a", State: 3, Peers: []Peer{server}, Since: 5}, false},
		{"after a restart the state is the next odd number, and the peers are to be told", bootRecord{BootID: "a", State: 3, Peers: []Peer{server, filer}}, "b",
			bootRecord{BootID: "b", State: 5, Untold: []Peer{server, filer}, Since: 99}, true},
		{"peers of rpc.statd are told by rpc.statd", bootRecord{BootID: "a", State: 3, Peers: []Peer{server, byStatd}}, "b",
			bootRecord{BootID: "b", State: 5, Untold: []Peer{server}, Since: 99}, true},
		{"who was not told of the restart before is told of this one, once", bootRecord{BootID: "a", State: 3, Peers: []Peer{server}, Untold: []Peer{filer, server}}, "b",
			bootRecord{BootID: "b", State: 5, Untold: []Peer{filer, server}, Since: 99}, true},
		{"the largest state number is followed by the smallest", bootRecord{BootID: "a", State: 1<<31 - 1}, "b",
			bootRecord{BootID: "b", State: 1, Since: 99}, true},
		{"a system that does not name its boots has one only", bootRecord{BootID: "a", State: 3, Peers: []Peer{server}}, "",
			bootRecord{BootID: "a", State: 3, Peers: []Peer{server}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, changed := tt.was.rebooted(tt.id, 99)
			if fresh := got.Cookie != [nsm.PrivSize]byte{}; fresh != (tt.was.State == 0) {
				t.Errorf("cookie %x", got.Cookie)
			}
			got.Cookie = tt.want.Cookie
			if diff := cmp.Diff(tt.want, got, byAddr); diff != "" || changed != tt.changed {
				t.Errorf("changed %v, %s", changed, diff)
			}
		})
	}
}

func TestRecordSurvivesOnDisk(t *testing.T) {
	b := bootRecord{BootID: "a", State: 7, Cookie: [16]byte{1, 2}, Peers: []Peer{server}, Untold: []Peer{filer}, Since: 12, Name: filepath.Join(t.TempDir(), "nsm")}
	if err := b.save(); err != nil {
		t.Fatal(err)
	}
	got, err := loadBoot(filepath.Dir(b.Name))
	if diff := cmp.Diff(b, got, byAddr); diff != "" || err != nil {
		t.Errorf("%v, %s", err, diff)
	}
	st, err := os.Stat(b.Name)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: the cookie is a secret", st.Mode(), err)
	}
	if left, _ := filepath.Glob(b.Name + ".new*"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestADamagedRecordIsAnError(t *testing.T) {
	even, _ := msgpack.Marshal(&bootRecord{State: 4})
	whole, _ := msgpack.Marshal(&bootRecord{State: 5, Peers: []Peer{server}})
	for name, text := range map[string][]byte{"empty": {}, "text": []byte("state=5\n"), "an even state": even, "cut": whole[:len(whole)-9]} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "nsm"), text, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := newMonitor(t.Context(), MonitorConfig{Dir: dir}, thisHost(""))
			if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "nsm")+" is damaged") {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := newMonitor(t.Context(), MonitorConfig{Dir: "/proc/nowhere"}, thisHost("")); err == nil {
		t.Error("a directory that cannot be made is no error")
	}
}

// A host without a rpcbind never gets to undo the registrations of dead daemons;
// the files of those that have none must not pile up for that.
func TestADaemonThatDiedWithoutARegistrationLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	regs, _ := msgpack.Marshal(&daemonRecord{Regs: []portmap.Rpcb{{Prog: nsm.Program, Vers: nsm.Version, Netid: portmap.NetidUDP}}})
	none, _ := msgpack.Marshal(&daemonRecord{})
	for name, text := range map[string][]byte{"nsm-1-0": none, "nsm-1-1": {}, "nsm-2-0": regs} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	living, err := openHost(dir, "boot")
	if err != nil {
		t.Fatal(err)
	}
	defer living.close()
	h, err := openHost(dir, "boot")
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	left, _ := filepath.Glob(filepath.Join(dir, "nsm-*"))
	want := []string{living.own.Name(), h.own.Name(), filepath.Join(dir, "nsm-2-0")}
	slices.Sort(left)
	slices.Sort(want)
	if diff := cmp.Diff(want, left); diff != "" {
		t.Error(diff)
	}
}
