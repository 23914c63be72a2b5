package e2e

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mtu sets the MTU of loopback, which is the whole network here, until the test
// ends.
func mtu(t *testing.T, n string) {
	t.Helper()
	set := func(n string) {
		if out, err := exec.Command("ip", "link", "set", "lo", "mtu", n).CombinedOutput(); err != nil {
			t.Fatalf("ip link set lo mtu %s: %v\n%s", n, err, out)
		}
	}
	set(n)
	t.Cleanup(func() { set("65536") })
}

// fragments returns the lines of the kernel's counters of datagrams that were
// cut.
func fragments(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("nstat", "-a", "-z", "-s", "IpFragCreates", "Ip6FragCreates").CombinedOutput()
	if err != nil {
		t.Fatalf("nstat: %v\n%s", err, out)
	}
	return string(out)
}

// TestUDPMessagesFitAFrame mounts over routes of several MTUs, and makes one
// shorter under a mount.
func TestUDPMessagesFitAFrame(t *testing.T) {
	need(t)
	for _, c := range []struct{ name, mtu, options, want string }{
		{"loopback", "65536", "udp", "rsize=32768,wsize=32768"},
		{"jumbo frames", "9000", "udp", "rsize=8192,wsize=8192"},
		{"jumbo frames over IPv6", "9000", "proto=udp6", "rsize=8192,wsize=8192"},
		{"Ethernet", "1500", "udp", "rsize=1024,wsize=1024"},
		{"Ethernet over IPv6", "1500", "proto=udp6", "rsize=1024,wsize=1024"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mtu(t, c.mtu)
			m := w.mount(t, 0, "nfsserver:/rw", "nolock,"+c.options)
			status := w.run(t, 10*time.Second, 0, w.bin("gonfs"), "status", m.dir)
			if !strings.Contains(status.stdout, c.want) {
				t.Errorf("want %s in\n%s", c.want, status.stdout)
			}
			data := make([]byte, 1<<20+3)
			for i := range data {
				data[i] = byte(rand.Uint32())
			}
			file := filepath.Join(m.dir, "frames")
			write := func() {
				t.Helper()
				before := fragments(t)
				if err := os.WriteFile(file, data, 0o644); err != nil {
					t.Fatal(err)
				}
				if got, err := os.ReadFile(filepath.Join(w.backing, "rw", "frames")); err != nil || !bytes.Equal(got, data) {
					t.Fatalf("the server has %d bytes, %v; or other ones", len(got), err)
				}
				if after := fragments(t); after != before {
					t.Errorf("datagrams were cut: from\n%sto\n%s", before, after)
				}
			}
			write()
			if c.mtu != "1500" {
				mtu(t, "1500")
				data[0]++
				write() // as if a router on the way had shorter frames now
			}
			if err := os.Remove(file); err != nil {
				t.Error(err)
			}
			m.umount(t)
		})
	}
}

// TestFragmentsAreWarnedOf gives sizes that do not fit a frame.
func TestFragmentsAreWarnedOf(t *testing.T) {
	need(t)
	mtu(t, "1500")
	for _, c := range []struct {
		name, options string
		code          int
		want          string
	}{
		{"by default", "udp,rsize=32k,wsize=32k", 0, "pieces of two messages may be taken for one"},
		{"warn", "udp,wsize=8k,udpfrag=warn", 0, "or leave rsize and wsize out: rsize=1024,wsize=1024 fit a frame"},
		{"allow", "udp,rsize=32k,wsize=32k,udpfrag=allow", 0, ""},
		{"refuse", "udp,rsize=32k,wsize=32k,udpfrag=refuse", 32, "udpfrag=refuse: rsize=32768,wsize=32768 over UDP are cut into 23 and 23 fragments"},
		{"refuse what fits", "udp,udpfrag=refuse", 0, ""},
		{"IPv6 has IDs enough", "proto=udp6,rsize=32k,wsize=32k", 0, ""},
		{"but refuse is refuse", "proto=udp6,rsize=32k,udpfrag=refuse", 32, "udpfrag=refuse: "},
		{"TCP cuts nothing", "tcp,rsize=32k,udpfrag=refuse", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := w.mountPoint(t, 0)
			r := w.run(t, 30*time.Second, 0, w.bin("mount.gonfs"), "nfsserver:/rw", dir, "-o", "nolock,"+c.options)
			if r.code != c.code || !strings.Contains(r.stderr, c.want) || strings.Count(r.stderr, "\n") != min(1, len(c.want)) {
				t.Errorf("exit code %d, want %d; stderr %q, want %q", r.code, c.code, r.stderr, c.want)
			}
			if r.code != 0 {
				nothingLeft(t)
				return
			}
			if ls := w.run(t, 30*time.Second, 0, w.bin("gonfs"), "ls", "nfsserver:/rw", "-o", c.options); ls.code != 0 || !strings.Contains(ls.stderr, c.want) {
				t.Errorf("gonfs ls: exit code %d, stderr %q, want %q", ls.code, ls.stderr, c.want)
			}
			m := &mounted{dir, 0}
			data := bytes.Repeat([]byte("0123456789abcdef"), 16<<10)
			file := filepath.Join(dir, "fragments")
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Error(err)
			}
			if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, data) {
				t.Errorf("read back %d bytes, %v", len(got), err)
			}
			if err := os.Remove(file); err != nil {
				t.Error(err)
			}
			m.umount(t)
		})
	}
}
