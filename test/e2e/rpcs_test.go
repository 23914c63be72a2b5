package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gonfs/gonfs/mounttab"
)

// rpcsEnv names a file to which TestNoWorkNeedsMoreCallsThanLinux writes what
// it counted, for docs/benchmarks.md.
const rpcsEnv = "GONFS_E2E_RPCS"

// counted is a line of that file.
type counted struct {
	Work  string `json:"work"`
	Linux int    `json:"linux"`
	Ours  int    `json:"ours"`
	Calls string `json:"calls"` // by procedure
}

// TestNoWorkNeedsMoreCallsThanLinux counts the calls that common work makes of
// the server, as gonfs status tells them, and compares with what the Linux
// client made of the same work: kernel 6.1, vers=3, rsize and wsize 1 MiB,
// default options, noacl.
func TestNoWorkNeedsMoreCallsThanLinux(t *testing.T) {
	need(t)
	const files = 1000
	made := func(n, size int) func(*testing.T, string) {
		return func(t *testing.T, dir string) { fillDir(t, dir, n, size) }
	}
	var all []counted
	for _, c := range []struct {
		name    string
		in      string                         // directory of the server that is there; "" makes one
		prepare func(t *testing.T, dir string) // dir is the server's own
		warm    func(t *testing.T, dir string) // on the mount, before it is counted; nil for none
		work    func(t *testing.T, dir string) // on the mount
		linux   int
		again   int                       // the same work once more; 0: not done
		tries   int                       // of which the best one counts: the kernel's threads hand over reads in any order; 0 is 1
		late    func(d time.Duration) int // how many calls more it may be when the work took d; nil: none
		never   []string                  // procedures that must not be called at all
	}{
		{name: "ls -l of 1,000 files", prepare: made(files, 0), work: shell("ls -l"), linux: 8, again: 1},
		{name: "cat of 10 MiB", prepare: made(1, 10<<20), work: shell("cat f0"), linux: 15, again: 1, tries: 3},
		{name: "100 × create, 4 KiB, close", work: createFiles, linux: 300, never: []string{"COMMIT"}},
		{name: "100 × open, read, close of own cached data", warm: func(t *testing.T, dir string) { createFiles(t, dir); readFiles(t, dir) }, work: readFiles, linux: 200},
		// That a name is missing is believed of directories that have been as they
		// are for a minute (acdirmax).
		{name: "git status of 100 files in 10 folders", in: repository, prepare: func(t *testing.T, _ string) {
			time.Sleep(time.Until(w.made.Add(62 * time.Second)))
			somebodyWorks(t)
		}, work: shell("git status"), linux: 222, again: 32},
		{name: "rm -rf of 1,000 files", prepare: made(files, 0), work: shell("cd .. && rm -rf \"$OLDPWD\""), linux: 1011},
		{name: "write 10 MiB, close", work: shell("head -c 10M /dev/zero >new$$"), linux: 13, late: aged},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := cmp.Or(c.in, fmt.Sprintf("rpcs%d", len(all)))
			server := filepath.Join(w.backing, "rw", name)
			if err := os.Mkdir(server, 0o777); err != nil && c.in == "" {
				t.Fatal(err)
			}
			if c.prepare != nil {
				c.prepare(t, server)
			}
			var first, again tally
			limit := c.linux
			for try := 0; try == 0 || try < c.tries && first.sum() > limit; try++ {
				m := w.mount(t, 0, "nfsserver:/rw", "nolock,noacl")
				dir := filepath.Join(m.dir, name)
				if c.warm != nil {
					c.warm(t, dir)
				}
				if _, err := os.Stat(dir); err != nil { // where it works is known
					t.Fatal(err)
				}
				first = m.count(t, func() {
					began := time.Now()
					c.work(t, dir)
					if c.late != nil {
						limit = c.linux + c.late(time.Since(began))
					}
				})
				if c.again > 0 {
					again = m.count(t, func() { c.work(t, dir) })
				}
				m.umount(t)
			}
			all = append(all, check(t, c.name, first, c.linux, limit))
			if c.again > 0 {
				all = append(all, check(t, c.name+", again", again, c.again, c.again))
			}
			for _, proc := range c.never {
				if first[proc] > 0 {
					t.Errorf("%d calls of %s", first[proc], proc)
				}
			}
			if err := os.RemoveAll(server); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("mount", func(t *testing.T) {
		stop := startCapture(t)
		m := w.mount(t, 0, "nfsserver:/rw", "nolock,noacl")
		capture := stop()
		m.umount(t)
		calls := capturedCalls(t, capture)
		for _, program := range []string{"100000", "100003", "100005"} {
			if calls[program] == 0 {
				t.Errorf("no calls of program %s in the capture: %s", program, calls)
			}
		}
		all = append(all, check(t, "mount", calls, 14, 14))
		const connections = 7
		if n := len(w.tshark(t, capture, "tcp.flags.syn == 1 && tcp.flags.ack == 0", "tcp.stream")); n > connections {
			t.Errorf("%d TCP connections, the Linux client makes %d", n, connections)
		}
	})
	if file := os.Getenv(rpcsEnv); file != "" {
		text, err := json.MarshalIndent(all, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// aged is how many calls write-behind makes because of the time that passes: it
// does not wait for the rest of a block for more than a second, nor with a
// COMMIT for more than five. A machine that is busy is that slow at times.
func aged(d time.Duration) int { return int(d/time.Second) + int(d/(5*time.Second)) }

// check compares calls with those of the Linux client; limit is how many there
// may be.
func check(t *testing.T, work string, got tally, linux, limit int) counted {
	t.Helper()
	t.Logf("%s: %d calls, Linux %d: %s", work, got.sum(), linux, got)
	if got.sum() > limit {
		t.Errorf("%s: %d calls, the Linux client makes %d: %s", work, got.sum(), linux, got)
	}
	return counted{work, linux, got.sum(), got.String()}
}

// count returns the calls that work makes.
func (m *mounted) count(t *testing.T, work func()) tally {
	t.Helper()
	before := m.calls(t)
	work()
	return m.calls(t).minus(before)
}

// capturedCalls counts the calls in a capture, by program.
func capturedCalls(t *testing.T, capture string) tally {
	t.Helper()
	calls := tally{}
	for _, program := range w.tshark(t, capture, "rpc.msgtyp == 0", "rpc.program") {
		calls[program]++
	}
	return calls
}

// tshark returns a field of the packets that filter lets pass. An RPC message is
// known by its looks: by its port a connection from 993 would be TLS. XIDs are
// random, and now and then one makes a datagram look like RTCP.
func (v *world) tshark(t *testing.T, capture, filter, field string) []string {
	t.Helper()
	r := v.run(t, time.Minute, 0, "tshark", "-r", capture, "-Y", filter, "-T", "fields", "-e", field,
		"--disable-heuristic", "rtcp_udp", "-o", "tcp.try_heuristic_first:TRUE", "-o", "udp.try_heuristic_first:TRUE")
	if r.code != 0 {
		t.Fatalf("tshark: exit code %d\n%s", r.code, r.stderr)
	}
	return strings.Fields(strings.ReplaceAll(r.stdout, ",", " "))
}

// tally is a number of calls for each procedure.
type tally map[string]int

func (a tally) minus(b tally) tally {
	out := tally{}
	for proc, n := range a {
		if n != b[proc] {
			out[proc] = n - b[proc]
		}
	}
	return out
}

func (a tally) sum() (n int) {
	for _, calls := range a {
		n += calls
	}
	return n
}

// String lists the procedures in the order of fmt's maps, which is sorted.
func (a tally) String() string {
	return strings.Trim(strings.TrimPrefix(fmt.Sprint(map[string]int(a)), "map"), "[]")
}

// calls asks the mount what it has called so far, once it has been quiet for a
// moment: what a program leaves behind (a RELEASE, a COMMIT) comes after it.
func (m *mounted) calls(t *testing.T) tally {
	t.Helper()
	last := tally{}
	for range 50 {
		time.Sleep(100 * time.Millisecond)
		now := m.callsNow(t)
		if now.sum() == last.sum() {
			return now
		}
		last = now
	}
	t.Fatalf("the mount does not come to rest: %s", last)
	return nil
}

func (m *mounted) callsNow(t *testing.T) tally {
	t.Helper()
	r := w.run(t, 10*time.Second, m.uid, w.bin("gonfs"), "status", "--json", m.dir)
	var mounts []struct{ Status *mounttab.Status }
	if err := json.Unmarshal([]byte(r.stdout), &mounts); err != nil || len(mounts) != 1 || mounts[0].Status == nil {
		t.Fatalf("gonfs status: exit code %d: %s%s (%v)", r.code, r.stdout, r.stderr, err)
	}
	calls := tally{}
	for _, p := range mounts[0].Status.Procs {
		calls[p.Name] = int(p.Transmissions)
	}
	return calls
}

// somebodyWorks changes the root of the export, by whose ctime the client learns
// what time it is at the server.
func somebodyWorks(t *testing.T) {
	t.Helper()
	file := filepath.Join(w.backing, "rw", "somebody")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// shell returns work that a shell does in the directory.
func shell(script string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		cmd := exec.CommandContext(within(t, time.Minute), "sh", "-ec", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+w.home(0), "GIT_CONFIG_NOSYSTEM=1", "GIT_OPTIONAL_LOCKS=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%.1000s", script, err, out)
		}
	}
}

// fillDir makes n files of size bytes.
func fillDir(t *testing.T, dir string, n, size int) {
	t.Helper()
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%d", i)), make([]byte, size), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func createFiles(t *testing.T, dir string) { fillDir(t, dir, 100, 4096) }

func readFiles(t *testing.T, dir string) {
	t.Helper()
	for i := range 100 {
		b, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("f%d", i)))
		if err != nil || len(b) != 4096 {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
	}
}
