package mount

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gonfs/gonfs/mountd"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
)

// words are big-endian words.
func words(w ...uint32) []byte {
	var b []byte
	for _, v := range w {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// results puts other results behind the head of a reply.
func results(b ...[]byte) nfstest.Action {
	return nfstest.Message(func(msg []byte) []byte { return append(msg[:24:24], bytes.Join(b, nil)...) })
}

func TestRefusalsSayWhatTheyAre(t *testing.T) {
	const spec = "127.0.0.1:/export"
	mnt := func(do ...nfstest.Action) nfstest.Fault {
		return nfstest.Fault{Program: mountd.Program, Procs: []uint32{mountd.ProcMnt}, Times: nfstest.Forever, Do: do}
	}
	nfs := func(do ...nfstest.Action) nfstest.Fault {
		return nfstest.Fault{Program: nfs3.Program, Times: nfstest.Forever, Do: do}
	}
	for _, tt := range []struct {
		name, opts string
		fault      nfstest.Fault
		is         error
		msg        string
		umnt       bool // MNT had succeeded, so UMNT follows
	}{
		{name: "MNT3ERR_ACCES", fault: mnt(nfstest.Status(nfs3.ErrAcces)), is: mountd.ErrAcces, msg: "access denied by server while mounting " + spec},
		{name: "MNT3ERR_PERM", fault: mnt(nfstest.Status(nfs3.ErrPerm)), is: mountd.ErrPerm, msg: "access denied by server while mounting " + spec},
		{name: "MNT3ERR_NOENT", fault: mnt(nfstest.Status(nfs3.ErrNoent)), is: mountd.ErrNoent, msg: "mounting " + spec + " failed, reason given by server: No such file or directory"},
		{name: "MNT3ERR_NOTDIR", fault: mnt(nfstest.Status(nfs3.ErrNotdir)), is: mountd.ErrNotdir, msg: "mounting " + spec + " failed, reason given by server: Not a directory"},
		{name: "MNT3ERR_SERVERFAULT", fault: mnt(nfstest.Status(nfs3.ErrServerfault)), is: mountd.ErrServerfault, msg: "mounting " + spec + " failed, reason given by server: Remote I/O error"},
		{name: "a status that is none", fault: mnt(results(words(4711))), is: syscall.EACCES, msg: "access denied by server while mounting " + spec},
		{name: "mountd of another version", fault: mnt(nfstest.Accept(rpc.ProgMismatch)), is: syscall.EPROTONOSUPPORT, msg: "requested NFS version or transport protocol is not supported"},
		{name: "a handle of 0 bytes", fault: mnt(results(words(0, 0, 1, 1))), is: mountd.ErrBadHandle, msg: "mounting " + spec + " failed: MNT: "},
		{name: "a handle of 65 bytes", fault: mnt(results(words(0, 65), make([]byte, 68), words(1, 1))), is: syscall.EIO, msg: "mounting " + spec + " failed: MNT: "},
		{name: "2^32-1 flavours", fault: mnt(results(words(0, 4, 0x61626364, 0xffffffff, 1))), is: syscall.EIO, msg: "mounting " + spec + " failed: MNT: "},
		{name: "an empty reply", fault: mnt(nfstest.Truncate(24)), is: syscall.EIO, msg: "mounting " + spec + " failed: MNT: "},
		{name: "Kerberos alone", fault: mnt(results(words(0, 4, 0x61626364, 1, 390003))), is: syscall.EACCES, umnt: true,
			msg: "access denied by server while mounting " + spec + ": the export takes sec=krb5, and this client has sec=sys and sec=none"},
		{name: "sec=none, and only sys listed", opts: "sec=none", fault: mnt(results(words(0, 4, 0x61626364, 1, 1))), is: syscall.EACCES, umnt: true,
			msg: "access denied by server while mounting " + spec + ": the export takes sec=sys, not sec=none"},

		{name: "a handle that NFS does not know", fault: mnt(results(words(0, 4, 0x61626364, 1, 1))), umnt: true, msg: ""},
		{name: "AUTH_TOOWEAK", fault: nfs(nfstest.Deny(uint32(rpc.AuthTooWeak))), is: syscall.EACCES, umnt: true,
			msg: "access denied by server while mounting " + spec},
		{name: "AUTH_FAILED over TCP alone", opts: "tcp", fault: nfs(nfstest.Deny(uint32(rpc.AuthFailed))), is: syscall.EACCES, umnt: true,
			msg: "access denied by server while mounting " + spec + ": this export does not serve this transport (tcp): try proto=udp"},
		{name: "AUTH_BADCRED", fault: nfs(nfstest.Deny(uint32(rpc.AuthBadCred))), is: syscall.EACCES, umnt: true,
			msg: "access denied by server while mounting " + spec + ": the server did not take the credential (AUTH_BADCRED)"},
		{name: "NFS3ERR_STALE", fault: nfs(nfstest.Status(nfs3.ErrStale)), is: nfs3.ErrStale, umnt: true, msg: "Stale file handle"},
		{name: "NFS of another version", fault: nfs(nfstest.Accept(rpc.ProgMismatch)), is: syscall.EPROTONOSUPPORT, umnt: true,
			msg: "requested NFS version or transport protocol is not supported"},
		{name: "NFS hangs up", opts: "tcp", fault: nfs(nfstest.FinAt(0)), is: ErrConnectionLost, umnt: true,
			msg: "mounting " + spec + " failed: FSINFO: "},
		{name: "NFS hangs up once", opts: "tcp", fault: nfstest.Fault{Program: nfs3.Program, Procs: []uint32{nfs3.ProcFsinfo}, Do: []nfstest.Action{nfstest.FinAt(0)}}, is: ErrConnectionLost, umnt: true,
			msg: "mounting " + spec + " failed: FSINFO: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := nfstest.NewFor(t, nfstest.Options{})
				srv.Fault(tt.fault)
				_, err := newWire(srv, map[string]string{}).mounter(t, "127.0.0.1", tt.opts).mount(soon(t))
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("got %v, want an Error", err)
				}
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("%v is not %v", err, tt.is)
				}
				if !strings.HasPrefix(e.Message(), tt.msg) || strings.HasSuffix(tt.msg, "/export") && !strings.HasPrefix(e.Message(), tt.msg) {
					t.Errorf("message %q, want %q", e.Message(), tt.msg)
				}
				if strings.ContainsAny(e.Message(), "\n\r") || e.ExitCode() != 32 {
					t.Errorf("message %q, exit code %d", e.Message(), e.ExitCode())
				}
				if got := srv.Counts()["MOUNT.UMNT"] > 0; got != tt.umnt {
					t.Errorf("UMNT was sent: %v, want %v", got, tt.umnt)
				}
			})
		})
	}
}

func TestOddAnswersDoNotFailTheMount(t *testing.T) {
	for _, tt := range []struct {
		name, opts string
		o          nfstest.Options
		faults     []nfstest.Fault
		check      func(*testing.T, *Session)
	}{
		{name: "PATHCONF is not supported", faults: []nfstest.Fault{{Procs: []uint32{nfs3.ProcPathconf}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Status(nfs3.ErrNotsupp)}}},
			check: func(t *testing.T, s *Session) {
				if s.PathConf() != (nfs3.PathconfReply{}) || s.Options().Namlen != 0 {
					t.Errorf("PATHCONF %+v", s.PathConf())
				}
			}},
		{name: "FSINFO brings no attributes", o: nfstest.Options{NoAttr: true}, check: func(t *testing.T, s *Session) {
			if s.FSInfo().Attr.Present {
				t.Error("the test is none: FSINFO has attributes")
			}
		}},
		{name: "GETATTR fails, FSINFO brings the attributes", faults: []nfstest.Fault{{Procs: []uint32{nfs3.ProcGetattr}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Status(nfs3.ErrIO)}}}},
		{name: "NFS3ERR_JUKEBOX comes three times", faults: []nfstest.Fault{{Procs: []uint32{nfs3.ProcFsinfo}, Times: 3, Do: []nfstest.Action{nfstest.Status(nfs3.ErrJukebox)}}}},
		{name: "calls and replies are lost over UDP", opts: "udp", faults: []nfstest.Fault{
			{Program: mountd.Program, Times: 2, Do: []nfstest.Action{nfstest.DropReply()}}, {Times: 4, Do: []nfstest.Action{nfstest.DropCall()}}}},
		{name: "FSINFO of zeros", faults: []nfstest.Fault{{Procs: []uint32{nfs3.ProcFsinfo}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Reply(func(_, reply any) {
			r := reply.(*nfs3.FsinfoReply)
			*r = nfs3.FsinfoReply{Attr: r.Attr}
		})}}}, check: func(t *testing.T, s *Session) {
			if s.Rsize() != 4096 || s.Wsize() != 4096 || s.Dtsize() != 4096 {
				t.Errorf("sizes %d, %d, %d", s.Rsize(), s.Wsize(), s.Dtsize())
			}
		}},
		{name: "an export of one transport refuses the other", faults: []nfstest.Fault{{Network: "tcp", Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Deny(uint32(rpc.AuthFailed))}}},
			check: func(t *testing.T, s *Session) {
				if s.Options().Proto.Value != "udp" {
					t.Errorf("proto=%s", s.Options().Proto.Value)
				}
			}},
		{name: "10,000 flavours", faults: []nfstest.Fault{{Program: mountd.Program, Procs: []uint32{mountd.ProcMnt}, Do: []nfstest.Action{nfstest.Message(func(msg []byte) []byte {
			n := binary.BigEndian.Uint32(msg[28:])
			msg = msg[:32+n]
			msg = append(msg, words(10_000)...)
			for range 10_000 {
				msg = append(msg, words(1)...)
			}
			return msg
		})}}}},
		{name: "no flavours", o: nfstest.Options{Flavors: []rpc.Flavor{rpc.FlavorSys}}, faults: []nfstest.Fault{{Program: mountd.Program, Procs: []uint32{mountd.ProcMnt}, Do: []nfstest.Action{nfstest.Message(func(msg []byte) []byte {
			n := binary.BigEndian.Uint32(msg[28:])
			return append(msg[:32+n], words(0)...)
		})}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := nfstest.NewFor(t, tt.o)
				for _, f := range tt.faults {
					srv.Fault(f)
				}
				s, err := newWire(srv, map[string]string{}).mounter(t, "127.0.0.1", tt.opts).mount(soon(t))
				if err != nil {
					t.Fatal(err)
				}
				if s.RootAttr().Type != nfs3.TypeDir {
					t.Errorf("root is %+v", s.RootAttr())
				}
				if tt.check != nil {
					tt.check(t, s)
				}
				if err := s.Umount(soon(t)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAnExportThatIsAFileIsRefused(t *testing.T) {
	srv := nfstest.NewFor(t, nfstest.Options{})
	srv.Fault(nfstest.Fault{Procs: []uint32{nfs3.ProcGetattr}, Times: nfstest.Forever, Do: []nfstest.Action{nfstest.Reply(func(_, reply any) {
		reply.(*nfs3.GetattrReply).Attr.Type = nfs3.TypeReg
	})}})
	_, err := Dial(soon(t), config(t, srv, ""))
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, ErrNotDirectory) || e.Message() != "mount spec server:/export is not a directory" || e.Temporary {
		t.Errorf("got %v", err)
	}
	if n := len(srv.Mounts()); n != 0 {
		t.Errorf("the server still lists %d mounts", n)
	}
	if n := srv.Counts()["FSINFO"]; n != 1 {
		t.Errorf("FSINFO was asked %d times: over another transport it is a file too", n)
	}
}

func TestAConnectionThatNoCallNeededIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		w := newWire(nfstest.NewFor(t, nfstest.Options{}), map[string]string{"tcp 111": "mute"})
		m := w.mounter(t, "127.0.0.1", "")
		c, err := m.open(t.Context(), target{host: "127.0.0.1"}, endpoint{netid: "tcp", port: 111}, false, nil, retransmit)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAConnectionThatCameTooLateIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		w := newWire(nfstest.NewFor(t, nfstest.Options{}), map[string]string{"tcp 2049": "mute"})
		m := w.mounter(t, "127.0.0.1", "")
		ctx, stop := context.WithCancel(t.Context())
		m.cfg.DialContext = func(c context.Context, network, addr string) (net.Conn, error) {
			conn, err := w.dial(c, network, addr)
			if strings.HasSuffix(addr, ":2049") {
				stop()
			}
			return conn, err
		}
		if _, err := m.mount(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestASilentServerIsLeftWhenTheContextEnds(t *testing.T) {
	for _, rules := range []map[string]string{
		{"127.0.0.1": "silent"},
		{"127.0.0.1": "mute"},
		{"udp 20048": "silent", "tcp 20048": "mute"},
		{"tcp 2049": "mute", "udp 2049": "mute"},
	} {
		synctest.Test(t, func(t *testing.T) {
			srv := nfstest.NewFor(t, nfstest.Options{})
			m := newWire(srv, rules).mounter(t, "127.0.0.1", "")
			ctx, stop := context.WithTimeout(context.Background(), 2500*time.Millisecond)
			defer stop()
			start := time.Now()
			_, err := m.mount(ctx)
			var e *Error
			if !errors.As(err, &e) || e.Message() != "Connection timed out" || !e.Temporary {
				t.Errorf("%v: got %v", rules, err)
			}
			if took := time.Since(start); took > 3600*time.Millisecond { // UMNT may have its second
				t.Errorf("%v: it took %v", rules, took)
			}
		})
		synctest.Test(t, func(t *testing.T) {
			srv := nfstest.NewFor(t, nfstest.Options{})
			start := time.Now()
			_, err := newWire(srv, rules).mounter(t, "127.0.0.1", "").mount(context.Background())
			if err == nil || !isTemporary(err) {
				t.Errorf("%v: without a deadline: got %v", rules, err)
			}
			if took := time.Since(start); took > 90*time.Second {
				t.Errorf("%v: without a deadline it took %v", rules, took)
			}
			t.Logf("%v: %v after %v", rules, err, time.Since(start))
		})
	}
}

// turnedBack is a connection whose datagrams all come back.
type turnedBack struct {
	transport.Conn
	ended int
}

func (c *turnedBack) Send(_, _ []byte, _ <-chan struct{}) error {
	return &transport.RefusedError{Err: syscall.ECONNREFUSED}
}

func (c *turnedBack) Abort() error {
	c.ended++
	return nil
}

// Anybody can say that nobody listens at a port: that ends one connection a second
// at most, and none whose port rpcbind cannot tell anew.
func TestForgedRefusalsEndFewConnections(t *testing.T) {
	for _, asked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := &link{born: time.Now(), way: endpoint{netid: "udp", asked: asked}}
			l.ready.Store(true)
			conn := new(turnedBack)
			r := &refusals{conn, l}
			for range 36 { // 3.5 s
				if err := r.Send(nil, nil, nil); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("got %v", err)
				}
				time.Sleep(100 * time.Millisecond)
			}
			want := 0
			if asked {
				want = 3
			}
			if conn.ended != want {
				t.Errorf("port known from rpcbind %v: %d connections were ended, want %d", asked, conn.ended, want)
			}
		})
	}
}
