package nfstest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
)

func do(a ...nfstest.Action) nfstest.Fault { return nfstest.Fault{Do: a} }

// TestAHardClientGetsOverFaults makes one CREATE of a file that must not exist
// meet each fault. The client's retransmission must succeed, with the
// duplicate-request cache's help: executed twice the call would fail.
func TestAHardClientGetsOverFaults(t *testing.T) {
	faults := map[string]nfstest.Fault{
		"the call is lost":                      do(nfstest.DropCall()),
		"three calls are lost":                  {Times: 3, Do: []nfstest.Action{nfstest.DropCall()}},
		"the reply is lost":                     do(nfstest.DropReply()),
		"the call is late":                      do(nfstest.DelayCall(20 * time.Second)),
		"the reply is late":                     do(nfstest.Delay(20 * time.Second)),
		"the call is doubled":                   do(nfstest.DuplicateCall(1)),
		"the reply is doubled":                  do(nfstest.Duplicate(2)),
		"the reply is held back":                do(nfstest.Reorder(time.Minute)),
		"the reply waits for others":            do(nfstest.Gather(2, time.Minute)),
		"the connection is dead":                do(nfstest.HalfOpen()),
		"the reply comes in pieces":             do(nfstest.Fragments(5)),
		"the reply is cut":                      do(nfstest.DropReply(), nfstest.Truncate(2)),
		"the reply is for another call":         do(nfstest.Message(func(b []byte) []byte { b[0] ^= 0x80; return b })),
		"the reset comes before the reply":      do(nfstest.ResetAt(0)),
		"the reset comes in the record mark":    do(nfstest.ResetAt(3)),
		"the reset comes in the reply's head":   do(nfstest.ResetAt(9)),
		"the reset comes in the results":        do(nfstest.ResetAt(100)),
		"the FIN comes before the reply":        do(nfstest.FinAt(0)),
		"the FIN comes in the reply":            do(nfstest.FinAt(50)),
		"several things happen one after other": {Times: 4, Do: []nfstest.Action{nfstest.ResetAt(7)}},
	}
	for _, how := range []string{"mem-tcp", "mem-udp"} {
		for name, f := range faults {
			if how == "mem-udp" && f.Do[0].String() == "HalfOpen" {
				continue // its port will not live again
			}
			t.Run(how+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := nfstest.NewFor(t, nfstest.Options{})
					c := connect(t, s, how)
					must(t, c.Null(c.ctx))
					f.Procs = []uint32{nfs3.ProcCreate}
					s.Fault(f)
					var r nfs3.CreateReply
					err := c.Create(t.Context(), c.cred, &nfs3.CreateArgs{
						Where: nfs3.DirOpArgs{Dir: c.root, Name: "f"}, How: nfs3.CreateHow{Mode: nfs3.Guarded},
					}, &r)
					if err != nil {
						t.Error(err)
					}
					if _, err := s.Stat("f"); err != nil {
						t.Error(err)
					}
					if !strings.Contains(strings.Join(s.Log(), "\n"), f.Do[0].String()) {
						t.Error("the log does not tell of the fault")
					}
				})
			})
		}
	}
}

// The client's second copy of a WRITE is executed first, and then a newer WRITE.
func TestALateCopyOfAWriteDoesNotUndoANewerOne(t *testing.T) {
	for how, noDRC := range map[string]bool{"with a duplicate-request cache": false, "without one it does": true} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{NoDRC: noDRC, Allow: []nfstest.Kind{nfstest.Overlap}})
				must(t, s.WriteFile("f", nil, 0o644))
				f, err := s.Handle("f")
				must(t, err)
				c := connect(t, s, "mem-tcp")
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcWrite}, Do: []nfstest.Action{nfstest.DelayCall(20 * time.Second)}})
				for _, p := range []string{"old", "new"} {
					var r nfs3.WriteReply
					must(t, c.Write(t.Context(), c.cred, &nfs3.WriteArgs{File: f, Count: 3, Stable: nfs3.FileSync, Data: []byte(p)}, &r))
				}
				time.Sleep(time.Minute)
				want := map[bool]string{false: "new", true: "old"}[noDRC]
				if got, err := s.ReadFile("f"); err != nil || string(got) != want {
					t.Errorf("the file holds %q, %v, want %q", got, err, want)
				}
			})
		})
	}
}

func TestWithoutADuplicateRequestCacheACallIsExecutedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{NoDRC: true})
		c := connect(t, s, "mem-tcp")
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcMkdir}, Do: []nfstest.Action{nfstest.DropReply()}})
		var r nfs3.MkdirReply
		err := c.Mkdir(t.Context(), c.cred, &nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Dir: c.root, Name: "d"}}, &r)
		if !errors.Is(err, nfs3.ErrExist) {
			t.Errorf("the second MKDIR: %v", err)
		}
		if n := s.Counts()["MKDIR"]; n != 2 {
			t.Errorf("MKDIR was called %d times", n)
		}
	})
}

// TestTheReplyIsWhatTheFaultMadeOfIt looks at the bytes that arrive.
func TestTheReplyIsWhatTheFaultMadeOfIt(t *testing.T) {
	ok := make([]byte, 24) // the reply to NULL
	binary.BigEndian.PutUint32(ok, 101)
	ok[7] = 1
	rec := append([]byte{0x80, 0, 0, 24}, ok...)
	tests := map[string]struct {
		do   nfstest.Action
		want []byte
		err  error
	}{
		"as it is":              {nfstest.Delay(0), rec, io.EOF},
		"doubled":               {nfstest.Duplicate(1), slices.Concat(rec, rec), io.EOF},
		"truncated":             {nfstest.Truncate(3), []byte{0x80, 0, 0, 3, 0, 0, 0}, io.EOF},
		"made of nothing":       {nfstest.Truncate(0), []byte{0x80, 0, 0, 0}, io.EOF},
		"raw":                   {nfstest.Raw([]byte("hello")), []byte("\x80\x00\x00\x05hello"), io.EOF},
		"without a record mark": {nfstest.Record(func(r []byte) []byte { return r[4:8] }), ok[:4], io.EOF},
		"in fragments":          {nfstest.Fragments(16), slices.Concat([]byte{0, 0, 0, 16}, ok[:16], []byte{0x80, 0, 0, 8}, ok[16:]), io.EOF},
		"reset at 0":            {nfstest.ResetAt(0), nil, syscall.ECONNRESET},
		"reset at 6":            {nfstest.ResetAt(6), rec[:6], syscall.ECONNRESET},
		"reset behind it":       {nfstest.ResetAt(1000), rec, syscall.ECONNRESET},
		"ended at 5":            {nfstest.FinAt(5), rec[:5], io.EOF},
		"PROC_UNAVAIL":          {nfstest.Accept(rpc.ProcUnavail), slices.Concat(rec[:27], []byte{3}), io.EOF},
		"denied":                {nfstest.Deny(2), []byte{0x80, 0, 0, 20, 0, 0, 0, 101, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2}, io.EOF},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				c := dialRaw(t, s, "tcp")
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcNull}, Do: []nfstest.Action{tt.do}})
				c.send(c.nfs(nfs3.ProcNull, nil))
				synctest.Wait()
				if tt.err == io.EOF && name != "ended at 5" {
					// Nothing more will come: tell it by ending our side.
					must(t, c.Conn.(interface{ CloseWrite() error }).CloseWrite())
				}
				got, err := io.ReadAll(c)
				if err == nil {
					err = io.EOF
				}
				if !bytes.Equal(got, tt.want) || !errors.Is(err, tt.err) {
					t.Errorf("got %x, %v; want %x, %v", got, err, tt.want, tt.err)
				}
			})
		})
	}
}

func TestRulesCountTheCallsTheyMatch(t *testing.T) {
	jukebox := []nfstest.Action{nfstest.Status(nfs3.ErrJukebox)}
	tests := map[string]struct {
		f    nfstest.Fault
		want string // of eight GETATTRs, which met the fault
	}{
		"once by default":       {nfstest.Fault{}, "x......."},
		"three times":           {nfstest.Fault{Times: 3}, "xxx....."},
		"after two":             {nfstest.Fault{Skip: 2, Times: 2}, "..xx...."},
		"for ever":              {nfstest.Fault{Skip: 5, Times: nfstest.Forever}, ".....xxx"},
		"never for others":      {nfstest.Fault{Procs: []uint32{nfs3.ProcRead}}, "........"},
		"on another network":    {nfstest.Fault{Network: "udp"}, "........"},
		"of another program":    {nfstest.Fault{Program: 100005}, "........"},
		"if they are chosen":    {nfstest.Fault{Times: 2, If: func(c *nfstest.Call) bool { return c.XID%2 == 0 }}, ".x.x...."},
		"by chance, repeatable": {nfstest.Fault{Times: nfstest.Forever, Chance: 0.5}, "x.x..xxx"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := nfstest.NewFor(t, nfstest.Options{Seed: 7})
			c := dialRaw(t, s, "tcp")
			root, err := s.Handle("/")
			must(t, err)
			tt.f.Do = jukebox
			remove := s.Fault(tt.f)
			got := ""
			get := func() uint32 { return words(c.call(c.nfs(nfs3.ProcGetattr, &nfs3.GetattrArgs{Object: root})), 7)[6] }
			for range 8 {
				got += map[uint32]string{0: ".", uint32(nfs3.ErrJukebox): "x"}[get()]
			}
			if got != tt.want {
				t.Errorf("met %s, want %s", got, tt.want)
			}
			remove()
			if st := get(); st != 0 {
				t.Errorf("after its removal the rule still makes %d", st)
			}
		})
	}
}

func TestEveryProcedureCanFail(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	c := connect(t, s, "mem-tcp")
	s.Fail(nfs3.ErrDquot, nfstest.Forever)
	calls := map[string]func() error{
		"GETATTR": func() error { return c.Getattr(c.ctx, c.cred, &nfs3.GetattrArgs{}, new(nfs3.GetattrReply)) },
		"READ": func() error {
			return c.Read(c.ctx, c.cred, &nfs3.ReadArgs{Count: 1}, new(nfs3.ReadReply), make([]byte, 1))
		},
		"COMMIT": func() error { return c.Commit(c.ctx, c.cred, &nfs3.CommitArgs{}, new(nfs3.CommitReply)) },
		"RENAME": func() error {
			return c.Rename(c.ctx, c.cred, &nfs3.RenameArgs{From: nfs3.DirOpArgs{Name: "a"}, To: nfs3.DirOpArgs{Name: "b"}}, new(nfs3.RenameReply))
		},
		"READDIRPLUS": func() error {
			return c.Readdirplus(c.ctx, c.cred, &nfs3.ReaddirplusArgs{}, new(nfs3.ReaddirplusReply))
		},
		"FSINFO": func() error { return c.Fsinfo(c.ctx, c.cred, &nfs3.FsinfoArgs{}, new(nfs3.FsinfoReply)) },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, nfs3.ErrDquot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.ClearFaults()
	must(t, c.Getattr(c.ctx, c.cred, &nfs3.GetattrArgs{Object: c.root}, new(nfs3.GetattrReply)))
}

func TestReorderLetsTheNextReplyOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{Workers: 1})
		c := dialRaw(t, s, "tcp")
		s.Fault(nfstest.Fault{Procs: []uint32{0}, Times: 2, Do: []nfstest.Action{nfstest.Reorder(time.Second)}})
		for range 3 {
			c.send(c.nfs(nfs3.ProcNull, nil))
		}
		var order []uint32
		for range 3 {
			msg, err := c.receive()
			must(t, err)
			order = append(order, words(msg, 1)[0])
		}
		if want := []uint32{103, 102, 101}; !slices.Equal(order, want) {
			t.Errorf("replies came as %v, want %v", order, want)
		}
	})
}

func TestGatheredRepliesComeTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{Workers: 1})
		c := dialRaw(t, s, "tcp")
		s.Fault(nfstest.Fault{Procs: []uint32{0}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Gather(3, time.Second)}})
		var came []string
		start := time.Now()
		send := func(n int) {
			for range n {
				c.send(c.nfs(nfs3.ProcNull, nil))
				time.Sleep(100 * time.Millisecond)
			}
		}
		receive := func(n int) {
			for range n {
				msg, err := c.receive()
				must(t, err)
				came = append(came, fmt.Sprintf("%d %v", words(msg, 1)[0], time.Since(start)))
			}
		}
		send(2)
		go func() {
			time.Sleep(100 * time.Millisecond)
			send(3)
		}()
		receive(5)
		want := "[101 300ms 102 300ms 103 300ms 104 1.4s 105 1.4s]"
		if got := fmt.Sprint(came); got != want {
			t.Errorf("replies came as %v, want %v", got, want)
		}
	})
}

func TestShortMovesLess(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	c := connect(t, s, "mem-tcp")
	f := c.create(t, "f")
	s.Fault(nfstest.Fault{Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Short(3)}})
	if w := c.write(t, f, 0, "abcdef", nfs3.FileSync); w.Count != 3 {
		t.Errorf("WRITE wrote %d bytes", w.Count)
	}
	must(t, s.WriteFile("f", []byte("abcdef"), 0644))
	var r nfs3.ReadReply
	must(t, c.Read(c.ctx, c.cred, &nfs3.ReadArgs{File: f, Count: 6}, &r, make([]byte, 6)))
	if string(r.Data) != "abc" || r.EOF {
		t.Errorf("READ = %q, eof %v", r.Data, r.EOF)
	}
	must(t, c.Read(c.ctx, c.cred, &nfs3.ReadArgs{File: f, Offset: 3, Count: 6}, &r, make([]byte, 6)))
	if string(r.Data) != "def" || !r.EOF {
		t.Errorf("READ = %q, eof %v", r.Data, r.EOF)
	}
}

func TestHostileDirectories(t *testing.T) {
	names := []string{"", ".", "..", "a/b", "nul\x00byte", strings.Repeat("n", 300)}
	s := nfstest.NewFor(t, nfstest.Options{})
	for i := range 5 {
		must(t, s.WriteFile(fmt.Sprint("f", i), nil, 0644))
	}
	c := connect(t, s, "mem-tcp")
	list := func(cookie uint64, verf [8]byte) (r nfs3.ReaddirReply, p nfs3.ReaddirplusReply) {
		must(t, c.Readdir(c.ctx, c.cred, &nfs3.ReaddirArgs{Dir: c.root, Cookie: cookie, Verf: verf, Count: 4096}, &r))
		must(t, c.Readdirplus(c.ctx, c.cred, &nfs3.ReaddirplusArgs{Dir: c.root, Cookie: cookie, Verf: verf, DirCount: 4096, MaxCount: 8192}, &p))
		return r, p
	}
	with := func(a nfstest.Action) {
		s.ClearFaults()
		s.Fault(nfstest.Fault{Times: nfstest.Forever, Do: []nfstest.Action{a}})
	}
	r, p := list(0, [8]byte{})
	verf := r.Verf

	with(nfstest.TopCookies())
	r, p = list(0, [8]byte{})
	if len(r.Entries) != 7 || r.Entries[3].Cookie>>63 != 1 || p.Entries[3].Cookie != r.Entries[3].Cookie {
		t.Errorf("top cookies: %v", r.Entries)
	}
	if next, _ := list(r.Entries[3].Cookie, verf); len(next.Entries) != 3 || next.Entries[0].Name != "f2" {
		t.Errorf("after a top cookie: %v", next.Entries)
	}

	with(nfstest.StuckCookie())
	r, p = list(4, verf)
	if last := r.Entries[len(r.Entries)-1]; last.Cookie != 4 || r.EOF || p.EOF {
		t.Errorf("stuck cookie: %+v", r)
	}

	with(nfstest.EmptyPages())
	if r, p = list(0, verf); len(r.Entries)+len(p.Entries) != 0 || r.EOF || p.EOF {
		t.Errorf("empty page: %+v", r)
	}

	with(nfstest.EndlessDir(10))
	if r, p = list(1<<50, verf); len(r.Entries) != 10 || r.Entries[9].Cookie != 1<<50+10 || r.EOF || p.EOF {
		t.Errorf("endless directory: %+v", r)
	}

	with(nfstest.Names(names...))
	r, p = list(0, verf)
	for i, name := range names {
		if r.Entries[7+i].Name != name || p.Entries[7+i].Name != name {
			t.Errorf("entry %d is %q and %q, want %q", i, r.Entries[7+i].Name, p.Entries[7+i].Name, name)
		}
	}
}

func TestChangeVerfChangesTheVerifierAtEachCommit(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	c := connect(t, s, "mem-tcp")
	f := c.create(t, "f")
	s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.ChangeVerf()}})
	seen := make(map[[8]byte]bool)
	for range 3 {
		w := c.write(t, f, 0, "data", nfs3.Unstable)
		var r nfs3.CommitReply
		must(t, c.Commit(c.ctx, c.cred, &nfs3.CommitArgs{File: f}, &r))
		if r.Verf == w.Verf || seen[r.Verf] {
			t.Errorf("verifier %x of COMMIT came before", r.Verf)
		}
		seen[r.Verf] = true
	}
}

func TestReplyCanBeMadeToLie(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	must(t, s.WriteFile("f", []byte("abc"), 0644))
	f, err := s.Handle("f")
	must(t, err)
	s.Fault(do(nfstest.Reply(func(args, reply any) {
		if r, ok := reply.(*nfs3.ReadReply); ok && args.(*nfs3.ReadArgs).Count == 3 {
			r.Count = 1 << 31
		}
	})))
	c := dialRaw(t, s, "tcp")
	msg := c.call(c.nfs(nfs3.ProcRead, &nfs3.ReadArgs{File: f, Count: 3}))
	const count = 24 + 8 + 84 // behind head, status and attributes
	if got, want := msg[count:], "\x80\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x03abc\x00"; string(got) != want {
		t.Errorf("READ = %q, want %q", got, want)
	}
}
