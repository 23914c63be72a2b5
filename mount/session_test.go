package mount

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfsacl"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// config is a Config for a mount of s in memory.
func config(t testing.TB, s *nfstest.Server, opts string) Config {
	t.Helper()
	o, err := mountopt.Parse(opts)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Spec:        mountopt.Spec{Host: "server", Path: "/export"},
		Options:     o,
		DialContext: s.DialContext,
	}
}

func TestMountAndUnmount(t *testing.T) {
	const tcp, udp = "hard,proto=tcp,timeo=600,retrans=2,sec=sys,mountaddr=server,mountvers=3,mountport=20048,", "hard,proto=udp,timeo=11,retrans=3,sec=sys,mountaddr=server,mountvers=3,mountport=20048,"
	const big, small, end = "rsize=1048576,wsize=1048576,namlen=255,", "rsize=1024,wsize=1024,namlen=255,", ",local_lock=none,addr=server"
	for _, tt := range []struct {
		name, opts, want string
		getports         int
	}{
		{"through a tunnel all is TCP", "", "rw,vers=3," + big + tcp + "mountproto=tcp" + end, 2},
		{"udp", "udp", "rw,vers=3," + small + udp + "mountproto=udp" + end, 2},
		{"mountproto", "mountproto=udp", "rw,vers=3," + big + tcp + "mountproto=udp" + end, 2},
		{"both", "proto=udp,mountproto=tcp", "rw,vers=3," + small + udp + "mountproto=tcp" + end, 2},
		{"ports", "ro,port=2049,mountport=20048", "ro,vers=3," + big + strings.Replace(tcp, "proto=tcp,", "proto=tcp,port=2049,", 1) + "mountproto=tcp" + end, 0},
		{"all that concerns the session", "tcp,rsize=5000,wsize=700,timeo=50,retrans=7,softerr,sec=none,noresvport",
			"rw,vers=3,rsize=4096,wsize=4096,namlen=255,softerr,noresvport,proto=tcp,timeo=50,retrans=7,sec=none,mountaddr=server,mountvers=3,mountport=20048,mountproto=tcp" + end, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := nfstest.NewFor(t, nfstest.Options{})
			s, err := Dial(soon(t), config(t, srv, tt.opts))
			if err != nil {
				t.Fatal(err)
			}
			if n := len(srv.Mounts()); n != 1 {
				t.Errorf("the server lists %d mounts", n)
			}
			if s.RootAttr().Type != nfs3.TypeDir || s.PathConf().NameMax == 0 || s.FSInfo().Rtmax == 0 || s.Root().Len() == 0 || s.Server() != "server" || s.Spec().Path != "/export" {
				t.Errorf("root %+v, PATHCONF %+v", s.RootAttr(), s.PathConf())
			}
			if got := s.Options().String(); got != tt.want {
				t.Errorf("options in effect\n%s, want\n%s", got, tt.want)
			}
			var r nfs3.GetattrReply
			if err := s.NFS().Getattr(soon(t), nil, &nfs3.GetattrArgs{Object: s.Root()}, &r); err != nil {
				t.Error(err)
			}
			if err := s.Umount(soon(t)); err != nil {
				t.Error(err)
			}
			if n := len(srv.Mounts()); n != 0 {
				t.Errorf("the server lists %d mounts after UMNT", n)
			}
			if err := s.NFS().Getattr(soon(t), nil, &nfs3.GetattrArgs{Object: s.Root()}, &r); !errors.Is(err, rpc.ErrClosed) {
				t.Errorf("a call after Umount: %v", err)
			}
			counts := map[string]int{"FSINFO": 1, "GETATTR": 2, "PATHCONF": 1, "NFSACL.NULL": 1, "MOUNT.MNT": 1, "MOUNT.UMNT": 1}
			if tt.getports > 0 {
				counts["RPCBIND.GETPORT"] = tt.getports
			}
			if diff := cmp.Diff(counts, srv.Counts()); diff != "" {
				t.Errorf("calls: %s", diff)
			}
		})
	}
}

func TestNothingIsLeftOfAMount(t *testing.T) {
	before := transport.Outstanding()
	srv := nfstest.NewFor(t, nfstest.Options{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := Dial(soon(t), config(t, srv, ""))
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Umount(soon(t)); err != nil {
				t.Error(err)
			}
			s.Close() // a second time does no harm
		})
	}
	wg.Wait()
	srv.Close()
	for range 1000 {
		if transport.Outstanding() == before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d buffers were not released", transport.Outstanding()-before)
}

func TestAReconnectFindsTheNewPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := nfstest.NewFor(t, nfstest.Options{})
		w := newWire(srv, map[string]string{})
		s, err := w.mounter(t, "127.0.0.1", "").mount(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		w.set("tcp 2049", "refuse") // the server is restarted, and NFS listens elsewhere
		w.move["3049"] = "2049"
		lie(srv, 3049)
		srv.ResetConnections()
		var r nfs3.GetattrReply
		start := time.Now()
		if err := s.NFS().Getattr(soon(t), nil, &nfs3.GetattrArgs{Object: s.Root()}, &r); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("it took %v", took)
		}
		srv.ResetConnections()
		synctest.Wait() // the question that lost the race was counted
		asked := srv.Counts()["RPCBIND.GETPORT"]
		if err := s.NFS().Getattr(soon(t), nil, &nfs3.GetattrArgs{Object: s.Root()}, &r); err != nil {
			t.Fatal(err)
		}
		if n := srv.Counts()["RPCBIND.GETPORT"]; n != asked {
			t.Error("rpcbind was asked again though the new port answers")
		}
	})
}

func TestAPortThatWasGivenIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := nfstest.NewFor(t, nfstest.Options{})
		w := newWire(srv, map[string]string{})
		s, err := w.mounter(t, "127.0.0.1", "port=2049,mountport=20048,soft,timeo=10,retrans=1").mount(soon(t))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		w.set("tcp 2049", "refuse")
		srv.ResetConnections()
		var r nfs3.GetattrReply
		if err := s.NFS().Getattr(soon(t), nil, &nfs3.GetattrArgs{Object: s.Root()}, &r); err == nil {
			t.Error("a call succeeded on a port that refuses")
		}
		if n := srv.Counts()["RPCBIND.GETPORT"]; n != 0 {
			t.Errorf("rpcbind was asked %d times", n)
		}
	})
}

func TestUmountIsShort(t *testing.T) {
	for _, rule := range []string{"silent", "mute", "refuse", "unreachable"} {
		for _, opts := range []string{"", "mountproto=tcp"} {
			synctest.Test(t, func(t *testing.T) {
				srv := nfstest.NewFor(t, nfstest.Options{})
				w := newWire(srv, map[string]string{})
				s, err := w.mounter(t, "127.0.0.1", opts).mount(soon(t))
				if err != nil {
					t.Fatal(err)
				}
				before := len(w.dialed())
				w.set("127.0.0.1", rule)
				start := time.Now()
				err = s.Umount(soon(t))
				var e *Error
				if !errors.As(err, &e) || e.Op != "UMNT" {
					t.Errorf("%s: got %v", rule, err)
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("%s: it took %v", rule, took)
				}
				if d := w.dialed()[before:]; len(d) != 1 || !strings.HasSuffix(d[0], ":20048") {
					t.Errorf("%s: dialed %v, want the port of the mount alone", rule, d)
				}
			})
		}
	}
}

func TestReservedPortsAreAskedFor(t *testing.T) {
	for _, opts := range []string{"tcp", "tcp,noresvport"} {
		m := newWire(nil, nil).mounter(t, "127.0.0.1", opts)
		if got := m.dialer(m.resvport).Reserved; got != (opts == "tcp") {
			t.Errorf("%s: Reserved is %v", opts, got)
		}
	}
}

func TestListsAreWhereTheServerHasThem(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     nfstest.Options
		opts  string
		fault nfstest.Action
		want  bool
		took  time.Duration
	}{
		{name: "the server has NFSACL", want: true},
		{name: "it is not wanted", opts: "noacl"},
		{name: "the server lacks it", o: nfstest.Options{NoACL: true}},
		{name: "the server is silent about it", fault: nfstest.DropCall(), took: listLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := nfstest.NewFor(t, tt.o)
				if tt.took > 0 {
					srv.Fault(nfstest.Fault{Program: nfsacl.Program, Procs: []uint32{nfsacl.ProcNull}, Times: nfstest.Forever, Do: []nfstest.Action{tt.fault}})
				}
				began := time.Now()
				s, err := Dial(t.Context(), config(t, srv, tt.opts))
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("the mount took %v, want %v", took, tt.took)
				}
				if (s.ACL() != nil) != tt.want {
					t.Errorf("lists: %v, want %v", s.ACL() != nil, tt.want)
				}
				if err := s.Umount(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
