package nfstest_test

import (
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

func TestRestartLosesWhatWasNotCommitted(t *testing.T) {
	tests := map[string]struct {
		run  func(t *testing.T, c *client, f nfs3.FH)
		keep []nfstest.Keep
		want string
	}{
		"UNSTABLE data is lost": {func(t *testing.T, c *client, f nfs3.FH) {
			c.write(t, f, 4, "new", nfs3.Unstable)
		}, nil, "old data"},
		"the size too": {func(t *testing.T, c *client, f nfs3.FH) {
			c.write(t, f, 8, " and more", nfs3.Unstable)
		}, nil, "old data"},
		"FILE_SYNC data stays": {func(t *testing.T, c *client, f nfs3.FH) {
			c.write(t, f, 4, "new", nfs3.FileSync)
		}, nil, "old newa"},
		"DATA_SYNC data stays": {func(t *testing.T, c *client, f nfs3.FH) {
			c.write(t, f, 4, "new", nfs3.DataSync)
		}, nil, "old newa"},
		"committed data stays": {func(t *testing.T, c *client, f nfs3.FH) {
			c.write(t, f, 4, "new", nfs3.Unstable)
			must(t, c.Commit(c.ctx, c.cred, &nfs3.CommitArgs{File: f}, new(nfs3.CommitReply)))
		}, nil, "old newa"},
		"only the range of the COMMIT stays": {func(t *testing.T, c *client, f nfs3.FH) {
			c.write(t, f, 0, "NEW DATA", nfs3.Unstable)
			must(t, c.Commit(c.ctx, c.cred, &nfs3.CommitArgs{File: f, Offset: 2, Count: 3}, new(nfs3.CommitReply)))
		}, nil, "olW Data"},
		"data written over after the COMMIT is lost": {func(t *testing.T, c *client, f nfs3.FH) {
			c.write(t, f, 0, "NEW", nfs3.Unstable)
			must(t, c.Commit(c.ctx, c.cred, &nfs3.CommitArgs{File: f}, new(nfs3.CommitReply)))
			c.write(t, f, 0, "xyz", nfs3.Unstable)
		}, nil, "NEW data"},
		"a truncation stays": {func(t *testing.T, c *client, f nfs3.FH) {
			c.write(t, f, 0, "NEW", nfs3.Unstable)
			must(t, c.Setattr(c.ctx, c.cred, &nfs3.SetattrArgs{Object: f, Attr: nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: 5}}}, new(nfs3.SetattrReply)))
		}, nil, "old d"},
		"all stays if it is to": {func(t *testing.T, c *client, f nfs3.FH) {
			c.write(t, f, 4, "new", nfs3.Unstable)
			must(t, c.Commit(c.ctx, c.cred, &nfs3.CommitArgs{File: f}, new(nfs3.CommitReply)))
		}, []nfstest.Keep{nfstest.KeepData}, "old newa"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := nfstest.NewFor(t, nfstest.Options{})
			must(t, s.WriteFile("f", []byte("old data"), 0644))
			c := connect(t, s, "mem-tcp")
			f, err := s.Handle("f")
			must(t, err)
			before := c.write(t, f, 0, "", nfs3.Unstable).Verf
			tt.run(t, c, f)
			s.Restart(tt.keep...)
			var r nfs3.ReadReply
			must(t, c.Read(c.ctx, c.cred, &nfs3.ReadArgs{File: f, Count: 100}, &r, make([]byte, 100)))
			if string(r.Data) != tt.want {
				t.Errorf("after the restart the file holds %q, want %q", r.Data, tt.want)
			}
			if after := c.write(t, f, 0, "", nfs3.Unstable).Verf; after == before {
				t.Errorf("the verifier is %x still", after)
			}
			if l := s.Unsaved(); len(l) > 0 {
				t.Errorf("unsaved after the restart: %q", l)
			}
		})
	}
}

func TestRestartKeepsTheDuplicateRequestCacheOnRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		keep []nfstest.Keep
		want error
	}{"kept": {[]nfstest.Keep{nfstest.KeepDRC}, nil}, "lost": {nil, nfs3.ErrExist}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				c := connect(t, s, "mem-tcp")
				s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcMkdir}, Do: []nfstest.Action{nfstest.DropReply()}})
				done := make(chan error)
				go func() {
					done <- c.Mkdir(t.Context(), c.cred, &nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Dir: c.root, Name: "d"}}, new(nfs3.MkdirReply))
				}()
				synctest.Wait() // executed, and its reply lost
				s.Restart(tt.keep...)
				if err := <-done; !errors.Is(err, tt.want) {
					t.Errorf("MKDIR after the restart: %v, want %v", err, tt.want)
				}
			})
		})
	}
}

func TestACrashLosesTheCallThatMetIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		c := connect(t, s, "mem-tcp")
		f := c.create(t, "f")
		w := c.write(t, f, 0, "lost", nfs3.Unstable)
		s.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcCommit}, Do: []nfstest.Action{nfstest.Crash()}})
		var r nfs3.CommitReply
		must(t, c.Commit(t.Context(), c.cred, &nfs3.CommitArgs{File: f}, &r))
		if r.Verf == w.Verf {
			t.Error("COMMIT has the verifier of WRITE, though the server crashed in between")
		}
		if b, err := s.ReadFile("f"); err != nil || len(b) != 0 {
			t.Errorf("the file holds %q, %v", b, err)
		}
	})
}

func TestDownRefusesAndUpServesAgain(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	_, _, port := s.Ports()
	c := connect(t, s, "tcp")
	must(t, c.Null(c.ctx))
	s.Down()
	if nc, err := s.DialContext(c.ctx, "tcp", "x:2049"); err == nil {
		nc.Close()
		t.Error("DialContext succeeded while the server was down")
	}
	done := make(chan error)
	go func() { done <- c.Null(c.ctx) }()
	time.Sleep(20 * time.Millisecond)
	must(t, s.Up())
	must(t, <-done)
	if _, _, now := s.Ports(); now != port {
		t.Errorf("the port was %d and is %d", port, now)
	}
	connect(t, s, "udp")
}

// While a server is down its ports are anybody's.
func TestUpWaitsForWhoHasThePort(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	_, _, port := s.Ports()
	s.Down()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		t.Skipf("somebody else took the port: %v", err)
	}
	time.AfterFunc(50*time.Millisecond, func() { l.Close() })
	must(t, s.Up())
	c := connect(t, s, "tcp")
	must(t, c.Null(c.ctx))
}

func TestFreezeStopsAllAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		c := dialRaw(t, s, "tcp")
		s.Freeze()
		c.send(c.nfs(nfs3.ProcNull, nil))
		c.SetReadDeadline(time.Now().Add(3 * time.Minute))
		if _, err := c.receive(); err == nil || !strings.Contains(err.Error(), "timeout") {
			t.Errorf("a frozen server answered: %v", err)
		}
		s.Thaw()
		c.SetReadDeadline(time.Time{})
		if _, err := c.receive(); err != nil {
			t.Error(err)
		}
	})
}

func TestResetConnectionsResetsThem(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	c := dialRaw(t, s, "tcp")
	c.call(c.nfs(nfs3.ProcNull, nil))
	s.ResetConnections()
	if _, err := c.receive(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("reading a reset connection: %v", err)
	}
}

func TestSilenceMakesConnectionsDeadAndLetsNewOnesLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nfstest.NewFor(t, nfstest.Options{})
		old := dialRaw(t, s, "tcp")
		s.Silence()
		old.send(old.nfs(nfs3.ProcNull, nil))
		if b, err := old.receive(); err == nil {
			t.Errorf("a silenced connection answered %x", b)
		}
		c := dialRaw(t, s, "tcp")
		c.call(c.nfs(nfs3.ProcNull, nil))
		if n := s.Connections(); n != 2 {
			t.Errorf("%d connections", n)
		}
		old.Close()
		synctest.Wait()
		if n := s.Connections(); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestACallFromBeforeARestartIsNotExecutedAfterIt(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := nfstest.NewFor(t, nfstest.Options{})
				root, err := s.Handle("/")
				must(t, err)
				c := dialRaw(t, s, network)
				s.Fault(nfstest.Fault{Do: []nfstest.Action{nfstest.DelayCall(time.Minute)}})
				msg := c.nfs(nfs3.ProcMkdir, &nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Dir: root, Name: "d"}})
				if network == "tcp" {
					c.send(msg)
				} else {
					c.Write(msg)
				}
				synctest.Wait()
				s.Restart()
				time.Sleep(time.Hour)
				if _, err := s.Stat("d"); err == nil {
					t.Error("the call was executed after the restart")
				}
			})
		})
	}
}

func TestTheDuplicateRequestCacheGoesByPort(t *testing.T) {
	s := nfstest.NewFor(t, nfstest.Options{})
	root, err := s.Handle("/")
	must(t, err)
	mkdir := message(7, nfs3.Program, 3, nfs3.ProcMkdir, &nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Dir: root, Name: "d"}})
	status := func(c *rawConn) nfs3.Status { return nfs3.Status(words(c.call(mkdir), 7)[6]) }
	a, b := dialRaw(t, s, "tcp"), dialRaw(t, s, "tcp")
	if st := status(a); st != nfs3.OK {
		t.Errorf("the call: %v", st)
	}
	if st := status(a); st != nfs3.OK {
		t.Errorf("the same call: %v", st)
	}
	if st := status(b); st != nfs3.ErrExist {
		t.Errorf("the same call from another port: %v", st)
	}
	a.Close()
	if st := status(dialRaw(t, s, "tcp")); st != nfs3.OK {
		t.Errorf("the same call from the same port, connected again: %v", st)
	}
}
