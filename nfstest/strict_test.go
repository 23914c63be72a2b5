package nfstest_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// TestStrictModeSees has a client do wrong things, one at a time.
func TestStrictModeSees(t *testing.T) {
	long := strings.Repeat("n", 256)
	tests := map[string]struct {
		want nfstest.Kind // "" is no violation
		run  func(c *rawConn, root, file nfs3.FH)
	}{
		"nothing in a good call": {"", func(c *rawConn, root, _ nfs3.FH) {
			c.call(c.nfs(nfs3.ProcLookup, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: root, Name: "f"}}))
		}},
		"nothing in a retransmission": {"", func(c *rawConn, _, file nfs3.FH) {
			msg := c.nfs(nfs3.ProcWrite, &nfs3.WriteArgs{File: file, Count: 5, Stable: nfs3.FileSync, Data: []byte("hello")})
			c.call(msg)
			c.call(msg)
		}},
		"padding that is not zero": {nfstest.NotCanonical, func(c *rawConn, root, _ nfs3.FH) {
			msg := c.nfs(nfs3.ProcLookup, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: root, Name: "f"}})
			msg[len(msg)-1] = 1
			c.call(msg)
		}},
		"padding of data that is not zero": {nfstest.NotCanonical, func(c *rawConn, _, file nfs3.FH) {
			msg := c.nfs(nfs3.ProcWrite, &nfs3.WriteArgs{File: file, Count: 5, Stable: nfs3.FileSync, Data: []byte("hello")})
			msg[len(msg)-2] = 1
			c.call(msg)
		}},
		"padding of the machine name that is not zero": {nfstest.NotCanonical, func(c *rawConn, root, _ nfs3.FH) {
			msg := c.nfs(nfs3.ProcGetattr, &nfs3.GetattrArgs{Object: root})
			msg[8*4+2*4+3] = 1 // behind "raw"
			c.call(msg)
		}},
		"an XID of another call": {nfstest.XIDReused, func(c *rawConn, root, file nfs3.FH) {
			c.call(c.nfs(nfs3.ProcGetattr, &nfs3.GetattrArgs{Object: root}))
			c.xid--
			c.call(c.nfs(nfs3.ProcGetattr, &nfs3.GetattrArgs{Object: file}))
		}},
		"READ over rtmax": {nfstest.TooMuch, func(c *rawConn, _, file nfs3.FH) {
			c.call(c.nfs(nfs3.ProcRead, &nfs3.ReadArgs{File: file, Count: 4097}))
		}},
		"WRITE over wtmax": {nfstest.TooMuch, func(c *rawConn, _, file nfs3.FH) {
			c.call(c.nfs(nfs3.ProcWrite, &nfs3.WriteArgs{File: file, Count: 4097, Stable: nfs3.FileSync, Data: make([]byte, 4097)}))
		}},
		"READDIR over rtmax": {nfstest.TooMuch, func(c *rawConn, root, _ nfs3.FH) {
			c.call(c.nfs(nfs3.ProcReaddir, &nfs3.ReaddirArgs{Dir: root, Count: 4097}))
		}},
		"READDIRPLUS over rtmax": {nfstest.TooMuch, func(c *rawConn, root, _ nfs3.FH) {
			c.call(c.nfs(nfs3.ProcReaddirplus, &nfs3.ReaddirplusArgs{Dir: root, DirCount: 4096, MaxCount: 4097}))
		}},
		"WRITE with a count that is not its data's": {nfstest.BadArgs, func(c *rawConn, _, file nfs3.FH) {
			c.call(c.nfs(nfs3.ProcWrite, &nfs3.WriteArgs{File: file, Count: 4, Stable: nfs3.FileSync, Data: []byte("12345")}))
		}},
		"arguments that end too early": {nfstest.BadArgs, func(c *rawConn, root, _ nfs3.FH) {
			msg := c.nfs(nfs3.ProcAccess, &nfs3.AccessArgs{Object: root})
			c.call(msg[:len(msg)-4])
		}},
		"arguments with something behind them": {nfstest.BadArgs, func(c *rawConn, root, _ nfs3.FH) {
			c.call(append(c.nfs(nfs3.ProcAccess, &nfs3.AccessArgs{Object: root}), 0, 0, 0, 0))
		}},
		"17 groups": {nfstest.ManyGroups, func(c *rawConn, root, _ nfs3.FH) {
			r := c.call(message(9, nfs3.Program, 3, nfs3.ProcGetattr, &nfs3.GetattrArgs{Object: root}, make([]uint32, 17)...))
			if want := []uint32{9, 1, 1, 1, 1}; !slices.Equal(words(r, 5), want) {
				c.t.Errorf("reply %v, want AUTH_BADCRED", words(r, 5))
			}
		}},
		"nothing in 16 groups": {"", func(c *rawConn, root, _ nfs3.FH) {
			c.call(message(9, nfs3.Program, 3, nfs3.ProcGetattr, &nfs3.GetattrArgs{Object: root}, make([]uint32, 16)...))
		}},
		"a name of 256 bytes": {nfstest.LongName, func(c *rawConn, root, _ nfs3.FH) {
			c.call(c.nfs(nfs3.ProcLookup, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: root, Name: long}}))
		}},
		"a name with a slash": {nfstest.BadName, func(c *rawConn, root, _ nfs3.FH) {
			c.call(c.nfs(nfs3.ProcLookup, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: root, Name: "a/b"}}))
		}},
		"MKDIR of dot": {nfstest.BadName, func(c *rawConn, root, _ nfs3.FH) {
			c.call(c.nfs(nfs3.ProcMkdir, &nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Dir: root, Name: "."}}))
		}},
		"nothing in LOOKUP of dot dot": {"", func(c *rawConn, root, _ nfs3.FH) {
			c.call(c.nfs(nfs3.ProcLookup, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: root, Name: ".."}}))
		}},
		"data that was never committed": {nfstest.NotCommitted, func(c *rawConn, _, file nfs3.FH) {
			c.call(c.nfs(nfs3.ProcWrite, &nfs3.WriteArgs{File: file, Count: 5, Data: []byte("hello")}))
		}},
		"a COMMIT that is one byte short": {nfstest.NotCommitted, func(c *rawConn, _, file nfs3.FH) {
			c.call(c.nfs(nfs3.ProcWrite, &nfs3.WriteArgs{File: file, Count: 5, Data: []byte("hello")}))
			c.call(c.nfs(nfs3.ProcCommit, &nfs3.CommitArgs{File: file, Offset: 1}))
		}},
		"a reply in place of a call": {nfstest.BadCall, func(c *rawConn, _, _ nfs3.FH) {
			msg := c.nfs(nfs3.ProcNull, nil)
			msg[7] = 1
			c.send(msg)
			c.call(c.nfs(nfs3.ProcNull, nil))
		}},
		"half a call": {nfstest.BadCall, func(c *rawConn, _, _ nfs3.FH) {
			c.send(c.nfs(nfs3.ProcNull, nil)[:30])
			c.call(c.nfs(nfs3.ProcNull, nil))
		}},
		"RPC version 3": {nfstest.BadCall, func(c *rawConn, _, _ nfs3.FH) {
			msg := c.nfs(nfs3.ProcNull, nil)
			msg[11] = 3
			c.send(msg)
			c.call(c.nfs(nfs3.ProcNull, nil))
		}},
		"a record of 2 GiB": {nfstest.BadRecord, func(c *rawConn, _, _ nfs3.FH) {
			c.Write([]byte{0xff, 0xff, 0xff, 0xff})
			if _, err := c.receive(); err == nil {
				c.t.Error("the connection lives on")
			}
		}},
		"endless empty fragments": {nfstest.BadRecord, func(c *rawConn, _, _ nfs3.FH) {
			c.Write(make([]byte, 4*1025))
			if _, err := c.receive(); err == nil {
				c.t.Error("the connection lives on")
			}
		}},
		"nothing in a call of 30 fragments": {"", func(c *rawConn, _, _ nfs3.FH) {
			msg := c.nfs(nfs3.ProcNull, nil)
			for i := range msg {
				mark := uint32(1)
				if i == len(msg)-1 {
					mark |= 1 << 31
				}
				c.Write(append(binary.BigEndian.AppendUint32(nil, mark), msg[i]))
			}
			if r, err := c.receive(); err != nil || words(r, 1)[0] != c.xid {
				c.t.Errorf("reply %x, %v", r, err)
			}
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := nfstest.New(nfstest.Options{Rtmax: 4096, Wtmax: 4096, Dtpref: 4096})
			defer s.Close()
			must(t, s.WriteFile("f", nil, 0644))
			root, err := s.Handle("/")
			must(t, err)
			file, err := s.Handle("f")
			must(t, err)
			tt.run(dialRaw(t, s, "tcp"), root, file)
			must(t, s.Close())
			got := s.Violations()
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("violations %q, want none", got)
			case tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], string(tt.want)+": ")):
				t.Errorf("violations %q, want one of %q", got, tt.want)
			}
		})
	}
}

// TestStrictModeSeesOverlappingWrites sends WRITEs whose replies are lost: they
// are outstanding still.
func TestStrictModeSeesOverlappingWrites(t *testing.T) {
	tests := map[string]struct {
		off  uint64
		want int
	}{"the same bytes": {10, 1}, "one byte": {15, 1}, "the byte behind": {16, 0}, "the byte before": {5, 0}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.New(nfstest.Options{})
				defer s.Close()
				must(t, s.WriteFile("f", nil, 0644))
				f, err := s.Handle("f")
				must(t, err)
				s.Fault(nfstest.Fault{Do: []nfstest.Action{nfstest.DropReply()}})
				c := dialRaw(t, s, "tcp")
				first := c.nfs(nfs3.ProcWrite, &nfs3.WriteArgs{File: f, Offset: 10, Count: 6, Stable: nfs3.FileSync, Data: []byte("first.")})
				c.send(first)
				synctest.Wait()
				second := &nfs3.WriteArgs{File: f, Offset: tt.off, Count: 5, Stable: nfs3.FileSync, Data: []byte("other")}
				c.call(c.nfs(nfs3.ProcWrite, second))
				if got := s.Violations(); len(got) != tt.want {
					t.Errorf("violations %q, want %d", got, tt.want)
				}
				// Once the first is answered, anything goes.
				c.call(first)
				c.call(c.nfs(nfs3.ProcWrite, second))
				if got := s.Violations(); len(got) != tt.want {
					t.Errorf("after the reply: violations %q, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestAllowedViolationsAreNone(t *testing.T) {
	for _, o := range []nfstest.Options{{Lax: true}, {Allow: []nfstest.Kind{nfstest.BadName}}} {
		s := nfstest.New(o)
		root, err := s.Handle("/")
		must(t, err)
		c := dialRaw(t, s, "tcp")
		c.call(c.nfs(nfs3.ProcLookup, &nfs3.LookupArgs{What: nfs3.DirOpArgs{Dir: root, Name: "a/b"}}))
		must(t, s.Close())
		if got := s.Violations(); len(got) > 0 {
			t.Errorf("with %+v: %q", o, got)
		}
	}
}

// failing is a TB that remembers how the test failed.
type failing struct {
	nfstest.TB
	cleanups []func()
	errors   []string
}

func (f *failing) Helper()                        {}
func (f *failing) Cleanup(g func())               { f.cleanups = append(f.cleanups, g) }
func (f *failing) Errorf(s string, args ...any)   { f.errors = append(f.errors, fmt.Sprintf(s, args...)) }
func (f *failing) Failed() bool                   { return len(f.errors) > 0 }
func (f *failing) Logf(format string, _ ...any)   {}
func (f *failing) Fatalf(format string, _ ...any) { panic(format) }

func TestAViolationFailsTheTestThatStartedTheServer(t *testing.T) {
	f := &failing{}
	s := nfstest.NewFor(f, nfstest.Options{})
	c := dialRaw(t, s, "tcp")
	c.send([]byte("no call at all"))
	c.call(c.nfs(nfs3.ProcNull, nil))
	for _, g := range f.cleanups {
		g()
	}
	if len(f.errors) != 1 || !strings.Contains(f.errors[0], "bad call") {
		t.Errorf("the test failed with %q", f.errors)
	}
}
