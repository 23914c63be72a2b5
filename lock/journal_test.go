package lock

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfstest"
)

var someHeader = header{Version: journalVersion, Boot: "boot", Machine: "client", OH: []byte("gonfs-boot-1"), Server: "server", Host: "192.0.2.1", Netid: "tcp"}

// noteSome fills a journal: a of 1, a of 2 and b of 1, of which the second is
// struck out.
func noteSome(j *journal) {
	j.note(fileA, 1)
	j.note(fileA, 2)
	j.note(fileA, 1)
	j.drop(fileA, 2)
	j.drop(fileB, 9)
	j.note(fileB, 1)
}

// A daemon may die at any moment: of what it has written, any part may be
// there. What was whole counts, and nothing else.
func TestAJournalIsGoodUpToWhereItsDaemonDied(t *testing.T) {
	dir := t.TempDir()
	j := newJournal(dir, someHeader, slog.New(slog.DiscardHandler))
	if names := journalsIn(dir); len(names) != 0 {
		t.Errorf("without a lock there is %v", names)
	}
	noteSome(j)
	whole, err := os.ReadFile(j.path)
	if err != nil {
		t.Fatal(err)
	}
	if f := takeJournal(j.path); f != nil {
		t.Error("the journal of a living daemon can be taken")
	}
	if h, live, ok := readJournal(whole); !ok || len(live) != 2 || !live[noted{fileA, 1}] || !live[noted{fileB, 1}] || h.Host != "192.0.2.1" {
		t.Errorf("read %+v, %v, %v", h, live, ok)
	}
	// 2: the second lock was asked for, and given back.
	steps := map[int]bool{}
	for n := range whole {
		_, live, ok := readJournal(whole[:n])
		if ok {
			steps[len(live)] = true
		}
		if ok && n > 0 && len(live) > 2 {
			t.Errorf("%d bytes: %v", n, live)
		}
	}
	if !steps[0] || !steps[1] || !steps[2] {
		t.Errorf("numbers of locks on the way: %v", steps)
	}
	if err := j.file.Close(); err != nil { // it dies
		t.Fatal(err)
	}
	f := takeJournal(j.path)
	if f == nil {
		t.Fatal("the journal of a dead daemon cannot be taken")
	}
	if takeJournal(j.path) != nil {
		t.Error("two take it")
	}
	f.Close()
}

func TestAJournalDoesNotGrowForEver(t *testing.T) {
	j := newJournal(t.TempDir(), someHeader, slog.New(slog.DiscardHandler))
	j.note(fileB, 1)
	for n := range int32(20000) {
		j.note(fileA, n)
		j.drop(fileA, n)
	}
	st, err := os.Stat(j.path)
	if err != nil || st.Size() > 2*compactAt {
		t.Errorf("%d bytes, %v", st.Size(), err)
	}
	b, _ := os.ReadFile(j.path)
	if _, live, ok := readJournal(b); !ok || len(live) != 1 {
		t.Errorf("left: %v, %v", live, ok)
	}
	if takeJournal(j.path) != nil {
		t.Error("a journal that was rewritten can be taken")
	}
	j.close(true)
	if _, err := os.Stat(j.path); err == nil {
		t.Error("after a clean end it is still there")
	}
	j.note(fileA, 1) // after the end nothing is written
}

func TestWhatIsNoJournalIsLeftAlone(t *testing.T) {
	frames := func(vs ...any) (b []byte) {
		for _, v := range vs {
			f, err := frame(v)
			if err != nil {
				t.Fatal(err)
			}
			b = append(b, f...)
		}
		return b
	}
	old := someHeader
	old.Version = 99
	long := someHeader
	long.OH = make([]byte, 200)
	for name, b := range map[string][]byte{
		"nothing": nil, "zeros": make([]byte, 100), "another version": frames(old), "an owner that is not ours": frames(long),
		"an endless header": {0xff, 0xff, 0xff, 0xff, 1, 2, 3}, "text": []byte("hello, world, this is text"),
	} {
		if _, live, ok := readJournal(b); ok {
			t.Errorf("%s is read as %v", name, live)
		}
	}
	_, live, ok := readJournal(frames(someHeader, entry{FH: bytes.Repeat([]byte{1}, 65), Svid: 1}, entry{FH: []byte("x"), Svid: 2}))
	if !ok || len(live) != 1 {
		t.Errorf("a handle of 65 bytes: %v, %v", live, ok)
	}
}

// A daemon is killed: a sibling that lives, or one that starts, gives back what
// it held, within the time that is promised, and nothing of others.
func TestLocksOfADeadDaemonAreGivenBack(t *testing.T) {
	for _, sibling := range []bool{true, false} {
		t.Run(fmt.Sprint("by a living sibling: ", sibling), func(t *testing.T) {
			dir := t.TempDir()
			inBubble(t, nfstest.Options{Callback: nfstest.CallNobody}, func(t *testing.T, r *rig) {
				state := func(c *Config) { c.StateDir, c.Rpcbind = dir, filepath.Join(dir, "none") }
				victim, other := r.crashable(state), r.crashable(state)
				take(t, victim, r.a, lk(ann, Exclusive, 0, 9))
				take(t, victim, r.b, lk(bob, Shared, 5, EOF))
				take(t, other, r.b, lk(bob, Shared, 5, EOF))
				r.wantLocks("before the crash", "a:x0-9 b:s5- b:s5-")
				if !sibling {
					other.crash() // to live again: its own locks must go, too
				}
				victim.crash()
				want := "b:s5-"
				if !sibling {
					want = ""
					other = r.crashable(state)
					other.Start()
				}
				defer other.Close(t.Context())
				time.Sleep(heirEvery + time.Second)
				r.wantLocks("soon", want)
				if sibling {
					if names := journalsIn(dir); len(names) != 1 {
						t.Errorf("journals that are left: %v", names)
					}
				}
			})
		})
	}
}

func TestJournalsOfAnotherNetworkAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	inBubble(t, nfstest.Options{}, func(t *testing.T, r *rig) {
		for _, tt := range []struct {
			name string
			h    func(*header)
			left bool
		}{
			{"of this boot and network", func(*header) {}, false},
			{"of another network", func(h *header) { h.Network = "net:[1]" }, true},
			{"of another network of an earlier boot", func(h *header) { h.Network, h.Boot = "net:[1]", "other" }, false},
		} {
			e := r.engine(func(c *Config) { c.StateDir, c.Rpcbind = dir, filepath.Join(dir, "none") })
			h := e.header()
			h.OH = []byte("gonfs-dead")
			tt.h(&h)
			j := newJournal(dir, h, e.log)
			j.note(r.a, 7)
			j.file.Close()
			e.Start()
			time.Sleep(heirEvery)
			synctest.Wait()
			if _, err := os.Stat(j.path); (err == nil) != tt.left {
				t.Errorf("%s: left is %v, want %v", tt.name, err == nil, tt.left)
			}
			_ = os.Remove(j.path)
		}
	})
}

// FuzzJournal reads what the fuzzer makes as a journal. Whatever is read must
// be read again from what would be written of it.
func FuzzJournal(f *testing.F) {
	head, err := frame(someHeader)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(head)
	for _, e := range []entry{{FH: []byte("x"), Svid: 2}, {FH: []byte("x"), Svid: 2, Gone: true}} {
		b, err := frame(e)
		if err != nil {
			f.Fatal(err)
		}
		head = append(head[:len(head):len(head)], b...)
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, live, ok := readJournal(b)
		if !ok {
			return
		}
		again, err := frame(h)
		for n := range live {
			e, ferr := frame(entry{FH: n.fh.Bytes(), Svid: n.svid})
			if again = append(again, e...); ferr != nil {
				err = ferr
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, live2, ok := readJournal(again); !ok || len(live2) != len(live) {
			t.Fatalf("%d locks became %d, %v", len(live), len(live2), ok)
		}
	})
}
