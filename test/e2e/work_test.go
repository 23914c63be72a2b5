package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestWork does people's work on mounts of every kind.
func TestWork(t *testing.T) {
	need(t)
	for _, c := range []struct {
		name    string
		uid     int
		spec    string
		options string
		share   string // of calls that may be sent twice: over UDP, all that wait when the server does for a moment
		full    bool   // all the work, or the short form
	}{
		{"root over TCP", 0, "nfsserver:/rw", "proto=tcp,vers=3", "0", true},
		{"root over UDP", 0, "127.0.0.1:/rw", "proto=udp,nolock", "5%", true},
		{"an ordinary user over TCP", nobody, "127.0.0.1:/rw", "proto=tcp", "0", true},
		{"root over TCP and IPv6", 0, "[fd99::2]:/rw", "proto=tcp6", "0", false},
		{"root over UDP and IPv6", 0, "[::1]:/rw", "proto=udp6", "5%", false},
		{"an ordinary user over UDP and IPv6", nobody, "[::1]:/rw", "proto=udp6", "5%", false},
		{"root over TCP in blocks of 8 KiB", 0, "127.0.0.1:/small", "rsize=8192,wsize=8192", "0", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			export := c.spec[strings.LastIndex(c.spec, "/"):]
			files, entries := "100", "1000"
			if c.full {
				files, entries = "1000", "10000"
			}
			stop := startCapture(t)
			m := w.mount(t, c.uid, c.spec, c.options)
			w.check(t, c.uid, "git.sh", m.dir, files)
			m.umount(t)
			capture := stop()
			rpc := []string{capture, "retransmissions=" + c.share}
			if c.uid == 0 {
				rpc = append(rpc, "reserved=yes")
			}
			w.check(t, 0, "rpc.sh", rpc...)

			many(t, export, entries)
			m = w.mount(t, c.uid, c.spec, c.options)
			w.check(t, c.uid, "list.sh", m.dir, entries)
			if c.full {
				w.check(t, c.uid, "tar.sh", m.dir, filepath.Join(w.dir, "net"), filepath.Join(w.backing, export))
				w.check(t, c.uid, "fio.sh", m.dir)
			}
			m.umount(t)
		})
	}
}

// many makes a directory of empty files at the server, by its own means, and
// removes it when the test ends.
func many(t *testing.T, export, entries string) {
	t.Helper()
	dir := filepath.Join(w.backing, export, "many")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	n, err := strconv.Atoi(entries)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-c", `seq -f 'entry-%06.0f' `+strconv.Itoa(n)+` | xargs touch`)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("touch: %v\n%s", err, out)
	}
}

// TestListOfTenThousandMadeThroughTheMount makes the entries as a client, too.
func TestListOfTenThousandMadeThroughTheMount(t *testing.T) {
	need(t)
	m := w.mount(t, 0, "nfsserver:/rw", "proto=tcp")
	w.check(t, 0, "list.sh", m.dir, "10000")
	m.umount(t)
}
