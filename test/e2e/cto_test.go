package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestCloseToOpen changes files through one of two mounts of an export and,
// right after the close, opens them by name through the other, which has seen
// them before: it must find what was closed. Both have the default options, and
// take turns.
func TestCloseToOpen(t *testing.T) {
	need(t)
	rounds := 300
	if os.Getenv("GONFS_SOAK") != "" {
		rounds = 20_000
	}
	a := w.mount(t, 0, "nfsserver:/rw", "proto=tcp")
	b := w.mount(t, 0, "nfsserver:/rw", "proto=tcp")
	const dir = "close-to-open"
	if err := os.Mkdir(filepath.Join(a.dir, dir), 0o755); err != nil {
		t.Fatal(err)
	}
	c := &closeToOpen{
		t: t, rnd: rand.New(rand.NewPCG(1, 2)), files: map[string]string{},
		sides: []string{filepath.Join(a.dir, dir), filepath.Join(b.dir, dir)},
		lock:  filepath.Join(w.dir, "close-to-open.lock"),
	}
	for round := range rounds {
		c.round(round)
	}
	if c.violations > 0 {
		t.Errorf("%d of %d rounds found something else than what had been closed", c.violations, rounds)
	}
	if err := os.RemoveAll(c.sides[0]); err != nil {
		t.Error(err)
	}
	for _, m := range []*mounted{a, b} {
		if r := w.run(t, limit, m.uid, w.bin("umount.gonfs"), m.dir); r.code != 0 {
			t.Errorf("umount.gonfs %s: exit code %d\n%s", m.dir, r.code, r.stderr)
		}
	}
	nothingLeft(t)
}

// limit is for one command.
const limit = 30 * time.Second

// closeToOpen are two views of a directory, and what must be in it.
type closeToOpen struct {
	t          *testing.T
	rnd        *rand.Rand
	sides      []string
	lock       string            // a local file, for appending under a lock
	files      map[string]string // name to content
	violations int
}

// changes are what is done to a file of a name, through dir; each returns what
// names must hold afterwards, those that must be gone being "".
func (c *closeToOpen) change(kind int, dir, name string) map[string]string {
	path, old := filepath.Join(dir, name), c.files[name]
	fresh := fmt.Sprintf("%x", c.rnd.Uint64())
	switch kind {
	case 0: // a new file, or one written from its start
		c.must(os.WriteFile(path, []byte(fresh), 0o644))
		return map[string]string{name: fresh}
	case 1: // appended to, as whoever has the lock
		return map[string]string{name: old + c.appendLocked(path, fresh)}
	case 2: // cut
		cut := old[:len(old)/2]
		c.must(os.Truncate(path, int64(len(cut))))
		if cut == "" {
			c.must(os.WriteFile(path, []byte(fresh), 0o644))
			cut = fresh
		}
		return map[string]string{name: cut}
	case 3: // overwritten, its size being the same
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		c.must(err)
		same := make([]byte, len(old))
		for i := range same {
			same[i] = byte('a' + c.rnd.IntN(26))
		}
		_, err = f.Write(same)
		c.must(errors.Join(err, f.Close()))
		return map[string]string{name: string(same)}
	case 4: // renamed, perhaps over another
		to := c.name()
		if to == name {
			to += "+"
		}
		c.must(os.Rename(path, filepath.Join(dir, to)))
		return map[string]string{name: "", to: old}
	default: // removed
		c.must(os.Remove(path))
		return map[string]string{name: ""}
	}
}

func (c *closeToOpen) appendLocked(path, text string) string {
	lock, err := os.OpenFile(c.lock, os.O_RDWR|os.O_CREATE, 0o600)
	c.must(err)
	defer lock.Close()
	c.must(syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	c.must(err)
	_, err = f.WriteString(text)
	c.must(errors.Join(err, f.Close()))
	return text
}

func (c *closeToOpen) round(n int) {
	actor, other := c.sides[n%2], c.sides[1-n%2]
	name := c.name()
	c.look(n, "before", other, map[string]string{name: c.files[name]}) // what it has seen it may have cached
	kind := c.rnd.IntN(6)
	if c.files[name] == "" {
		kind = 0
	}
	want := c.change(kind, actor, name)
	for name, text := range want {
		if c.files[name] = text; text == "" {
			delete(c.files, name)
		}
	}
	c.look(n, fmt.Sprint("after change ", kind), other, want)
}

// look opens files by name through dir, and counts what is not as it must be.
func (c *closeToOpen) look(round int, when, dir string, want map[string]string) {
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if text == "" && errors.Is(err, fs.ErrNotExist) || text != "" && err == nil && string(got) == text {
			continue
		}
		c.violations++
		c.t.Logf("round %d, %s: %s has %q, %v; it must have %q", round, when, name, got, err, text)
	}
}

// name returns one of a few names.
func (c *closeToOpen) name() string { return fmt.Sprint("file", c.rnd.IntN(12)) }

func (c *closeToOpen) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}
